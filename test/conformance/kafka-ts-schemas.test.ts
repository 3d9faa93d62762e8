/** Two that know nothing of one another write the same bytes, and read the same values: kafka-ts 1.5.0 and we. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { batchOf } from '../../src/wire/batch-builder.ts'
import { requestHeaderVersion, responseHeaderVersion } from '../../src/wire/header.ts'
import { Records } from '../../src/wire/records.ts'
import { type AnyField, defaultOf, type Fields } from '../../src/wire/schema.ts'
import { arbitraryOf } from '../wire/arbitrary.ts'
import {
  decodedByThem,
  encoded,
  encodedByThem,
  longOf,
  pairs,
  type Row,
  theirs,
  withoutFillers,
} from './kafka-ts-apis.ts'
import { requestShapes, responseShapes, type Shape, shaped } from './kafka-ts-shapes.ts'

/** What is drawn for each version, each way. */
const numRuns = 25

/** kafka-ts knows keys, values and those of headers as text. */
const text = fc.string({ unit: 'grapheme', maxLength: 30 })
const record = fc.record({
  timestamp: fc.integer({ min: 0, max: 2 ** 45 }),
  key: fc.option(text, { nil: null }),
  value: fc.option(text, { nil: null }),
  headers: fc.array(fc.record({ key: text, value: text }), { maxLength: 3 }),
})
const producer = fc.record({
  producerId: fc.integer({ min: -1, max: 2 ** 50 }),
  producerEpoch: fc.integer({ min: -1, max: 0x7fff }),
  baseSequence: fc.integer({ min: -1, max: 0x7fffffff }),
  transactional: fc.boolean(),
})
const batch = fc.tuple(fc.array(record, { minLength: 1, maxLength: 5 }), producer).map(([records, options]) => {
  const headers = (record: (typeof records)[number]) =>
    record.headers.map(({ key, value }) => ({ key, value: Buffer.from(value) }))
  const made = batchOf(
    records.map(record => ({ ...record, headers: headers(record) })),
    options,
  )
  const { baseTimestamp } = made
  return {
    records: Records.of([made]),
    theirs: {
      baseOffset: longOf(made.baseOffset),
      batchLength: made.size - 12,
      partitionLeaderEpoch: made.leaderEpoch,
      magic: 2,
      crc: made.crc | 0,
      attributes: made.attributes,
      compression: 0,
      timestampType: 'CreateTime',
      isTransactional: options.transactional,
      isControlBatch: false,
      hasDeleteHorizonMs: false,
      deleteHorizonMs: null,
      lastOffsetDelta: records.length - 1,
      baseTimestamp: longOf(baseTimestamp),
      maxTimestamp: longOf(made.maxTimestamp),
      producerId: longOf(options.producerId),
      producerEpoch: options.producerEpoch,
      baseSequence: options.baseSequence,
      records: records.map(({ timestamp, key, value, headers }, offsetDelta) => ({
        attributes: 0,
        timestampDelta: longOf(timestamp - baseTimestamp),
        offsetDelta,
        key,
        value,
        headers,
      })),
    },
  }
})

/** Values that kafka-ts can say, with batches where there are records. */
function sayable(
  fields: Fields,
  version: number,
  shape: Shape,
): fc.Arbitrary<{ value: Row; batches: Map<unknown, Row> }> {
  const { fixed = [], sayable = value => value } = shape
  return fc
    .tuple(arbitraryOf(fields, version), fc.array(batch, { minLength: 9, maxLength: 9 }))
    .map(([drawn, ready]) => {
      const batches = new Map<unknown, Row>()
      const value = changed(fields, drawn, (name, field, value) => {
        if (fixed.includes(name)) return defaultOf(field)
        if (field.kind !== 'records') return value
        const { records, theirs } = ready.pop()!
        batches.set(records, theirs)
        return records
      })
      return { value: sayable(value, version), batches }
    })
}

function changed(fields: Fields, value: Row, change: (name: string, field: AnyField, value: unknown) => unknown): Row {
  const row: Row = {}
  for (const [name, field] of Object.entries(fields)) {
    const inner = field.kind === 'array' ? field.element! : field
    const rows = inner.fields === undefined ? undefined : (row: Row) => changed(inner.fields!, row, change)
    const own = value[name]
    if (rows === undefined || own === null || own === undefined) row[name] = change(name, field, own)
    else row[name] = change(name, field, Array.isArray(own) ? own.map(rows) : rows(own))
  }
  return row
}

const recordsOf = (batches: Map<unknown, Row>) => (records: unknown) => {
  const batch = batches.get(records)
  return batch === undefined ? [] : [batch]
}

describe.each(pairs)('%s', (_, { ours, their, version }) => {
  test('headers are of the same version', () => {
    expect(their.requestHeaderVersion).toBe(requestHeaderVersion(ours, version))
    expect(their.responseHeaderVersion).toBe(responseHeaderVersion(ours, version))
  })

  test('of one request both write the same bytes', () => {
    const shape = requestShapes[ours.name] ?? {}
    fc.assert(
      fc.property(sayable(ours.request.fields, version, shape), ({ value, batches }) => {
        const data = shaped(theirs(ours.request, value, version, recordsOf(batches)), version, shape)
        const bytes = encodedByThem(their, data)
        expect(bytes.toString('hex')).toBe(encoded(ours.request, value, version).toString('hex'))
      }),
      { numRuns },
    )
  })

  test('a response that we write is read by kafka-ts as what it was, to its last byte', async () => {
    const shape = responseShapes[ours.name] ?? {}
    await fc.assert(
      fc.asyncProperty(sayable(ours.response.fields, version, shape), async ({ value, batches }) => {
        // It takes a list that is null for an empty one.
        const full = changed(ours.response.fields, value, (_, field, value) =>
          field.kind === 'array' && value === null ? [] : value,
        )
        const expected = shaped(theirs(ours.response, full, version, recordsOf(batches)), version, shape)
        const { response, left } = await decodedByThem(their, encoded(ours.response, value, version))
        expect(withoutFillers(response, expected, ours.response.fields, shape.names)).toEqual(expected)
        expect(left).toBe(0)
      }),
      { numRuns },
    )
  })
})
