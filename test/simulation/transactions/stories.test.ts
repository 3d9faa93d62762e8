import { afterEach, expect, test } from 'vitest'
import { type Cluster, type ClusterOptions, createCluster, hold } from '../../../src/index.ts'
import { keptOn } from '../../apis/committing.ts'
import { transactionsOn } from '../../apis/transacting.ts'

/**
 * Bugs that Kafka had, or that one of its rules prevents: each happens with the rule switched off, and cannot with it on.
 * KAFKA-20734, the end of a transaction that passes over a partition without a leader: `test/apis/transaction-markers.test.ts`.
 */

let cluster: Cluster

async function start(options: ClusterOptions): Promise<Cluster> {
  const t = { assignments: [[1, 2, 3]], configs: { 'min.insync.replicas': 2 } }
  cluster = await createCluster({ topics: { t, ...transactionsOn(2, 3, 1), ...keptOn(3, 1, 2) }, ...options })
  return cluster
}

afterEach(() => cluster.close())

async function committed(): Promise<unknown[]> {
  return (await cluster.topic('t').records()).map(({ value }) => value)
}

test.each([
  {
    rule: 'transaction.version 1: one epoch for all transactions',
    version: 1,
    mutants: [],
    isTorn: true,
    told: 'INVALID_TXN_STATE',
  },
  {
    rule: 'an end that raises no epoch',
    version: 2,
    mutants: ['no-epoch-raise-at-end'],
    isTorn: true,
    told: undefined,
  },
  { rule: 'another epoch for every transaction (T-20)', version: 2, mutants: [], isTorn: false, told: undefined },
])('KAFKA-17754: a commit that comes late ends the next transaction? $rule: $isTorn', async each => {
  await start({ features: { 'transaction.version': each.version }, mutants: each.mutants })
  const producer = cluster.producer({ 'transactional.id': 'payments', 'request.timeout.ms': 2_000 })
  await producer.initTransactions()
  await producer.beginTransaction()
  await producer.send({ topic: 't', value: 'first' })
  // The commit gets lost on its way; it is asked again after two seconds, by another connection.
  const way = cluster.network.rule(hold({ from: producer, api: 'EndTxn', kind: 'request', times: 1 }))
  await producer.commitTransaction()
  await cluster.transaction('payments').waitFor('CompleteCommit')

  await producer.beginTransaction()
  await producer.send({ topic: 't', value: 'half of the second' })
  // Now the first one arrives.
  way.dispose()
  await cluster.clock.advance(1_000)
  expect(await committed()).toEqual(each.isTorn ? ['first', 'half of the second'] : ['first'])
  expect(cluster.transaction('payments').state).toBe(each.isTorn ? 'CompleteCommit' : 'Ongoing')
  const error = await producer.abortTransaction().then(
    () => undefined,
    ({ errorName }) => errorName,
  )
  expect(error).toBe(each.told)
  expect(await committed()).toEqual(each.isTorn ? ['first', 'half of the second'] : ['first'])
})

test.each([
  { rule: 'nobody asks whether the transaction is open', verified: false },
  { rule: 'the coordinator is asked before the first records are appended (T-30, I-5)', verified: true },
])(
  'a record that comes after its transaction was aborted holds back all readers for ever? $rule: $verified',
  async ({ verified }) => {
    await start({
      features: { 'transaction.version': 1 },
      configs: { 'transaction.partition.verification.enable': verified },
    })
    const producer = cluster.producer({
      'transactional.id': 'payments',
      'request.timeout.ms': 2_000,
      'delivery.timeout.ms': 3_000,
    })
    await producer.initTransactions()
    await producer.beginTransaction()
    const way = cluster.network.rule(hold({ from: producer, api: 'Produce', kind: 'request' }))
    await expect(producer.send({ topic: 't', value: 'late' })).rejects.toThrow()
    await producer.abortTransaction()
    await producer.close()
    way.dispose()
    await cluster.clock.advance(1_000)
    await cluster.producer().send({ topic: 't', value: 'from somebody else' })
    // No transaction is open that could time out: the coordinator knows of none.
    await cluster.clock.advance(3_600_000)
    expect(cluster.transaction('payments').state).toBe('Empty')
    const { lastStableOffset, endOffset } = cluster.partition('t', 0)
    expect(lastStableOffset === endOffset).toBe(verified)
    expect(await committed()).toEqual(verified ? ['from somebody else'] : [])
  },
)

test.each([1, 2] as const)(
  'a zombie’s commit after a takeover: with transaction.version %i it is refused, unless coordinators take any epoch',
  async version => {
    for (const mutants of [[], ['no-coordinator-epoch-check']]) {
      await start({ features: { 'transaction.version': version }, mutants })
      const zombie = cluster.producer({ 'transactional.id': 'payments' })
      await zombie.initTransactions()
      await zombie.beginTransaction()
      await zombie.send({ topic: 't', value: 'of the zombie' })
      const pause = cluster.network.rule(hold({ from: zombie, api: 'EndTxn', kind: 'request' }))
      const commit = zombie.commitTransaction()
      commit.catch(() => {})

      const next = cluster.producer({ 'transactional.id': 'payments' })
      await next.initTransactions()
      await next.beginTransaction()
      await next.send({ topic: 't', value: 'half of the next' })
      pause.dispose()
      if (mutants.length === 0) {
        await expect(commit).rejects.toMatchObject({ errorName: 'PRODUCER_FENCED' })
        expect(cluster.transaction('payments').state).toBe('Ongoing')
        expect(await committed()).toEqual([])
        await next.abortTransaction()
        expect(await committed()).toEqual([])
        await cluster.close()
      } else {
        await commit
        await cluster.transaction('payments').waitFor('CompleteCommit')
        expect(await committed()).toEqual(['half of the next'])
      }
    }
  },
)
