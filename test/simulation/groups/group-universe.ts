import { type GroupRecord, groupCodec } from '../../../src/coordinators/groups/group-records.ts'
import { partitionFor } from '../../../src/coordinators/partition-for.ts'
import { type Cluster, createCluster, isolate } from '../../../src/index.ts'
import { IllegalStateError, KafkaError } from '../../../src/wire/errors.ts'
import { recordsOf } from '../../../src/wire/record.ts'
import { befall } from '../universe.ts'
import type { GroupSchedule, MemberFault } from './group-schedule.ts'
import { Member, type Processed } from './member.ts'

export const GROUP = 'g'
export const PARTITIONS = 4
const OFFSETS_PARTITIONS = 3

export interface GroupOptions {
  readonly protocol: 'classic' | 'consumer'
  /** Of the classic protocol: `range` moves everything at each rebalance, `cooperative-sticky` what it must. */
  readonly assignor?: 'range' | 'cooperative-sticky'
  /** A mistake of the application: progress is committed before the work is done. */
  readonly commitsFirst?: boolean
  readonly mutants?: readonly string[]
}

/** One change of what the group's log says. */
export interface LoggedRecord {
  readonly offset: number
  readonly record: GroupRecord
}

/** What there was at the end, when everything worked again. */
export interface GroupOutcome {
  /** Offsets that were acknowledged to the producer, by partition. */
  readonly acknowledged: readonly (readonly number[])[]
  /** What members did, in the order in which they did it. */
  readonly processed: readonly Processed[]
  /** Records of the group, as its coordinators wrote them. */
  readonly log: readonly LoggedRecord[]
  /** Undefined: everything was read and the group was stable in time; else what was missing. */
  readonly stuck: string | undefined
  readonly trace: string
}

/** Members come and go, brokers fail, answers are lost, while records are read; then all is healed and must be read. */
export async function runGroup(schedule: GroupSchedule, options: GroupOptions): Promise<GroupOutcome> {
  const cluster = await createCluster({
    brokers: 3,
    seed: schedule.seed,
    ...(options.mutants === undefined ? {} : { mutants: options.mutants }),
    trace: { limit: 200_000 },
    // Shorter than Kafka's, so that a schedule of half a minute has several elections and rebalances.
    configs: {
      'broker.session.timeout.ms': 3000,
      'broker.heartbeat.interval.ms': 500,
      'replica.lag.time.max.ms': 4000,
      'offsets.topic.num.partitions': OFFSETS_PARTITIONS,
      'group.initial.rebalance.delay.ms': 500,
      'group.consumer.min.session.timeout.ms': 6000,
      'group.consumer.session.timeout.ms': 6000,
      'group.consumer.min.heartbeat.interval.ms': 1000,
      'group.consumer.heartbeat.interval.ms': 1000,
    },
    topics: {
      t: { partitions: PARTITIONS, replicationFactor: 3, configs: { 'min.insync.replicas': 2, 'flush.messages': 1 } },
    },
  })
  try {
    const universe = new GroupUniverse(cluster, schedule, options)
    return await universe.run()
  } finally {
    await cluster.close()
  }
}

class GroupUniverse {
  readonly #cluster: Cluster
  readonly #schedule: GroupSchedule
  readonly #options: GroupOptions
  readonly #processed: Processed[] = []
  readonly #acknowledged: number[][] = Array.from({ length: PARTITIONS }, () => [])
  readonly #members: Member[] = []
  readonly #running: Promise<void>[] = []
  #stopped = false

  constructor(cluster: Cluster, schedule: GroupSchedule, options: GroupOptions) {
    this.#cluster = cluster
    this.#schedule = schedule
    this.#options = options
  }

  async run(): Promise<GroupOutcome> {
    const cluster = this.#cluster
    const { members, faults, memberFaults } = this.#schedule
    for (let index = 0; index < members; index++) this.#join(index)
    const befallen = [
      ...faults.map(async fault => {
        await cluster.clock.advance(fault.atMs)
        await tolerant(befall(cluster, fault))
      }),
      ...memberFaults.map(fault => this.#befall(fault)),
    ]
    await Promise.all([this.#produce(), ...befallen])
    await cluster.heal()
    const stuck = await this.#whole()
    this.#stopped = true
    await Promise.all(this.#running)
    return {
      acknowledged: this.#acknowledged,
      processed: this.#processed,
      log: await groupLog(cluster),
      stuck,
      trace: cluster.trace.text(),
    }
  }

  #join(index: number): void {
    const member = new Member(this.#cluster, index, this.#options, this.#processed, () => this.#stopped)
    this.#members[index] = member
    const running = member.run()
    // Told at the end, when it is awaited.
    running.catch(() => {})
    this.#running.push(running)
  }

  async #produce(): Promise<void> {
    const producer = this.#cluster.producer({
      acks: 'all',
      'delivery.timeout.ms': 120_000,
      'request.timeout.ms': 5_000,
    })
    const { records, gapMs } = this.#schedule
    const pending: Promise<void>[] = []
    for (let n = 0; n < records; n++) {
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const sent = producer.send({ topic: 't', partition, value: `${partition}-${n}` })
        pending.push(sent.then(({ offset }) => void this.#acknowledged[partition]!.push(offset)).catch(() => {}))
      }
      await this.#cluster.clock.advance(gapMs)
    }
    await Promise.all(pending)
    await producer.close({ timeoutMs: 0 })
  }

  async #befall({ atMs, lastsMs, what }: MemberFault): Promise<void> {
    const cluster = this.#cluster
    await cluster.clock.advance(atMs)
    if (what.kind === 'lost answer') {
      cluster.failNext(what.api, { error: 'disconnect', when: 'after', optional: true })
      return
    }
    if (what.kind === 'coordinator crash') {
      const partition = partitionFor(GROUP, OFFSETS_PARTITIONS)
      if (!cluster.topicNames.includes('__consumer_offsets')) return
      await tolerant(
        (async () => {
          const coordinator = cluster.leaderOf('__consumer_offsets', partition)
          await coordinator.crash()
          await cluster.clock.advance(lastsMs)
          if (!coordinator.isRunning) await coordinator.restart({ ready: false })
        })(),
      )
      return
    }
    const member = this.#members[what.member]
    if (member === undefined || member.isOver) return
    switch (what.kind) {
      case 'is busy':
        member.busyMs = lastsMs
        return
      case 'cut off': {
        const rule = cluster.network.rule(isolate(member.consumer))
        await cluster.clock.advance(lastsMs)
        rule.dispose()
        return
      }
      default:
        await member.end(what.kind)
        await cluster.clock.advance(lastsMs)
        if (!this.#stopped) this.#join(what.member)
    }
  }

  /** Everything acknowledged was processed, and committed; what is missing when that does not come about. */
  async #whole(): Promise<string | undefined> {
    const done = new Set<string>()
    let looked = 0
    const missing = () => {
      for (; looked < this.#processed.length; looked++) {
        const { partition, offset } = this.#processed[looked]!
        done.add(`${partition}:${offset}`)
      }
      return this.#acknowledged.flatMap((offsets, partition) =>
        offsets.map(offset => `${partition}:${offset}`).filter(place => !done.has(place)),
      )
    }
    const alive = () => this.#members.filter(member => !member.isOver)
    try {
      await this.#cluster.runUntil(
        () => {
          if (missing().length > 0) return false
          const owned = alive().flatMap(member => member.owned())
          return owned.length === PARTITIONS && new Set(owned).size === PARTITIONS
        },
        { timeoutMs: 600_000 },
      )
      return undefined
    } catch (error) {
      if (!(error instanceof Error)) throw error
      const owners = alive().map(member => `${member.name} owns ${member.owned().join(', ') || 'nothing'}`)
      return `not read: ${missing().join(', ') || 'nothing'}; ${owners.join('; ')}`
    }
  }
}

/** Two faults may meet on one broker: the second one finds it down already. */
async function tolerant(fault: Promise<void>): Promise<void> {
  try {
    await fault
  } catch (error) {
    if (!(error instanceof IllegalStateError) && !(error instanceof KafkaError)) throw error
  }
}

async function groupLog(cluster: Cluster): Promise<LoggedRecord[]> {
  const index = partitionFor(GROUP, OFFSETS_PARTITIONS)
  const { log } = cluster.leaderOf('__consumer_offsets', index).broker!.requirePartition('__consumer_offsets', index)
  const records: LoggedRecord[] = []
  let next = log.startOffset
  while (next < log.endOffset) {
    const batches = await log.read(next, 1 << 20, log.endOffset, { minOneBatch: true })
    if (batches.length === 0) break
    for (const batch of batches) {
      for (const record of batch.isControl ? [] : recordsOf(batch)) {
        const decoded = groupCodec.decode(record)
        if (decoded !== undefined) records.push({ offset: record.offset, record: decoded })
      }
      next = batch.nextOffset
    }
  }
  return records
}
