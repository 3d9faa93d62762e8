/** The quick walk over a batch says what the careful one says, or nothing. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { batchOf } from '../../src/wire/batch-builder.ts'
import { RecordCursor, type RecordSurvey, surveyRecords } from '../../src/wire/record.ts'
import { type RecordBatch, sealed } from '../../src/wire/record-batch.ts'

/** By `RecordCursor`; undefined where it finds damage. */
function walked(batch: RecordBatch): RecordSurvey | undefined {
  const deltas: number[] = []
  let [consecutive, nullKeys] = [true, false]
  try {
    const cursor = new RecordCursor(batch)
    while (cursor.next()) {
      deltas.push(cursor.timestampDelta)
      if (cursor.offsetDelta !== cursor.index) consecutive = false
      if (cursor.keyLength < 0) nullKeys = true
    }
  } catch {
    return undefined
  }
  return {
    leastTimestampDelta: Math.min(...deltas),
    largestTimestampDelta: Math.max(...deltas),
    consecutive,
    nullKeys,
  }
}

const text = fc.option(fc.string({ maxLength: 200 }), { nil: null })
const record = fc.record({ key: text, value: text, timestamp: fc.integer({ min: 1_000, max: 200_000 }) })
const records = fc.array(record, { minLength: 1, maxLength: 12 })

test('of batches without headers it sees all that the careful walk sees (B-6)', () => {
  fc.assert(
    fc.property(records, each => {
      const batch = batchOf(each)
      expect(surveyRecords(batch.body, batch.count)).toEqual(walked(batch))
    }),
  )
})

test('of bytes that were changed it never sees what the careful walk does not (B-6)', () => {
  let seen = 0
  fc.assert(
    fc.property(records, fc.nat(), fc.nat(255), fc.integer({ min: -1, max: 1 }), (each, where, byte, more) => {
      const batch = batchOf(each)
      const body = new Uint8Array(batch.body)
      body[where % body.length] = byte
      const count = batch.count + more
      const changed = sealed({ ...batch.fields, count, lastOffsetDelta: count - 1 }, body)
      const survey = surveyRecords(body, count)
      if (survey === undefined) return
      seen++
      expect(survey).toEqual(walked(changed))
    }),
    { numRuns: 2_000 },
  )
  expect(seen).toBeGreaterThan(100)
})

test('headers, and numbers of more than four bytes, are left to the careful walk', () => {
  const headers = batchOf([{ value: 'v', headers: [{ key: 'source', value: new Uint8Array(1) }] }])
  expect(surveyRecords(headers.body, 1)).toBeUndefined()
  const apart = batchOf([
    { value: 'v', timestamp: 0 },
    { value: 'w', timestamp: 2 ** 27 },
  ])
  expect(surveyRecords(apart.body, 2)).toBeUndefined()
  expect(walked(apart)).toMatchObject({ largestTimestampDelta: 2 ** 27 })
})
