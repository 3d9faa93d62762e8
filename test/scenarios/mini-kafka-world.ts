import type { ClientEnvironment } from '../../src/client/environment.ts'
import type { Plant } from '../../src/cluster/plant.ts'
import { type Cluster, createCluster, cut, hold } from '../../src/index.ts'
import type { AnyApi, RequestInput, ResponseOf } from '../../src/wire/api.ts'
import { ConnectedLine, pollUntil } from './line.ts'
import { CONTROLLER, type HoldFilter, type Lift, type Line, type Mount, WORLD_CONFIGS, type World } from './world.ts'

/** A cluster of its own for every story, on virtual time. */
export const miniKafka: Mount = {
  name: 'mini-kafka',
  powers: new Set(['powerOff', 'mutants']),
  async open() {
    const cluster = await createCluster({
      brokers: [1, 2, 3].map(id => ({ id, rack: `r${id}` })),
      configs: WORLD_CONFIGS,
    })
    return new MiniKafkaWorld(cluster)
  },
}

class MiniKafkaWorld implements World {
  readonly name = 'mini-kafka'
  readonly cluster: Cluster
  readonly #plant: Plant
  readonly #cutOff = new Set<number>()

  constructor(cluster: Cluster) {
    this.cluster = cluster
    // The network that clients use: raw requests of a story go the same way, without a client in between.
    this.#plant = (cluster.controller as unknown as { plant: Plant }).plant
  }

  get witnesses(): readonly number[] {
    return this.cluster.brokers
      .filter(broker => broker.isRunning && !this.#cutOff.has(broker.id))
      .map(broker => broker.id)
  }

  now(): number {
    return this.cluster.clock.now()
  }

  sleep(ms: number): Promise<void> {
    return this.cluster.clock.advance(ms)
  }

  eventually(what: string, condition: () => Promise<boolean> | boolean, timeoutMs = 60_000): Promise<void> {
    return pollUntil(this.#plant.runtime, what, condition, timeoutMs, 20)
  }

  settled(): Promise<void> {
    return Promise.resolve()
  }

  async request<A extends AnyApi>(
    broker: number,
    api: A,
    version: number,
    body: RequestInput<A>,
    timeoutMs?: number,
  ): Promise<ResponseOf<A>> {
    const line = await this.connect(broker)
    try {
      return await line.request(api, version, body, timeoutMs)
    } finally {
      line.close()
    }
  }

  connect(broker: number): Promise<Line> {
    return ConnectedLine.open(this.#plant.runtime, this.#plant.network, this.cluster.broker(broker).address)
  }

  environment(clientName: string): ClientEnvironment {
    const { runtime, network: carrier } = this.#plant
    return { runtime, carrier, bootstrap: this.cluster.brokers.map(broker => broker.address), clientName }
  }

  #node(id: number) {
    return id === CONTROLLER ? this.cluster.controller : this.cluster.broker(id)
  }

  crash(node: number): Promise<void> {
    return this.#node(node).crash()
  }

  stop(node: number): Promise<void> {
    return this.#node(node).stop()
  }

  restart(node: number, options: { readonly disk?: 'kept' | 'empty' } = {}): Promise<void> {
    return this.#node(node).restart(options)
  }

  pause(node: number): Promise<void> {
    return this.#node(node).pause()
  }

  resume(node: number): Promise<void> {
    return this.#node(node).resume()
  }

  powerOff(node: number): Promise<void> {
    return this.#node(node).powerOff()
  }

  cut(a: number, b: number): Lift {
    const rule = this.cluster.network.rule(cut(a, b))
    const cutOff = b === CONTROLLER ? a : a === CONTROLLER ? b : undefined
    if (cutOff !== undefined) this.#cutOff.add(cutOff)
    return () => {
      if (cutOff !== undefined) this.#cutOff.delete(cutOff)
      rule.dispose()
    }
  }

  hold({ from, to, api, kind = 'request' }: HoldFilter): Lift {
    const rule = this.cluster.network.rule(hold({ from, ...(to === undefined ? {} : { to }), api, kind }))
    return () => rule.dispose()
  }

  close(): Promise<void> {
    return this.cluster.close()
  }
}
