import type { ClientEnvironment } from '../../src/client/environment.ts'
import type { Plant } from '../../src/cluster/plant.ts'
import { type Cluster, createCluster, cut, hold } from '../../src/index.ts'
import type { Carrier } from '../../src/network/channel.ts'
import { TcpCarrier } from '../../src/network/tcp.ts'
import type { AnyApi, RequestInput, ResponseOf } from '../../src/wire/api.ts'
import { ConnectedLine, pollUntil } from './line.ts'
import { CONTROLLER, type HoldFilter, type Lift, type Line, type Mount, WORLD_CONFIGS, type World } from './world.ts'

const BROKERS = [1, 2, 3].map(id => ({ id, rack: `r${id}` }))

/** A cluster of its own for every story, on virtual time. */
export const miniKafka: Mount = {
  name: 'mini-kafka',
  powers: new Set(['powerOff', 'mutants']),
  async open() {
    return new MiniKafkaWorld(await createCluster({ brokers: BROKERS, configs: WORLD_CONFIGS }))
  },
}

/** The same, reached over TCP, on real time. */
export const listeningMiniKafka: Mount = {
  name: 'mini-kafka',
  powers: new Set(['powerOff', 'mutants']),
  async open() {
    return new MiniKafkaWorld(await createCluster({ brokers: BROKERS, configs: WORLD_CONFIGS, listen: true }), {
      listens: true,
    })
  },
}

/** The same, with the timeouts that it has on real time anyway: a broker's death is known in half a second. */
export const swiftMiniKafka: Mount = {
  ...listeningMiniKafka,
  async open() {
    return new MiniKafkaWorld(await createCluster({ brokers: BROKERS, listen: true }), { listens: true })
  },
}

class MiniKafkaWorld implements World {
  readonly name = 'mini-kafka'
  readonly cluster: Cluster
  readonly #plant: Plant
  readonly #cutOff = new Set<number>()
  /** How brokers are reached where they listen. */
  readonly #sockets: Carrier | undefined

  constructor(cluster: Cluster, { listens = false } = {}) {
    this.cluster = cluster
    // The network that clients use: raw requests of a story go the same way, without a client in between.
    this.#plant = (cluster.controller as unknown as { plant: Plant }).plant
    this.#sockets = listens ? new TcpCarrier({ runtime: this.#plant.runtime }) : undefined
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
    const { runtime, network } = this.#plant
    // Only brokers listen: to a controller there is the network within the process.
    const address = broker === CONTROLLER ? this.#plant.controllerAddress : this.cluster.broker(broker).address
    const carrier = this.#sockets !== undefined && broker !== CONTROLLER ? this.#sockets : network
    return ConnectedLine.open(runtime, carrier, address)
  }

  environment(clientName: string): ClientEnvironment {
    const { runtime, network } = this.#plant
    return {
      runtime,
      carrier: this.#sockets ?? network,
      bootstrap: this.cluster.brokers.map(broker => broker.address),
      clientName,
    }
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
