import { describe, expect, test } from 'vitest'
import { ConsumerGroup } from '../../src/coordinators/groups/consumer/consumer-group.ts'
import { newMember } from '../../src/coordinators/groups/consumer/consumer-member.ts'
import type { KafkaError } from '../../src/wire/errors.ts'
import { DrivenConsumers, idOf } from './driven-consumers.ts'

const T = idOf('t')
const U = idOf('u')
const partitions = (topicId: string, ...list: number[]) => ({ topicId, partitions: list })
const owned = (topicId: string, list: number[], epoch: number) => ({
  topicId,
  partitions: list,
  assignmentEpochs: list.map(() => epoch),
})

/** G-42: what a broker of 4.3.1 wrote, record by record. */
describe('what is written', () => {
  test('when the first member joins: it, the epoch, the target, what it has', () => {
    const drive = new DrivenConsumers({ topics: { t: 4 } })
    drive.join('A', ['t'], { rebalanceTimeoutMs: 60_000 })
    const key = { groupId: 'g' }
    const { metadataHash } = drive.latest
    expect(metadataHash).not.toBe('0000000000000000')
    expect(drive.records()).toEqual([
      {
        type: 'ConsumerGroupMemberMetadata',
        key: { ...key, memberId: 'A' },
        value: {
          instanceId: null,
          rackId: null,
          clientId: 'probe',
          clientHost: '/127.0.0.1',
          subscribedTopicNames: ['t'],
          subscribedTopicRegex: '',
          rebalanceTimeoutMs: 60_000,
          serverAssignor: null,
          classicMemberMetadata: null,
        },
      },
      { type: 'ConsumerGroupMetadata', key, value: { epoch: 2, metadataHash } },
      {
        type: 'ConsumerGroupTargetAssignmentMember',
        key: { ...key, memberId: 'A' },
        value: { topicPartitions: [partitions(T, 0, 1, 2, 3)] },
      },
      {
        type: 'ConsumerGroupTargetAssignmentMetadata',
        key,
        value: { assignmentEpoch: 2, assignmentTimestamp: 1_000_000 },
      },
      {
        type: 'ConsumerGroupCurrentMemberAssignment',
        key: { ...key, memberId: 'A' },
        value: {
          memberEpoch: 2,
          previousMemberEpoch: 0,
          state: 0,
          assignedPartitions: [owned(T, [0, 1, 2, 3], 2)],
          partitionsPendingRevocation: [],
        },
      },
    ])
  })

  test('when a second one joins within the interval: it, the epoch, and that it has nothing', () => {
    const drive = new DrivenConsumers({ topics: { t: 4 } })
    drive.join('A', ['t'])
    const before = drive.records().length
    drive.join('B', ['t'])
    expect(drive.records().slice(before)).toMatchObject([
      { type: 'ConsumerGroupMemberMetadata', key: { memberId: 'B' } },
      { type: 'ConsumerGroupMetadata', value: { epoch: 3 } },
      {
        type: 'ConsumerGroupCurrentMemberAssignment',
        key: { memberId: 'B' },
        value: { memberEpoch: 2, previousMemberEpoch: 0, state: 0, assignedPartitions: [] },
      },
    ])
  })

  test('when a member is told to give up partitions: since when it has had them stays with them', async () => {
    const drive = new DrivenConsumers({ topics: { t: 4 } })
    drive.join('A', ['t'])
    drive.join('B', ['t'])
    await drive.pass(1000)
    drive.heartbeat('B', 2)
    drive.heartbeat('A', 2, { topicPartitions: [partitions(T, 0, 1, 2, 3)] })
    expect(drive.records().at(-1)).toEqual({
      type: 'ConsumerGroupCurrentMemberAssignment',
      key: { groupId: 'g', memberId: 'A' },
      value: {
        memberEpoch: 2,
        previousMemberEpoch: 2,
        state: 1,
        assignedPartitions: [owned(T, [0, 1], 2)],
        partitionsPendingRevocation: [owned(T, [2, 3], 2)],
      },
    })
  })

  test('when members leave: tombstones of each, and the next epoch', () => {
    const drive = new DrivenConsumers({ topics: { t: 4 } })
    drive.join('A', ['t'])
    drive.join('B', ['t'])
    const before = drive.records().length
    const { metadataHash } = drive.latest
    drive.heartbeat('B', -1)
    drive.heartbeat('A', -1)
    const tombstones = (memberId: string) =>
      [
        'ConsumerGroupCurrentMemberAssignment',
        'ConsumerGroupTargetAssignmentMember',
        'ConsumerGroupMemberMetadata',
      ].map(type => ({ type, key: { groupId: 'g', memberId }, value: null }))
    expect(drive.records().slice(before)).toEqual([
      ...tombstones('B'),
      { type: 'ConsumerGroupMetadata', key: { groupId: 'g' }, value: { epoch: 4, metadataHash } },
      ...tombstones('A'),
      { type: 'ConsumerGroupMetadata', key: { groupId: 'g' }, value: { epoch: 5, metadataHash: '0000000000000000' } },
    ])
  })

  test('a heartbeat that changes nothing writes nothing', () => {
    const drive = new DrivenConsumers({ topics: { t: 4 } })
    drive.join('A', ['t'])
    const before = drive.records().length
    drive.heartbeat('A', 2, { topicPartitions: [partitions(T, 0, 1, 2, 3)] })
    drive.heartbeat('A', 2)
    expect(drive.records().length).toBe(before)
  })
})

describe('whoever reads the log goes on where the other stopped (G-2)', () => {
  test('a member that is giving up partitions still has to, within a rebalance timeout from then on', async () => {
    const drive = new DrivenConsumers({ topics: { t: 4 } })
    drive.join('A', ['t'], { rebalanceTimeoutMs: 10_000 })
    drive.join('B', ['t'])
    await drive.pass(1000)
    drive.heartbeat('B', 2)
    drive.heartbeat('A', 2, { topicPartitions: [partitions(T, 0, 1, 2, 3)] })
    await drive.pass(9000)
    drive.failOver()
    expect(drive.latest.state).toBe('Reconciling')
    await drive.pass(9999)
    expect([...drive.latest.members.keys()]).toEqual(['A', 'B'])
    await drive.pass(1)
    expect([...drive.latest.members.keys()]).toEqual(['B'])
  })

  test('sessions begin anew', async () => {
    const drive = new DrivenConsumers({ topics: { t: 4 } })
    drive.join('A', ['t'])
    await drive.pass(40_000)
    drive.failOver()
    await drive.pass(44_999)
    expect(drive.latest.state).toBe('Stable')
    await drive.pass(2)
    expect(drive.latest.state).toBe('Empty')
  })

  test('the assignment interval is kept', async () => {
    const drive = new DrivenConsumers({ topics: { t: 4 } })
    drive.join('A', ['t'])
    drive.failOver()
    expect(drive.join('B', ['t']).memberEpoch).toBe(2)
    await drive.pass(1000)
    expect(drive.heartbeat('B', 2).memberEpoch).toBe(3)
  })

  test('topics that changed meanwhile are seen with the first heartbeat', () => {
    const drive = new DrivenConsumers({ topics: { t: 4 } })
    drive.join('A', ['t'])
    drive.failOver()
    drive.addPartitions('t', 1)
    drive.failOver()
    drive.heartbeat('A', 2)
    expect(drive.latest).toMatchObject({ groupEpoch: 3, state: 'Assigning' })
  })

  test('a group that was deleted is none', () => {
    const drive = new DrivenConsumers({ topics: { t: 4 } })
    drive.join('A', ['t'], { subscribedTopicRegex: 'x' })
    drive.heartbeat('A', -1)
    drive.group.directory.delete('g')
    expect(drive.latest).toBeUndefined()
    drive.failOver()
    expect(drive.latest).toBeUndefined()
    expect(drive.records().slice(-3)).toEqual([
      { type: 'ConsumerGroupTargetAssignmentMetadata', key: { groupId: 'g' }, value: null },
      { type: 'ConsumerGroupPartitionMetadata', key: { groupId: 'g' }, value: null },
      { type: 'ConsumerGroupMetadata', key: { groupId: 'g' }, value: null },
    ])
  })

  test('records of a group that is not there any more say nothing', () => {
    const drive = new DrivenConsumers({ topics: { t: 4 } })
    drive.group.shard.write(() => ({
      records: [
        { type: 'ConsumerGroupMetadata', key: { groupId: 'g' }, value: null },
        { type: 'ConsumerGroupMemberMetadata', key: { groupId: 'g', memberId: 'A' }, value: null },
        { type: 'ConsumerGroupCurrentMemberAssignment', key: { groupId: 'g', memberId: 'A' }, value: null },
      ],
      response: undefined,
    }))
    expect(drive.latest).toBeUndefined()
  })
})

test('a member in a state of later days has to let go of everything first (G-54)', () => {
  const drive = new DrivenConsumers({ topics: { t: 4 } })
  drive.join('A', ['t'])
  const key = { groupId: 'g', memberId: 'A' }
  const value = {
    memberEpoch: 2,
    previousMemberEpoch: 2,
    state: 9,
    assignedPartitions: [owned(T, [0, 1, 2, 3], 2)],
    partitionsPendingRevocation: [],
  }
  const record = { type: 'ConsumerGroupCurrentMemberAssignment' as const, key, value }
  drive.group.shard.write(() => ({ records: [record], response: undefined }))
  expect(drive.latest.members.get('A')!.state).toBe(127)
  expect(() => drive.heartbeat('A', 2)).toThrow(/unknown state/)
  expect(drive.heartbeat('A', 2, { topicPartitions: [] })).toMatchObject({ memberEpoch: 2 })
  expect(drive.latest.state).toBe('Stable')
})

/** G-31, KIP-1251 */
describe('who may commit', () => {
  const group = new ConsumerGroup('g')
  const since = (epochs: Readonly<Record<number, number>>) =>
    new Map([[T, new Map(Object.entries(epochs).map(([partition, epoch]) => [Number(partition), epoch]))]])
  group.setMember('A', {
    ...newMember('A'),
    memberEpoch: 5,
    assigned: since({ 0: 2, 1: 4 }),
    pendingRevocation: since({ 2: 3 }),
  })
  group.setMember('C', {
    ...newMember('C'),
    memberEpoch: 5,
    classic: { sessionTimeoutMs: 10_000, supportedProtocols: [] },
  })
  const outcome = (check: () => void) => {
    try {
      check()
      return 'NONE'
    } catch (error) {
      return (error as KafkaError).errorName
    }
  }
  const commits = (memberId: string, memberEpoch: number, version: number | undefined, ...list: [string, number][]) =>
    outcome(() => {
      const committer = { memberId, memberEpoch, instanceId: null, version }
      group.validateOffsetCommit(
        committer,
        list.map(([topicId, partition]) => ({ topicId, partition })),
      )
    })

  test.each<[string, string, string, number, number | undefined, [string, number][]]>([
    ['its own epoch, whatever it commits', 'NONE', 'A', 5, 9, [[U, 7]]],
    [
      'an older epoch since which all were its own',
      'NONE',
      'A',
      4,
      9,
      [
        [T, 0],
        [T, 1],
        [T, 2],
      ],
    ],
    [
      'one of them not yet then',
      'STALE_MEMBER_EPOCH',
      'A',
      3,
      9,
      [
        [T, 0],
        [T, 1],
      ],
    ],
    ['what it is giving up counts as its own', 'NONE', 'A', 3, 9, [[T, 2]]],
    [
      'what was never its own',
      'STALE_MEMBER_EPOCH',
      'A',
      4,
      9,
      [
        [T, 0],
        [U, 0],
      ],
    ],
    ['a newer epoch', 'STALE_MEMBER_EPOCH', 'A', 6, 9, []],
    ['without an epoch', 'STALE_MEMBER_EPOCH', 'A', -1, 9, [[T, 0]]],
    ['in a transaction', 'ILLEGAL_GENERATION', 'A', 1, undefined, [[T, 0]]],
    ['in a transaction, an older epoch', 'NONE', 'A', 4, undefined, [[T, 0]]],
    ['by a version that has no epochs', 'UNSUPPORTED_VERSION', 'A', 5, 8, []],
    ['a stranger', 'UNKNOWN_MEMBER_ID', 'Z', 5, 9, []],
    ['nobody in particular', 'UNKNOWN_MEMBER_ID', '', -1, 9, []],
    ['nobody in particular, in a transaction', 'NONE', '', -1, undefined, []],
    ['a classic member', 'NONE', 'C', 5, 8, []],
    ['a classic member of another generation', 'ILLEGAL_GENERATION', 'C', 4, 8, [[T, 0]]],
  ])('%s: %s', (_, expected, memberId, memberEpoch, version, list) => {
    expect(commits(memberId, memberEpoch, version, ...list)).toBe(expected)
  })

  test('nobody in particular, if nobody is there', () => {
    const empty = new ConsumerGroup('empty')
    const committer = { memberId: '', memberEpoch: -1, instanceId: null, version: 9 }
    expect(outcome(() => empty.validateOffsetCommit(committer, []))).toBe('NONE')
    expect(outcome(() => empty.validateOffsetCommit({ ...committer, memberEpoch: 0 }, []))).toBe('UNKNOWN_MEMBER_ID')
  })

  test('reading is for members of this epoch, and for who says nothing of itself (G-33)', () => {
    const fetches = (memberId: string | null, epoch: number) =>
      outcome(() => group.validateOffsetFetch(memberId, epoch))
    expect(fetches('A', 5)).toBe('NONE')
    expect(fetches('A', 4)).toBe('STALE_MEMBER_EPOCH')
    expect(fetches('C', 4)).toBe('ILLEGAL_GENERATION')
    expect(fetches('Z', 5)).toBe('UNKNOWN_MEMBER_ID')
    expect(fetches(null, -1)).toBe('NONE')
  })
})

describe('what a group adds up', () => {
  test('who owns a partition: whoever has it or is giving it up', () => {
    const group = new ConsumerGroup('g')
    const one = new Map([[T, new Map([[0, 2]])]])
    group.setMember('A', { ...newMember('A'), pendingRevocation: one })
    expect(group.ownerOf(T, 0)).toBe('A')
    expect(group.ownerOf(T, 1)).toBeUndefined()
    const copy = group.copy()
    group.setMember('B', { ...newMember('B'), assigned: one })
    group.setMember('A', undefined)
    expect(group.ownerOf(T, 0)).toBe('B')
    expect(copy.ownerOf(T, 0)).toBe('A')
    expect([...copy.members.keys()]).toEqual(['A'])
  })

  test('which topics it reads, by name and by regular expression', () => {
    const group = new ConsumerGroup('g')
    group.setMember('A', { ...newMember('A'), subscribedTopicNames: ['t'], subscribedTopicRegex: 'u.*' })
    group.setMember('B', { ...newMember('B'), subscribedTopicNames: ['t'] })
    expect([...group.subscribers]).toEqual([['t', 2]])
    group.setRegularExpression('u.*', { topics: ['t', 'u1'], version: 1, timestamp: 1 })
    expect([...group.subscribers]).toEqual([
      ['t', 2],
      ['u1', 1],
    ])
    expect([...group.expressions]).toEqual([['u.*', 1]])
    group.setMember('A', undefined)
    expect([...group.subscribers]).toEqual([['t', 1]])
    expect(group.expressions.size).toBe(0)
  })
})
