import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { LogStore, LogStores } from '../../src/log/log-store.ts'
import { batchOf } from '../../src/wire/batch-builder.ts'
import type { RecordBatch } from '../../src/wire/record-batch.ts'

const replica = { broker: 1, topic: 'orders', topicId: 'AAAAAAAAAAAAAAAAAAAAAA', partition: 0 }

/** A batch of `count` records at `baseOffset`, told from others by its value. */
function batchAt(baseOffset: number, count: number, value = `v${baseOffset}`): RecordBatch {
  const records = Array.from({ length: count }, () => ({ key: null, value }))
  return batchOf(records, { baseOffset, leaderEpoch: 1, timestamp: 1000 })
}

const bytesOf = (batch: RecordBatch) => Buffer.concat([batch.head, batch.body]).toString('hex')
const spans = (batches: readonly RecordBatch[]) => batches.map(each => [each.baseOffset, each.lastOffset])

/**
 * What every log store must do. Mount it once per implementation; `make` gives an empty one each time. With `powerOff`
 * false the store has no power that could be lost (a database elsewhere).
 */
export function storeContract(
  name: string,
  make: () => LogStores | Promise<LogStores>,
  { powerOff = true, runs = 60 }: { powerOff?: boolean; runs?: number } = {},
): void {
  describe(`${name} keeps the contract of log stores`, () => {
    let stores: LogStores
    let store: LogStore

    beforeEach(async () => {
      stores = await make()
      store = stores.store(replica)
    })

    afterEach(async () => {
      await stores.close()
    })

    async function filled(...counts: number[]): Promise<RecordBatch[]> {
      await store.open()
      const batches: RecordBatch[] = []
      let end = 0
      for (const count of counts) {
        const batch = batchAt(end, count)
        await store.append(end, batch)
        batches.push(batch)
        end += count
      }
      return batches
    }

    test('a new replica is empty from 0 on', async () => {
      expect(await store.open()).toEqual({ startOffset: 0, endOffset: 0 })
      expect(await store.read(0, 1000)).toEqual([])
      expect(await store.load('anything')).toBeUndefined()
    })

    test('what was appended is read back byte for byte, from the batch that contains the offset', async () => {
      const [, second, third] = await filled(2, 3, 1)
      const read = await store.read(3, 1_000_000)
      expect(read.map(bytesOf)).toEqual([bytesOf(second!), bytesOf(third!)])
    })

    test('a read returns one batch at least, then only those that fit', async () => {
      const [first, second] = await filled(1, 1, 1)
      expect(spans(await store.read(0, 0))).toEqual([[0, 0]])
      expect(spans(await store.read(0, first!.size + second!.size))).toEqual([
        [0, 0],
        [1, 1],
      ])
      expect(spans(await store.read(0, first!.size + second!.size - 1))).toEqual([[0, 0]])
      expect(await store.read(3, 1000)).toEqual([])
    })

    test('an append that expects another end is refused and changes nothing', async () => {
      await filled(2)
      for (const [expectedEnd, baseOffset] of [
        [0, 0],
        [1, 1],
        [3, 3],
        [2, 1],
      ] as const) {
        await expect((async () => store.append(expectedEnd, batchAt(baseOffset, 1)))()).rejects.toThrow()
      }
      expect(spans(await store.read(0, 1_000_000))).toEqual([[0, 1]])
    })

    test('a batch may begin above the end: compaction leaves gaps', async () => {
      await filled(2)
      await store.append(2, batchAt(5, 2))
      expect(spans(await store.read(2, 1_000_000))).toEqual([[5, 6]])
      expect(spans(await store.read(1, 1_000_000))).toEqual([
        [0, 1],
        [5, 6],
      ])
      expect(await store.open()).toEqual({ startOffset: 0, endOffset: 7 })
    })

    test('truncation drops whole batches and answers the end that is left', async () => {
      await filled(2, 3, 2)
      expect(await store.truncateTo(9)).toBe(7)
      expect(await store.truncateTo(6)).toBe(5)
      expect(await store.truncateTo(3)).toBe(2)
      expect(spans(await store.read(0, 1_000_000))).toEqual([[0, 1]])
      await store.append(2, batchAt(2, 1, 'again'))
      expect(await store.truncateTo(0)).toBe(0)
      expect(await store.read(0, 1000)).toEqual([])
    })

    test('trimming keeps every batch that ends at or behind the new start', async () => {
      await filled(2, 3, 2)
      await store.trimBefore(3)
      expect(spans(await store.read(0, 1_000_000))).toEqual([
        [2, 4],
        [5, 6],
      ])
      expect((await store.open()).startOffset).toBeLessThanOrEqual(3)
      await store.trimBefore(7)
      expect(await store.open()).toEqual({ startOffset: 7, endOffset: 7 })
      await store.append(7, batchAt(7, 1))
      expect(spans(await store.read(0, 1_000_000))).toEqual([[7, 7]])
    })

    test('replacing puts other batches in the place of a range, and leaves the rest', async () => {
      const [, , third] = await filled(2, 2, 2)
      const cleaned = batchOf([{ key: 'k', value: 'last', offset: 3 }], {
        baseOffset: 2,
        lastOffsetDelta: 1,
        timestamp: 1000,
      })
      await store.replace(0, 4, [cleaned])
      expect((await store.read(0, 1_000_000)).map(bytesOf)).toEqual([bytesOf(cleaned), bytesOf(third!)])
      expect((await store.open()).endOffset).toBe(6)
    })

    test('a reset empties the log and begins it elsewhere', async () => {
      await filled(2, 2)
      await store.resetTo(100)
      expect(await store.open()).toEqual({ startOffset: 100, endOffset: 100 })
      await store.append(100, batchAt(100, 1))
      expect(spans(await store.read(0, 1_000_000))).toEqual([[100, 100]])
    })

    test('checkpoints are kept under their names, also empty ones, and overwritten', async () => {
      await store.open()
      await store.save('a', Uint8Array.of(1, 2, 255, 0))
      await store.save('b', new Uint8Array(0))
      await store.save('a', Uint8Array.of(7))
      expect([...(await store.load('a'))!]).toEqual([7])
      expect([...(await store.load('b'))!]).toEqual([])
    })

    test('a crash loses nothing: the store of the same replica has it all again', async () => {
      const batches = await filled(2, 1)
      await store.save('a', Uint8Array.of(1))
      const again = stores.store(replica)
      expect(await again.open()).toEqual({ startOffset: 0, endOffset: 3 })
      expect((await again.read(0, 1_000_000)).map(bytesOf)).toEqual(batches.map(bytesOf))
      expect([...(await again.load('a'))!]).toEqual([1])
    })

    test('replicas of other brokers, partitions and topic ids are other stores', async () => {
      await filled(1)
      for (const other of [{ broker: 2 }, { partition: 1 }, { topicId: 'BBBBBBBBBBBBBBBBBBBBBB' }]) {
        expect(await stores.store({ ...replica, ...other }).open()).toEqual({ startOffset: 0, endOffset: 0 })
      }
    })

    test('wiping a broker, or removing a replica, leaves an empty store', async () => {
      await filled(1)
      await store.save('a', Uint8Array.of(1))
      const other = stores.store({ ...replica, broker: 2 })
      await other.open()
      await other.append(0, batchAt(0, 1))
      await stores.wipe(1)
      expect(await stores.store(replica).open()).toEqual({ startOffset: 0, endOffset: 0 })
      expect(await stores.store(replica).load('a')).toBeUndefined()
      expect((await stores.store({ ...replica, broker: 2 }).open()).endOffset).toBe(1)
      await stores.remove({ ...replica, broker: 2 })
      expect((await stores.store({ ...replica, broker: 2 }).open()).endOffset).toBe(0)
    })

    test.runIf(powerOff)('a power loss takes what was not flushed, and nothing else (S-42)', async () => {
      await filled(2, 2, 2)
      await store.flush(4)
      await store.save('a', Uint8Array.of(1))
      await stores.powerOff(1)
      expect(await store.open()).toEqual({ startOffset: 0, endOffset: 4 })
      expect(spans(await store.read(0, 1_000_000))).toEqual([
        [0, 1],
        [2, 3],
      ])
      expect([...(await store.load('a'))!]).toEqual([1])
    })

    test.runIf(powerOff)('what is written again after a cut below the flushed end is not flushed', async () => {
      await filled(2, 2)
      await store.flush(4)
      await store.truncateTo(2)
      await store.append(2, batchAt(2, 2, 'other'))
      await stores.powerOff(1)
      expect(await store.open()).toEqual({ startOffset: 0, endOffset: 2 })
    })

    test('any mix of calls leaves what a plain list would have', async () => {
      const command = fc.oneof(
        fc.record({ do: fc.constant('append' as const), count: fc.integer({ min: 1, max: 4 }), gap: fc.nat(2) }),
        fc.record({ do: fc.constant('truncate' as const), at: fc.nat(60) }),
        fc.record({ do: fc.constant('trim' as const), at: fc.nat(60) }),
        fc.record({ do: fc.constant('reset' as const), at: fc.nat(60) }),
        fc.record({ do: fc.constant('flush' as const), at: fc.nat(60) }),
        fc.record({ do: fc.constant('power' as const) }),
        fc.record({ do: fc.constant('replace' as const), from: fc.nat(40), length: fc.nat(20) }),
      )
      await fc.assert(
        fc.asyncProperty(fc.array(command, { maxLength: 30 }), async commands => {
          const own = await make()
          const tried = own.store(replica)
          await tried.open()
          const model = new StoreModel()
          for (const each of commands) await step(own, tried, model, each, powerOff)
          const bounds = await tried.open()
          expect(bounds.endOffset).toBe(model.endOffset)
          expect(spans(await tried.read(0, 1_000_000))).toEqual(spans(model.batches))
          for (let from = 0; from < model.endOffset; from += 3) {
            const expected = model.batches.find(batch => batch.lastOffset >= from)
            expect(spans(await tried.read(from, 1))).toEqual(expected === undefined ? [] : spans([expected]))
          }
          await own.close()
        }),
        { numRuns: runs },
      )
    })
  })
}

class StoreModel {
  batches: RecordBatch[] = []
  startOffset = 0
  endOffset = 0
  flushed = 0
}

type Command =
  | { do: 'append'; count: number; gap: number }
  | { do: 'truncate' | 'trim' | 'reset' | 'flush'; at: number }
  | { do: 'power' }
  | { do: 'replace'; from: number; length: number }

async function step(
  stores: LogStores,
  store: LogStore,
  model: StoreModel,
  command: Command,
  powerOff: boolean,
): Promise<void> {
  const endsWithItsBatches = () => {
    model.endOffset = model.batches.at(-1)?.nextOffset ?? model.startOffset
    model.flushed = Math.min(model.flushed, model.endOffset)
  }
  switch (command.do) {
    case 'append': {
      const batch = batchAt(model.endOffset + command.gap, command.count)
      await store.append(model.endOffset, batch)
      model.batches.push(batch)
      model.endOffset = batch.nextOffset
      break
    }
    case 'truncate':
      if (command.at < model.endOffset) {
        model.batches = model.batches.filter(batch => batch.nextOffset <= command.at)
        endsWithItsBatches()
      }
      expect(await store.truncateTo(command.at)).toBe(model.endOffset)
      break
    case 'trim':
      await store.trimBefore(command.at)
      if (command.at > model.startOffset) {
        model.batches = model.batches.filter(batch => batch.nextOffset > command.at)
        model.startOffset = model.batches[0]?.baseOffset ?? model.endOffset
      }
      break
    case 'reset':
      await store.resetTo(command.at)
      model.batches = []
      model.startOffset = command.at
      model.endOffset = command.at
      model.flushed = command.at
      break
    case 'flush':
      await store.flush(command.at)
      model.flushed = Math.max(model.flushed, Math.min(command.at, model.endOffset))
      break
    case 'power':
      if (!powerOff) break
      await stores.powerOff(replica.broker)
      if (model.flushed < model.endOffset) {
        model.batches = model.batches.filter(batch => batch.baseOffset < model.flushed)
        endsWithItsBatches()
      }
      break
    case 'replace': {
      // Whole batches of a prefix, as compaction does: the last batch stays, so that the end stays.
      const to = command.from + command.length
      const inside = model.batches.slice(0, -1).filter(each => each.baseOffset >= command.from && each.nextOffset <= to)
      if (inside.length === 0) break
      const kept = inside.filter((_, at) => at % 2 === 0)
      const end = inside.at(-1)!.nextOffset
      await store.replace(inside[0]!.baseOffset, end, kept)
      model.batches = model.batches.filter(batch => !inside.includes(batch) || kept.includes(batch))
      if (model.flushed >= inside[0]!.baseOffset) model.flushed = Math.max(model.flushed, end)
    }
  }
}
