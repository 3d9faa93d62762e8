import { VirtualRuntime } from '../runtime/virtual.ts'
import { IllegalStateError } from '../wire/errors.ts'
import type { BrokerHandle } from './broker-handle.ts'
import type { ControllerHandle } from './controller-handle.ts'
import type { Plant } from './plant.ts'

/** Ends everything that a cluster has: clients, nodes, sockets, time, stores. Never throws. */
export async function closeAll(
  { runtime, stores }: Plant,
  brokers: readonly BrokerHandle[],
  controller: ControllerHandle,
  clients: { close(): Promise<void> },
  sockets: { close(): void } | undefined,
): Promise<void> {
  if (runtime instanceof VirtualRuntime) runtime.standstill.close()
  await clients.close()
  for (const node of [...brokers, controller]) node.close()
  sockets?.close()
  await Promise.all(brokers.map(broker => broker.socketsClosed()))
  await runtime.close(new IllegalStateError('the cluster is closed'))
  try {
    await stores.close()
  } catch {
    // A store that fails while closing has nothing left to lose.
  }
}
