/** Batches that we write are read by kafkajs and kafka-ts, with every compression; what they write, we read. */
import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import * as zlib from 'node:zlib'
import fc from 'fast-check'
import { decodeRecordBatch, withDecompressions } from 'kafka-ts/dist/api/fetch/common.js'
import { createBatch } from 'kafka-ts/dist/api/produce/common.js'
import { findCodec } from 'kafka-ts/dist/codecs/index.js'
import { Decoder } from 'kafka-ts/dist/utils/decoder.js'
import { beforeAll, describe, expect, test } from 'vitest'
import { batchOf } from '../../src/wire/batch-builder.ts'
import { compress, compressionIds, compressionNames, decompress, loadCodec } from '../../src/wire/compression.ts'
import { recordsOf } from '../../src/wire/record.ts'
import { type RecordBatch, verifyCrc } from '../../src/wire/record-batch.ts'
import { Records } from '../../src/wire/records.ts'
import { giveKafkajsCodecs } from './kafkajs-codecs.ts'

const require = createRequire(import.meta.url)
/** kafkajs' own reader and writer of a batch: it exports neither. */
const kafkajs = {
  Encoder: require('kafkajs/src/protocol/encoder.js'),
  Decoder: require('kafkajs/src/protocol/decoder.js'),
  RecordBatch: require('kafkajs/src/protocol/recordBatch/v0/index.js').RecordBatch,
  record: require('kafkajs/src/protocol/recordBatch/record/v0/index.js'),
  decode: require('kafkajs/src/protocol/recordBatch/v0/decoder.js'),
}

beforeAll(async () => {
  await giveKafkajsCodecs()
  for (const name of compressionNames) await loadCodec(name)
})

/** kafka-ts leaves zstd to node:zlib, which has it from Node 22.15 on. */
const ofKafkaTs = compressionNames.filter(name => name !== 'zstd' || 'zstdCompress' in zlib)

/** Short ones, and such as compressed blocks are many of (of 32 and 64 KiB), alike and unlike. */
const bytes = fc.oneof(
  { weight: 6, arbitrary: fc.uint8Array({ maxLength: 100 }) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.uint8Array({ minLength: 1, maxLength: 2_000 }), fc.integer({ min: 20, max: 200 }))
      .map(([piece, times]) => Uint8Array.from({ length: piece.length * times }, (_, i) => piece[i % piece.length]!)),
  },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 1, max: 2 ** 31 - 1 }).map(seed => {
      let state = seed
      return Uint8Array.from({ length: 70_000 }, () => {
        state = Math.imul(state, 48_271) & 0x7fffffff
        return state >>> 8
      })
    }),
  },
)
const nullable = fc.option(bytes.map(Buffer.from), { nil: null })
/** Both keep headers as an object's properties: no name twice, none that such an object would put in another place. */
const headers = fc.uniqueArray(
  fc.record({
    key: fc.string({ unit: 'grapheme', maxLength: 10 }).map(name => `h-${name}`),
    value: fc.uint8Array({ maxLength: 50 }).map(Buffer.from),
  }),
  { maxLength: 3, selector: ({ key }) => key },
)
const timestamp = fc.integer({ min: 0, max: 2 ** 45 })
const records = fc.array(fc.record({ timestamp, key: nullable, value: nullable, headers }), {
  minLength: 1,
  maxLength: 20,
})
type Drawn = readonly {
  timestamp: number
  key: Buffer | null
  value: Buffer | null
  headers: { key: string; value: Buffer }[]
}[]

const place = fc.record({
  baseOffset: fc.integer({ min: 0, max: 2 ** 50 }),
  leaderEpoch: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  producerId: fc.integer({ min: 0, max: 2 ** 50 }),
  producerEpoch: fc.integer({ min: 0, max: 0x7fff }),
  baseSequence: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  transactional: fc.boolean(),
  timestampType: fc.constantFrom('CreateTime' as const, 'LogAppendTime' as const),
})

const wire = (batch: RecordBatch) => Buffer.concat([batch.head, batch.body])

/** As it came: one batch, its CRC true, in memory of its own. */
function received(bytes: Uint8Array): RecordBatch {
  const [batch, ...rest] = new Records([Uint8Array.from(bytes)]).batches()
  expect(rest).toEqual([])
  expect(verifyCrc(batch!)).toBe(true)
  return batch!
}

/** Bytes are compared as what stands for them: a runner's comparison of buffers takes its time. */
const digest = (bytes: Uint8Array | null) => bytes && createHash('sha1').update(bytes).digest('base64')

const told = <H>(
  records: readonly {
    offset: number
    timestamp: number
    key: Uint8Array | null
    value: Uint8Array | null
    headers: readonly { key: string; value: H }[]
  }[],
) =>
  records.map(({ offset, timestamp, key, value, headers }) => ({
    offset,
    timestamp,
    key: digest(key),
    value: digest(value),
    headers: headers.map(header => `${header.key}: ${digest(header.value as Uint8Array)}`),
  }))

const placed = (drawn: Drawn, baseOffset: number) => drawn.map((record, i) => ({ ...record, offset: baseOffset + i }))

describe.each(compressionNames)('%s', compression => {
  test('kafkajs reads what we write', async () => {
    await fc.assert(
      fc.asyncProperty(records, place, async (drawn, options) => {
        const batch = batchOf(drawn, { ...options, compression })
        const read = await kafkajs.decode(new kafkajs.Decoder(wire(batch)))
        const { baseOffset, leaderEpoch, producerId, producerEpoch, baseSequence, transactional, timestampType } =
          options
        expect(read).toMatchObject({
          firstOffset: `${baseOffset}`,
          partitionLeaderEpoch: leaderEpoch,
          inTransaction: transactional,
          isControlBatch: false,
          lastOffsetDelta: drawn.length - 1,
          producerId: `${producerId}`,
          producerEpoch,
          firstSequence: baseSequence,
          firstTimestamp: `${drawn[0]!.timestamp}`,
          maxTimestamp: `${batch.maxTimestamp}`,
        })
        const found = read.records.map(({ offset, timestamp, key, value, headers }: Record<string, unknown>) => ({
          offset: Number(offset),
          timestamp: Number(timestamp),
          key: key as Buffer | null,
          value: value as Buffer | null,
          headers: Object.entries(headers as Record<string, Buffer>).map(([key, value]) => ({ key, value })),
        }))
        const appended = timestampType === 'LogAppendTime' ? { timestamp: batch.maxTimestamp } : {}
        expect(told(found)).toEqual(told(placed(drawn, baseOffset).map(record => ({ ...record, ...appended }))))
      }),
    )
  })

  test('we read what kafkajs writes', async () => {
    await fc.assert(
      fc.asyncProperty(records, place, async (drawn, options) => {
        const { baseOffset, leaderEpoch, producerId, producerEpoch, baseSequence, transactional } = options
        const [{ timestamp: firstTimestamp }] = drawn as [Drawn[number]]
        const encoder = await kafkajs.RecordBatch({
          compression: compressionIds[compression],
          firstOffset: baseOffset,
          firstTimestamp,
          maxTimestamp: Math.max(...drawn.map(({ timestamp }) => timestamp)),
          partitionLeaderEpoch: leaderEpoch,
          lastOffsetDelta: drawn.length - 1,
          transactional,
          producerId,
          producerEpoch,
          firstSequence: baseSequence,
          records: drawn.map(({ key, value, headers, timestamp }, offsetDelta) =>
            kafkajs.record({
              offsetDelta,
              timestampDelta: timestamp - firstTimestamp,
              key,
              value,
              headers: Object.fromEntries(headers.map(({ key, value }) => [key, value])),
            }),
          ),
        })
        const batch = received(encoder.buffer)
        expect(batch).toMatchObject({
          compression: compressionIds[compression],
          leaderEpoch,
          producerId,
          producerEpoch,
        })
        expect(batch).toMatchObject({ baseOffset, baseSequence, isTransactional: transactional, count: drawn.length })
        expect(told(recordsOf(batch))).toEqual(told(placed(drawn, baseOffset)))
        if (compression === 'none') {
          const same = batchOf(drawn, { ...options, timestampType: 'CreateTime' })
          expect(wire(same).equals(wire(batch))).toBe(true)
        }
      }),
    )
  })
})

describe.each(ofKafkaTs)('%s', compression => {
  test('kafka-ts reads what we write', async () => {
    await fc.assert(
      fc.asyncProperty(records, place, async (drawn, options) => {
        const batch = batchOf(drawn, { ...options, compression })
        const bytes = wire(batch)
        const [read, ...rest] = await withDecompressions(decompressions =>
          decodeRecordBatch(new Decoder(bytes), bytes.length, decompressions),
        )
        expect(rest).toEqual([])
        expect(read).toMatchObject({
          baseOffset: BigInt(options.baseOffset),
          partitionLeaderEpoch: options.leaderEpoch,
          compression: compressionIds[compression],
          timestampType: options.timestampType,
          isTransactional: options.transactional,
          isControlBatch: false,
          deleteHorizonMs: null,
          lastOffsetDelta: drawn.length - 1,
          maxTimestamp: BigInt(batch.maxTimestamp),
          producerId: BigInt(options.producerId),
          producerEpoch: options.producerEpoch,
          baseSequence: options.baseSequence,
        })
        // To kafka-ts all is text.
        const text = (bytes: Buffer | null) => bytes && digest(Buffer.from(bytes.toString()))
        const found = read!.records.map(({ key, value, ...rest }) => ({
          ...rest,
          key: digest(key === null ? null : Buffer.from(key)),
          value: digest(value === null ? null : Buffer.from(value)),
        }))
        expect(found).toEqual(
          drawn.map(({ timestamp, key, value, headers }, offsetDelta) => ({
            attributes: 0,
            timestampDelta: BigInt(timestamp - drawn[0]!.timestamp),
            offsetDelta,
            key: text(key),
            value: text(value),
            headers: headers.map(({ key, value }) => ({ key, value: value.toString() })),
          })),
        )
      }),
    )
  })

  test('we undo what its codec does, and its codec undoes what we do', async () => {
    await fc.assert(
      fc.asyncProperty(bytes, async drawn => {
        const codec = findCodec(compressionIds[compression])
        const given = Buffer.from(drawn)
        const theirs = await codec.compress!(given)
        expect(Buffer.from(decompress(compressionIds[compression], theirs)).equals(given)).toBe(true)
        expect((await codec.decompress(Buffer.from(compress(compression, drawn)))).equals(given)).toBe(true)
      }),
    )
  })
})

test('kafka-ts writes byte for byte what we write: text, and no compression', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 50 })
  const record = fc.record({
    timestamp,
    key: fc.option(text, { nil: null }),
    value: fc.option(text, { nil: null }),
    headers: fc.array(fc.record({ key: text, value: text }), { maxLength: 3 }),
  })
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 20 }), place, (drawn, options) => {
      const first = drawn[0]!.timestamp
      const encoder = createBatch({
        index: 0,
        baseOffset: BigInt(options.baseOffset),
        partitionLeaderEpoch: options.leaderEpoch,
        attributes: options.transactional ? 0x10 : 0,
        lastOffsetDelta: drawn.length - 1,
        baseTimestamp: BigInt(first),
        maxTimestamp: BigInt(Math.max(...drawn.map(({ timestamp }) => timestamp))),
        producerId: BigInt(options.producerId),
        producerEpoch: options.producerEpoch,
        baseSequence: options.baseSequence,
        records: drawn.map(({ timestamp, ...record }, offsetDelta) => ({
          ...record,
          attributes: 0,
          timestampDelta: BigInt(timestamp - first),
          offsetDelta,
        })),
      })
      const same = drawn.map(({ headers, ...record }) => ({
        ...record,
        headers: headers.map(({ key, value }) => ({ key, value: Buffer.from(value) })),
      }))
      const batch = received(encoder.value())
      expect(wire(batch)).toEqual(wire(batchOf(same, { ...options, timestampType: 'CreateTime' })))
    }),
  )
})
