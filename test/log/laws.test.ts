/** Laws of one replica's log, against models that are simpler than it. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { MemoryStores } from '../../src/log/memory-store.ts'
import type { ReplicaLog } from '../../src/log/replica-log.ts'
import { controlBatch } from '../../src/wire/control-record.ts'
import { append, batch, type Configs, NOW, now, openLog, orders, reopen, sequenced, spans } from './logs.ts'

const small: Configs = { 'internal.segment.bytes': 400 }

const produced = fc.record({
  producerId: fc.integer({ min: 1, max: 3 }),
  count: fc.integer({ min: 1, max: 3 }),
  /** How many batches back to repeat; 0 for the next one. */
  back: fc.nat(7),
  bump: fc.boolean(),
})

/** What a client may send next, from what it has sent: fresh batches, old ones again, with a new epoch now and then. */
class Client {
  readonly sent: { baseSequence: number; count: number; producerEpoch: number; offset: number }[] = []
  next = 0
  epoch = 0
}

test('the log holds exactly the fresh batches, in order; of the last five a repeat gets its old offset (I-4, I-7, I-8)', () => {
  fc.assert(
    fc.property(fc.array(produced, { maxLength: 60 }), steps => {
      const log = openLog(small)
      const clients = new Map<number, Client>()
      let expectedEnd = 0
      for (const { producerId, count, back, bump } of steps) {
        const client = clients.get(producerId) ?? new Client()
        clients.set(producerId, client)
        const window = client.sent.filter(each => each.producerEpoch === client.epoch)
        const repeated = back > 0 ? window.at(-back) : undefined
        if (repeated !== undefined) {
          const again = sequenced(repeated.baseSequence, repeated.count, { producerId, producerEpoch: client.epoch })
          if (back <= 5) expect(append(log, again)).toMatchObject({ duplicate: true, baseOffset: repeated.offset })
          else expect(() => append(log, again)).toThrow(/sequence/)
          continue
        }
        if (bump && client.sent.length > 0) {
          client.epoch++
          client.next = 0
        }
        const fresh = sequenced(client.next, count, { producerId, producerEpoch: client.epoch })
        expect(append(log, fresh)).toMatchObject({ duplicate: false, baseOffset: expectedEnd })
        client.sent.push({ baseSequence: client.next, count, producerEpoch: client.epoch, offset: expectedEnd })
        client.next += count
        expectedEnd += count
      }
      expect(log.endOffset).toBe(expectedEnd)
    }),
    { numRuns: 200 },
  )
})

const step = fc.record({
  producerId: fc.integer({ min: 1, max: 3 }),
  what: fc.constantFrom('plain' as const, 'data' as const, 'data' as const, 'commit' as const, 'abort' as const),
  highWatermark: fc.nat(80),
})

/** Transactional and other batches of three producers, as their coordinators would let them come. */
function write(log: ReplicaLog, next: Map<number, number>, { producerId, what }: { producerId: number; what: string }) {
  const producerEpoch = 0
  if (what === 'plain') append(log, batch(['plain']))
  else if (what === 'data') {
    const baseSequence = next.get(producerId) ?? 0
    append(log, sequenced(baseSequence, 1, { producerId, transactional: true }))
    next.set(producerId, baseSequence + 1)
  } else {
    const type = what === 'commit' ? 'COMMIT' : 'ABORT'
    const marker = controlBatch({ type, producerId, producerEpoch, coordinatorEpoch: 0, timestamp: NOW })
    append(log, marker, { origin: 'coordinator' })
  }
}

function producersWithOneBatch(log: ReplicaLog): unknown {
  return log.snapshot().producers.toSorted((a, b) => a.producerId - b.producerId)
}

test('producers, last stable offset and aborted transactions are those that the log alone gives (I-13, F-9)', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.boolean(), (steps, crash) => {
      const stores = new MemoryStores()
      const options = { verifyTransactions: false }
      const log = openLog(small, { ...options, store: stores.store(orders) })
      const next = new Map<number, number>()
      for (const each of steps) {
        write(log, next, each)
        log.advanceHighWatermark(each.highWatermark)
      }
      const follower = openLog({}, options)
      for (let at = 0; at < log.endOffset; at = follower.endOffset) {
        const batches = now(log.read(at, 1_000_000, log.endOffset))
        now(follower.appendAsFollower(batches, { leaderEpoch: 0, now: NOW }))
      }
      follower.advanceHighWatermark(log.highWatermark)
      expect(follower.snapshot().producers).toEqual(log.snapshot().producers)
      expect(follower.lastStableOffset).toBe(log.lastStableOffset)
      now(log.checkpoint())
      const { entries } = log.producerStates.aborted
      const before = { producers: producersWithOneBatch(log), lastStableOffset: log.lastStableOffset }
      if (crash) log.abandon()
      else now(log.close())
      const again = reopen(stores, small, options)
      expect({ producers: producersWithOneBatch(again), lastStableOffset: again.lastStableOffset }).toEqual(before)
      expect(again.producerStates.aborted.entries).toEqual(entries)
      expect(follower.producerStates.aborted.entries).toEqual(entries)
    }),
    { numRuns: 200 },
  )
})

/** Where segments end may differ: a cut exactly at the base of one leaves it, empty, as in Kafka. */
function withoutSegments(log: ReplicaLog): unknown {
  const { segments, ...rest } = log.snapshot()
  return { ...rest, batches: segments.flatMap(each => each.batches) }
}

test('a log that was cut and written again is the log that was written so from the beginning (R-30, R-35, I-13)', () => {
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 1, maxLength: 30 }),
      fc.nat(30),
      fc.array(step, { maxLength: 15 }),
      (before, cut, after) => {
        const options = { verifyTransactions: false }
        const log = openLog(small, options)
        const next = new Map<number, number>()
        const nextAt: Map<number, number>[] = []
        for (const each of before) {
          nextAt.push(new Map(next))
          write(log, next, each)
        }
        // Every batch has one record, so offsets count steps.
        const end = Math.min(cut, before.length)
        expect(now(log.truncateTo(end, NOW))).toBe(end)
        log.becomeLeader(0)
        const from = nextAt[end] ?? next
        for (const each of after) write(log, new Map(from), each.what === 'data' ? { ...each, what: 'plain' } : each)

        const straight = openLog(small, options)
        const fresh = new Map<number, number>()
        for (const each of before.slice(0, end)) write(straight, fresh, each)
        for (const each of after) write(straight, fresh, each.what === 'data' ? { ...each, what: 'plain' } : each)
        expect(withoutSegments(log)).toEqual(withoutSegments(straight))
        expect(log.producerStates.aborted.entries).toEqual(straight.producerStates.aborted.entries)
      },
    ),
    { numRuns: 200 },
  )
})

test('reads return what was written, whole, in order, within every bound (F-5…F-8)', () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 30 })
  const asked = fc.record({
    from: fc.nat(30),
    maxBytes: fc.nat(900),
    upperBound: fc.nat(35),
    minOneBatch: fc.boolean(),
    deleted: fc.nat(10),
  })
  fc.assert(
    fc.property(lengths, fc.array(asked, { maxLength: 20 }), (values, reads) => {
      const log = openLog(small)
      const batches = values.map(length => batch(['x'.repeat(length)]))
      for (const each of batches) append(log, each)
      log.advanceHighWatermark(log.endOffset)
      const bases = log.snapshot().segments.map(each => each.baseOffset)
      for (const { from, maxBytes, upperBound, minOneBatch, deleted } of reads) {
        log.deleteRecordsBefore(Math.min(deleted, log.endOffset))
        if (from < log.startOffset || from > log.endOffset) {
          expect(() => log.read(from, maxBytes, upperBound, { minOneBatch })).toThrow(/was read at/)
          continue
        }
        const read = now(log.read(from, maxBytes, upperBound, { minOneBatch }))
        const bytes = read.reduce((sum, each) => sum + each.size, 0)
        if (read.length > 1 || !minOneBatch) expect(bytes).toBeLessThanOrEqual(maxBytes)
        // One record to a batch: offsets follow one another from `from` on.
        expect(spans(read)).toEqual(read.map((_, at) => [from + at, from + at]))
        for (const each of read) expect(each.nextOffset).toBeLessThanOrEqual(Math.min(upperBound, log.endOffset))
        const next = bases.find(base => base > from) ?? Number.POSITIVE_INFINITY
        for (const each of read) expect(each.lastOffset).toBeLessThan(next)
        // And as much as the bounds allow.
        const end = from + read.length
        const more = end < Math.min(upperBound, log.endOffset, next)
        if (more) expect(bytes + batches[end]!.size > maxBytes && !(minOneBatch && read.length === 0)).toBe(true)
        expect(log.bytesBetween(from, end)).toBe(bytes)
      }
    }),
    { numRuns: 200 },
  )
})
