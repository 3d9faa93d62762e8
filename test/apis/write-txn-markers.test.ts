import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeProducers } from '../../src/apis/describe-producers.ts'
import { writeTxnMarkers } from '../../src/apis/write-txn-markers.ts'
import type { Cluster } from '../../src/index.ts'
import { createCluster, Fetch } from '../../src/index.ts'
import { ask, nameOf } from './asking.ts'
import { commitInTransaction, committed, coordinatorOf, keptOn } from './committing.ts'
import { begin, describeTransaction, end, initialize, transactionsOn, write } from './transacting.ts'

let cluster: Cluster

beforeAll(async () => {
  cluster = await createCluster({
    brokers: 3,
    topics: {
      t: { partitions: 2, assignments: [[1], [1]] },
      elsewhere: { assignments: [[2]] },
      followed: { assignments: [[2, 1, 3]] },
      safe: { assignments: [[3, 2]], configs: { 'min.insync.replicas': 2 } },
      late: { assignments: [[3, 2]] },
      plain: { assignments: [[1]] },
      ...transactionsOn(1),
      ...keptOn(2, 3),
    },
  })
})

afterAll(() => cluster.close())

interface Ending {
  readonly producerId: number
  readonly producerEpoch?: number
  readonly coordinatorEpoch?: number
  readonly abort?: boolean
  readonly transactionVersion?: number
  readonly topics: Readonly<Record<string, readonly number[]>>
}

/** `producer topic-partition: error`, in the order of the answer. */
async function marked(endings: readonly Ending[], options: { to?: number; version?: number } = {}): Promise<string[]> {
  const { to = 1, version = 2 } = options
  const answer = await ask(
    cluster,
    to,
    writeTxnMarkers,
    {
      markers: endings.map(({ topics, producerEpoch = 0, coordinatorEpoch = 0, abort = false, ...ending }) => ({
        ...ending,
        producerEpoch,
        coordinatorEpoch,
        transactionResult: !abort,
        topics: Object.entries(topics).map(([name, partitionIndexes]) => ({ name, partitionIndexes })),
      })),
    },
    version,
  )
  return answer.markers.flatMap(({ producerId, topics }) =>
    topics.flatMap(({ name, partitions }) =>
      partitions.map(each => `${producerId} ${name}-${each.partitionIndex}: ${nameOf(each.errorCode)}`),
    ),
  )
}

/** One marker for one partition of broker 1; its error. */
async function mark(topic: string, ending: Omit<Ending, 'topics'>, version = 2): Promise<string> {
  const [answer] = await marked([{ ...ending, topics: { [topic]: [0] } }], { version })
  return answer!.slice(answer!.indexOf(': ') + 2)
}

async function producersOf(topic: string, partition: number, to = 1) {
  const body = { topics: [{ name: topic, partitionIndexes: [partition] }] }
  return (await ask(cluster, to, describeProducers, body)).topics[0]!.partitions[0]!.activeProducers
}

describe('a marker that is forced into a partition, as on a real broker', () => {
  test('has to be of the right epochs, and says so (T-22, I-20, I-21, I-22)', async () => {
    let producer = await begin(cluster, 'forced')
    // One epoch to be lower than.
    producer = { ...producer, ...(await initialize(producer)) }
    const { producerId } = producer
    expect(await write(producer, ['t', 0])).toMatchObject({ error: 'NONE', offset: 0 })
    expect(cluster.partition('t', 0).lastStableOffset).toBe(0)

    expect(await mark('t', { producerId, producerEpoch: 0 }, 1)).toBe('INVALID_PRODUCER_EPOCH')
    expect(await mark('t', { producerId, producerEpoch: 1, transactionVersion: 2 })).toBe('INVALID_PRODUCER_EPOCH')
    expect(await mark('t', { producerId, producerEpoch: 0, transactionVersion: 0 })).toBe('INVALID_PRODUCER_EPOCH')
    expect(cluster.partition('t', 0).lastStableOffset).toBe(0)
    const good = { producerId, producerEpoch: 2, coordinatorEpoch: 5, transactionVersion: 2 }
    expect(await mark('t', good)).toBe('NONE')
    expect(cluster.partition('t', 0).lastStableOffset).toBe(2)
    expect(await producersOf('t', 0)).toEqual([
      {
        producerId,
        producerEpoch: 2,
        lastSequence: -1,
        lastTimestamp: expect.any(Number),
        coordinatorEpoch: 5,
        currentTxnStartOffset: -1,
      },
    ])

    expect(await mark('t', good)).toBe('NONE')
    const older = { producerId, producerEpoch: 2, coordinatorEpoch: 4 }
    expect(await mark('t', older, 1)).toBe('TRANSACTION_COORDINATOR_FENCED')
    expect(await mark('t', { ...good, producerEpoch: 1 })).toBe('INVALID_PRODUCER_EPOCH')
    expect(await mark('t', { ...older, coordinatorEpoch: 5, abort: true }, 1)).toBe('NONE')
    expect(await mark('t', { ...older, coordinatorEpoch: -1 }, 1)).toBe('TRANSACTION_COORDINATOR_FENCED')

    const records = await cluster.topic('t').records({ control: true, partition: 0 })
    const marker = { producerId, producerEpoch: 2, coordinatorEpoch: 5 }
    expect(records).toMatchObject([
      { offset: 0, value: 'x' },
      { offset: 1, control: 'COMMIT', marker },
      { offset: 2, control: 'COMMIT', marker },
      { offset: 3, control: 'ABORT', marker },
    ])
    // The coordinator knows nothing of it; its own marker is fenced by the one that was forced in, and it stays there.
    expect(await describeTransaction(cluster, 'forced')).toMatchObject({ state: 'Ongoing', producerEpoch: 1 })
    expect(await end(producer, true)).toMatchObject({ error: 'NONE', producerEpoch: 2 })
    await cluster.clock.advance(1_000)
    expect(await describeTransaction(cluster, 'forced')).toMatchObject({ state: 'PrepareCommit', producerEpoch: 2 })
  })

  test('of a producer that was never seen is written, and makes it known (I-22)', async () => {
    const ending = { producerId: 987654, producerEpoch: 3, topics: { t: [1] } }
    expect(await marked([ending])).toEqual(['987654 t-1: NONE'])
    expect(await producersOf('t', 1)).toMatchObject([
      { producerId: 987654, producerEpoch: 3, lastSequence: -1, coordinatorEpoch: 0, currentTxnStartOffset: -1 },
    ])
    expect(await cluster.topic('t').records({ partition: 1 })).toEqual([])
  })
})

describe('WriteTxnMarkers', () => {
  test('answers for each partition; a partition that lives elsewhere is unknown, a follower says so (T-22, T-23)', async () => {
    const topics = { nosuch: [0], plain: [0, 9], elsewhere: [0], followed: [0] }
    expect(await marked([{ producerId: 5, topics }])).toEqual([
      '5 nosuch-0: UNKNOWN_TOPIC_OR_PARTITION',
      '5 plain-0: NONE',
      '5 plain-9: UNKNOWN_TOPIC_OR_PARTITION',
      '5 elsewhere-0: UNKNOWN_TOPIC_OR_PARTITION',
      '5 followed-0: NOT_LEADER_OR_FOLLOWER',
    ])
    expect(await marked([])).toEqual([])
  })

  test('of less than no producer, epoch or rules is invalid, and nothing is written (T-22)', async () => {
    const endOffset = cluster.partition('plain', 0).endOffset
    for (const bad of [{ producerId: -1 }, { producerEpoch: -1 }, { transactionVersion: -1 }]) {
      expect(await mark('plain', { producerId: 5, ...bad })).toBe('INVALID_REQUEST')
    }
    expect(cluster.partition('plain', 0).endOffset).toBe(endOffset)
  })

  test('takes the ends of many transactions at once, and has one entry a producer (T-22)', async () => {
    const endings = [
      { producerId: 21, topics: { plain: [0] } },
      { producerId: 22, abort: true, topics: { plain: [0] } },
      { producerId: 21, producerEpoch: 1, topics: { t: [1] } },
      // A real broker never answers after this one.
      { producerId: 23, topics: {} },
    ]
    expect(await marked(endings)).toEqual(['21 plain-0: NONE', '21 t-1: NONE', '22 plain-0: NONE'])
    const markers = (await cluster.topic('plain').records({ control: true })).slice(-2)
    expect(markers.map(({ control, marker }) => [control, marker!.producerId])).toEqual([
      ['COMMIT', 21],
      ['ABORT', 22],
    ])
  })

  test('of a partition with too few replicas in sync writes nothing (T-23, R-11)', async () => {
    await cluster.broker(2).stop()
    await cluster.runUntil(() => cluster.partition('safe', 0).inSyncReplicas.length === 1)
    const end = cluster.partition('safe', 0).endOffset
    expect(await marked([{ producerId: 31, topics: { safe: [0] } }], { to: 3 })).toEqual([
      '31 safe-0: NOT_ENOUGH_REPLICAS',
    ])
    expect(cluster.partition('safe', 0).endOffset).toBe(end)
    // What waits for offsets is refused by its partition's own words, too.
    await cluster.broker(2).restart()
    await cluster.runUntil(() => cluster.partition('safe', 0).inSyncReplicas.length === 2)
    expect(await marked([{ producerId: 31, topics: { safe: [0] } }], { to: 3 })).toEqual(['31 safe-0: NONE'])
  })

  test('is answered when all replicas in sync have the marker, or request.timeout.ms has passed (T-22, T-23)', async () => {
    await cluster.runUntil(() => cluster.partition('late', 0).inSyncReplicas.length === 2)
    using _late = cluster.intercept(Fetch, async (request, next) => {
      if (request.node === 3) await request.sleep(45_000)
      return next()
    })
    const before = cluster.clock.now()
    expect(await marked([{ producerId: 41, topics: { late: [0] } }], { to: 3 })).toEqual([
      '41 late-0: REQUEST_TIMED_OUT',
    ])
    expect(cluster.clock.now() - before).toBeGreaterThanOrEqual(30_000)
  })
})

describe('the end of a transaction in __consumer_offsets', () => {
  const partitions = ['plain-0']
  const ended = (producerId: number, abort: boolean, to = coordinatorOf(cluster, 'g')) =>
    marked([{ producerId, abort, topics: { __consumer_offsets: [0] } }], { to })

  test('commits the offsets that waited for it, or drops them (T-24, G-40)', async () => {
    await cluster.runUntil(() => cluster.partition('__consumer_offsets', 0).inSyncReplicas.length === 2)
    await commitInTransaction(cluster, 'g', { 'plain-0': 4 }, 61)
    expect(await committed(cluster, 'g', { partitions })).toEqual({ 'plain-0': [-1, '', 'NONE'] })
    expect(await ended(61, false)).toEqual(['61 __consumer_offsets-0: NONE'])
    expect(await committed(cluster, 'g', { partitions })).toEqual({ 'plain-0': [4, 't', 'NONE'] })
    await commitInTransaction(cluster, 'g', { 'plain-0': 9 }, 61)
    expect(await ended(61, true)).toEqual(['61 __consumer_offsets-0: NONE'])
    expect(await committed(cluster, 'g', { partitions, requireStable: true })).toEqual({ 'plain-0': [4, 't', 'NONE'] })
  })

  test('is refused where the groups are not kept, or an older coordinator sends it (T-23)', async () => {
    const leader = coordinatorOf(cluster, 'g')
    expect(await ended(61, false, 5 - leader)).toEqual(['61 __consumer_offsets-0: NOT_LEADER_OR_FOLLOWER'])
    expect(await ended(61, false, 1)).toEqual(['61 __consumer_offsets-0: UNKNOWN_TOPIC_OR_PARTITION'])
    const topics = { __consumer_offsets: [0, 7] }
    expect(await marked([{ producerId: 61, coordinatorEpoch: -1, topics }], { to: leader })).toEqual([
      '61 __consumer_offsets-0: TRANSACTION_COORDINATOR_FENCED',
      '61 __consumer_offsets-7: UNKNOWN_TOPIC_OR_PARTITION',
    ])
  })
})
