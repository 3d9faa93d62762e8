import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { offsetCommit } from '../../src/apis/offset-commit.ts'
import { offsetFetch } from '../../src/apis/offset-fetch.ts'
import { groupCodec } from '../../src/coordinators/groups/group-records.ts'
import type { Cluster } from '../../src/index.ts'
import { createCluster } from '../../src/index.ts'
import { zeroUuid } from '../../src/wire/uuid.ts'
import { ask, nameOf } from './asking.ts'
import { beat, joinAsNew, stateOf, sync } from './classic-asking.ts'
import { commit, committed, driven, groupShardOf, keptOn, OFFSETS_TOPIC, table } from './committing.ts'

let cluster: Cluster

beforeAll(async () => {
  cluster = await createCluster({ topics: { t: { partitions: 3 }, u: {}, ...keptOn(1, 2, 3) } })
})

afterAll(() => cluster.close())

const UNKNOWN_ID = 'AAAAAAAAAAAAAAAAAAAAAQ'

/** What the log says of offsets of one group, as `t-0` and the value. */
async function records(group: string) {
  const raw = await cluster.topic(OFFSETS_TOPIC).records({ as: 'bytes' })
  return raw.flatMap(({ key, value }) => {
    const record = groupCodec.decode({ key, value })
    if (record?.type !== 'OffsetCommit' || record.key.group !== group) return []
    const version = value === null ? undefined : new DataView(value.buffer, value.byteOffset).getInt16(0)
    return [{ of: `${record.key.topic}-${record.key.partition}`, version, value: record.value }]
  })
}

describe('OffsetCommit by somebody who is no member', () => {
  test.each([2, 3, 4, 5, 6, 7, 8, 9, 10])(
    'v%i keeps offset and metadata, and makes a simple group (G-30)',
    async version => {
      const group = `plain-${version}`
      expect(await stateOf(cluster, group)).toBe('no group')
      const offsets = { 't-0': 5, 't-2': { offset: 7, metadata: 'up to here' } }
      expect(await commit(cluster, group, offsets, { version })).toEqual({ 't-0': 'NONE', 't-2': 'NONE' })
      expect(await committed(cluster, group)).toEqual({ 't-0': [5, '', 'NONE'], 't-2': [7, 'up to here', 'NONE'] })
      expect(await stateOf(cluster, group)).toBe('Empty')
    },
  )

  test('the last commit counts, also where it goes back; any offset is taken (G-32)', async () => {
    for (const offset of [100, 3, -5]) {
      expect(await commit(cluster, 'again', { 't-0': offset })).toEqual({ 't-0': 'NONE' })
      expect(await committed(cluster, 'again')).toEqual({ 't-0': [offset, '', 'NONE'] })
    }
  })

  test('a leader epoch is kept from v6 on (KIP-320)', async () => {
    await commit(cluster, 'epochs', { 't-0': { offset: 1, leaderEpoch: 4 } }, { version: 6 })
    const body = { groupId: 'epochs', topics: [{ name: 't', partitionIndexes: [0, 1] }] }
    const { topics } = await ask(cluster, 1, offsetFetch, body, 5)
    expect(topics[0]!.partitions.map(({ committedLeaderEpoch }) => committedLeaderEpoch)).toEqual([4, -1])
  })

  test('null metadata is kept as no text; one of 4,096 characters is taken, a longer one refuses its partition (G-32)', async () => {
    const text = (length: number) => 'ä'.repeat(length)
    const offsets = {
      't-0': { offset: 1, metadata: null },
      't-1': { offset: 2, metadata: text(4096) },
      't-2': { offset: 3, metadata: text(4097) },
    }
    expect(await commit(cluster, 'metadata', offsets)).toEqual({
      't-0': 'NONE',
      't-1': 'NONE',
      't-2': 'OFFSET_METADATA_TOO_LARGE',
    })
    expect(await committed(cluster, 'metadata')).toEqual({ 't-0': [1, '', 'NONE'], 't-1': [2, text(4096), 'NONE'] })
  })

  test('unknown topics and partitions are answered first, and do not hinder the others (G-32)', async () => {
    const answer = await commit(cluster, 'unknown', { 't-0': 5, 't-9': 1, 'nope-0': 2, 'u-0': 3 })
    expect(Object.entries(answer)).toEqual([
      ['t-9', 'UNKNOWN_TOPIC_OR_PARTITION'],
      ['t-0', 'NONE'],
      ['nope-0', 'UNKNOWN_TOPIC_OR_PARTITION'],
      ['u-0', 'NONE'],
    ])
    expect(await committed(cluster, 'unknown')).toEqual({ 't-0': [5, '', 'NONE'], 'u-0': [3, '', 'NONE'] })
  })

  test('v10 names topics by id: an unknown one is UNKNOWN_TOPIC_ID (G-32, W-44)', async () => {
    const partitions = [{ partitionIndex: 0, committedOffset: 1, committedMetadata: '' }]
    const topics = [
      { topicId: UNKNOWN_ID, partitions },
      { topicId: cluster.topic('t').topicId, partitions },
    ]
    const answer = await ask(cluster, 1, offsetCommit, { groupId: 'ids', memberId: '', topics }, 10)
    expect(
      answer.topics.map(({ topicId, partitions: [{ errorCode } = { errorCode: -1 }] }) => [topicId, nameOf(errorCode)]),
    ).toEqual([
      [UNKNOWN_ID, 'UNKNOWN_TOPIC_ID'],
      [cluster.topic('t').topicId, 'NONE'],
    ])
  })

  test('nothing but unknown topics, or nothing at all, asks no coordinator and makes no group', async () => {
    expect(await commit(cluster, 'nothing', {})).toEqual({})
    expect(await commit(cluster, 'nothing', {}, { to: 2, generation: 7, memberId: 'who' })).toEqual({})
    expect(await commit(cluster, 'nothing', { 'nope-0': 1 }, { to: 2 })).toEqual({
      'nope-0': 'UNKNOWN_TOPIC_OR_PARTITION',
    })
    expect(await stateOf(cluster, 'nothing')).toBe('no group')
  })

  test('a generation of a group that is not there: ILLEGAL_GENERATION, from v9 on GROUP_ID_NOT_FOUND (G-30)', async () => {
    const member = { memberId: 'm', generation: 0 }
    expect(await commit(cluster, 'gone', { 't-0': 1 }, { ...member, version: 8 })).toEqual({
      't-0': 'ILLEGAL_GENERATION',
    })
    expect(await commit(cluster, 'gone', { 't-0': 1 }, { ...member, version: 9 })).toEqual({
      't-0': 'GROUP_ID_NOT_FOUND',
    })
    expect(await stateOf(cluster, 'gone')).toBe('no group')
  })

  test('an empty group id is a name like any other (G-3)', async () => {
    expect(await commit(cluster, '', { 't-0': 8 })).toEqual({ 't-0': 'NONE' })
    expect(await committed(cluster, '')).toEqual({ 't-0': [8, '', 'NONE'] })
  })

  test("a broker that is not the group's coordinator says so, for every partition and every group (G-2)", async () => {
    expect(await commit(cluster, 'g', { 't-0': 1, 'u-0': 2 }, { to: 2 })).toEqual({
      't-0': 'NOT_COORDINATOR',
      'u-0': 'NOT_COORDINATOR',
    })
    expect(await committed(cluster, 'g', { to: 2 })).toBe('NOT_COORDINATOR')
    expect(await committed(cluster, 'g', { to: 2, version: 1, partitions: ['t-0', 't-1'] })).toEqual({
      't-0': [-1, '', 'NOT_COORDINATOR'],
      't-1': [-1, '', 'NOT_COORDINATOR'],
    })
  })

  test('is written as value v4 with the topic id; with a retention time, which only v2 to v4 have, as v1 with an expiry (G-32, G-42)', async () => {
    await commit(cluster, 'written', { 't-0': { offset: 6, metadata: 'm', leaderEpoch: 2 } }, { version: 9 })
    await commit(cluster, 'written', { 't-1': 9 }, { version: 4, retentionMs: 60_000 })
    const [plain, expiring] = await records('written')
    expect(plain).toEqual({
      of: 't-0',
      version: 4,
      value: {
        offset: 6,
        leaderEpoch: 2,
        metadata: 'm',
        commitTimestamp: plain!.value!.commitTimestamp,
        expireTimestamp: -1,
        topicId: cluster.topic('t').topicId,
      },
    })
    const { commitTimestamp, expireTimestamp, topicId, leaderEpoch } = expiring!.value!
    expect([expiring!.of, expiring!.version, leaderEpoch, topicId]).toEqual(['t-1', 1, -1, zeroUuid])
    expect(expireTimestamp - commitTimestamp).toBe(60_000)
    expect(cluster.clock.now() - commitTimestamp).toBeLessThan(1_000)
  })
})

describe('OffsetCommit by members of a classic group', () => {
  test('a commit keeps the session of its member alive, as a heartbeat does (G-30)', async () => {
    const { memberId, generation } = await joinAsNew(cluster, 'sessions', { sessionMs: 10_000 })
    const member = { memberId, generation }
    await sync(cluster, 'sessions', { ...member, assignments: { [memberId]: 'all' } })
    for (let i = 0; i < 3; i++) {
      await cluster.clock.advance(8_000)
      expect(await commit(cluster, 'sessions', { 't-0': i }, member)).toEqual({ 't-0': 'NONE' })
    }
    expect(await beat(cluster, 'sessions', member)).toBe('NONE')
    await cluster.clock.advance(10_001)
    expect(await commit(cluster, 'sessions', { 't-0': 4 }, member)).toEqual({ 't-0': 'UNKNOWN_MEMBER_ID' })
    expect(await committed(cluster, 'sessions')).toEqual({ 't-0': [2, '', 'NONE'] })
  })

  test('a static member that came back has fenced the one before it (G-18, G-30)', async () => {
    const joining = { instanceId: 'one', topics: ['t'] }
    const first = await joinAsNew(cluster, 'static', joining)
    const { memberId, generation } = first
    await sync(cluster, 'static', { memberId, generation, instanceId: 'one', assignments: { [memberId]: 'all' } })
    const as = (memberId: string, instanceId: string) => ({ memberId, instanceId, generation: first.generation })
    expect(await commit(cluster, 'static', { 't-0': 1 }, as(first.memberId, 'one'))).toEqual({ 't-0': 'NONE' })
    const second = await joinAsNew(cluster, 'static', joining)
    expect(await commit(cluster, 'static', { 't-0': 2 }, as(first.memberId, 'one'))).toEqual({
      't-0': 'FENCED_INSTANCE_ID',
    })
    expect(await commit(cluster, 'static', { 't-0': 3 }, as(second.memberId, 'other'))).toEqual({
      't-0': 'UNKNOWN_MEMBER_ID',
    })
    expect(await commit(cluster, 'static', { 't-0': 4 }, as(second.memberId, 'one'))).toEqual({ 't-0': 'NONE' })
  })

  test('a checker has something to find where generation and member are not checked', async () => {
    const committedBy = async (mutants: string[]) => {
      await using lax = await createCluster({ brokers: 1, topics: { t: {}, ...keptOn(1) }, mutants })
      const { memberId } = await joinAsNew(lax, 'g')
      await commit(lax, 'g', { 't-0': 1 }, { memberId, generation: 0 })
      return await committed(lax, 'g')
    }
    expect(await committedBy([])).toEqual({})
    expect(await committedBy(['no-offset-commit-fencing'])).toEqual({ 't-0': [1, '', 'NONE'] })
  })
})

describe('OffsetFetch', () => {
  beforeAll(() => commit(cluster, 'fetched', { 't-0': { offset: 5, metadata: 'five' }, 't-1': 6, 'u-0': 7 }))

  test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])(
    'v%i: what was not committed has offset −1, no text and no error (G-33)',
    async version => {
      const asked = { version, partitions: ['t-0', 't-2', 'u-0'] }
      expect(await committed(cluster, 'fetched', asked)).toEqual({
        't-0': [5, 'five', 'NONE'],
        't-2': [-1, '', 'NONE'],
        'u-0': [7, '', 'NONE'],
      })
      expect(await committed(cluster, 'missing', asked)).toEqual({
        't-0': [-1, '', 'NONE'],
        't-2': [-1, '', 'NONE'],
        'u-0': [-1, '', 'NONE'],
      })
    },
  )

  test.each([2, 3, 4, 5, 6, 7, 8, 9, 10])('v%i: null topics are all that was committed (G-33)', async version => {
    const all = { 't-0': [5, 'five', 'NONE'], 't-1': [6, '', 'NONE'], 'u-0': [7, '', 'NONE'] }
    expect(await committed(cluster, 'fetched', { version })).toEqual(all)
    expect(await committed(cluster, 'missing', { version })).toEqual({})
    expect(await committed(cluster, 'fetched', { version, partitions: [] })).toEqual({})
  })

  test('an unknown topic is none that anything was committed for; an unknown id is UNKNOWN_TOPIC_ID (G-33)', async () => {
    expect(await committed(cluster, 'fetched', { partitions: ['nope-0', 't-77'] })).toEqual({
      'nope-0': [-1, '', 'NONE'],
      't-77': [-1, '', 'NONE'],
    })
    const topics = [
      { topicId: cluster.topic('t').topicId, partitionIndexes: [1] },
      { topicId: UNKNOWN_ID, partitionIndexes: [0] },
    ]
    const { groups } = await ask(cluster, 1, offsetFetch, { groups: [{ groupId: 'fetched', topics }] }, 10)
    expect(table(cluster, groups[0]!, 10)).toEqual({
      't-1': [6, '', 'NONE'],
      [`${UNKNOWN_ID}-0`]: [-1, '', 'UNKNOWN_TOPIC_ID'],
    })
  })

  test('from v8 on asks for several groups, each with an answer and an error of its own (KIP-709)', async () => {
    await using spread = await createCluster({ topics: { t: {}, [OFFSETS_TOPIC]: { assignments: [[1], [2]] } } })
    // Java's hash of one letter is its code: even ones are kept by broker 1.
    for (const group of ['b', 'c']) await commit(spread, group, { 't-0': 3 })
    const groups = ['b', 'c', 'd'].map(groupId => ({ groupId, topics: null }))
    const answer = await ask(spread, 1, offsetFetch, { groups }, 8)
    expect(answer.groups.map(({ groupId, ...group }) => [groupId, table(spread, group)])).toEqual([
      ['b', { 't-0': [3, '', 'NONE'] }],
      ['c', 'NOT_COORDINATOR'],
      ['d', {}],
    ])
    expect((await ask(spread, 1, offsetFetch, { groups: [] }, 8)).groups).toEqual([])
  })

  test('by id, an offset of a namesake that is gone is none (G-33)', async () => {
    const value = { offset: 9, metadata: '', commitTimestamp: cluster.clock.now(), topicId: UNKNOWN_ID }
    const key = { group: 'namesake', topic: 't', partition: 0 }
    const { shard } = groupShardOf(cluster, 'namesake')
    const records = [{ type: 'OffsetCommit', key, value }] as const
    await driven(cluster, () => shard.write(() => ({ records, response: undefined })))
    const asked = { partitions: ['t-0'] }
    expect(await committed(cluster, 'namesake', { ...asked, version: 9 })).toEqual({ 't-0': [9, '', 'NONE'] })
    expect(await committed(cluster, 'namesake', { ...asked, version: 10 })).toEqual({ 't-0': [-1, '', 'NONE'] })
  })

  test('a classic group does not look at who asks (G-33)', async () => {
    const stranger = { memberId: 'nobody', generation: 77, partitions: ['t-1'] }
    expect(await committed(cluster, 'fetched', stranger)).toEqual({ 't-1': [6, '', 'NONE'] })
    expect(await committed(cluster, 'missing', stranger)).toEqual({ 't-1': [-1, '', 'NONE'] })
  })
})
