import { addOffsetsToTxn } from '../../../src/apis/add-offsets-to-txn.ts'
import { describeProducers } from '../../../src/apis/describe-producers.ts'
import { fetch } from '../../../src/apis/fetch.ts'
import { listOffsets } from '../../../src/apis/list-offsets.ts'
import { offsetFetch } from '../../../src/apis/offset-fetch.ts'
import { produce } from '../../../src/apis/produce.ts'
import { txnOffsetCommit } from '../../../src/apis/txn-offset-commit.ts'
import { writeTxnMarkers } from '../../../src/apis/write-txn-markers.ts'
import { partitionFor } from '../../../src/coordinators/partition-for.ts'
import type { RequestInput } from '../../../src/wire/api.ts'
import type { BatchOptions } from '../../../src/wire/batch-builder.ts'
import { WORLD_CONFIGS } from '../../scenarios/world.ts'
import type { Chapter, Play } from '../play.ts'
import { fill, newProducerId, producing, recordsWith } from './records.ts'
import { add, end, impostors, settled, type Transactor, transactor } from './transactor.ts'

/** Two records of a transaction, for partition 0. */
function writing(
  play: Play,
  { name, id }: { readonly name: string; readonly id: string },
  { transactionalId, producerId, producerEpoch }: Transactor,
  baseSequence: number,
  more: { readonly batch?: BatchOptions; readonly transactionalId?: string | null; readonly partition?: number } = {},
) {
  const { batch, partition = 0 } = more
  const options = { producerId, producerEpoch, baseSequence, transactional: true, ...batch }
  const said = more.transactionalId === undefined ? transactionalId : more.transactionalId
  return producing(name, id, partition, recordsWith(play, ['one', 'two'], options), { transactionalId: said })
}

/** A partition that no transaction is told of; each version has one of its own before it. */
const UNTOLD = 11

async function appends(play: Play): Promise<void> {
  const name = 'transacted'
  const partitions = Array.from({ length: UNTOLD + 1 }, () => [1])
  const topic = { name, id: await play.topic(name, partitions) }
  for (let version = 3; version <= 13; version++) {
    const partition = version - 3
    let of = await transactor(play, `transacted-${version}`)
    const step = (title: string, who: Transactor, sequence: number, more: Parameters<typeof writing>[4] = {}) =>
      play.ask(title, produce, version, writing(play, topic, who, sequence, { partition, ...more }), {
        blur: ['index'],
      })
    const { 'of another broker': _, ...bad } = await impostors(play, of)
    for (const [title, who] of Object.entries(bad)) await step(`in a transaction, ${title}`, who, 0)
    // From v12 on the first batch takes its partition in.
    if (version < 12) {
      await step('in a transaction that does not know of it', of, 0)
      await add(play, of, { [name]: [partition] })
    }
    await step('in a transaction', of, 0)
    await step('in a transaction, again', of, 0)
    await step('in a transaction, behind a gap', of, 7)
    await step('in a transaction, the next', of, 2)
    await step('in a transaction, to a partition that it has not been told of', of, 0, { partition: UNTOLD })
    for (const [title, who] of Object.entries(bad)) await step(`amid a transaction, ${title}`, who, 4)
    await step('amid a transaction, with no transactional id said', of, 4, { transactionalId: null })
    await step('amid a transaction, not of it', of, 4, { batch: { transactional: false } })
    await step('amid a transaction, a control batch', of, 4, { batch: { control: true } })
    const before = of
    of = await end(play, of, version % 2 === 0, version < 12 ? 4 : 5)
    await step('after the transaction', before, 4)
    const body = { topics: [{ name, partitionIndexes: [partition] }] }
    const blur = ['partitionIndex', 'producerId']
    await play.ask(`after a transaction of v${version}`, describeProducers, 0, body, { blur })
  }
}

async function isolation(play: Play): Promise<void> {
  const name = 'isolated'
  const topic = { name, id: await play.topic(name, [[1], [2]]) }
  const write = async (of: Transactor, sequence: number) => {
    const { responses } = await play.request(produce, 12, writing(play, topic, of, sequence))
    const { errorCode } = responses[0]!.partitionResponses[0]!
    if (errorCode !== 0) throw new Error(`${of.transactionalId}: error ${errorCode}`)
  }
  const of = {
    committing: await transactor(play, 'isolated-committing'),
    aborting: await transactor(play, 'isolated-aborting'),
    open: await transactor(play, 'isolated-open'),
  }
  await fill(play, { name }, [['plain']])
  await write(of.committing, 0)
  await write(of.aborting, 0)
  await end(play, of.committing, true)
  await write(of.aborting, 2)
  await end(play, of.aborting, false)
  await write(of.open, 0)
  await fill(play, { name }, [['plain']])
  const fetching = (fetchOffset: number, isolationLevel: number, more: object = {}) => ({
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: 1 << 24,
    isolationLevel,
    topics: [
      { topic: name, topicId: topic.id, partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: 1 << 20 }] },
    ],
    forgottenTopicsData: [],
    ...more,
  })
  const listing = (timestamp: number, isolationLevel: number) => ({
    replicaId: -1,
    isolationLevel,
    timeoutMs: 10_000,
    topics: [{ name, partitions: [{ partitionIndex: 0, timestamp }] }],
  })
  for (const when of ['open', 'aborted']) {
    await play.every(`of all, while one is ${when}, committed`, fetch, fetching(0, 1))
    await play.every(`of a little, while one is ${when}, committed`, fetch, fetching(3, 1, { maxBytes: 1 }))
    await play.every(`of what was open, while one is ${when}, committed`, fetch, fetching(9, 1))
    if (when === 'open') await play.every('of all, while one is open, of whatever state', fetch, fetching(0, 0))
    else await play.every('behind the end, committed', fetch, fetching(99, 1))
    for (const [what, timestamp] of Object.entries({ latest: -1, 'the newest record': -3, 'at a time': 0 })) {
      const title = `${what}, while one is ${when}`
      await play.every(`${title}, committed`, listOffsets, listing(timestamp, 1), { from: 2 })
      await play.every(`${title}, of whatever state`, listOffsets, listing(timestamp, 0), { from: 2 })
    }
    const body = { topics: [{ name, partitionIndexes: [0] }] }
    await play.every(`while one is ${when}`, describeProducers, body)
    if (when === 'open') await end(play, of.open, false)
  }
}

type Marker = RequestInput<typeof writeTxnMarkers>['markers'][number]

/** A producer that nobody has seen. */
const STRANGER = 987_654

async function markers(play: Play): Promise<void> {
  const group = 'marked'
  const groupAt = await play.coordinator(group)
  const groupPartition = partitionFor(group, WORLD_CONFIGS['offsets.topic.num.partitions'])
  for (let version = 1; version <= 2; version++) {
    const name = `marked-${version}`
    const topic = {
      name,
      id: await play.topic(name, [
        [1, 2],
        [2, 3],
        [2, 1],
        [1, 2],
      ]),
    }
    const marker = (more: Partial<Marker> = {}, ...indexes: number[]): Marker => ({
      producerId: STRANGER,
      producerEpoch: 3,
      transactionResult: true,
      coordinatorEpoch: 5,
      topics: [{ name, partitionIndexes: indexes.length === 0 ? [0] : indexes }],
      ...more,
    })
    const step = (title: string, all: Marker[], to = 1) =>
      play.ask(title, writeTxnMarkers, version, { markers: all }, { to })
    await step('of a producer that nobody knows', [marker()])
    await step('of it again', [marker()])
    await step('to abort after that', [marker({ transactionResult: false })])
    await step('of an epoch before', [marker({ producerEpoch: 2 })])
    await step('of a negative epoch', [marker({ producerEpoch: -1 })])
    await step('of a coordinator before', [marker({ coordinatorEpoch: 4 })])
    await step('of a coordinator without an epoch', [marker({ coordinatorEpoch: -1 })])
    await step('of a negative producer', [marker({ producerId: -1 })])
    for (const transactionVersion of [0, 1, 2, 9, -1]) {
      await step(`by the rules ${transactionVersion}`, [marker({ transactionVersion })])
    }
    await step('of an epoch to come, by the rules 2', [marker({ producerEpoch: 4, transactionVersion: 2 })])
    await step('to many partitions', [marker({}, 0, 1, 2, 3, 9, -1)])
    await step('to an unknown topic', [marker({ topics: [{ name: 'never-was', partitionIndexes: [0] }] })])
    await step('to a topic with a bad name', [marker({ topics: [{ name: 'bad name', partitionIndexes: [0] }] })])
    await step('of nothing', [])
    await step('of three', [
      marker({ producerId: STRANGER + 1 }),
      marker({ producerId: STRANGER + 2 }, 3),
      marker({ producerId: STRANGER + 3 }, 9),
    ])
    const kept = [{ name: '__consumer_offsets', partitionIndexes: [groupPartition] }]
    await step('to offsets that wait for nothing', [marker({ topics: kept })], groupAt)
    const idempotent = await newProducerId(play)
    const options = { producerId: idempotent, producerEpoch: 0, baseSequence: 0 }
    await fill(play, { name, partition: 3 }, [['a']], options)
    await step('to one that has begun none', [marker({ producerId: idempotent, producerEpoch: 0 }, 3)])
    const of = await transactor(play, name)
    await play.request(produce, 12, writing(play, topic, of, 0))
    const open = { producerId: of.producerId, producerEpoch: 1, coordinatorEpoch: 0 }
    await step('to an open one, of an epoch before', [marker({ ...open, producerEpoch: 0 })])
    await step('to an open one, of its epoch, by the rules 2', [marker({ ...open, transactionVersion: 2 })])
    await step('to an open one, of the next epoch', [marker({ ...open, producerEpoch: 2, transactionVersion: 2 })])
    await end(play, of, true)
    const body = { topics: [{ name, partitionIndexes: [0, 3] }] }
    await play.ask(`of markers of v${version}`, describeProducers, 0, body)
  }
}

type Commit = RequestInput<typeof txnOffsetCommit>

async function offsets(play: Play): Promise<void> {
  const topicId = await play.topic('taken', [[1], [2]])
  for (let version = 0; version <= 5; version++) {
    const group = `consumed-${version}`
    const at = await play.coordinator(group)
    const good = await transactor(play, group)
    const topics = (name: string, partitionIndex = 0, committedOffset = 5, committedMetadata: string | null = 'm') => [
      { name, partitions: [{ partitionIndex, committedOffset, committedMetadata }] },
    ]
    const step = (title: string, { to: _, ...of }: Transactor, more: Partial<Commit> = {}, to = at) =>
      play.ask(title, txnOffsetCommit, version, { ...of, groupId: group, topics: topics('taken'), ...more }, { to })
    const { 'of another broker': _, ...bad } = await impostors(play, good)
    for (const [title, who] of Object.entries(bad)) await step(title, who)
    // From v5 on the first commit takes the group in.
    if (version < 5) {
      await step('in a transaction that does not know of it', good)
      const { to, ...of } = good
      await play.request(addOffsetsToTxn, 4, { ...of, groupId: group }, { to })
    }
    await step('of an offset', good)
    await step('of a negative offset', good, { topics: topics('taken', 1, -1) })
    await step('without metadata', good, { topics: topics('taken', 1, 7, null) })
    await step('with much metadata', good, { topics: topics('taken', 0, 5, 'x'.repeat(5_000)) })
    await step('of an unknown partition', good, { topics: topics('taken', 9) })
    await step('of an unknown topic', good, { topics: topics('never-was') })
    await step('of a good and an unknown topic', good, {
      topics: [...topics('taken', 0, 8), ...topics('never-was')],
    })
    await step('of nothing', good, { topics: [] })
    await step('to the empty group', good, { groupId: '' })
    await step('to another broker', good, {}, (at % 3) + 1)
    if (version >= 3) {
      await step('by a member of nothing', good, { memberId: 'nobody' })
      await step('by a member in a generation', good, { memberId: 'nobody', generationId: 1 })
      await step('in a generation of nothing', good, { generationId: 1 })
      await step('by an instance of nothing', good, { groupInstanceId: 'nobody' })
    }
    for (const [title, who] of Object.entries(bad)) await step(`${title}, amid the transaction`, who)
    const wanted = [{ name: 'taken', topicId, partitionIndexes: [0, 1] }]
    const reading = (requireStable: boolean) => ({
      groupId: group,
      topics: wanted,
      groups: [{ groupId: group, topics: wanted }],
      requireStable,
    })
    const read = (when: string, requireStable: boolean) =>
      play.every(`${when} v${version}`, offsetFetch, reading(requireStable), {
        to: at,
        blur: ['groupId'],
        from: version < 5 ? 9 : 7,
      })
    await read('of what is stable, amid', true)
    await read('of what there is, amid', false)
    await end(play, good, version !== 3, version < 5 ? 4 : 5)
    await settled(play, good)
    await step('after the transaction', good)
    await read('of what is stable, after', true)
  }
}

export const transactionalRecordChapters: readonly Chapter[] = [
  { title: 'records of transactions', play: appends },
  { title: 'what is committed is fetched', play: isolation },
  { title: 'markers of transactions', play: markers },
  { title: 'offsets of transactions', play: offsets },
]
