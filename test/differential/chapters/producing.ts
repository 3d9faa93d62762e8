import { describeProducers } from '../../../src/apis/describe-producers.ts'
import { initProducerId } from '../../../src/apis/init-producer-id.ts'
import { produce } from '../../../src/apis/produce.ts'
import type { BatchOptions } from '../../../src/wire/batch-builder.ts'
import type { CompressionName } from '../../../src/wire/compression.ts'
import { Records } from '../../../src/wire/records.ts'
import type { Chapter, Play } from '../play.ts'
import { BAD_NAMES, UNKNOWN_ID } from './bad-input.ts'
import { damaged, newProducerId, producing, recordsWith } from './records.ts'

async function appends(play: Play): Promise<void> {
  const name = 'produced'
  const id = await play.topic(name, [
    [1, 2, 3],
    [2, 3, 1],
  ])
  const one = recordsWith(play, ['one', 'two'])
  const of = (index: number, more: object = {}) => producing(name, id, index, one, more)
  await play.every('with acks of all', produce, of(0))
  await play.every('with acks of the leader', produce, of(0, { acks: 1 }))
  for (const acks of [2, -2]) await play.every(`with acks ${acks}`, produce, of(0, { acks }))
  await play.every('to a follower', produce, of(1))
  await play.every('to no replica', produce, of(0), { to: 2 })
  await play.every('to an unknown partition', produce, of(9))
  await play.every('to a negative partition', produce, of(-1))
  await play.every('to an unknown topic', produce, producing('never-was', UNKNOWN_ID, 0, one))
  for (const [what, bad] of Object.entries(BAD_NAMES)) {
    await play.every(`to a name that is ${what}`, produce, producing(bad, UNKNOWN_ID, 0, one), { until: 12 })
  }
  await play.every('to nothing', produce, { ...of(0), topicData: [] })
  await play.every('to no partition', produce, { ...of(0), topicData: [{ name, topicId: id, partitionData: [] }] })
  const good = { index: 0, records: one }
  const bad = { index: 7, records: one }
  await play.every('to a good and a bad one', produce, {
    ...of(0),
    topicData: [{ name, topicId: id, partitionData: [good, bad] }],
  })
  const names = [
    { name, topicId: id },
    { name: 'never-was', topicId: UNKNOWN_ID },
  ]
  const both = names.map(topic => ({ ...topic, partitionData: [good] }))
  await play.every('to a good and a bad topic', produce, { ...of(0), topicData: both })
  for (const version of [3, 9, 13]) {
    await play.tell('with acks 0', produce, version, of(0, { acks: 0 }))
    await play.tell('with acks 0 to an unknown partition', produce, version, of(9, { acks: 0 }))
    await play.tell('with acks 0 to a follower', produce, version, of(1, { acks: 0 }))
  }
  const offsets = await play.every('after all that', produce, of(0), { from: 13 })
  if (offsets === undefined) throw new Error(`${name} was not answered`)
}

/** What is wrong with a batch. */
function badBatches(play: Play): Readonly<Record<string, Records>> {
  const good = () => recordsWith(play, ['one', 'two', 'three'])
  const with_ = (options: BatchOptions & { readonly timestamp?: number }) => recordsWith(play, ['one', 'two'], options)
  const at = (offset: number, value: number) => damaged(good(), bytes => void bytes.writeUInt8(value, offset))
  const day = 86_400_000
  return {
    empty: Records.empty,
    'cut short': damaged(good(), bytes => bytes.subarray(0, 40)),
    'cut in its records': damaged(good(), bytes => bytes.subarray(0, bytes.length - 3)),
    'with bytes behind it': damaged(good(), bytes => Buffer.concat([bytes, Buffer.alloc(5)])),
    'two of them': damaged(good(), bytes => Buffer.concat([bytes, bytes])),
    'of a false CRC': damaged(good(), bytes => void bytes.writeUInt32BE(0, 17)),
    'with a flipped bit': damaged(good(), bytes => void bytes.writeUInt8(bytes.at(-2)! ^ 1, bytes.length - 2)),
    'of magic 0': at(16, 0),
    'of magic 1': at(16, 1),
    'of magic 3': at(16, 3),
    'of no length': damaged(good(), bytes => void bytes.writeInt32BE(0, 8)),
    'of negative length': damaged(good(), bytes => void bytes.writeInt32BE(-1, 8)),
    'with a base offset': with_({ baseOffset: 100 }),
    'of control records': with_({ control: true }),
    'without records': Records.of([]),
    'with a false count': with_({ lastOffsetDelta: 5 }),
    'of a transaction without a producer': with_({ transactional: true }),
    'from tomorrow': with_({ timestamp: play.startedAt + day }),
    'from last year': with_({ timestamp: play.startedAt - 365 * day }),
    'without timestamps': with_({ timestamp: -1 }),
    'with the time of the log': with_({ timestampType: 'LogAppendTime', maxTimestamp: play.startedAt }),
  }
}

async function batches(play: Play): Promise<void> {
  const id = await play.topic('batches', [[1]])
  for (const [what, records] of Object.entries(badBatches(play))) {
    await play.every(what, produce, producing('batches', id, 0, records))
  }
  const codecs: readonly CompressionName[] = ['gzip', 'snappy', 'lz4', 'zstd']
  for (const compression of codecs) {
    const records = recordsWith(play, ['one', 'one', 'one'], { compression })
    await play.every(`in ${compression}`, produce, producing('batches', id, 0, records))
  }
  const compacted = await play.topic('batches-compacted', [[1]], { 'cleanup.policy': 'compact' })
  const keyless = recordsWith(play, [{ key: 'a', value: '1' }, { value: '2' }, { key: 'b', value: null }])
  await play.every(
    'without a key, to a compacted topic',
    produce,
    producing('batches-compacted', compacted, 0, keyless),
  )
  const keyed = recordsWith(play, [
    { key: 'a', value: '1' },
    { key: 'b', value: null },
  ])
  await play.every('with keys, to a compacted topic', produce, producing('batches-compacted', compacted, 0, keyed))
  const small = await play.topic('batches-small', [[1]], { 'max.message.bytes': '100' })
  await play.every('too large', produce, producing('batches-small', small, 0, recordsWith(play, ['x'.repeat(100)])))
  const timed = await play.topic('batches-timed', [[1]], { 'message.timestamp.type': 'LogAppendTime' })
  await play.every(
    'to a log with its own time',
    produce,
    producing('batches-timed', timed, 0, recordsWith(play, ['one'])),
  )
  const logTime = recordsWith(play, ['one'], { timestampType: 'LogAppendTime', maxTimestamp: play.startedAt })
  await play.every('with the time of the log, to such a log', produce, producing('batches-timed', timed, 0, logTime))
  const narrow = { 'message.timestamp.before.max.ms': '1000', 'message.timestamp.after.max.ms': '1000' }
  const bounded = await play.topic('batches-bounded', [[1]], narrow)
  const old = recordsWith(play, ['one', 'two'], { timestamp: play.startedAt - 100_000 })
  await play.every('too old', produce, producing('batches-bounded', bounded, 0, old))
  const packed = await play.topic('batches-packed', [[1]], { 'compression.type': 'gzip' })
  await play.every(
    'to a log with its own compression',
    produce,
    producing('batches-packed', packed, 0, recordsWith(play, ['a', 'b'])),
  )
  const strict = await play.topic('batches-strict', [[1]], { 'min.insync.replicas': '3' })
  await play.every(
    'to a minimum above the replicas',
    produce,
    producing('batches-strict', strict, 0, recordsWith(play, ['a'])),
  )
  for (const topic of ['__consumer_offsets']) {
    await play.coordinator('anybody')
    await play.every('to a topic of Kafka itself', produce, producing(topic, UNKNOWN_ID, 0, recordsWith(play, ['a'])), {
      until: 12,
    })
  }
}

async function idempotence(play: Play): Promise<void> {
  const topic = await play.topic('idempotent', [[1, 2]])
  const of = (producerId: number, producerEpoch: number, baseSequence: number, count = 2) =>
    producing(
      'idempotent',
      topic,
      0,
      recordsWith(
        play,
        Array.from({ length: count }, (_, i) => `${i}`),
        { producerId, producerEpoch, baseSequence },
      ),
    )
  for (let version = 3; version <= 13; version++) {
    const id = await newProducerId(play)
    const step = (title: string, body: ReturnType<typeof of>) => play.ask(title, produce, version, body)
    await step('the first of a producer', of(id, 0, 0))
    await step('the next', of(id, 0, 2))
    await step('the next again', of(id, 0, 2))
    await step('the first again', of(id, 0, 0))
    await step('half of a known one', of(id, 0, 2, 1))
    await step('behind a gap', of(id, 0, 9))
    await step('of a new epoch, not at 0', of(id, 1, 4))
    await step('of a new epoch', of(id, 1, 0))
    await step('of an old epoch', of(id, 0, 4))
    await step('of a producer that nobody knows, not at 0', of(id + 500_000, 0, 7))
    await step('with an id and no sequence', of(id, 1, -1))
    await step('with an id and no epoch', of(id, -1, 2))
    await step('with a sequence and no id', of(-1, 0, 0))
  }
  await play.every('after that', describeProducers, { topics: [{ name: 'idempotent', partitionIndexes: [0] }] })
  await play.every(
    'at a follower',
    describeProducers,
    { topics: [{ name: 'idempotent', partitionIndexes: [0] }] },
    { to: 2 },
  )
  await play.every(
    'at no replica',
    describeProducers,
    { topics: [{ name: 'idempotent', partitionIndexes: [0] }] },
    { to: 3 },
  )
  await play.every('of unknown ones', describeProducers, {
    topics: [
      { name: 'idempotent', partitionIndexes: [7, -1] },
      { name: 'never-was', partitionIndexes: [0] },
      { name: 'bad name', partitionIndexes: [0] },
    ],
  })
  await play.every('of nothing', describeProducers, { topics: [] })
}

async function producerIds(play: Play): Promise<void> {
  await newProducerId(play)
  const of = (more: object = {}) => ({ transactionalId: null, transactionTimeoutMs: 60_000, ...more })
  await play.every('for an idempotent producer', initProducerId, of())
  await play.every('for another', initProducerId, of())
  await play.every('with no time', initProducerId, of({ transactionTimeoutMs: 0 }))
  await play.every('with negative time', initProducerId, of({ transactionTimeoutMs: -1 }))
  await play.every('for one that has an id', initProducerId, of({ producerId: 77, producerEpoch: 3 }), { from: 3 })
  await play.every('with an epoch and no id', initProducerId, of({ producerEpoch: 3 }), { from: 3 })
  await play.every('with an id and no epoch', initProducerId, of({ producerId: 77 }), { from: 3 })
  await play.every('with the empty transactional id', initProducerId, of({ transactionalId: '' }))
}

export const producingChapters: readonly Chapter[] = [
  { title: 'records are appended', play: appends },
  { title: 'batches of all kinds', play: batches },
  { title: 'idempotent producers', play: idempotence },
  { title: 'ids of producers', play: producerIds },
]
