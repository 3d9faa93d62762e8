import { describe, expect, test } from 'vitest'
import { createTopics } from '../../src/apis/create-topics.ts'
import { deleteTopics } from '../../src/apis/delete-topics.ts'
import { groupCodec } from '../../src/coordinators/groups/group-records.ts'
import type { Cluster } from '../../src/index.ts'
import { createCluster } from '../../src/index.ts'
import { ImageChanges } from '../../src/metadata/image-changes.ts'
import type { VirtualRuntime } from '../../src/runtime/virtual.ts'
import { zeroUuid } from '../../src/wire/uuid.ts'
import { ask, plantOf } from './asking.ts'
import { joinAsNew, leave, stateOf, sync } from './classic-asking.ts'
import {
  commit,
  commitInTransaction,
  committed,
  driven,
  endTransaction,
  groupShardOf,
  keptOn,
  OFFSETS_TOPIC,
} from './committing.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
/** Kafka's defaults: offsets.retention.minutes and offsets.retention.check.interval.ms. */
const RETENTION = 7 * DAY
const CHECK = 10 * MINUTE

function cluster(configs: Record<string, number> = {}): Promise<Cluster> {
  return createCluster({ brokers: 2, configs, topics: { t: { partitions: 3 }, u: {}, ...keptOn(1, 2) } })
}

/** Kinds of the records of one group, tombstones with a dagger. */
async function recordsOf(where: Cluster, group: string): Promise<string[]> {
  const raw = await where.topic(OFFSETS_TOPIC).records({ as: 'bytes' })
  return raw.flatMap(({ key, value }) => {
    const record = groupCodec.decode({ key, value })
    if (record === undefined || !('group' in record.key) || record.key.group !== group) return []
    return [record.type + (value === null ? ' †' : '')]
  })
}

describe('offsets expire (G-34)', () => {
  test('of a group without members: a retention after the commit, at the next check; the group goes with them', async () => {
    await using kafka = await cluster()
    await commit(kafka, 'g', { 't-0': 5, 't-1': 6 })
    await kafka.clock.advance(RETENTION - MINUTE)
    expect(await committed(kafka, 'g')).toEqual({ 't-0': [5, '', 'NONE'], 't-1': [6, '', 'NONE'] })
    await commit(kafka, 'g', { 't-1': 7 })
    await kafka.clock.advance(MINUTE + CHECK)
    expect(await committed(kafka, 'g')).toEqual({ 't-1': [7, '', 'NONE'] })
    expect(await stateOf(kafka, 'g')).toBe('Empty')
    await kafka.clock.advance(RETENTION)
    expect(await committed(kafka, 'g')).toEqual({})
    expect(await stateOf(kafka, 'g')).toBe('no group')
    // Of a group that was never more than a name there is no record, and yet a tombstone (G-42).
    expect((await recordsOf(kafka, 'g')).slice(-3)).toEqual(['OffsetCommit †', 'OffsetCommit †', 'GroupMetadata †'])
  })

  test('as the broker is configured', async () => {
    await using kafka = await cluster({ 'offsets.retention.minutes': 1, 'offsets.retention.check.interval.ms': 5_000 })
    await commit(kafka, 'g', { 't-0': 5 })
    await kafka.clock.advance(59_000)
    expect(await committed(kafka, 'g')).toEqual({ 't-0': [5, '', 'NONE'] })
    await kafka.clock.advance(6_000)
    expect(await committed(kafka, 'g')).toEqual({})
  })

  test('of a group that had members: a retention after it became empty', async () => {
    await using kafka = await cluster()
    const { memberId, generation } = await joinAsNew(kafka, 'g', { sessionMs: 1_800_000 })
    await sync(kafka, 'g', { memberId, generation, assignments: { [memberId]: 'all' } })
    await commit(kafka, 'g', { 't-0': 5 }, { memberId, generation })
    await kafka.clock.advance(29 * MINUTE)
    await leave(kafka, 'g', { memberId })
    await kafka.clock.advance(RETENTION - MINUTE)
    expect(await committed(kafka, 'g')).toEqual({ 't-0': [5, '', 'NONE'] })
    await kafka.clock.advance(MINUTE + CHECK)
    expect(await committed(kafka, 'g')).toEqual({})
    expect(await stateOf(kafka, 'g')).toBe('no group')
  })

  test('of a Stable group: only those of topics that nobody subscribes to', async () => {
    await using kafka = await cluster({ 'offsets.retention.minutes': 20, 'group.max.session.timeout.ms': 2 * DAY })
    const { memberId, generation } = await joinAsNew(kafka, 'g', { topics: ['t'], sessionMs: DAY })
    const member = { memberId, generation }
    await commit(kafka, 'preparing', { 'u-0': 1 })
    const joining = { topics: ['t'], sessionMs: DAY, rebalanceMs: DAY }
    const other = await joinAsNew(kafka, 'preparing', joining)
    await sync(kafka, 'g', { ...member, assignments: { [memberId]: 'all' } })
    await commit(kafka, 'g', { 't-0': 5, 'u-0': 6 }, member)
    await kafka.clock.advance(20 * MINUTE + CHECK)
    expect(await committed(kafka, 'g')).toEqual({ 't-0': [5, '', 'NONE'] })
    // CompletingRebalance: its leader has not assigned yet.
    expect(await committed(kafka, 'preparing')).toEqual({ 'u-0': [1, '', 'NONE'] })
    await sync(kafka, 'preparing', {
      ...other,
      instanceId: undefined as never,
      assignments: { [other.memberId]: 'all' },
    })
    await kafka.clock.advance(CHECK)
    expect(await committed(kafka, 'preparing')).toEqual({})
    expect(await stateOf(kafka, 'preparing')).toBe('Stable')
  })

  test('an expiry that an old client gave is honoured, sooner or later than the retention (G-32)', async () => {
    await using kafka = await cluster()
    await commit(kafka, 'g', { 't-0': 1 }, { version: 4, retentionMs: MINUTE })
    await commit(kafka, 'g', { 't-1': 2 }, { version: 3, retentionMs: RETENTION + DAY })
    await commit(kafka, 'g', { 't-2': 3 }, { version: 2 })
    await commit(kafka, 'past', { 't-0': 1 }, { version: 2, retentionMs: -2 })
    expect(await committed(kafka, 'past')).toEqual({ 't-0': [1, '', 'NONE'] })
    await kafka.clock.advance(CHECK)
    expect(await committed(kafka, 'g')).toEqual({ 't-1': [2, '', 'NONE'], 't-2': [3, '', 'NONE'] })
    expect(await stateOf(kafka, 'past')).toBe('no group')
    await kafka.clock.advance(RETENTION)
    expect(await committed(kafka, 'g')).toEqual({ 't-1': [2, '', 'NONE'] })
    await kafka.clock.advance(DAY)
    expect(await committed(kafka, 'g')).toEqual({})
  })

  test('not while a transaction is about to replace them, nor does its group go (G-34, G-40)', async () => {
    await using kafka = await cluster()
    await commit(kafka, 'g', { 't-0': 1, 't-1': 2 })
    await commitInTransaction(kafka, 'g', { 't-0': 9 }, 77)
    await commitInTransaction(kafka, 'only-pending', { 't-0': 9 }, 77)
    await commit(kafka, 'half', { 't-1': 2 })
    await commitInTransaction(kafka, 'half', { 't-2': 9 }, 77)
    await kafka.clock.advance(RETENTION + CHECK)
    expect(await committed(kafka, 'g')).toEqual({ 't-0': [1, '', 'NONE'] })
    expect(await stateOf(kafka, 'only-pending')).toBe('Empty')
    expect([await committed(kafka, 'half'), await stateOf(kafka, 'half')]).toEqual([{}, 'Empty'])
    await endTransaction(kafka, 'g', 'ABORT', 77)
    await kafka.clock.advance(CHECK)
    expect(await committed(kafka, 'g')).toEqual({})
    expect(await stateOf(kafka, 'g')).toBe('no group')
    expect(await stateOf(kafka, 'only-pending')).toBe('no group')
  })

  test('a group that never committed goes with the next check after its members', async () => {
    await using kafka = await cluster()
    const { memberId } = await joinAsNew(kafka, 'g')
    await leave(kafka, 'g', { memberId })
    expect(await stateOf(kafka, 'g')).toBe('Empty')
    await kafka.clock.advance(CHECK)
    expect(await stateOf(kafka, 'g')).toBe('no group')
    expect((await recordsOf(kafka, 'g')).at(-1)).toBe('GroupMetadata †')
  })

  test('a fail-over neither forgets what is due nor begins to count anew', async () => {
    await using kafka = await cluster({ 'offsets.retention.minutes': 60 })
    await commit(kafka, 'g', { 't-0': 5 })
    await kafka.clock.advance(55 * MINUTE)
    await kafka.broker(1).crash()
    await kafka.runUntil(() => kafka.leaderOf(OFFSETS_TOPIC, 0).id === 2)
    expect(await committed(kafka, 'g')).toEqual({ 't-0': [5, '', 'NONE'] })
    await kafka.clock.advance(5 * MINUTE + CHECK)
    expect(await committed(kafka, 'g')).toEqual({})
  })

  test('more of them than a batch may hold go in several', async () => {
    const kept = { assignments: [[1]], configs: { 'max.message.bytes': 40_000 } }
    await using kafka = await createCluster({
      brokers: 1,
      topics: { wide: { partitions: 2_500 }, [OFFSETS_TOPIC]: kept },
      configs: { 'offsets.retention.minutes': 1 },
    })
    for (let from = 0; from < 2_500; from += 500) {
      const partitions = Array.from({ length: 500 }, (_, i) => [`wide-${from + i}`, i])
      expect((await commit(kafka, 'g', Object.fromEntries(partitions)))[`wide-${from}`]).toBe('NONE')
    }
    await kafka.clock.advance(MINUTE + CHECK)
    expect(await stateOf(kafka, 'g')).toBe('no group')
    const records = await recordsOf(kafka, 'g')
    expect(records.filter(kind => kind === 'OffsetCommit †')).toHaveLength(2_500)
    expect(records.at(-1)).toBe('GroupMetadata †')
  })

  test('eight idle weeks with committed offsets cost no check but the one that finds them', async () => {
    await using kafka = await cluster({ 'offsets.retention.minutes': 56 * 24 * 60 + 60 })
    for (const group of ['a', 'b', 'c']) await commit(kafka, group, { 't-0': 5 })
    await kafka.settle()
    const runtime = plantOf(kafka).runtime as VirtualRuntime
    const before = runtime.events
    await kafka.clock.advance(56 * DAY)
    // There would be 8,064 of them.
    expect(runtime.events - before).toBeLessThan(500)
    expect(await committed(kafka, 'a')).toEqual({ 't-0': [5, '', 'NONE'] })
    await kafka.clock.advance(60 * MINUTE + CHECK)
    for (const group of ['a', 'b', 'c']) expect(await stateOf(kafka, group)).toBe('no group')
  })
})

describe('the offsets of a deleted topic go at once (G-36)', () => {
  const remove = (kafka: Cluster, name: string) =>
    ask(kafka, 1, deleteTopics, { topics: [{ name, topicId: zeroUuid }], timeoutMs: 10_000 })

  test('of every group, those of other topics stay, and a group without any goes with the next check', async () => {
    await using kafka = await cluster()
    await commit(kafka, 'both', { 't-0': 1, 't-2': 2, 'u-0': 3 })
    await commit(kafka, 'one', { 't-1': 4 })
    await remove(kafka, 't')
    await kafka.settle()
    expect(await committed(kafka, 'both')).toEqual({ 'u-0': [3, '', 'NONE'] })
    expect(await committed(kafka, 'one')).toEqual({})
    expect(await stateOf(kafka, 'one')).toBe('Empty')
    expect(await recordsOf(kafka, 'one')).toEqual(['OffsetCommit', 'OffsetCommit †'])
    await kafka.clock.advance(CHECK)
    expect(await stateOf(kafka, 'one')).toBe('no group')
    expect(await stateOf(kafka, 'both')).toBe('Empty')
  })

  test('its namesake begins without them', async () => {
    await using kafka = await cluster()
    await commit(kafka, 'g', { 'u-0': 3 })
    await remove(kafka, 'u')
    const topics = [{ name: 'u', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }]
    await ask(kafka, 1, createTopics, { topics, timeoutMs: 10_000, validateOnly: false })
    await kafka.settle()
    expect(await committed(kafka, 'g', { partitions: ['u-0'] })).toEqual({ 'u-0': [-1, '', 'NONE'] })
    await commit(kafka, 'g', { 'u-0': 4 })
    // Who reads the metadata log from its beginning hears of the first one again.
    for (const id of [1, 2]) await kafka.broker(id).restart()
    await kafka.settle()
    const changes = new ImageChanges()
    changes.topicDeleted({ name: 'u', topicId: zeroUuid, partitions: [] })
    await driven(kafka, () => groupShardOf(kafka, 'g').metadataChanged(changes))
    await kafka.settle()
    expect(await committed(kafka, 'g')).toEqual({ 'u-0': [4, '', 'NONE'] })
  })

  test('with what an open transaction was to commit: its marker finds nothing', async () => {
    await using kafka = await cluster()
    await commitInTransaction(kafka, 'g', { 't-0': 9, 'u-0': 8 }, 5)
    await remove(kafka, 't')
    await kafka.settle()
    await endTransaction(kafka, 'g', 'COMMIT', 5)
    expect(await committed(kafka, 'g')).toEqual({ 'u-0': [8, 't', 'NONE'] })
  })
})
