import { KafkaError } from '../../../wire/errors.ts'
import type { GroupRecordInput } from '../group-records.ts'
import type { GroupShard } from '../group-shard.ts'
import type { GroupState } from '../group-state.ts'
import { groupTombstones } from '../group-tombstones.ts'
import { retentionStart } from './offset-retention.ts'
import type { OffsetKey } from './offset-table.ts'
import { offsetTombstones } from './offset-tombstones.ts'

const NEVER = Number.POSITIVE_INFINITY
const NO_TOPIC = ''
const TIMER = 'expire offsets'
/** Tombstones of one batch; a group with more of them goes in several, as Kafka splits what need not be atomic. */
const RECORDS_PER_BATCH = 1_000

/**
 * Offsets and groups that nobody needs any more (G-34, G-36). Kafka looks every `offsets.retention.check.interval.ms`,
 * counted from when the partition was loaded; here only those checks are made that have something to find, so that idle
 * weeks cost nothing. What could not be written is found again by the next check.
 */
export class OffsetExpiry {
  readonly #group: GroupShard
  #firstAt = NEVER
  #armedAt = NEVER

  constructor(group: GroupShard) {
    this.#group = group
  }

  get #intervalMs(): number {
    return this.#group.environment.config()['offsets.retention.check.interval.ms']
  }

  get #retentionMs(): number {
    return this.#group.environment.config()['offsets.retention.minutes'] * 60_000
  }

  start(): void {
    this.#firstAt = this.#group.environment.runtime.now() + this.#intervalMs
    this.touch()
  }

  /** Something changed that may expire, or no longer: the next check looks. */
  touch(): void {
    if (this.#firstAt === NEVER) return
    const now = this.#group.environment.runtime.now()
    if (this.#armedAt > now + this.#intervalMs) this.#arm(now)
  }

  #arm(due: number): void {
    const { runtime } = this.#group.environment
    const now = runtime.now()
    const checks = Math.max(0, Math.ceil((Math.max(due, now + 1) - this.#firstAt) / this.#intervalMs))
    const at = this.#firstAt + checks * this.#intervalMs
    if (at >= this.#armedAt) return
    this.#armedAt = at
    this.#group.shard.timers.schedule(TIMER, at - now, () => this.#check(), { housekeeping: true })
  }

  #check(): void {
    this.#armedAt = NEVER
    const { shard, environment } = this.#group
    const now = environment.runtime.now()
    let next = NEVER
    for (const groupId of [...shard.latest.groups.keys()]) {
      if (nextExpiry(shard.latest, groupId, now, this.#retentionMs) <= now) {
        this.#write(groupId, expired(shard.latest, groupId, now, this.#retentionMs))
      }
      next = Math.min(next, nextExpiry(shard.latest, groupId, now, this.#retentionMs))
    }
    if (next < NEVER) this.#arm(next)
  }

  /**
   * G-36: with what is pending. The group goes with the next check, if nothing else is left of it. What was committed for a
   * namesake stays: it may have been made before anybody here heard that the first one is gone.
   */
  topicsDeleted(topics: readonly { readonly name: string }[]): void {
    const { offsets } = this.#group.shard.latest
    const { image } = this.#group.environment
    const names = new Set(topics.map(({ name }) => name))
    const isGone = ({ group, topic, partition }: OffsetKey) =>
      names.has(topic) && offsets.get(group, topic, partition)?.topicId !== (image.topic(topic)?.topicId ?? NO_TOPIC)
    for (const groupId of [...offsets.groups()]) {
      this.#write(groupId, { keys: [...offsets.keysOf(groupId)].filter(isGone), isAll: false })
    }
  }

  #write(groupId: string, { keys, isAll }: Expired): void {
    const { latest } = this.#group.shard
    const group = latest.groups.get(groupId)
    const records: GroupRecordInput[] = offsetTombstones(keys)
    if (isAll && group?.isEmpty) records.push(...groupTombstones(group))
    for (let at = 0; at < records.length; at += RECORDS_PER_BATCH) {
      if (!this.#append(groupId, records.slice(at, at + RECORDS_PER_BATCH))) return
    }
  }

  #append(groupId: string, records: readonly GroupRecordInput[]): boolean {
    const { shard, environment } = this.#group
    const failed = (error: unknown) => {
      if (!(error instanceof KafkaError)) throw error
      const what = `offsets of ${groupId} were not deleted`
      environment.runtime.trace.add('coordinator', environment.name, { what, error: error.errorName })
    }
    try {
      const answer = shard.write(() => ({ records, response: undefined }))
      if (answer instanceof Promise) answer.catch(failed)
      return true
    } catch (error) {
      failed(error)
      return false
    }
  }
}

interface Expired {
  readonly keys: readonly OffsetKey[]
  /** Nothing is left of the group's offsets, and no transaction is going to commit any. */
  readonly isAll: boolean
}

/** When a check will find something of this group; Infinity for never as things are. */
function nextExpiry(state: GroupState, groupId: string, now: number, retentionMs: number): number {
  const group = state.groups.get(groupId)
  if (group === undefined) return NEVER
  if (state.offsets.of(groupId).size === 0) return group.isEmpty && !state.offsets.hasPending(groupId) ? now : NEVER
  let next = NEVER
  for (const [, expiry] of expiries(state, groupId, retentionMs)) next = Math.min(next, expiry)
  return next
}

function expired(state: GroupState, groupId: string, now: number, retentionMs: number): Expired {
  const keys: OffsetKey[] = []
  let isAll = !state.offsets.hasPending(groupId)
  for (const [key, expiry] of expiries(state, groupId, retentionMs)) {
    if (expiry <= now) keys.push(key)
    else isAll = false
  }
  return { keys, isAll }
}

/** When each offset of a group expires as things are: never, if it is subscribed to, or about to be replaced. */
function* expiries(state: GroupState, groupId: string, retentionMs: number): Generator<[OffsetKey, number]> {
  const group = state.groups.get(groupId)!
  for (const [topic, partitions] of state.offsets.of(groupId)) {
    const isSubscribed = group.isSubscribedTo(topic)
    for (const [partition, offset] of partitions) {
      const start = retentionStart(group, offset)
      const mayExpire = !isSubscribed && start !== undefined && !state.offsets.isPending(groupId, topic, partition)
      const due = offset.expireTimestamp === -1 ? (start ?? NEVER) + retentionMs : offset.expireTimestamp
      yield [{ group: groupId, topic, partition }, mayExpire ? due : NEVER]
    }
  }
}
