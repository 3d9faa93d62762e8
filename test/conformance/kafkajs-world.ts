/** kafkajs and a cluster in one process, as a service's tests have them; at the end nothing may be left. */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Admin,
  type Consumer,
  type ConsumerConfig,
  type EachMessagePayload,
  Kafka,
  type KafkaMessage,
  logLevel,
  Partitioners,
  type Producer,
  type ProducerConfig,
} from 'kafkajs'
import { expect } from 'vitest'
import type { BrokerHandle } from '../../src/cluster/broker-handle.ts'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { createCluster } from '../../src/cluster/create-cluster.ts'
import type { ClusterOptions } from '../../src/cluster/options.ts'
import { socketFactory } from '../../src/kafkajs.ts'

export const carriers = ['TCP', 'no port'] as const
export type CarrierName = (typeof carriers)[number]

/** What lets kafkajs notice within two seconds that a broker is gone: docs/from-testcontainers.md says why each is there. */
export const patient = { initialRetryTime: 50, maxRetryTime: 100, retries: 30 }
export const alert: Omit<ConsumerConfig, 'groupId'> = {
  heartbeatInterval: 100,
  rebalanceTimeout: 400,
  maxWaitTimeInMs: 100,
  retry: { ...patient, retries: 3 },
}

export const durable = { partitions: 4, replicationFactor: 3, configs: { 'min.insync.replicas': 2 } } as const

/** Sockets, ports and timers. */
const handles = () => process.getActiveResourcesInfo().filter(name => /^TCP|^Timeout|^Immediate/.test(name)).length

/**
 * Each time that kafkajs cannot connect, it says `unref()` to the socket that it had there before, too; Node keeps a listener
 * for every one. At the eleventh attempt to reach a broker that is down, Node warns, whatever Kafka that broker was of.
 */
function isOfKafkajs({ name, stack = '' }: Error): boolean {
  return (
    name === 'MaxListenersExceededWarning' && /Socket\.unref[\s\S]*kafkajs\/src\/network\/connection\.js/.test(stack)
  )
}

export class KafkajsWorld {
  readonly cluster: Cluster
  readonly kafka: Kafka
  readonly admin: Admin
  /** Of kafkajs' own log. */
  readonly log: string[] = []
  /** Before anything was started. */
  readonly #handles: number
  readonly #clients: { disconnect(): Promise<void> }[] = []
  readonly #disorder: string[] = []
  readonly #onWarning = (warning: Error) => {
    if (!isOfKafkajs(warning)) this.#disorder.push(`warning: ${warning.stack}`)
  }
  readonly #onRejection = (reason: unknown) => this.#disorder.push(`unhandled rejection: ${reason}`)

  private constructor(cluster: Cluster, carrier: CarrierName, before: number) {
    this.#handles = before
    process.on('warning', this.#onWarning)
    process.on('unhandledRejection', this.#onRejection)
    this.cluster = cluster
    this.kafka = new Kafka({
      clientId: 'billing',
      brokers: cluster.addresses,
      retry: patient,
      logLevel: logLevel.INFO,
      logCreator:
        () =>
        ({ label, namespace, log }) =>
          this.log.push(`${label} ${namespace} ${log.message}`),
      ...(carrier === 'TCP' ? {} : { socketFactory: socketFactory(cluster) }),
    })
    this.admin = this.kafka.admin()
    this.#clients.push(this.admin)
  }

  static async start(carrier: CarrierName, options: ClusterOptions = {}): Promise<KafkajsWorld> {
    const before = handles()
    const cluster = await createCluster({ ...(carrier === 'TCP' ? { listen: true } : { time: 'real' }), ...options })
    const world = new KafkajsWorld(cluster, carrier, before)
    await world.admin.connect()
    return world
  }

  async producer(config: ProducerConfig = {}): Promise<Producer> {
    const producer = this.kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner, ...config })
    this.#clients.push(producer)
    await producer.connect()
    return producer
  }

  /** A member that reads from the beginning and keeps what it gets; `handle` may be given instead. */
  async member(topic: string, config: Partial<ConsumerConfig> = {}, reader = new Reader()): Promise<Reader> {
    const consumer = this.kafka.consumer({ groupId: 'billing', ...alert, ...config })
    this.#clients.push(consumer)
    reader.consumer = consumer
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => reader.assignments.push(payload.memberAssignment))
    consumer.on(consumer.events.CRASH, ({ payload }) => reader.crashes.push(payload.error.message))
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    await consumer.run({ eachMessage: payload => reader.handle(payload) })
    return reader
  }

  /** Leads a partition of the topic, and does or does not coordinate the group. */
  leader(topic: string, isCoordinator: boolean): BrokerHandle {
    const coordinator = this.cluster.coordinatorOf({ group: 'billing' })
    if (isCoordinator) return coordinator
    const leaders = [0, 1, 2, 3].map(partition => this.cluster.leaderOf(topic, partition))
    return leaders.find(({ id }) => id !== coordinator.id)!
  }

  until(condition: () => boolean, timeoutMs = 10_000): Promise<void> {
    return this.cluster.runUntil(condition, { timeoutMs, describe: () => this.log.slice(-30).join('\n') })
  }

  /** Closed in the order of a test's `afterEach`; no handle, warning or rejection may be left. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients.reverse()) await client.disconnect()
    await this.cluster.close()
    // The other ends of sockets go a moment later; what was rejected is known to be unhandled after a turn.
    await sleep(0)
    for (let i = 0; i < 50 && handles() > this.#handles; i++) await sleep(10)
    process.off('warning', this.#onWarning)
    process.off('unhandledRejection', this.#onRejection)
    expect({ disorder: this.#disorder, left: Math.max(0, handles() - this.#handles) }).toEqual({
      disorder: [],
      left: 0,
    })
  }
}

/** What one member got. */
export class Reader {
  consumer!: Consumer
  readonly records: { readonly partition: number; readonly message: KafkaMessage }[] = []
  readonly assignments: Record<string, number[]>[] = []
  readonly crashes: string[] = []

  async handle({ partition, message }: EachMessagePayload): Promise<void> {
    this.records.push({ partition, message })
  }

  get values(): (string | undefined)[] {
    return this.records.map(({ message }) => message.value?.toString())
  }
}
