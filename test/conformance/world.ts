import { setTimeout as sleep } from 'node:timers/promises'
import type { NewTopic } from '../../src/client/admin/topics.ts'
import { Admin, Consumer, Producer } from '../../src/client/clients.ts'
import type { ConsumerRecord } from '../../src/client/consumer/consumer-record.ts'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { lineOf, type TraceEvent } from '../../src/runtime/trace.ts'
import type { Client, GroupProtocol } from './client.ts'
import { Driver, type Isolation, type JoinWish, type LineRecord, type Member } from './driver.ts'
import type { Place } from './place.ts'

export interface TopicWish {
  readonly partitions?: number
  readonly configs?: NewTopic['configs']
}

const PATIENCE_MS = 15_000
const base64 = (bytes: Buffer | null) => bytes?.toString('base64') ?? null

/** What one story has: a client's program, a place, clients of ours over TCP. */
export class World {
  readonly client: Client
  readonly place: Place
  readonly driver: Driver
  readonly #ownsPlace: boolean
  readonly #admin: Admin
  readonly #members: Member[] = []
  readonly #others: Driver[] = []

  private constructor(client: Client, place: Place, driver: Driver, ownsPlace: boolean) {
    this.client = client
    this.place = place
    this.driver = driver
    this.#ownsPlace = ownsPlace
    this.#admin = new Admin({ 'bootstrap.servers': place.bootstrapServers })
  }

  /** `ownsPlace`: it is ended with the story. */
  static async start(client: Client, place: Place, ownsPlace: boolean): Promise<World> {
    try {
      return new World(client, place, await Driver.start(client, place.bootstrapServers), ownsPlace)
    } catch (error) {
      if (ownsPlace) await place.end()
      throw error
    }
  }

  /** Of this process, for stories that break something. */
  get cluster(): Cluster {
    const { cluster } = this.place
    if (cluster === undefined) throw new Error('this story can only be told embedded')
    return cluster
  }

  get admin(): Admin {
    return this.#admin
  }

  /** Three replicas, two of which have to acknowledge. The name is one of its own: the command line serves many stories. */
  async topic(prefix: string, { partitions = 1, configs = {} }: TopicWish = {}): Promise<string> {
    const name = `${prefix}-${this.driver.hello.client.replaceAll(/\W+/g, '-')}-${process.hrtime.bigint()}`
    const durable = { 'min.insync.replicas': 2, ...configs }
    await this.#admin.createTopics([{ name, partitions, replicationFactor: 3, configs: durable }])
    return name
  }

  /** What our own consumer reads from the beginning: at least so many, and all that there is below the high watermarks. */
  async records(
    topic: string,
    partitions: number,
    count: number,
    isolation: Isolation = 'read_uncommitted',
  ): Promise<LineRecord[]> {
    const consumer = new Consumer({
      'bootstrap.servers': this.place.bootstrapServers,
      'auto.offset.reset': 'earliest',
      'enable.auto.commit': false,
      'isolation.level': isolation,
    })
    try {
      const all = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
      consumer.assign(all)
      const found: LineRecord[] = []
      const end = Date.now() + PATIENCE_MS
      const asked = all.map(each => ({ ...each, spec: 'latest' }) as const)
      const ends = await this.#admin.listOffsets(asked)
      const atEnd = async () => {
        const positions = await Promise.all(all.map(each => consumer.position(each)))
        return asked.every((each, at) => positions[at]! >= ends.get(each)!.offset)
      }
      while (found.length < count || !(await atEnd())) {
        if (Date.now() > end) throw new Error(`${found.length} of ${count} records of ${topic} could be read`)
        found.push(...(await consumer.poll({ timeoutMs: 200 })).map(lineRecord))
      }
      return found
    } finally {
      await consumer.close()
    }
  }

  /** Writes by our own producer. */
  async write(records: readonly LineRecord[], compression: string): Promise<void> {
    const producer = new Producer({
      'bootstrap.servers': this.place.bootstrapServers,
      'compression.type': compression as 'none',
    })
    const bytes = (text: string | null | undefined) => (text == null ? null : Buffer.from(text, 'base64'))
    try {
      const sent = records.map(({ topic, partition, key, value, headers = [], timestamp }) =>
        producer.send({
          topic,
          partition,
          key: bytes(key),
          value: bytes(value),
          headers: headers.map(([name, text]) => [name, bytes(text)] as const),
          ...(timestamp === undefined ? {} : { timestamp }),
        }),
      )
      await Promise.all(sent)
    } finally {
      await producer.close()
    }
  }

  /** The same client's program in another process. */
  async another(): Promise<Driver> {
    const driver = await Driver.start(this.client, this.place.bootstrapServers)
    this.#others.push(driver)
    return driver
  }

  async join(
    member: string,
    group: string,
    protocol: GroupProtocol,
    topic: string,
    wish: JoinWish = {},
  ): Promise<Member> {
    const joined = await this.driver.join(member, group, protocol, topic, wish)
    this.#members.push(joined)
    return joined
  }

  async until(condition: () => boolean, what: string, patienceMs = PATIENCE_MS): Promise<void> {
    for (const end = Date.now() + patienceMs; !condition(); ) {
      if (Date.now() > end) throw new Error(`after ${patienceMs} ms not yet: ${what}\n${this.#describe()}`)
      await sleep(5)
    }
  }

  /** What went wrong beside the story. */
  async end(): Promise<string[]> {
    const ended = await Promise.all(
      [this.driver, ...this.#others].map(driver =>
        driver.end().then(
          () => [],
          (error: Error) => [error.message],
        ),
      ),
    )
    await this.#admin.close()
    if (this.#ownsPlace) await this.place.end()
    return [...ended.flat(), ...this.place.disorder, ...this.#members.flatMap(({ failures }) => failures)]
  }

  #describe(): string {
    const members = this.#members.map(
      ({ name, assignments, records }) => `${name}: ${JSON.stringify(assignments)}, ${records.length} records`,
    )
    const trace = this.place.cluster?.trace.events().filter(isTelling).slice(-60).map(lineOf) ?? []
    return [...members, ...[this.driver, ...this.#others].map(({ said }) => said), ...trace].join('\n')
  }
}

/** What nodes do among themselves all the time says little. */
const isTelling = ({ kind, who, fields }: TraceEvent) =>
  (kind !== 'request' && kind !== 'response') ||
  !`${who} ${fields.to}`.match(/^(broker-\d+|controller) (broker-\d+|controller)$/)

function lineRecord({ topic, partition, offset, key, value, headers, timestamp }: ConsumerRecord): LineRecord {
  return {
    topic,
    partition,
    offset,
    key: base64(key),
    value: base64(value),
    headers: headers.map(each => [each.key, base64(each.value)] as const),
    timestamp,
  }
}
