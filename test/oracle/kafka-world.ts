import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { metadata } from '../../src/apis/metadata.ts'
import type { ClientEnvironment } from '../../src/client/environment.ts'
import type { Address } from '../../src/network/channel.ts'
import { TcpCarrier } from '../../src/network/tcp.ts'
import { RealRuntime } from '../../src/runtime/real.ts'
import type { AnyApi, RequestInput, ResponseOf } from '../../src/wire/api.ts'
import { ConnectedLine, pollUntil } from '../scenarios/line.ts'
import {
  CONTROLLER,
  type HoldFilter,
  type Lift,
  type Line,
  type Mount,
  WORLD_CONFIGS,
  type World,
} from '../scenarios/world.ts'
import { DEFAULT_VERSION, type Oracle, startKafka } from './kafka.mjs'
import { Proxies } from './proxy.ts'

const BROKERS = [1, 2, 3]

/** Why no real Kafka can be run on this machine; undefined: it can. */
export function missingForKafka(): string | undefined {
  const runs = (command: string) => spawnSync(command, ['-version'], { stdio: 'ignore' }).status === 0
  if (!runs('java')) return 'a real Apache Kafka needs java, which is not here'
  const cache = process.env.KAFKA_ORACLE_CACHE ?? join(homedir(), '.cache', 'kafka-oracle')
  if (existsSync(join(cache, DEFAULT_VERSION, 'complete'))) return undefined
  return runs('mvn') ? undefined : "Apache Kafka's jars are fetched by mvn, which is not here"
}

/** One cluster for all stories of a run; it takes its own folder, which whoever runs the tests cleans up. */
export function apacheKafka(dir: string, missing: string | undefined): Mount {
  return {
    name: 'Apache Kafka',
    powers: new Set(),
    ...(missing === undefined ? {} : { missing }),
    async open() {
      running ??= RunningKafka.start(dir)
      const kafka = await running
      await kafka.heal()
      return new KafkaWorld(kafka)
    },
  }
}

let running: Promise<RunningKafka> | undefined

class RunningKafka {
  readonly runtime = new RealRuntime({ seed: 1 })
  readonly carrier = new TcpCarrier({ runtime: this.runtime })
  readonly proxies: Proxies
  readonly oracle: Oracle
  readonly down = new Set<number>()
  readonly paused = new Set<number>()
  readonly cutOff = new Set<number>()

  private constructor(oracle: Oracle, proxies: Proxies) {
    this.oracle = oracle
    this.proxies = proxies
  }

  static async start(dir: string): Promise<RunningKafka> {
    const proxies = new Proxies()
    const oracle = await startKafka({
      dir,
      brokers: BROKERS.length,
      configs: Object.fromEntries(Object.entries(WORLD_CONFIGS).map(([key, value]) => [key, String(value)])),
      brokerConfigs: { 'broker.rack': 'r{id}' },
      heap: '384m',
      proxied: true,
      beforeLaunch: async nodes => {
        for (const { id, proxyPort, innerPort } of nodes) await proxies.open(id, proxyPort!, innerPort!)
      },
    })
    return new RunningKafka(oracle, proxies)
  }

  get witnesses(): number[] {
    return BROKERS.filter(id => !this.down.has(id) && !this.paused.has(id) && !this.cutOff.has(id))
  }

  async request<A extends AnyApi>(broker: number, api: A, version: number, body: RequestInput<A>, timeoutMs?: number) {
    const line = await this.connect(broker)
    try {
      return await line.request(api, version, body, timeoutMs)
    } finally {
      line.close()
    }
  }

  connect(broker: number): Promise<ConnectedLine> {
    return ConnectedLine.open(this.runtime, this.carrier, this.addressOf(broker))
  }

  addressOf(broker: number): Address {
    return { host: '127.0.0.1', port: this.oracle.node(broker).port }
  }

  async start(node: number): Promise<void> {
    this.oracle.launch(node)
    await this.oracle.ready(node)
    this.down.delete(node)
    if (node !== CONTROLLER) await this.takePart([node])
  }

  /** Until every witness lists these brokers: they are registered and unfenced. */
  async takePart(ids: readonly number[]): Promise<void> {
    const lists = async (witness: number) => {
      const body = { topics: [], allowAutoTopicCreation: false, includeTopicAuthorizedOperations: false }
      const { brokers } = await this.request(witness, metadata, 12, body, 5_000)
      return ids.every(id => brokers.some(broker => broker.nodeId === id))
    }
    await pollUntil(
      this.runtime,
      `brokers ${ids.join(', ')} take part`,
      async () => (await Promise.all(this.witnesses.map(lists))).every(Boolean),
      60_000,
      50,
    )
  }

  async heal(): Promise<void> {
    this.proxies.liftAll()
    this.cutOff.clear()
    for (const node of this.paused) this.oracle.resume(node)
    this.paused.clear()
    const down = [...this.down].sort((a, b) => b - a)
    for (const node of down) this.oracle.launch(node)
    for (const node of down) await this.oracle.ready(node)
    this.down.clear()
    await this.takePart(BROKERS)
  }
}

class KafkaWorld implements World {
  readonly name = 'Apache Kafka'
  readonly cluster = undefined
  readonly #kafka: RunningKafka

  constructor(kafka: RunningKafka) {
    this.#kafka = kafka
  }

  get witnesses(): readonly number[] {
    return this.#kafka.witnesses
  }

  now(): number {
    return this.#kafka.runtime.now()
  }

  sleep(ms: number): Promise<void> {
    return this.#kafka.runtime.sleep(ms)
  }

  eventually(what: string, condition: () => Promise<boolean> | boolean, timeoutMs = 40_000): Promise<void> {
    return pollUntil(this.#kafka.runtime, what, condition, timeoutMs, 50)
  }

  settled(): Promise<void> {
    return this.sleep(200)
  }

  request<A extends AnyApi>(
    broker: number,
    api: A,
    version: number,
    body: RequestInput<A>,
    timeoutMs?: number,
  ): Promise<ResponseOf<A>> {
    return this.#kafka.request(broker, api, version, body, timeoutMs)
  }

  connect(broker: number): Promise<Line> {
    return this.#kafka.connect(broker)
  }

  environment(clientName: string): ClientEnvironment {
    const bootstrap = BROKERS.map(broker => this.#kafka.addressOf(broker))
    return { runtime: this.#kafka.runtime, carrier: this.#kafka.carrier, bootstrap, clientName }
  }

  async crash(node: number): Promise<void> {
    this.#kafka.down.add(node)
    this.#kafka.paused.delete(node)
    await this.#kafka.oracle.crash(node)
  }

  async stop(node: number): Promise<void> {
    this.#kafka.down.add(node)
    await this.#kafka.oracle.term(node)
  }

  async restart(node: number, { disk = 'kept' }: { readonly disk?: 'kept' | 'empty' } = {}): Promise<void> {
    if (!this.#kafka.down.has(node)) await this.stop(node)
    if (disk === 'empty') this.#kafka.oracle.wipe(node)
    await this.#kafka.start(node)
  }

  async pause(node: number): Promise<void> {
    this.#kafka.paused.add(node)
    this.#kafka.oracle.pause(node)
  }

  async resume(node: number): Promise<void> {
    this.#kafka.oracle.resume(node)
    this.#kafka.paused.delete(node)
  }

  powerOff(): Promise<void> {
    return Promise.reject(new Error('what a real broker has not flushed, the machine has: only mini-kafka can lose it'))
  }

  cut(a: number, b: number): Lift {
    const { proxies, cutOff } = this.#kafka
    const lift = proxies.install(({ from, to }) => (from === a && to === b) || (from === b && to === a))
    const lonely = b === CONTROLLER ? a : a === CONTROLLER ? b : undefined
    if (lonely !== undefined) cutOff.add(lonely)
    return () => {
      if (lonely !== undefined) cutOff.delete(lonely)
      lift()
    }
  }

  hold({ from, to, api, kind = 'request' }: HoldFilter): Lift {
    return this.#kafka.proxies.install(frame => {
      if (frame.kind !== kind || frame.apiKey !== api.key) return false
      const [sender, receiver] = kind === 'request' ? [frame.from, frame.to] : [frame.to, frame.from]
      return sender === from && (to ?? receiver) === receiver
    })
  }

  close(): Promise<void> {
    return this.#kafka.heal()
  }
}
