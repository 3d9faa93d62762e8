import { beforeAll, describe, expect, test } from 'vitest'
import type { RefusalDetails } from '../../src/log/replica-log.ts'
import { compress, loadInstalledCodecs } from '../../src/wire/compression.ts'
import { controlBatch } from '../../src/wire/control-record.ts'
import { recordsOf } from '../../src/wire/record.ts'
import { RecordBatch, sealed, verifyCrc } from '../../src/wire/record-batch.ts'
import { append, batch, batchOfSize, type Configs, NOW, now, openLog, refusal, refusalCode } from './logs.ts'

beforeAll(loadInstalledCodecs)

/** The batch with other fields in its head, its CRC true for them. */
const withFields = (made: RecordBatch, fields: Partial<RecordBatch['fields']>) =>
  sealed({ ...made.fields, ...fields }, made.body)

const withBody = (made: RecordBatch, body: Uint8Array) => sealed(made.fields, body)

const flipped = (made: RecordBatch) => {
  const body = made.body.slice()
  body[body.length - 2]! ^= 1
  return new RecordBatch(made.head, body)
}

const offered = (made: RecordBatch, configs: Configs = {}) => refusalCode(() => append(openLog(configs), made))

/** What the log keeps of a batch. */
function stored(made: RecordBatch, configs: Configs = {}, at = NOW): RecordBatch {
  const log = openLog(configs)
  append(log, made, { now: at })
  return now(log.read(0, 1_000_000, 1_000_000))[0]!
}

describe('the envelope (P-10)', () => {
  test('a base offset other than 0 is refused, a leader epoch may be anything', () => {
    expect(offered(batch(['v'], { baseOffset: 5 }))).toBe('INVALID_RECORD')
    expect(offered(batch(['v'], { baseOffset: -1 }))).toBe('INVALID_RECORD')
    expect(stored(batch(['v'], { leaderEpoch: 99 })).leaderEpoch).toBe(0)
  })

  test('exactly max.message.bytes is accepted, one more is not', () => {
    const configs = { 'max.message.bytes': 200 }
    expect(stored(batchOfSize(200), configs).size).toBe(200)
    const error = refusal(() => append(openLog(configs), batchOfSize(201)))
    expect(error.errorName).toBe('MESSAGE_TOO_LARGE')
    expect((error.details as RefusalDetails).knowsLogStart).toBe(false)
  })

  test('X-18: one bit flipped in the payload is CORRUPT_MESSAGE', () => {
    const error = refusal(() => append(openLog(), flipped(batch(['value']))))
    expect(error.errorName).toBe('CORRUPT_MESSAGE')
    expect((error.details as RefusalDetails).knowsLogStart).toBe(false)
  })

  test('the size is looked at before the CRC, the base offset before both', () => {
    const configs = { 'max.message.bytes': 10 }
    expect(offered(flipped(batch(['value'])), configs)).toBe('MESSAGE_TOO_LARGE')
    expect(offered(flipped(batch(['value'], { baseOffset: 1 })), configs)).toBe('INVALID_RECORD')
  })

  test('a batch no segment holds is RECORD_LIST_TOO_LARGE, exactly segment.bytes fits (P-20)', () => {
    const configs = { 'internal.segment.bytes': 200 }
    expect(stored(batchOfSize(200), configs).size).toBe(200)
    expect(offered(batchOfSize(201), configs)).toBe('RECORD_LIST_TOO_LARGE')
  })
})

describe('counts and flags (P-11, P-12)', () => {
  const two = batch(['a', 'b'])

  test.each([
    { lastOffsetDelta: -1, count: 0 },
    { lastOffsetDelta: 0, count: 0 },
    { lastOffsetDelta: 0, count: 2 },
    { lastOffsetDelta: 1, count: 1 },
    { lastOffsetDelta: 2, count: 3 },
    { lastOffsetDelta: 1, count: -1 },
    { lastOffsetDelta: -5, count: 1 },
    { lastOffsetDelta: 5, count: 2 },
  ])('a head that says %j about two records is INVALID_RECORD, without record errors', fields => {
    const error = refusal(() => append(openLog(), withFields(two, fields)))
    expect(error.errorName).toBe('INVALID_RECORD')
    expect(error.details).toEqual({ knowsLogStart: true, recordErrors: [] })
  })

  test('control batches are for coordinators only (P-12)', () => {
    const marker = controlBatch({
      type: 'COMMIT',
      producerId: 7,
      producerEpoch: 0,
      coordinatorEpoch: 0,
      timestamp: NOW,
    })
    expect(offered(marker)).toBe('INVALID_RECORD')
    expect(append(openLog(), marker, { origin: 'coordinator' }).baseOffset).toBe(0)
  })

  test('a producer id needs a sequence; a sequence without a producer id is nothing (P-12)', () => {
    expect(offered(batch(['v'], { producerId: 7, producerEpoch: 0 }))).toBe('INVALID_RECORD')
    expect(stored(batch(['v'], { producerEpoch: 3, baseSequence: 4 })).baseSequence).toBe(4)
    expect(stored(batch(['v'], { producerId: -2, producerEpoch: 3, baseSequence: 4 })).producerId).toBe(-2)
  })

  test('unused attribute bits and the delete horizon bit are stored as sent (B-2)', () => {
    expect(stored(withFields(batch(['v']), { attributes: 0x7fc0 })).attributes).toBe(0x7fc0)
  })
})

describe('records (P-13, P-15, B-6)', () => {
  const compacted = { 'cleanup.policy': ['compact', 'delete'] }

  test('X-16: a null key on a compacted topic is refused by its index, an empty key is a key', () => {
    const log = openLog(compacted)
    const second = batch([{ key: 'k', value: 'v' }, { value: 'v' }, { key: '', value: 'v' }])
    const error = refusal(() => append(log, second))
    const message = 'Compacted topic cannot accept message without key in topic partition orders-0'
    expect(error.errorName).toBe('INVALID_RECORD')
    expect(error.details).toEqual({ knowsLogStart: true, recordErrors: [{ batchIndex: 1, message }] })
    expect(error.message).toBe(
      'One or more records have been rejected due to 1 record errors in total, and only showing the first three ' +
        `errors at most: [RecordError(batchIndex=1, message='${message}')]`,
    )
    expect(log.endOffset).toBe(0)
    expect(append(log, batch([{ key: '', value: 'v' }])).baseOffset).toBe(0)
  })

  test('all failing records are listed, the sentence shows three; a bad timestamp decides the code (P-15)', () => {
    const keyless = Array.from({ length: 15 }, () => ({ value: 'v' }))
    const error = refusal(() => append(openLog(compacted), batch(keyless)))
    expect((error.details as RefusalDetails).recordErrors.map(each => each.batchIndex)).toEqual([...keyless.keys()])
    expect(error.message.match(/RecordError\(/g)).toHaveLength(3)
    const late = { key: 'k', value: 'v', timestamp: NOW + 7_200_000 }
    const mixed = refusal(() => append(openLog(compacted), batch([{ value: 'v' }, late])))
    expect(mixed.errorName).toBe('INVALID_TIMESTAMP')
    expect((mixed.details as RefusalDetails).recordErrors).toHaveLength(2)
    // Of one record the key is looked at first.
    const both = refusal(() => append(openLog(compacted), batch([{ value: 'v', timestamp: NOW + 7_200_000 }])))
    expect(both.errorName).toBe('INVALID_RECORD')
  })

  test('bytes too many, or a record that does not fill its length, are INVALID_RECORD, compressed or not (B-6)', () => {
    const made = batch(['value'])
    const longer = Uint8Array.of(...made.body, 0)
    expect(offered(withBody(made, longer))).toBe('INVALID_RECORD')
    const gzipped = withFields(withBody(made, compress('gzip', longer)), { attributes: 1 })
    expect(offered(gzipped)).toBe('INVALID_RECORD')
    const shorter = made.body.slice()
    shorter[0]! -= 2
    expect(offered(withBody(made, shorter))).toBe('INVALID_RECORD')
  })

  test('the attributes of a record are not looked at (B-6)', () => {
    const made = batch(['value'])
    const body = made.body.slice()
    body[1] = 7
    expect(stored(withBody(made, body)).body[1]).toBe(7)
  })

  test('uncompressed, inner offsets are stored as sent; compressed, they are refused (P-16)', () => {
    const strange = [
      { key: 'a', value: '1', offset: 5 },
      { key: 'b', value: '2', offset: 3 },
    ]
    const plain = batch(strange, { lastOffsetDelta: 1 })
    expect(recordsOf(stored(plain)).map(each => each.offset)).toEqual([5, 3])
    expect(offered(batch(strange, { lastOffsetDelta: 1, compression: 'gzip' }))).toBe('INVALID_RECORD')
  })

  test('a codec that does not exist, and a body that does not decompress, are refused (P-16)', () => {
    for (const attributes of [1, 2, 3, 4, 5, 7]) {
      expect(offered(withFields(batch(['value']), { attributes })), `codec ${attributes}`).toBe('INVALID_RECORD')
    }
  })
})

describe('timestamps (P-14, P-18, P-19, B-4)', () => {
  test('X-17: two hours ahead is INVALID_TIMESTAMP, 59 minutes are not', () => {
    const error = refusal(() => append(openLog(), batch(['v'], { timestamp: NOW + 7_200_000 })))
    expect(error.errorName).toBe('INVALID_TIMESTAMP')
    expect(error.message).toBe('One or more records have been rejected due to invalid timestamp')
    const [first] = (error.details as RefusalDetails).recordErrors
    expect(first).toEqual({
      batchIndex: 0,
      message:
        'Timestamp 1767232800000 of message with offset 0 is out of range. ' +
        'The timestamp should be within [-9223370269629175807, 1767229200000]',
    })
    expect(stored(batch(['v'], { timestamp: NOW + 3_540_000 })).maxTimestamp).toBe(NOW + 3_540_000)
  })

  test('none, 0, 1 and even −2 pass, the least int64 does not', () => {
    for (const timestamp of [-1, 0, 1]) expect(stored(batch(['v'], { timestamp })).maxTimestamp).toBe(timestamp)
    expect(stored(batch(['v'], { timestamp: -2 })).maxTimestamp).toBe(-1)
    expect(offered(batch(['v'], { timestamp: Number.NEGATIVE_INFINITY }))).toBe('INVALID_TIMESTAMP')
  })

  test('message.timestamp.before.max.ms bounds the past, but not records without a timestamp', () => {
    const configs = { 'message.timestamp.before.max.ms': 60_000 }
    expect(offered(batch(['v'], { timestamp: NOW - 60_001 }), configs)).toBe('INVALID_TIMESTAMP')
    expect(stored(batch(['v'], { timestamp: NOW - 60_000 }), configs).maxTimestamp).toBe(NOW - 60_000)
    expect(stored(batch(['v'], { timestamp: -1 }), configs).maxTimestamp).toBe(-1)
  })

  test('a false maximum in the head is corrected, upwards and downwards (P-19)', () => {
    for (const maxTimestamp of [NOW + 7_200_000, -5, 0]) {
      const kept = stored(withFields(batch(['a', { value: 'b', timestamp: NOW + 1 }]), { maxTimestamp }))
      expect(kept.maxTimestamp).toBe(NOW + 1)
      expect(verifyCrc(new RecordBatch(kept.head.slice(), kept.body.slice()))).toBe(true)
    }
  })

  test('a batch that needs no correction keeps its body: one piece of memory (P-20)', () => {
    const made = batch(['a', 'b'])
    const kept = stored(made)
    expect(kept.body).toBe(made.body)
    expect(kept.head).not.toBe(made.head)
    expect(made.baseOffset).toBe(0)
  })

  test('the LogAppendTime bit of a producer is cleared on a CreateTime topic, unless there is no timestamp', () => {
    const kept = stored(batch(['v'], { timestampType: 'LogAppendTime' }))
    expect(kept.isLogAppendTime).toBe(false)
    expect(verifyCrc(new RecordBatch(kept.head.slice(), kept.body.slice()))).toBe(true)
    expect(offered(batch(['v'], { timestampType: 'LogAppendTime', timestamp: -1 }))).toBe('INVALID_TIMESTAMP')
  })

  describe('on a LogAppendTime topic', () => {
    const configs = { 'message.timestamp.type': 'LogAppendTime' }

    test('the time is the leader’s, records and base timestamp are untouched (P-18, B-4)', () => {
      const log = openLog(configs)
      const made = batch(['a', { key: 'k', value: 'b', timestamp: NOW + 7_200_000 }], { timestamp: 5 })
      expect(append(log, made, { now: NOW + 9 }).logAppendTime).toBe(NOW + 9)
      const [kept] = now(log.read(0, 1_000_000, 10))
      expect(kept).toMatchObject({ isLogAppendTime: true, maxTimestamp: NOW + 9, baseTimestamp: 5 })
      expect(kept!.body).toBe(made.body)
      expect(recordsOf(kept!).map(each => each.timestamp)).toEqual([NOW + 9, NOW + 9])
      expect(verifyCrc(new RecordBatch(kept!.head.slice(), kept!.body.slice()))).toBe(true)
    })

    test('a producer that sets the bit itself is refused, record by record (P-14)', () => {
      const error = refusal(() => append(openLog(configs), batch(['v', 'w'], { timestampType: 'LogAppendTime' })))
      expect(error.errorName).toBe('INVALID_TIMESTAMP')
      const message =
        `Invalid timestamp type in message DefaultRecord(offset=0, timestamp=${NOW}, key=1 bytes, value=1 bytes). ` +
        'Producer should not set timestamp type to LogAppendTime.'
      expect((error.details as RefusalDetails).recordErrors[0]).toEqual({ batchIndex: 0, message })
      expect((error.details as RefusalDetails).recordErrors).toHaveLength(2)
    })
  })

  test('a CreateTime topic answers logAppendTime −1 (P-18)', () => {
    expect(append(openLog(), batch(['v'])).logAppendTime).toBe(-1)
  })
})

describe('the codec of the topic (P-17)', () => {
  const sent = (compression: 'none' | 'gzip' | 'zstd') => batch(['a', 'b', 'c'], { compression })
  const attributes = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 }

  test.each([
    ['producer', 'none', 'none'],
    ['producer', 'zstd', 'zstd'],
    ['gzip', 'none', 'gzip'],
    ['gzip', 'zstd', 'gzip'],
    ['snappy', 'gzip', 'snappy'],
    ['lz4', 'none', 'lz4'],
    ['zstd', 'gzip', 'zstd'],
    ['uncompressed', 'gzip', 'none'],
  ] as const)('compression.type %s makes of a %s batch a %s one', (wanted, from, to) => {
    const made = sent(from)
    const kept = stored(made, { 'compression.type': wanted })
    expect(kept.attributes).toBe(attributes[to])
    expect(recordsOf(kept)).toEqual(recordsOf(made))
    expect(kept.body === made.body).toBe(from === to)
  })

  test('a recompressed batch gets consecutive inner offsets (P-16)', () => {
    const strange = [
      { key: 'a', value: '1', offset: 5 },
      { key: 'b', value: '2', offset: 3 },
    ]
    for (const compression of ['none', 'gzip'] as const) {
      const kept = stored(batch(strange, { lastOffsetDelta: 1, compression }), { 'compression.type': 'zstd' })
      expect(recordsOf(kept).map(each => each.offset)).toEqual([0, 1])
      expect(kept.lastOffsetDelta).toBe(1)
    }
  })

  test('what grows beyond max.message.bytes by it is MESSAGE_TOO_LARGE', () => {
    const made = batch(['x'.repeat(5000)], { compression: 'gzip' })
    expect(offered(made, { 'compression.type': 'uncompressed', 'max.message.bytes': 300 })).toBe('MESSAGE_TOO_LARGE')
  })

  test('producer, sequence and flags survive it', () => {
    const made = batch(['a', 'b'], { producerId: 7, producerEpoch: 1, baseSequence: 3, compression: 'gzip' })
    expect(stored(made, { 'compression.type': 'uncompressed' })).toMatchObject({
      producerId: 7,
      producerEpoch: 1,
      baseSequence: 3,
      lastOffsetDelta: 1,
      maxTimestamp: NOW,
    })
  })

  test('control batches stay uncompressed', () => {
    const log = openLog({ 'compression.type': 'gzip' })
    const marker = controlBatch({
      type: 'COMMIT',
      producerId: 7,
      producerEpoch: 0,
      coordinatorEpoch: 0,
      timestamp: NOW,
    })
    append(log, marker, { origin: 'coordinator' })
    expect(now(log.read(0, 1000, 1))[0]!.attributes).toBe(0x30)
  })

  test('LogAppendTime and a codec together (P-17, P-18)', () => {
    const configs = { 'compression.type': 'gzip', 'message.timestamp.type': 'LogAppendTime' }
    const kept = stored(sent('none'), configs, NOW + 3)
    expect(kept).toMatchObject({ attributes: 9, maxTimestamp: NOW + 3 })
    expect(recordsOf(kept).map(each => each.timestamp)).toEqual([NOW + 3, NOW + 3, NOW + 3])
  })
})
