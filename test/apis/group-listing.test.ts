import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { deleteGroups } from '../../src/apis/delete-groups.ts'
import { describeGroups } from '../../src/apis/describe-groups.ts'
import { listGroups } from '../../src/apis/list-groups.ts'
import type { Cluster } from '../../src/index.ts'
import { createCluster } from '../../src/index.ts'
import { encodeSubscription } from '../../src/wire/consumer-protocol.ts'
import { ask, nameOf } from './asking.ts'
import { described, join, joinAsNew, leave, stateOf, sync } from './classic-asking.ts'
import { commit, committed, keptOn, OFFSETS_TOPIC } from './committing.ts'
import { answeredWithin } from './group-states.ts'

let cluster: Cluster

const configs = { 'group.initial.rebalance.delay.ms': 0 }

beforeAll(async () => {
  cluster = await createCluster({ brokers: 1, configs, topics: { t: { partitions: 2 }, ...keptOn(1) } })
  await commit(cluster, 'offsets-only', { 't-0': 5 })
  const left = await joinAsNew(cluster, 'left')
  await leave(cluster, 'left', left)
  const stable = await joinAsNew(cluster, 'stable', { sessionMs: 1_800_000 })
  await sync(cluster, 'stable', { ...stable, assignments: { [stable.memberId]: 'all' } })
  await joinAsNew(cluster, 'completing', { sessionMs: 1_800_000, rebalanceMs: 1_800_000 })
})

afterAll(() => cluster.close())

describe('ListGroups (G-41)', () => {
  const list = async (filter: { states?: string[]; types?: string[] } = {}, version = 5) => {
    const { states: statesFilter = [], types: typesFilter = [] } = filter
    const body = { ...(version >= 4 ? { statesFilter } : {}), ...(version >= 5 ? { typesFilter } : {}) }
    const answer = await ask(cluster, 1, listGroups, body, version)
    expect(nameOf(answer.errorCode)).toBe('NONE')
    return answer.groups
  }
  const names = async (filter: { states?: string[]; types?: string[] }) =>
    (await list(filter)).map(({ groupId }) => groupId).sort()

  test('tells of every group its type, its state and its protocol type', async () => {
    const rows = (await list()).map(row => [row.groupId, row.groupType, row.groupState, row.protocolType])
    expect(rows.sort()).toEqual([
      ['completing', 'classic', 'CompletingRebalance', 'consumer'],
      ['left', 'classic', 'Empty', 'consumer'],
      ['offsets-only', 'classic', 'Empty', ''],
      ['stable', 'classic', 'Stable', 'consumer'],
    ])
  })

  test('has no states before v4, and no types before v5', async () => {
    for (const version of [0, 3, 4]) {
      const [group] = (await list({}, version)).filter(({ groupId }) => groupId === 'stable')
      expect([group!.groupState, group!.groupType]).toEqual([version < 4 ? '' : 'Stable', ''])
    }
  })

  test('filters by states and types in any case, and finds nothing for what nobody knows', async () => {
    expect(await names({ states: ['stable'] })).toEqual(['stable'])
    expect(await names({ states: ['STABLE', ' Empty '], types: ['Classic'] })).toEqual([
      'left',
      'offsets-only',
      'stable',
    ])
    expect(await names({ types: ['classic', 'bogus'] })).toHaveLength(4)
    expect(await names({ types: ['bogus'] })).toEqual([])
    expect(await names({ types: ['consumer'] })).toEqual([])
    expect(await names({ states: ['bogus'] })).toEqual([])
    expect(await names({ states: ['Dead'] })).toEqual([])
  })

  test('is each broker’s own: of three every group is at one', async () => {
    await using three = await createCluster({
      brokers: 3,
      configs,
      topics: { t: {}, [OFFSETS_TOPIC]: { partitions: 6 } },
    })
    for (const group of ['a', 'b', 'c', 'd']) await commit(three, group, { 't-0': 1 })
    const lists = await Promise.all([1, 2, 3].map(id => ask(three, id, listGroups, {}, 5)))
    expect(lists.flatMap(({ groups }) => groups.map(({ groupId }) => groupId)).sort()).toEqual(['a', 'b', 'c', 'd'])
    expect(lists.filter(({ groups }) => groups.length > 0).length).toBeGreaterThan(1)
  })
})

describe('DescribeGroups (G-41)', () => {
  test('tells what members said and have once a group is Stable', async () => {
    const { groupState, protocolType, protocolData, members } = await described(cluster, 'stable')
    expect([groupState, protocolType, protocolData]).toEqual(['Stable', 'consumer', 'range'])
    expect(members).toEqual([
      {
        memberId: expect.stringMatching(/^asker-/),
        groupInstanceId: null,
        clientId: 'asker',
        clientHost: '/127.0.0.1',
        memberMetadata: expect.anything(),
        memberAssignment: expect.anything(),
      },
    ])
    expect([...members[0]!.memberMetadata]).toEqual([...encodeSubscription({ topics: ['t'] }, 1)])
    expect(new TextDecoder().decode(members[0]!.memberAssignment)).toBe('all')
  })

  test('tells neither protocol nor metadata before, but what a member still has', async () => {
    const group = 'rebalancing'
    const first = await joinAsNew(cluster, group)
    await sync(cluster, group, { ...first, assignments: { [first.memberId]: 'all' } })
    await answeredWithin(cluster, joinAsNew(cluster, group), 10)
    const { groupState, protocolData, members } = await described(cluster, group)
    expect([groupState, protocolData]).toEqual(['PreparingRebalance', ''])
    const shown = members.map(each => [each.memberMetadata.length, new TextDecoder().decode(each.memberAssignment)])
    expect(shown).toEqual([
      [0, 'all'],
      [0, ''],
    ])
    // A rebalance that overtakes another has taken it away.
    await join(cluster, group, { memberId: first.memberId })
    await answeredWithin(cluster, join(cluster, group, { memberId: first.memberId, topics: ['other'] }), 10)
    expect((await described(cluster, group)).members.map(each => each.memberAssignment.length)).toEqual([0, 0])
    await leave(cluster, group, ...members.map(({ memberId }) => ({ memberId })))
    await ask(cluster, 1, deleteGroups, { groupsNames: [group] })
  })

  test('calls a group that is not there Dead: an error from v6 on, with its reason', async () => {
    for (const version of [0, 5, 6]) {
      const { groups } = await ask(cluster, 1, describeGroups, { groups: ['nope', 'stable'] }, version)
      const [missing, stable] = groups
      expect([nameOf(missing!.errorCode), missing!.groupState]).toEqual([
        version < 6 ? 'NONE' : 'GROUP_ID_NOT_FOUND',
        'Dead',
      ])
      expect(missing!.errorMessage).toBe(version < 6 ? null : 'Group nope not found.')
      expect([nameOf(stable!.errorCode), stable!.errorMessage, stable!.groupState]).toEqual(['NONE', null, 'Stable'])
    }
  })

  test('takes an empty group id for a name like any other (G-3)', async () => {
    await commit(cluster, '', { 't-0': 1 })
    expect(await described(cluster, '')).toMatchObject({ errorCode: 0, groupId: '', groupState: 'Empty', members: [] })
    const { results } = await ask(cluster, 1, deleteGroups, { groupsNames: [''] })
    expect(results).toEqual([{ groupId: '', errorCode: 0 }])
  })

  test('says from v3 on what the asker may do, if it is asked', async () => {
    for (const includeAuthorizedOperations of [true, false]) {
      const body = { groups: ['stable', 'nope'], includeAuthorizedOperations }
      const { groups } = await ask(cluster, 1, describeGroups, body, 6)
      const none = -2147483648
      expect(groups.map(group => group.authorizedOperations)).toEqual([includeAuthorizedOperations ? 3400 : none, none])
    }
  })
})

describe('DeleteGroups (G-35)', () => {
  test('takes the group and its offsets away, and answers each name once', async () => {
    await commit(cluster, 'old', { 't-0': 5, 't-1': 7 })
    const { results } = await ask(cluster, 1, deleteGroups, { groupsNames: ['old', 'stable', 'old', 'nope'] })
    expect(results.map(({ groupId, errorCode }) => [groupId, nameOf(errorCode)]).sort()).toEqual([
      ['nope', 'GROUP_ID_NOT_FOUND'],
      ['old', 'NONE'],
      ['stable', 'NON_EMPTY_GROUP'],
    ])
    expect(await stateOf(cluster, 'old')).toBe('no group')
    expect(await committed(cluster, 'old')).toEqual({})
    await commit(cluster, 'old', { 't-1': 9 })
    expect(await committed(cluster, 'old')).toEqual({ 't-1': [9, '', 'NONE'] })
    await ask(cluster, 1, deleteGroups, { groupsNames: ['old'] })
  })

  test('makes the id of a pending member worthless', async () => {
    const { memberId } = await join(cluster, 'short-lived')
    const { results } = await ask(cluster, 1, deleteGroups, { groupsNames: ['short-lived'] })
    expect(results).toEqual([{ groupId: 'short-lived', errorCode: 0 }])
    expect((await join(cluster, 'short-lived', { memberId })).error).toBe('UNKNOWN_MEMBER_ID')
    expect(await stateOf(cluster, 'short-lived')).toBe('no group')
  })

  test('outlives the coordinator', async () => {
    await using three = await createCluster({ brokers: 3, configs, topics: { t: {}, ...keptOn(1, 2, 3) } })
    await commit(three, 'kept', { 't-0': 5 })
    await commit(three, 'deleted', { 't-0': 5 })
    await ask(three, 1, deleteGroups, { groupsNames: ['deleted'] })
    await three.broker(1).crash()
    await three.runUntil(() => three.leaderOf(OFFSETS_TOPIC, 0).id !== 1)
    expect([await stateOf(three, 'kept'), await stateOf(three, 'deleted')]).toEqual(['Empty', 'no group'])
    expect([await committed(three, 'kept'), await committed(three, 'deleted')]).toEqual([
      { 't-0': [5, '', 'NONE'] },
      {},
    ])
  })
})
