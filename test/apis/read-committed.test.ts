/** What readers see of transactions, from the first batch of one to what compaction leaves of it. */
import { afterEach, describe, expect, test } from 'vitest'
import { describeProducers } from '../../src/apis/describe-producers.ts'
import { fetch } from '../../src/apis/fetch.ts'
import { listOffsets } from '../../src/apis/list-offsets.ts'
import type { Cluster, ClusterOptions } from '../../src/index.ts'
import { createCluster } from '../../src/index.ts'
import { transactionMarkerOf } from '../../src/wire/control-record.ts'
import { recordsOf } from '../../src/wire/record.ts'
import { append, ask, nameOf } from './asking.ts'
import { begin, end, settledIn, type Transactor, transactionsOn, write } from './transacting.ts'

const open: Cluster[] = []

afterEach(async () => {
  for (const cluster of open.splice(0)) await cluster.close()
})

async function started(options: ClusterOptions = {}): Promise<Cluster> {
  const { brokers = 1, topics = { t: {} }, ...others } = options
  const cluster = await createCluster({ brokers, topics: { ...topics, ...transactionsOn(1) }, ...others })
  open.push(cluster)
  return cluster
}

/** Ends the transaction, waits until the markers stand, and goes on with the next. */
async function ended(producer: Transactor, isCommitted: boolean): Promise<Transactor> {
  const { error, producerEpoch } = await end(producer, isCommitted)
  expect(error).toBe('NONE')
  await settledIn(producer.cluster, producer.transactionalId, 'CompleteCommit', 'CompleteAbort')
  return { ...producer, producerEpoch }
}

interface Reading {
  readonly committed?: boolean
  readonly maxBytes?: number
  readonly maxWaitMs?: number
  readonly to?: number
}

/** `0-2` for a batch, `9 ABORT` for a marker. */
async function fetched(cluster: Cluster, offset: number, options: Reading = {}) {
  const { committed = true, maxBytes = 1_000_000, maxWaitMs = 0, to = cluster.leaderOf('t', 0).id } = options
  const partition = { partition: 0, fetchOffset: offset, partitionMaxBytes: maxBytes }
  const topics = [{ topic: 't', partitions: [partition] }]
  const body = { maxWaitMs, minBytes: 1, maxBytes, isolationLevel: committed ? 1 : 0, topics }
  const answer = (await ask(cluster, to, fetch, body, 12)).responses[0]!.partitions[0]!
  return {
    error: nameOf(answer.errorCode),
    bounds: [answer.highWatermark, answer.lastStableOffset],
    aborted: answer.abortedTransactions?.map(({ firstOffset }) => firstOffset) ?? null,
    batches: [...(answer.records?.batches() ?? [])].map(batch =>
      batch.isControl
        ? `${batch.baseOffset} ${transactionMarkerOf(batch)?.type}`
        : `${batch.baseOffset}-${batch.lastOffset}`,
    ),
  }
}

async function latest(cluster: Cluster, committed: boolean): Promise<number> {
  const topics = [{ name: 't', partitions: [{ partitionIndex: 0, timestamp: -1 }] }]
  const body = { replicaId: -1, isolationLevel: committed ? 1 : 0, timeoutMs: 1_000, topics }
  return (await ask(cluster, cluster.leaderOf('t', 0).id, listOffsets, body)).topics[0]!.partitions[0]!.offset
}

async function producersAt(cluster: Cluster, broker: number) {
  const body = { topics: [{ name: 't', partitionIndexes: [0] }] }
  const { activeProducers } = (await ask(cluster, broker, describeProducers, body)).topics[0]!.partitions[0]!
  return activeProducers.map(
    ({ producerId, producerEpoch, lastSequence, coordinatorEpoch, currentTxnStartOffset }) => ({
      producerId,
      epochs: [producerEpoch, coordinatorEpoch],
      lastSequence,
      currentTxnStartOffset,
    }),
  )
}

test('an open transaction and its abort, fetched as from a real broker (X-22, X-23, F-8, F-9, I-17, I-23)', async () => {
  const cluster = await started()
  const producer = await begin(cluster, 'one')
  const { producerId } = producer
  const three = [0, 1, 2].map(() => cluster.clock.now())
  await append(cluster, 't', three)
  for (const sequence of [0, 1]) await write(producer, ['t', 0], { sequence })
  await append(cluster, 't', three)

  const stable = { error: 'NONE', bounds: [8, 3], aborted: [] }
  expect(await fetched(cluster, 0)).toEqual({ ...stable, batches: ['0-2'] })
  const everything = ['0-2', '3-3', '4-4', '5-7']
  expect(await fetched(cluster, 0, { committed: false })).toEqual({ ...stable, aborted: null, batches: everything })
  expect(await fetched(cluster, 3)).toEqual({ ...stable, batches: [] })
  expect(await fetched(cluster, 8)).toEqual({ ...stable, batches: [] })
  expect(await fetched(cluster, 9)).toEqual({
    error: 'OFFSET_OUT_OF_RANGE',
    bounds: [-1, -1],
    aborted: null,
    batches: [],
  })
  expect([await latest(cluster, false), await latest(cluster, true)]).toEqual([8, 3])
  expect(await producersAt(cluster, 1)).toEqual([
    { producerId, epochs: [0, -1], lastSequence: 1, currentTxnStartOffset: 3 },
  ])

  await ended(producer, false)
  const all = { error: 'NONE', bounds: [9, 9] }
  expect(await fetched(cluster, 0)).toEqual({ ...all, aborted: [3], batches: [...everything, '8 ABORT'] })
  expect(await fetched(cluster, 4)).toEqual({ ...all, aborted: [3], batches: ['4-4', '5-7', '8 ABORT'] })
  expect(await fetched(cluster, 8)).toEqual({ ...all, aborted: [3], batches: ['8 ABORT'] })
  expect(await fetched(cluster, 9)).toEqual({ ...all, aborted: [], batches: [] })
  expect(await fetched(cluster, 0, { committed: false })).toEqual({
    ...all,
    aborted: null,
    batches: [...everything, '8 ABORT'],
  })
  expect(await latest(cluster, true)).toBe(9)
  expect(await producersAt(cluster, 1)).toEqual([
    { producerId, epochs: [1, 0], lastSequence: -1, currentTxnStartOffset: -1 },
  ])
  expect((await cluster.topic('t').records()).map(({ offset }) => offset)).toEqual([0, 1, 2, 5, 6, 7])
  expect((await cluster.topic('t').records({ isolation: 'read_uncommitted' })).map(({ offset }) => offset)).toEqual([
    0, 1, 2, 3, 4, 5, 6, 7,
  ])
})

test('records with control: true tell whose marker it is, of which epoch, by which coordinator (B-11, T-20)', async () => {
  const cluster = await started()
  const first = await begin(cluster, 'one')
  await write(first, ['t', 0])
  const second = await ended(first, true)
  await write(second, ['t', 0])
  await ended(second, false)
  const { producerId } = first
  const control = (await cluster.topic('t').records({ control: true })).filter(record => record.control !== undefined)
  expect(control.map(({ offset, control, marker }) => [offset, control, marker])).toEqual([
    [1, 'COMMIT', { producerId, producerEpoch: 1, coordinatorEpoch: 0 }],
    [3, 'ABORT', { producerId, producerEpoch: 2, coordinatorEpoch: 0 }],
  ])
})

test('the first of several open transactions holds readers back, whichever ends first (F-9)', async () => {
  const cluster = await started()
  const [one, two] = [await begin(cluster, 'one'), await begin(cluster, 'two')]
  await write(one, ['t', 0])
  await write(two, ['t', 0])
  await ended(two, true)
  expect(await fetched(cluster, 0)).toMatchObject({ bounds: [3, 0], batches: [] })
  await ended(one, false)
  expect(await fetched(cluster, 0)).toMatchObject({
    bounds: [4, 4],
    aborted: [0],
    batches: ['0-0', '1-1', '2 COMMIT', '3 ABORT'],
  })
  expect((await cluster.topic('t').records()).map(({ offset }) => offset)).toEqual([1])
})

test('a reader that waits at an open transaction is answered by its marker (F-8)', async () => {
  const cluster = await started({ brokers: 3, topics: { t: { assignments: [[1, 2, 3]] } } })
  const producer = await begin(cluster, 'one')
  await write(producer, ['t', 0])
  const before = cluster.clock.now()
  const waiting = fetched(cluster, 0, { maxWaitMs: 10_000 })
  await cluster.clock.advance(2_000)
  await end(producer, true)
  expect(await waiting).toMatchObject({ bounds: [2, 2], batches: ['0-0', '1 COMMIT'] })
  expect(cluster.clock.now() - before).toBeLessThan(3_000)
})

describe('what is known of transactions outlives', () => {
  test('the leader: the next one holds readers at the same place, and lists the same aborts (F-9, I-13)', async () => {
    const cluster = await started({ brokers: 3, topics: { t: { assignments: [[2, 3]] } } })
    const [one, two] = [await begin(cluster, 'one'), await begin(cluster, 'two')]
    await write(one, ['t', 0])
    await write(two, ['t', 0])
    await ended(one, false)
    await cluster.runUntil(() => cluster.partition('t', 0).inSyncReplicas.length === 2)
    const seen = await fetched(cluster, 0, { committed: false })
    await cluster.broker(2).crash()
    await cluster.runUntil(() => cluster.partition('t', 0).leader === 3)
    await cluster.clock.advance(1_000)
    expect(await fetched(cluster, 0, { committed: false })).toEqual(seen)
    expect(await fetched(cluster, 0)).toMatchObject({ bounds: [3, 1], aborted: [0], batches: ['0-0'] })
    expect(await producersAt(cluster, 3)).toMatchObject([
      { producerId: one.producerId, epochs: [1, 0], currentTxnStartOffset: -1 },
      { producerId: two.producerId, epochs: [0, -1], currentTxnStartOffset: 1 },
    ])
    // The open one goes on with the new leader, which does not ask the coordinator again, and ends there.
    expect(await write(two, ['t', 0], { sequence: 1 })).toMatchObject({ error: 'NONE', offset: 3 })
    await ended(two, true)
    expect((await cluster.topic('t').records()).map(({ offset }) => offset)).toEqual([1, 3])
  })

  test.each(['stop', 'crash'] as const)('a restart after a %s (I-13, I-14)', async how => {
    const cluster = await started({ brokers: 2, topics: { t: { assignments: [[2]] } } })
    const [one, two] = [await begin(cluster, 'one'), await begin(cluster, 'two')]
    await write(one, ['t', 0])
    await write(two, ['t', 0])
    await ended(one, false)
    const [plain, committed] = [await fetched(cluster, 0, { committed: false }), await fetched(cluster, 0)]
    const producers = await producersAt(cluster, 2)
    await cluster.broker(2)[how]()
    await cluster.broker(2).restart()
    await cluster.runUntil(() => cluster.partition('t', 0).leader === 2)
    expect(await fetched(cluster, 0, { committed: false })).toEqual(plain)
    expect(await fetched(cluster, 0)).toEqual(committed)
    expect(await producersAt(cluster, 2)).toEqual(producers)
    await ended(two, true)
    expect((await cluster.topic('t').records()).map(({ offset }) => offset)).toEqual([1])
    expect(await fetched(cluster, 0)).toMatchObject({ bounds: [4, 4], aborted: [0] })
  })

  /** Its leader dies before the marker is acknowledged; the other replica has it, or does not. */
  async function leaderLostAtTheEnd(
    cluster: Cluster,
    producer: Transactor,
    follower: 'has' | 'lacks',
  ): Promise<number> {
    await write(producer, ['t', 0])
    await cluster.runUntil(() => cluster.partition('t', 0).highWatermark === 1)
    // One fetch is at the leader already, and brings the next batch.
    using _late = cluster.intercept('Fetch', async (request, next) => {
      if (request.node === 2 && request.peer === 3) await request.sleep(100_000)
      return next()
    })
    if (follower === 'lacks') await append(cluster, 't', [cluster.clock.now()], { acks: 1 })
    const { producerEpoch } = await end(producer, true)
    await cluster.clock.advance(1_000)
    expect((await cluster.topic('t').records({ isolation: 'read_uncommitted' })).length).toBe(1)
    await cluster.broker(2).crash()
    await cluster.runUntil(() => cluster.partition('t', 0).leader === 3)
    await settledIn(cluster, 'one', 'CompleteCommit')
    await cluster.broker(2).restart()
    await cluster.runUntil(() => cluster.partition('t', 0).inSyncReplicas.length === 2)
    return producerEpoch
  }

  test.each([
    ['lacks', 'written there', [undefined, undefined, 'COMMIT']],
    ['has', 'written twice, which harms nobody', [undefined, 'COMMIT', 'COMMIT']],
  ] as const)(
    'a leader that dies with a marker: the next one %s it, and it is %s (R-35, I-21, I-22)',
    async (follower, _, controls) => {
      const cluster = await started({ brokers: 3, topics: { t: { assignments: [[2, 3]] } } })
      const producer = await begin(cluster, 'one')
      const producerEpoch = await leaderLostAtTheEnd(cluster, producer, follower)
      const found = await cluster.topic('t').records({ control: true })
      expect(found.map(({ offset, control }) => [offset, control])).toEqual(
        controls.map((control, at) => [at, control]),
      )
      expect(await fetched(cluster, 0)).toMatchObject({ bounds: [3, 3], aborted: [] })
      expect(await write({ ...producer, producerEpoch }, ['t', 0])).toMatchObject({ error: 'NONE', offset: 3 })
    },
  )
})

describe('what is thrown away', () => {
  const hour = 3_600_000

  test('retention looks at the high watermark alone: a transaction that lost its records holds nobody back (S-12, F-9)', async () => {
    const cluster = await started({
      topics: { t: { configs: { 'retention.ms': 60_000, 'internal.segment.bytes': 160 } } },
    })
    const producer = await begin(cluster, 'one', { timeoutMs: 900_000 })
    for (const sequence of [0, 1, 2, 3]) await write(producer, ['t', 0], { sequence })
    expect(await fetched(cluster, 0)).toMatchObject({ bounds: [4, 0] })
    await cluster.clock.advance(400_000)
    expect(await fetched(cluster, 4)).toMatchObject({ error: 'NONE', bounds: [4, 4] })
    expect(await fetched(cluster, 3)).toMatchObject({ error: 'OFFSET_OUT_OF_RANGE' })
    await write(producer, ['t', 0], { sequence: 4 })
    expect(await fetched(cluster, 4)).toMatchObject({ bounds: [5, 4], batches: [] })
    await ended(producer, true)
    expect(await fetched(cluster, 4)).toMatchObject({ bounds: [6, 6], aborted: [], batches: ['4-4', '5 COMMIT'] })
  })

  test('compaction takes aborted records at once, and their marker a day after; it stops at an open transaction (S-20, S-23)', async () => {
    const cluster = await started({
      topics: {
        t: {
          configs: {
            'cleanup.policy': 'compact',
            'min.cleanable.dirty.ratio': 0,
            'internal.segment.bytes': 100,
          },
        },
      },
    })
    const keyed = async (producer: Transactor, key: string, sequence: number, value: string) =>
      (await write(producer, ['t', 0], { key, value, sequence })).offset
    const [one, two] = [await begin(cluster, 'one'), await begin(cluster, 'two')]
    expect(await keyed(one, 'a', 0, 'committed')).toBe(0)
    const again = await ended(one, true)
    expect(await keyed(again, 'a', 0, 'aborted')).toBe(2)
    const last = await ended(again, false)
    expect(await keyed(last, 'b', 0, 'old')).toBe(4)
    expect(await keyed(last, 'b', 1, 'new')).toBe(5)
    await ended(last, true)
    expect(await keyed(two, 'b', 0, 'open')).toBe(7)
    expect(await keyed(two, 'b', 1, 'open')).toBe(8)

    await cluster.clock.advance(60_000)
    const left = () => valuesOf(cluster)
    expect(await left()).toEqual(['0 committed', '1 COMMIT', '3 ABORT', '5 new', '6 COMMIT', '7 open', '8 open'])
    expect(await fetched(cluster, 0)).toMatchObject({ bounds: [9, 7] })
    await ended(two, false)
    await cluster.clock.advance(60_000)
    // The segment that is written to is not cleaned.
    expect((await left()).slice(0, 5)).toEqual(['0 committed', '1 COMMIT', '3 ABORT', '5 new', '6 COMMIT'])
    await cluster.clock.advance(25 * hour)
    await append(cluster, 't', [cluster.clock.now()])
    await cluster.clock.advance(60_000)
    const after = await left()
    expect(after).not.toContain('3 ABORT')
    expect(after.slice(0, 4)).toEqual(['0 committed', '1 COMMIT', '5 new', '6 COMMIT'])
    expect((await cluster.topic('t').records()).slice(0, 2).map(({ value }) => value)).toEqual(['committed', 'new'])
  })
})

async function valuesOf(cluster: Cluster): Promise<string[]> {
  const { log } = cluster.broker(1).broker!.requirePartition('t', 0)
  const found: string[] = []
  for (let offset = log.startOffset; offset < log.endOffset; ) {
    const batches = await log.read(offset, 1_000_000, log.endOffset, { minOneBatch: true })
    if (batches.length === 0) break
    for (const batch of batches) {
      for (const record of recordsOf(batch)) {
        const what = transactionMarkerOf(batch)?.type ?? new TextDecoder().decode(record.value!)
        found.push(`${record.offset} ${what}`)
      }
    }
    offset = batches.at(-1)!.nextOffset
  }
  return found
}
