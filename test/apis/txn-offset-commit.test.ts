import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { deleteGroups } from '../../src/apis/delete-groups.ts'
import { txnOffsetCommit } from '../../src/apis/txn-offset-commit.ts'
import { type Cluster, createCluster } from '../../src/index.ts'
import type { ErrorName } from '../../src/wire/errors.ts'
import { ask, nameOf } from './asking.ts'
import { commit, committed, coordinatorOf, keptOn, OFFSETS_TOPIC } from './committing.ts'
import {
  addOffsets,
  begin,
  commitOffset,
  describeTransaction,
  end,
  initialize,
  settledIn,
  type Transactor,
  transactionsOn,
  verifyingWith,
} from './transacting.ts'

let cluster: Cluster
let ids = 0

beforeAll(async () => {
  cluster = await createCluster({
    brokers: 3,
    topics: { t: { partitions: 2, assignments: [[1], [1]] }, ...transactionsOn(2, 1), ...keptOn(3, 1) },
  })
})

afterAll(() => cluster.close())

const partitions = ['t-0', 't-1']
const fresh = () => begin(cluster, `id-${++ids}`)

/** The end of the transaction, and the next one of the same producer. */
async function ended(producer: Transactor, isCommitted: boolean, version = 5): Promise<Transactor> {
  const answer = await end(producer, isCommitted, version)
  expect(answer.error).toBe('NONE')
  await settledIn(cluster, producer.transactionalId, isCommitted ? 'CompleteCommit' : 'CompleteAbort')
  return version < 5 ? producer : { ...producer, producerEpoch: answer.producerEpoch }
}

describe.each([
  { client: 'that adds the group to its transaction', version: 4, endVersion: 4 },
  { client: 'whose group is added for it', version: 5, endVersion: 5 },
])('offsets of a client $client', ({ version, endVersion }) => {
  const group = `g${version}`
  const stable = () => committed(cluster, group, { partitions, requireStable: true })
  const told = () => committed(cluster, group, { partitions })

  test('wait for the end of their transaction: seen after a commit, never after an abort (T-36, T-24, G-40)', async () => {
    let producer = await fresh()
    if (version < 5) await addOffsets(producer, group)
    expect(await commitOffset(producer, group, 7, { version, metadata: 't' })).toBe('NONE')
    expect(await describeTransaction(cluster, producer.transactionalId)).toMatchObject({
      state: 'Ongoing',
      topics: [{ topic: OFFSETS_TOPIC, partitions: [0] }],
    })
    expect(await told()).toEqual({ 't-0': [-1, '', 'NONE'], 't-1': [-1, '', 'NONE'] })
    expect(await stable()).toEqual({ 't-0': [-1, '', 'UNSTABLE_OFFSET_COMMIT'], 't-1': [-1, '', 'NONE'] })
    expect(await committed(cluster, group, { requireStable: true })).toEqual({})
    producer = await ended(producer, true, endVersion)
    expect(await stable()).toEqual({ 't-0': [7, 't', 'NONE'], 't-1': [-1, '', 'NONE'] })

    if (version < 5) await addOffsets(producer, group)
    expect(await commitOffset(producer, group, 30, { version })).toBe('NONE')
    expect(await told()).toMatchObject({ 't-0': [7, 't', 'NONE'] })
    expect(await committed(cluster, group, { requireStable: true })).toEqual({
      't-0': [-1, '', 'UNSTABLE_OFFSET_COMMIT'],
    })
    await ended(producer, false, endVersion)
    expect(await stable()).toMatchObject({ 't-0': [7, 't', 'NONE'] })
  })

  test('are older than a plain commit that was made after them (G-40)', async () => {
    const producer = await fresh()
    if (version < 5) await addOffsets(producer, group)
    await commitOffset(producer, group, 50, { version })
    await commit(cluster, group, { 't-0': { offset: 3, metadata: 'plain' }, 't-1': { offset: 3, metadata: 'plain' } })
    await commitOffset(producer, group, 50, { version, partition: 1, metadata: 't' })
    expect(await told()).toEqual({ 't-0': [3, 'plain', 'NONE'], 't-1': [3, 'plain', 'NONE'] })
    await ended(producer, true, endVersion)
    expect(await stable()).toEqual({ 't-0': [3, 'plain', 'NONE'], 't-1': [50, 't', 'NONE'] })
  })

  test('go with their group: a later commit brings nothing (T-36)', async () => {
    const producer = await fresh()
    if (version < 5) await addOffsets(producer, group)
    await commitOffset(producer, group, 60, { version })
    const answer = await ask(cluster, coordinatorOf(cluster, group), deleteGroups, { groupsNames: [group] })
    expect(nameOf(answer.results[0]!.errorCode)).toBe('NONE')
    await ended(producer, true, endVersion)
    expect(await stable()).toMatchObject({ 't-0': [-1, '', 'NONE'] })
  })
})

describe('TxnOffsetCommit', () => {
  test.each([
    [0, 'INVALID_TXN_STATE'],
    [2, 'INVALID_TXN_STATE'],
    [3, 'INVALID_TXN_STATE'],
    [4, 'TRANSACTION_ABORTABLE'],
    [5, 'NONE'],
  ])('v%i of a group that was not added to the transaction: %s (T-30, T-31)', async (version, error) => {
    expect(await commitOffset(await fresh(), 'not-added', 1, { version })).toBe(error)
  })

  test('is fenced, before anything is said of the group (T-14, T-35)', async () => {
    const old = await fresh()
    const current: Transactor = { ...old, ...(await initialize(old)) }
    const unknown = { ...old, producerId: 4711 }
    for (const version of [4, 5]) {
      const member = { version, memberId: 'nobody', generation: 3 }
      expect(await commitOffset(old, 'g', 1, member)).toBe('INVALID_PRODUCER_EPOCH')
      expect(await commitOffset(unknown, 'g', 1, member)).toBe('INVALID_PRODUCER_ID_MAPPING')
    }
    expect(await commitOffset(current, 'g', 1, { memberId: 'nobody', generation: 3 })).toBe('ILLEGAL_GENERATION')
    // The group is in the transaction now, whatever it said (T-31).
    expect(await describeTransaction(cluster, current.transactionalId)).toMatchObject({ state: 'Ongoing' })
    await ended(current, false)
  })

  test('asks who commits only where that is said (T-35)', async () => {
    const producer = await fresh()
    const by = (who: Parameters<typeof commitOffset>[3]) => commitOffset(producer, 'members', 1, who)
    expect(await by({ generation: 3, memberId: 'm' })).toBe('ILLEGAL_GENERATION')
    expect(await by({ generation: 3, memberId: '' })).toBe('ILLEGAL_GENERATION')
    expect(await by({ generation: -1, memberId: 'm' })).toBe('NONE')
    expect(await by({ generation: 3, memberId: 'm' })).toBe('UNKNOWN_MEMBER_ID')
    expect(await by({ instanceId: 'i' })).toBe('NONE')
    await ended(producer, false)
  })

  test('answers for each partition; what the broker refuses by itself comes first (T-35)', async () => {
    const producer = await fresh()
    const { transactionalId, producerId, producerEpoch } = producer
    const row = (partitionIndex: number, committedMetadata = '') => ({
      partitionIndex,
      committedOffset: 1,
      committedMetadata,
    })
    const topics = [
      { name: 't', partitions: [row(0), row(99), row(1, 'm'.repeat(4097))] },
      { name: 'nosuch', partitions: [row(0)] },
    ]
    const body = { transactionalId, groupId: 'each', producerId, producerEpoch, topics }
    const answer = await ask(cluster, coordinatorOf(cluster, 'each'), txnOffsetCommit, body)
    const told = answer.topics.flatMap(({ name, partitions }) =>
      partitions.map(each => `${name}-${each.partitionIndex} ${nameOf(each.errorCode)}`),
    )
    expect(told).toEqual([
      't-99 UNKNOWN_TOPIC_OR_PARTITION',
      't-0 NONE',
      't-1 OFFSET_METADATA_TOO_LARGE',
      'nosuch-0 UNKNOWN_TOPIC_OR_PARTITION',
    ])
    await ended(producer, false)
  })

  test('of nothing that exists asks nobody (T-35)', async () => {
    const producer = await fresh()
    expect(await commitOffset(producer, 'none', 1, { topic: 'nosuch' })).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    expect(await describeTransaction(cluster, producer.transactionalId)).toMatchObject({ state: 'Empty' })
  })

  test('without a group is INVALID_GROUP_ID; at the wrong broker NOT_COORDINATOR (G-2)', async () => {
    const producer = await fresh()
    const to = coordinatorOf(cluster, 'g')
    expect(await commitOffset(producer, '', 1, { to })).toBe('INVALID_GROUP_ID')
    expect(await commitOffset(producer, 'g', 1, { to: 1 })).toBe('NOT_COORDINATOR')
    expect(await commitOffset(producer, 'g', 1, { to: 2 })).toBe('NOT_COORDINATOR')
  })

  const unverified: readonly [error: ErrorName | 'disconnect', v1: string, v4: string, v5: string][] = [
    ['disconnect', 'COORDINATOR_NOT_AVAILABLE', 'COORDINATOR_LOAD_IN_PROGRESS', 'COORDINATOR_LOAD_IN_PROGRESS'],
    [
      'COORDINATOR_LOAD_IN_PROGRESS',
      'COORDINATOR_NOT_AVAILABLE',
      'COORDINATOR_LOAD_IN_PROGRESS',
      'COORDINATOR_LOAD_IN_PROGRESS',
    ],
    ['NOT_COORDINATOR', 'NOT_COORDINATOR', 'NOT_COORDINATOR', 'NOT_COORDINATOR'],
    ['CONCURRENT_TRANSACTIONS', 'CONCURRENT_TRANSACTIONS', 'CONCURRENT_TRANSACTIONS', 'CONCURRENT_TRANSACTIONS'],
    ['PRODUCER_FENCED', 'INVALID_PRODUCER_EPOCH', 'INVALID_PRODUCER_EPOCH', 'INVALID_PRODUCER_EPOCH'],
    ['TRANSACTION_ABORTABLE', 'INVALID_TXN_STATE', 'TRANSACTION_ABORTABLE', 'TRANSACTION_ABORTABLE'],
  ]
  test.each(unverified)(
    'when asking the transaction coordinator ends with %s: %s, from v4 on %s, from v5 on %s (T-30, T-32)',
    async (error, ...heard) => {
      const producer = await fresh()
      using _refused = verifyingWith(cluster, error)
      const before = cluster.clock.now()
      const answers = []
      for (const version of [1, 4, 5]) answers.push(await commitOffset(producer, 'g', 1, { version }))
      expect(answers).toEqual(heard)
      // Unlike a Produce it is not held back (T-33).
      expect(cluster.clock.now() - before).toBeLessThan(60)
    },
  )
})

test('offsets of an open transaction, and their end, outlive the coordinator of the group (T-36, G-40)', async () => {
  const group = 'moving'
  const [kept, dropped] = [await fresh(), await fresh()]
  expect(await commitOffset(kept, group, 11)).toBe('NONE')
  expect(await commitOffset(dropped, group, 12, { partition: 1 })).toBe('NONE')
  const old = cluster.broker(coordinatorOf(cluster, group))
  await old.crash()
  await cluster.runUntil(() => cluster.partition(OFFSETS_TOPIC, 0).leader !== old.id)
  expect(await committed(cluster, group, { partitions, requireStable: true })).toEqual({
    't-0': [-1, '', 'UNSTABLE_OFFSET_COMMIT'],
    't-1': [-1, '', 'UNSTABLE_OFFSET_COMMIT'],
  })
  await ended(kept, true)
  await ended(dropped, false)
  expect(await committed(cluster, group, { partitions, requireStable: true })).toEqual({
    't-0': [11, '', 'NONE'],
    't-1': [-1, '', 'NONE'],
  })
  await old.restart()
})
