import * as fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import type { LogStores } from '../../src/log/log-store.ts'
import { batchOf } from '../../src/wire/batch-builder.ts'
import { RecordCursor } from '../../src/wire/record.ts'
import { type RecordBatch, verifyCrc } from '../../src/wire/record-batch.ts'

const replica = { broker: 1, topic: 'bytes', topicId: 'AAAAAAAAAAAAAAAAAAAAAA', partition: 0 }
const every = Uint8Array.from({ length: 256 }, (_, byte) => byte)

function valuesOf(batch: RecordBatch): (number[] | null)[] {
  const values: (number[] | null)[] = []
  const cursor = new RecordCursor(batch)
  while (cursor.next()) {
    const { value } = cursor.record()
    values.push(value && [...value])
  }
  return values
}

/** No byte is special to where batches and checkpoints are kept. */
export function bytesContract(name: string, stores: () => LogStores): void {
  describe(`${name} keeps all 256 bytes as they are`, () => {
    let offsets = 0
    let opened: ReturnType<LogStores['store']> | undefined
    const store = async () => {
      if (opened === undefined) {
        opened = stores().store(replica)
        await opened.open()
      }
      return opened
    }

    afterAll(() => opened?.close())

    test('in the values of records', async () => {
      const one = await store()
      await fc.assert(
        fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 4 }), async given => {
          const values = [every, ...given]
          const batch = batchOf(
            values.map(value => ({ key: value, value })),
            { baseOffset: offsets, leaderEpoch: 1, timestamp: 1_000 },
          )
          await one.append(offsets, batch)
          const [read] = await one.read(offsets, 1)
          offsets = batch.nextOffset
          expect(valuesOf(read!)).toEqual(values.map(value => [...value]))
          expect(verifyCrc(read!)).toBe(true)
        }),
        { numRuns: 50 },
      )
    })

    test('in checkpoints, from the first byte to the last', async () => {
      const one = await store()
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async given => {
          for (const bytes of [given, every, every.toReversed()]) {
            await one.save('checkpoint', bytes)
            expect([...(await one.load('checkpoint'))!]).toEqual([...bytes])
          }
        }),
        { numRuns: 20 },
      )
    })

    test('and no memory of those who gave or took them', async () => {
      const one = stores().store({ ...replica, partition: 1 })
      await one.open()
      const value = Uint8Array.of(1, 2, 3)
      const batch = batchOf([{ key: null, value }], { leaderEpoch: 1, timestamp: 1_000 })
      await one.append(0, batch)
      batch.body.fill(0)
      expect(valuesOf((await one.read(0, 1))[0]!)).toEqual([[1, 2, 3]])
    })
  })
}
