import { setTimeout as pause } from 'node:timers/promises'
import type { ConsumerOptions, ProducerOptions } from '../../src/client/configuration.ts'
import { Admin, Consumer, type ConsumerRecord, Producer } from '../../src/index.ts'
import { apacheKafka } from '../oracle/kafka-world.ts'
import { miniKafka, swiftMiniKafka } from './mini-kafka-world.ts'
import type { Mount, World } from './world.ts'

type Closing = { close(): Promise<void> }

export interface TopicWishes {
  readonly partitions?: number
  readonly replicas?: number
  readonly configs?: Readonly<Record<string, string | number>>
}

/** A record as a reader finds it, as text. */
export interface ReadRecord {
  readonly partition: number
  readonly offset: number
  readonly key: string | null
  readonly value: string | null
}

/**
 * A cluster as those know it who have only our public clients, by whatever way they reach it. `world` is what may befall it:
 * undefined where the cluster is somebody else's.
 */
export class ClientPlace {
  readonly world: World | undefined
  readonly #servers: string | undefined
  readonly #opened: Closing[] = []
  #topics = 0
  /** Names of nobody else, also where earlier runs have left theirs. */
  readonly #mark = `story-${process.pid}-${process.hrtime.bigint().toString(36)}`

  /** `servers`: over TCP, as any program would; without, from within the cluster's process. */
  constructor(world: World | undefined, servers: string | undefined) {
    this.world = world
    this.#servers = servers
  }

  producer(options: ProducerOptions = {}): Producer {
    return this.#kept(
      this.#servers === undefined
        ? this.world!.cluster!.producer(options)
        : new Producer({ 'bootstrap.servers': this.#servers, ...options }),
    )
  }

  consumer(options: ConsumerOptions = {}): Consumer {
    const settings: ConsumerOptions = { 'auto.offset.reset': 'earliest', 'enable.auto.commit': false, ...options }
    return this.#kept(
      this.#servers === undefined
        ? this.world!.cluster!.consumer(settings)
        : new Consumer({ 'bootstrap.servers': this.#servers, ...settings }),
    )
  }

  admin(): Admin {
    return this.#kept(
      this.#servers === undefined ? this.world!.cluster!.admin() : new Admin({ 'bootstrap.servers': this.#servers }),
    )
  }

  #kept<T extends Closing>(client: T): T {
    this.#opened.push(client)
    return client
  }

  name(what: string): string {
    return `${this.#mark}-${what}-${++this.#topics}`
  }

  /** One partition and one replica unless wished for. */
  async topic(wishes: TopicWishes = {}): Promise<string> {
    const { partitions = 1, replicas = 1, configs = {} } = wishes
    const name = this.name('topic')
    const admin = this.admin()
    await admin.createTopics([{ name, partitions, replicationFactor: replicas, configs }])
    // Whoever is asked next may have heard of it later than whoever created it.
    await this.eventually(`${name} has leaders`, async () => {
      const described = await admin.describeTopics([name]).catch(() => undefined)
      return described?.get(name)?.partitions.every(({ leader }) => leader !== undefined) ?? false
    })
    return name
  }

  sleep(ms: number): Promise<void> {
    return this.world === undefined ? pause(ms) : this.world.sleep(ms)
  }

  async eventually(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
    if (this.world !== undefined) return this.world.eventually(what, holds)
    for (let tries = 0; tries < 300; tries++) {
      if (await holds()) return
      await pause(100)
    }
    throw new Error(`waited in vain until ${what}`)
  }

  /** All records of a topic, as they lie in it: by partition, then by offset. */
  async records(topic: string, isolation: 'read_uncommitted' | 'read_committed' = 'read_uncommitted') {
    const consumer = this.consumer({ 'isolation.level': isolation })
    const partitions = (await consumer.partitionsFor(topic)).map(({ partition }) => ({ topic, partition }))
    consumer.assign(partitions)
    const ends = await consumer.endOffsets(partitions)
    const found: ConsumerRecord<Buffer | null, Buffer | null>[] = []
    const isRead = async () => {
      for (const [where, end] of ends) if ((await consumer.position(where)) < end) return false
      return true
    }
    while (!(await isRead())) found.push(...(await consumer.poll({ timeoutMs: 200 })))
    await consumer.close()
    return found.sort((a, b) => a.partition - b.partition || a.offset - b.offset)
  }

  /** Their values, as text. */
  async values(topic: string, isolation?: 'read_uncommitted' | 'read_committed'): Promise<(string | null)[]> {
    return (await this.records(topic, isolation)).map(({ value }) => value && String(value))
  }

  async close(): Promise<void> {
    await Promise.all(this.#opened.map(client => client.close()))
    await this.world?.close()
  }
}

/** Where the stories of clients are told. */
export interface ClientMount {
  readonly name: string
  /** Why none can be told. */
  readonly missing?: string | undefined
  /** Its cluster is somebody else's: nothing can be made to befall it. */
  readonly isForeign?: boolean
  open(): Promise<ClientPlace>
}

const inProcess: ClientMount = {
  name: 'in process',
  open: async () => new ClientPlace(await miniKafka.open(), undefined),
}

const overTcp: ClientMount = {
  name: 'over TCP',
  async open() {
    const world = await swiftMiniKafka.open()
    return new ClientPlace(world, world.cluster!.bootstrapServers)
  },
}

function started(kafka: Mount): ClientMount {
  return {
    name: kafka.name,
    missing: kafka.missing,
    async open() {
      const world = await kafka.open()
      const { bootstrap } = world.environment('bootstrap')
      return new ClientPlace(world, bootstrap.map(({ host, port }) => `${host}:${port}`).join())
    },
  }
}

/** Ours twice; where a real Kafka is started for the stories, that one; and one that `KAFKA_BOOTSTRAP` names. */
export function clientMounts(
  oracle: { readonly dir: string; readonly missing: string | undefined } | undefined,
): readonly ClientMount[] {
  if (oracle !== undefined) return [started(apacheKafka(oracle.dir, oracle.missing))]
  const servers = process.env.KAFKA_BOOTSTRAP
  if (servers === undefined || servers === '') return [inProcess, overTcp]
  const named: ClientMount = {
    name: `Kafka at ${servers}`,
    isForeign: true,
    open: async () => new ClientPlace(undefined, servers),
  }
  return [inProcess, overTcp, named]
}
