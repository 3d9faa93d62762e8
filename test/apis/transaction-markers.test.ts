import { afterEach, expect, test } from 'vitest'
import type { Cluster, ClusterOptions } from '../../src/index.ts'
import { createCluster } from '../../src/index.ts'
import { committed, keptOn } from './committing.ts'
import { addPartitions, begin, commitOffset, end, initialize, settledIn, transactionsOn, write } from './transacting.ts'

let cluster: Cluster

/** The coordinator is broker 1; t-0, t-1 and t-2 are led by 1, 2 and 3. */
async function start(options: ClusterOptions = {}): Promise<Cluster> {
  const t = {
    assignments: [
      [1, 2, 3],
      [2, 3, 1],
      [3, 1, 2],
    ],
  }
  const topics = { t, ...transactionsOn(1, 2, 3), ...keptOn(2, 3, 1), ...options.topics }
  cluster = await createCluster({ ...options, topics })
  return cluster
}

afterEach(() => cluster.close())

/** Kind, producer epoch and coordinator epoch of each marker of a partition. */
async function markersOf(partition: number, topic = 't') {
  const records = await cluster.topic(topic).records({ partition, control: true })
  return records.flatMap(({ control, marker }) =>
    marker === undefined ? [] : [[control, marker.producerEpoch, marker.coordinatorEpoch]],
  )
}

async function threeWritten() {
  const producer = await begin(cluster, 'payments')
  for (const partition of [0, 1, 2]) await write(producer, ['t', partition])
  return producer
}

test('T-17: the end is answered once it is decided; the markers follow, and until they are there nothing new begins', async () => {
  await start()
  const producer = await threeWritten()
  const stop = cluster.transaction('payments').stop('after PREPARE')
  const ended = await end(producer, true)
  expect(ended).toMatchObject({ error: 'NONE' })
  await stop.reached
  expect(await markersOf(0)).toEqual([])
  const next = { ...producer, ...ended }
  expect(await addPartitions(next, [['t', 0]])).toEqual(['CONCURRENT_TRANSACTIONS'])
  expect(await initialize(next)).toMatchObject({ error: 'CONCURRENT_TRANSACTIONS' })
  stop.lift()
  await cluster.transaction('payments').waitFor('CompleteCommit')
  for (const partition of [0, 1, 2]) expect(await markersOf(partition)).toEqual([['COMMIT', 1, 0]])
  expect(await addPartitions(next, [['t', 0]])).toEqual(['NONE'])
})

test.each([
  ['before PREPARE', 'CompleteAbort', [[], [], []]],
  ['after PREPARE', 'CompleteCommit', [[], [], []]],
  ['after marker 1', 'CompleteCommit', [['COMMIT'], [], []]],
  ['after marker 2', 'CompleteCommit', [['COMMIT'], ['COMMIT'], []]],
  ['before COMPLETE', 'CompleteCommit', [['COMMIT'], ['COMMIT'], ['COMMIT']]],
] as const)(
  'T-25: a coordinator that dies %s leaves a transaction that the next one brings to %s',
  async (step, outcome, before) => {
    await start()
    const producer = await begin(cluster, 'payments', { timeoutMs: 20_000 })
    for (const partition of [0, 1, 2]) await write(producer, ['t', partition])
    const stop = cluster.transaction('payments').stop(step)
    const ending = end(producer, true).catch(error => error)
    await stop.reached
    const kinds = async (partition: number) => (await markersOf(partition)).map(([kind]) => kind)
    for (const partition of [0, 1, 2]) expect(await kinds(partition)).toEqual(before[partition])
    await cluster.broker(1).crash()
    await ending
    await cluster.runUntil(() => cluster.coordinatorOf({ transactionalId: 'payments' }).id !== 1)
    // What was never decided is ended by its timeout.
    await cluster.transaction('payments').waitFor(outcome, { timeoutMs: 60_000 })
    const kind = outcome === 'CompleteCommit' ? 'COMMIT' : 'ABORT'
    for (const partition of [0, 1, 2]) {
      // Of a marker that was written already, the new coordinator writes another: it cannot know.
      expect(new Set(await kinds(partition))).toEqual(new Set([kind]))
      expect((await markersOf(partition)).at(-1)).toEqual([kind, 1, 1])
    }
  },
)

test('T-23: a leader that is silent is asked until it has written the marker', async () => {
  await start({ topics: transactionsOn(1, 3) })
  const producer = await threeWritten()
  await cluster.broker(2).pause()
  expect(await end(producer, true)).toMatchObject({ error: 'NONE' })
  await cluster.clock.advance(1_000)
  expect(cluster.transaction('payments').state).toBe('PrepareCommit')
  await cluster.broker(2).resume()
  await cluster.transaction('payments').waitFor('CompleteCommit')
  expect(await markersOf(1)).toEqual([['COMMIT', 1, 0]])
})

test('T-23: a partition whose topic is deleted is dropped from the transaction', async () => {
  await start({ topics: { gone: { assignments: [[2]] } } })
  const producer = await threeWritten()
  await write(producer, ['gone', 0])
  const stop = cluster.transaction('payments').stop('after PREPARE')
  await end(producer, false)
  await stop.reached
  await cluster.admin().deleteTopics(['gone'])
  stop.lift()
  await cluster.transaction('payments').waitFor('CompleteAbort')
  expect(await markersOf(1)).toEqual([['ABORT', 1, 0]])
})

test('T-23, KAFKA-20734: a partition without a leader is waited for, and its last stable offset moves on', async () => {
  await start({ topics: { alone: { assignments: [[3]] } } })
  const producer = await begin(cluster, 'payments', { timeoutMs: 600_000 })
  await write(producer, ['alone', 0])
  await cluster.broker(3).crash()
  await cluster.runUntil(() => cluster.partition('alone', 0).leader === undefined)
  expect(await end(producer, true)).toMatchObject({ error: 'NONE' })
  await cluster.clock.advance(20_000)
  expect(cluster.transaction('payments').state).toBe('PrepareCommit')
  await cluster.broker(3).restart()
  await cluster.transaction('payments').waitFor('CompleteCommit')
  expect(await markersOf(0, 'alone')).toEqual([['COMMIT', 1, 0]])
  expect(cluster.partition('alone', 0).lastStableOffset).toBe(2)
})

test('KAFKA-20734, reproduced: a coordinator that passes over a partition without a leader leaves it stuck', async () => {
  await start({ topics: { alone: { assignments: [[3]] } }, mutants: ['markers-need-no-leader'] })
  const producer = await begin(cluster, 'payments', { timeoutMs: 600_000 })
  await write(producer, ['alone', 0])
  await cluster.broker(3).crash()
  await cluster.runUntil(() => cluster.partition('alone', 0).leader === undefined)
  await end(producer, true)
  await cluster.transaction('payments').waitFor('CompleteCommit')
  await cluster.broker(3).restart()
  await cluster.clock.advance(60_000)
  expect(await markersOf(0, 'alone')).toEqual([])
  expect(cluster.partition('alone', 0).lastStableOffset).toBe(0)
})

test('T-24, T-36: offsets of a transaction are seen when its marker has come, or never', async () => {
  await start()
  const producer = await begin(cluster, 'payments')
  expect(await commitOffset(producer, 'g', 5)).toBe('NONE')
  expect(await committed(cluster, 'g', { partitions: ['t-0'] })).toEqual({ 't-0': [-1, '', 'NONE'] })
  const stable = { partitions: ['t-0'], requireStable: true }
  expect(await committed(cluster, 'g', stable)).toEqual({ 't-0': [-1, '', 'UNSTABLE_OFFSET_COMMIT'] })
  const next = { ...producer, ...(await end(producer, true)) }
  await settledIn(cluster, 'payments', 'CompleteCommit')
  expect(await committed(cluster, 'g', stable)).toEqual({ 't-0': [5, '', 'NONE'] })
  expect(await commitOffset(next, 'g', 9)).toBe('NONE')
  await end(next, false)
  await settledIn(cluster, 'payments', 'CompleteAbort')
  expect(await committed(cluster, 'g', stable)).toEqual({ 't-0': [5, '', 'NONE'] })
})
