import type { Runtime } from '../runtime/runtime.ts'
import type { BrokerHandle } from './broker-handle.ts'
import type { ControllerHandle } from './controller-handle.ts'

/** Paused nodes go on, nodes that are down start. Resolves when every broker takes part. */
export async function healNodes(
  runtime: Runtime,
  controller: ControllerHandle,
  brokers: readonly BrokerHandle[],
): Promise<void> {
  for (const node of [controller, ...brokers]) {
    if (node.state === 'paused') await node.resume()
    else if (!node.isRunning) await node.restart({ ready: false })
  }
  await runtime.until(() => brokers.every(broker => broker.isReady)).promise
}
