import { partitionFor } from '../../../src/coordinators/partition-for.ts'
import { type Cluster, createCluster, hold, isolate, reset } from '../../../src/index.ts'
import { IllegalStateError, KafkaError } from '../../../src/wire/errors.ts'
import { befall } from '../universe.ts'
import { LiveReader, type Read } from './live-reader.ts'
import { type LoggedBatch, loggedBatches } from './logged-batches.ts'
import { PARTITIONS, TOPIC, type TransactionSchedule, type WriterFault } from './transaction-schedule.ts'
import { type Takeover, type ToldTransaction, Writer } from './writer.ts'

export const INTERNAL_PARTITIONS = 2

export interface TransactionOptions {
  readonly version: 1 | 2
  /** Default 5,000 with version 2. With version 1 longer than any fault: nothing comes late, if it is not asked for. */
  readonly requestTimeoutMs?: number
  readonly configs?: Readonly<Record<string, number | string | boolean>>
  readonly mutants?: readonly string[]
}

/** What there was at the end, when everything worked again. */
export interface TransactionOutcome {
  readonly told: readonly ToldTransaction[]
  readonly takeovers: readonly Takeover[]
  /** By partition: what a consumer that reads committed records alone saw from the beginning, while all this happened. */
  readonly seen: readonly (readonly Read[])[]
  /** By partition: what there is for such a consumer at the end. */
  readonly visible: readonly (readonly Read[])[]
  /** By partition: the leader's log. */
  readonly logs: readonly (readonly LoggedBatch[])[]
  /** Of those that transactions were to commit offsets for: the groups that have them. */
  readonly groups: ReadonlySet<string>
  /** Undefined: in time nothing was open and nothing was unread; else what was. */
  readonly stuck: string | undefined
}

/** Shorter than Kafka's, so that a schedule of half a minute has several elections and timeouts. */
export const configs = {
  'broker.session.timeout.ms': 3000,
  'broker.heartbeat.interval.ms': 500,
  'replica.lag.time.max.ms': 4000,
  // Followers that have nothing to fetch ask less often, which is what an idle cluster mostly does.
  'replica.fetch.wait.max.ms': 2000,
  'log.flush.interval.messages': 1,
  'offsets.topic.num.partitions': INTERNAL_PARTITIONS,
  'transaction.state.log.num.partitions': INTERNAL_PARTITIONS,
} as const

/** Writers write while faults come and go, somebody reads, then all is healed, and nothing may be left open. */
export async function runTransactions(
  schedule: TransactionSchedule,
  options: TransactionOptions,
): Promise<TransactionOutcome> {
  const cluster = await createCluster({
    brokers: 3,
    seed: schedule.seed,
    features: { 'transaction.version': options.version },
    ...(options.mutants === undefined ? {} : { mutants: options.mutants }),
    configs: { ...configs, 'request.timeout.ms': options.version === 2 ? 4_000 : 60_000, ...options.configs },
    topics: {
      [TOPIC]: {
        partitions: PARTITIONS,
        replicationFactor: 3,
        // A batch then says when its leader took it.
        configs: { 'min.insync.replicas': 2, 'message.timestamp.type': 'LogAppendTime' },
      },
    },
  })
  try {
    return await new TransactionUniverse(cluster, schedule, options).run()
  } finally {
    await cluster.close()
  }
}

class TransactionUniverse {
  readonly #cluster: Cluster
  readonly #schedule: TransactionSchedule
  readonly #told: ToldTransaction[] = []
  readonly #takeovers: Takeover[] = []
  readonly #writers: readonly Writer[]
  readonly #reader: LiveReader

  constructor(cluster: Cluster, schedule: TransactionSchedule, options: TransactionOptions) {
    this.#cluster = cluster
    this.#schedule = schedule
    const { requestTimeoutMs = options.version === 2 ? 5_000 : 60_000 } = options
    this.#writers = schedule.writers.map(
      (plan, index) => new Writer(cluster, index, plan, { requestTimeoutMs }, this.#told, this.#takeovers),
    )
    this.#reader = new LiveReader(cluster, TOPIC, PARTITIONS)
  }

  async run(): Promise<TransactionOutcome> {
    const cluster = this.#cluster
    const { faults, writerFaults } = this.#schedule
    const reading = this.#reader.run()
    const writing = Promise.all(this.#writers.map(writer => writer.run()))
    // Told where they are awaited.
    for (const running of [reading, writing]) running.catch(() => {})
    await Promise.all([
      ...faults.map(async fault => {
        await cluster.clock.advance(fault.atMs)
        await tolerant(befall(cluster, fault))
      }),
      ...writerFaults.map(fault => this.#befall(fault)),
    ])
    await cluster.heal()
    await writing
    const stuck = await whatIsStuck(cluster, () => this.#reader.isAtEnd)
    this.#reader.stop()
    await reading
    const records = await cluster.topic(TOPIC).records({ isolation: 'read_committed' })
    return {
      told: this.#told,
      takeovers: this.#takeovers,
      seen: this.#reader.seen,
      visible: Array.from({ length: PARTITIONS }, (_, partition) =>
        records
          .filter(record => record.partition === partition)
          .map(({ offset, value }) => ({ offset, value: value! })),
      ),
      logs: await Promise.all(
        Array.from({ length: PARTITIONS }, (_, partition) => loggedBatches(cluster, TOPIC, partition)),
      ),
      groups: this.#groupsWithOffsets(),
      stuck,
    }
  }

  #groupsWithOffsets(): ReadonlySet<string> {
    if (!this.#cluster.topicNames.includes('__consumer_offsets')) return new Set()
    const groups = this.#told.flatMap(({ group }) => (group === undefined ? [] : [group]))
    return new Set(
      groups.filter(id => {
        const index = partitionFor(id, INTERNAL_PARTITIONS)
        const shard = this.#cluster.leaderOf('__consumer_offsets', index).broker?.groups.shards.get(index)
        return shard?.shard.committed.offsets.get(id, TOPIC, 0) !== undefined
      }),
    )
  }

  async #befall({ atMs, lastsMs, what }: WriterFault): Promise<void> {
    const cluster = this.#cluster
    await cluster.clock.advance(atMs)
    switch (what.kind) {
      case 'lost answer':
      case 'lost request': {
        const { api, times } = what
        const kind = what.kind === 'lost answer' ? 'response' : 'request'
        cluster.network.rule(reset({ api, kind, times }), { optional: true })
        return
      }
      case 'coordinator crash':
        return this.#crashCoordinator(what.id, lastsMs)
      case 'stop': {
        const stop = cluster.transaction(`id-${what.id}`).stop(what.step)
        await cluster.clock.advance(lastsMs / 4)
        if (what.crash && stop.isReached) await this.#crashCoordinator(what.id, lastsMs)
        stop.lift()
        return
      }
      case 'late markers': {
        const rule = hold({ api: 'WriteTxnMarkers', times: what.times, kind: 'request' })
        const installed = cluster.network.rule(rule, { optional: true })
        await cluster.clock.advance(lastsMs)
        installed.dispose()
        return
      }
      default:
        return this.#befallWriter(what, lastsMs)
    }
  }

  async #befallWriter(what: Extract<WriterFault['what'], { readonly writer: number }>, lastsMs: number): Promise<void> {
    const writer = this.#writers[what.writer]
    if (writer === undefined) return
    if (what.kind === 'dies') {
      writer.die(lastsMs)
      return
    }
    const { producer } = writer
    if (producer === undefined) return
    const from = producer.name
    const rule =
      what.kind === 'cut off' ? isolate(producer) : hold({ from, api: what.api, times: what.times, kind: 'request' })
    const installed = this.#cluster.network.rule(rule, { optional: true })
    await this.#cluster.clock.advance(lastsMs)
    installed.dispose()
  }

  async #crashCoordinator(id: number, lastsMs: number): Promise<void> {
    const partition = partitionFor(`id-${id}`, INTERNAL_PARTITIONS)
    if (!this.#cluster.topicNames.includes('__transaction_state')) return
    await tolerant(
      (async () => {
        const coordinator = this.#cluster.leaderOf('__transaction_state', partition)
        await coordinator.crash()
        await this.#cluster.clock.advance(lastsMs)
        if (!coordinator.isRunning) await coordinator.restart({ ready: false })
      })(),
    )
  }
}

/** Two faults may meet on one broker: the second one finds it down already. */
export async function tolerant(fault: Promise<void>): Promise<void> {
  try {
    await fault
  } catch (error) {
    if (!(error instanceof IllegalStateError) && !(error instanceof KafkaError)) throw error
  }
}

/** Once all is healed: everything that was begun is ended, and can be read, in three minutes; else what cannot. */
export async function whatIsStuck(cluster: Cluster, isRead: () => boolean): Promise<string | undefined> {
  const places = cluster.topicNames.flatMap(topic =>
    cluster.topic(topic).partitions.map(({ partition }) => ({ topic, partition })),
  )
  const open = () =>
    places.flatMap(({ topic, partition }) => {
      const { leader, highWatermark, lastStableOffset, endOffset } = cluster.partition(topic, partition)
      if (leader !== undefined && highWatermark === endOffset && lastStableOffset === endOffset) return []
      return [`${topic}-${partition} is stable below ${lastStableOffset} of ${endOffset}`]
    })
  try {
    await cluster.runUntil(() => open().length === 0 && isRead(), { timeoutMs: 180_000 })
    return undefined
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return open().join(', ') || `not everything was read: ${error.message}`
  }
}
