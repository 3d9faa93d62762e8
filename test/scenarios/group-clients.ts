import { Admin } from '../../src/client/admin/admin.ts'
import type { ConsumerOptions } from '../../src/client/configuration.ts'
import { Consumer } from '../../src/client/consumer/consumer.ts'
import { Producer } from '../../src/client/producer/producer.ts'
import { ConsumerGroup } from './consumer-group.ts'
import { Topic } from './topic.ts'
import type { World } from './world.ts'

type Member = Consumer<string, string>
type Partitions = readonly { readonly topic: string; readonly partition: number }[]

/** What a group of our clients goes by, each way to share partitions that there is. */
export const protocols = {
  range: { 'partition.assignment.strategy': ['range'] },
  'cooperative-sticky': { 'partition.assignment.strategy': ['cooperative-sticky'] },
  consumer: { 'group.protocol': 'consumer' },
} satisfies Readonly<Record<string, ConsumerOptions>>

/** Only classic members say themselves how often they are heard. */
const HASTE = { 'heartbeat.interval.ms': 200, 'session.timeout.ms': 10_000 }

/** As text: `orders-0 orders-1`. */
export function textOf(partitions: Partitions): string {
  return partitions
    .map(({ topic, partition }) => `${topic}-${partition}`)
    .sort()
    .join(' ')
}

/** A client of ours in a world, what it has read, and what it was told of its partitions. */
export class Reader {
  readonly consumer: Member
  /** Values, in the order in which they came. */
  readonly read: string[] = []
  /** `+ orders-0`, `- orders-0`, `lost orders-0`. */
  readonly diary: string[] = []

  constructor(consumer: Member) {
    this.consumer = consumer
  }

  subscribe(topics: Parameters<Member['subscribe']>[0]): this {
    const entry = (what: string) => (partitions: Partitions) => {
      this.diary.push(`${what} ${textOf(partitions)}`.trimEnd())
    }
    this.consumer.subscribe(topics, {
      listener: { onPartitionsAssigned: entry('+'), onPartitionsRevoked: entry('-'), onPartitionsLost: entry('lost') },
    })
    return this
  }

  get has(): string {
    return textOf(this.consumer.assignment())
  }

  async poll(timeoutMs: number): Promise<void> {
    for (const { value } of await this.consumer.poll({ timeoutMs })) this.read.push(value)
  }
}

/** A topic of four partitions, a group that reads it, and our clients about both; `close` ends them all. */
export class Staff {
  readonly world: World
  readonly topic: Topic
  readonly group: ConsumerGroup
  readonly admin: Admin
  readonly #producer: Producer
  readonly #readers: Reader[] = []

  private constructor(world: World, topic: Topic, group: ConsumerGroup) {
    this.world = world
    this.topic = topic
    this.group = group
    this.admin = new Admin({}, world.environment(`admin of ${group.name}`))
    this.#producer = new Producer({ 'linger.ms': 0 }, world.environment(`producer of ${group.name}`))
  }

  static async of(world: World, replicas: readonly (readonly number[])[] = [[1], [2], [3], [1]]): Promise<Staff> {
    const topic = await Topic.create(world, replicas)
    const group = await ConsumerGroup.of(world, [topic])
    // Members of the new protocol are told how often to be heard.
    await group.configure('consumer.heartbeat.interval.ms', 500)
    return new Staff(world, topic, group)
  }

  /** Does it with a staff, and closes that whatever comes of it. */
  static async does(world: World, work: (staff: Staff) => Promise<void>, replicas?: readonly (readonly number[])[]) {
    const staff = await Staff.of(world, replicas)
    try {
      await work(staff)
    } finally {
      await staff.close()
    }
  }

  reader(options: ConsumerOptions = {}): Reader {
    const name = `reader ${this.#readers.length + 1} of ${this.group.name}`
    const consumer = new Consumer<string, string>(
      {
        'group.id': this.group.name,
        'auto.offset.reset': 'earliest',
        'enable.auto.commit': false,
        'key.deserializer': 'string',
        'value.deserializer': 'string',
        ...(options['group.protocol'] === 'consumer' ? {} : HASTE),
        ...options,
      },
      this.world.environment(name),
    )
    const reader = new Reader(consumer)
    this.#readers.push(reader)
    return reader
  }

  partitions(...indexes: number[]): string {
    return indexes.map(index => `${this.topic.name}-${index}`).join(' ')
  }

  /** Three records to each partition: `a0.0`, `a0.1`, … */
  async produce(prefix: string): Promise<string[]> {
    const values = [0, 1, 2, 3].flatMap(partition =>
      [0, 1, 2].map(i => ({ partition, value: `${prefix}${partition}.${i}` })),
    )
    await Promise.all(values.map(record => this.#producer.send({ topic: this.topic.name, ...record })))
    return values.map(({ value }) => value)
  }

  /** They all poll, side by side, until it holds. */
  async pollUntil(what: string, readers: readonly Reader[], condition: () => boolean): Promise<void> {
    await this.world.eventually(what, async () => {
      await Promise.all(readers.map(reader => reader.poll(100)))
      return condition()
    })
  }

  async close(): Promise<void> {
    await Promise.all(this.#readers.map(({ consumer }) => consumer.close({ timeoutMs: 5000 })))
    await this.#producer.close()
    await this.admin.close()
  }
}
