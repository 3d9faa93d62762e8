import { describe, expect, test } from 'vitest'
import { MemoryStores } from '../../src/log/memory-store.ts'
import type { LeaderAppendOptions, ReplicaLog } from '../../src/log/replica-log.ts'
import { controlBatch } from '../../src/wire/control-record.ts'
import {
  append,
  batch,
  NOW,
  now,
  openLog,
  orders,
  type ProducedOptions,
  refusalCode,
  reopen,
  sequenced,
} from './logs.ts'

/** Transactions without their verification, which has tests of its own. */
const openUnverified = (options = {}) => openLog({}, { verifyTransactions: false, ...options })

const write = (log: ReplicaLog, producerId: number, baseSequence: number, options: ProducedOptions = {}) =>
  append(log, sequenced(baseSequence, 1, { producerId, transactional: true, ...options }))

interface End extends Partial<LeaderAppendOptions> {
  producerEpoch?: number
  coordinatorEpoch?: number
}

function end(log: ReplicaLog, type: 'ABORT' | 'COMMIT', producerId: number, options: End = {}) {
  const { producerEpoch = 0, coordinatorEpoch = 0, ...rest } = options
  const marker = controlBatch({ type, producerId, producerEpoch, coordinatorEpoch, timestamp: NOW })
  return append(log, marker, { origin: 'coordinator', ...rest })
}

/** As an acks=all leader alone in its set has it. */
function replicated(log: ReplicaLog): ReplicaLog {
  log.advanceHighWatermark(log.endOffset)
  return log
}

describe('the last stable offset', () => {
  test('X-22: an open transaction holds it at its first offset (F-8, F-9)', () => {
    const log = openUnverified()
    append(log, batch(['0', '1', '2']))
    append(log, sequenced(0, 3, { transactional: true }))
    append(log, batch(['6', '7', '8']))
    replicated(log)
    expect(log.highWatermark).toBe(9)
    expect(log.lastStableOffset).toBe(3)
  })

  test('X-23: once it is aborted and replicated, all is stable and the abort is listed (F-9, I-23)', () => {
    const log = openUnverified()
    append(log, batch(['0', '1', '2']))
    append(log, sequenced(0, 3, { transactional: true }))
    append(log, batch(['6', '7', '8']))
    replicated(log)
    expect(end(log, 'ABORT', 7).baseOffset).toBe(9)
    // The marker is above the high watermark: still unstable.
    expect(log.lastStableOffset).toBe(3)
    replicated(log)
    expect(log.lastStableOffset).toBe(10)
    expect(log.abortedTransactions(0, 10)).toEqual([{ producerId: 7, firstOffset: 3 }])
    expect(log.producerStates.aborted.entries).toEqual([
      { producerId: 7, firstOffset: 3, lastOffset: 9, lastStableOffset: 10 },
    ])
  })

  test('the earliest of several open transactions counts, whichever ends first (F-9)', () => {
    const log = openUnverified()
    write(log, 1, 0)
    write(log, 2, 0)
    append(log, batch(['plain']))
    replicated(log)
    expect(log.lastStableOffset).toBe(0)
    end(log, 'COMMIT', 1)
    replicated(log)
    expect(log.lastStableOffset).toBe(1)
    write(log, 1, 1)
    end(log, 'ABORT', 2)
    replicated(log)
    expect(log.lastStableOffset).toBe(4)
    // What was stable when the second was aborted: the first had begun again.
    expect(log.producerStates.aborted.entries[0]?.lastStableOffset).toBe(4)
  })

  test('never above the high watermark (F-9)', () => {
    const log = openUnverified()
    append(log, batch(['a', 'b']))
    write(log, 1, 0)
    log.advanceHighWatermark(1)
    expect(log.lastStableOffset).toBe(1)
  })

  test('aborted transactions are listed for a reader whose range they touch', () => {
    const log = openUnverified()
    for (let at = 0; at < 3; at++) {
      write(log, 1, at)
      end(log, 'ABORT', 1)
    }
    replicated(log)
    expect(log.abortedTransactions(0, 6).map(each => each.firstOffset)).toEqual([0, 2, 4])
    expect(log.abortedTransactions(2, 4).map(each => each.firstOffset)).toEqual([2])
    expect(log.abortedTransactions(3, 5).map(each => each.firstOffset)).toEqual([2, 4])
    expect(log.abortedTransactions(0, 2).map(each => each.firstOffset)).toEqual([0])
  })
})

describe('markers', () => {
  test('do not enter the list of batches, set epoch and coordinator epoch, close the transaction (I-3, I-23)', () => {
    const log = openUnverified()
    write(log, 1, 0)
    end(log, 'COMMIT', 1, { coordinatorEpoch: 5 })
    expect(log.snapshot().producers[0]).toMatchObject({
      lastSequence: 0,
      lastOffset: 0,
      coordinatorEpoch: 5,
      currentTransactionFirstOffset: -1,
    })
    expect(log.producerStates.aborted.entries).toEqual([])
    expect(write(log, 1, 1).baseOffset).toBe(2)
  })

  test('of an older coordinator are fenced (I-20)', () => {
    const log = openUnverified()
    end(log, 'ABORT', 1, { coordinatorEpoch: 5 })
    expect(refusalCode(() => end(log, 'ABORT', 1, { coordinatorEpoch: 4 }))).toBe('TRANSACTION_COORDINATOR_FENCED')
    expect(end(log, 'ABORT', 1, { coordinatorEpoch: 5 }).baseOffset).toBe(1)
  })

  test('of an older epoch are refused, of the same one accepted, under TV1 (I-21)', () => {
    const log = openUnverified()
    write(log, 1, 0, { producerEpoch: 3 })
    expect(refusalCode(() => end(log, 'COMMIT', 1, { producerEpoch: 2 }))).toBe('INVALID_PRODUCER_EPOCH')
    expect(end(log, 'COMMIT', 1, { producerEpoch: 3 }).baseOffset).toBe(1)
  })

  test('must have a higher epoch under TV2, and an equal one only when nothing is open (I-21)', () => {
    const log = openUnverified()
    write(log, 1, 0, { producerEpoch: 3 })
    const same = { producerEpoch: 3, transactionVersion: 2 }
    expect(refusalCode(() => end(log, 'COMMIT', 1, same))).toBe('INVALID_PRODUCER_EPOCH')
    end(log, 'COMMIT', 1, { producerEpoch: 4, transactionVersion: 2 })
    expect(end(log, 'COMMIT', 1, { producerEpoch: 4, transactionVersion: 2 }).baseOffset).toBe(2)
    expect(refusalCode(() => end(log, 'COMMIT', 1, same))).toBe('INVALID_PRODUCER_EPOCH')
  })

  test('raise the epoch under TV2, and the next sequence is 0 (I-7.4)', () => {
    const log = openUnverified()
    write(log, 1, 0, { producerEpoch: 3 })
    end(log, 'COMMIT', 1, { producerEpoch: 4, transactionVersion: 2 })
    const next = { producerEpoch: 4 }
    expect(refusalCode(() => write(log, 1, 1, next))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(write(log, 1, 0, next).baseOffset).toBe(2)
  })

  test('for a producer unknown here are written, and make it known (I-22)', () => {
    const log = openUnverified()
    expect(end(log, 'ABORT', 9, { producerEpoch: 2, coordinatorEpoch: 1 }).baseOffset).toBe(0)
    expect(log.snapshot().producers).toEqual([
      {
        producerId: 9,
        producerEpoch: 2,
        lastSequence: -1,
        lastOffset: -1,
        lastTimestamp: NOW,
        coordinatorEpoch: 1,
        currentTransactionFirstOffset: -1,
      },
    ])
    expect(log.producerStates.aborted.entries).toEqual([])
    expect(replicated(log).lastStableOffset).toBe(1)
  })

  test('a batch outside of the open transaction is refused (I-5)', () => {
    const log = openUnverified()
    write(log, 1, 0)
    expect(refusalCode(() => append(log, sequenced(1, 1, { producerId: 1 })))).toBe('INVALID_TXN_STATE')
  })
})

describe('verification (KIP-890)', () => {
  test('the first batch of a transaction needs its guard, the next ones do not (I-5)', () => {
    const log = openLog()
    expect(refusalCode(() => write(log, 1, 0))).toBe('INVALID_TXN_STATE')
    const guard = log.startVerification(1, 0, 0, false, NOW)
    expect(log.startVerification(1, 0, 0, false, NOW)).toBe(guard)
    append(log, sequenced(0, 1, { producerId: 1, transactional: true }), { verificationGuard: guard })
    expect(log.startVerification(1, 0, 1, false, NOW)).toBeUndefined()
    expect(write(log, 1, 1).baseOffset).toBe(1)
  })

  test('a guard is worth nothing once a marker was written in between (I-5)', () => {
    const log = openLog()
    const guard = log.startVerification(1, 0, 0, false, NOW)
    end(log, 'ABORT', 1)
    const late = sequenced(0, 1, { producerId: 1, transactional: true })
    expect(refusalCode(() => append(log, late, { verificationGuard: guard }))).toBe('INVALID_TXN_STATE')
    const another = log.startVerification(1, 0, 0, false, NOW)
    expect(another).not.toBe(guard)
    expect(refusalCode(() => append(log, late, { verificationGuard: guard }))).toBe('INVALID_TXN_STATE')
    expect(append(log, late, { verificationGuard: another }).baseOffset).toBe(1)
  })

  test('an older epoch is told apart from a transaction that is not open (I-5)', () => {
    const log = openLog()
    end(log, 'ABORT', 1, { producerEpoch: 4 })
    expect(refusalCode(() => write(log, 1, 0, { producerEpoch: 3 }))).toBe('INVALID_PRODUCER_EPOCH')
  })

  test('a later batch may not overtake one that is being verified (I-7.2)', () => {
    const log = openLog()
    log.startVerification(1, 0, 0, false, NOW)
    const guard = log.startVerification(1, 0, 5, false, NOW)
    const fifth = sequenced(5, 1, { producerId: 1, transactional: true })
    expect(refusalCode(() => append(log, fifth, { verificationGuard: guard }))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
  })

  test('under TV2 the first sequence of a producer without batches must be 0 (I-7.1)', () => {
    const log = openLog()
    const guard = log.startVerification(1, 0, 5, true, NOW)
    const fifth = sequenced(5, 1, { producerId: 1, transactional: true })
    expect(refusalCode(() => append(log, fifth, { verificationGuard: guard }))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
  })

  test('a verification that led to nothing is forgotten with the producers (I-11)', () => {
    const log = openLog()
    const guard = log.startVerification(1, 0, 0, false, NOW)
    log.expireProducers(NOW + 86_400_000)
    expect(log.startVerification(1, 0, 0, false, NOW + 86_400_000)).not.toBe(guard)
  })
})

describe('open and aborted transactions outlive', () => {
  test.each(['close', 'abandon'] as const)('a restart after %s (I-13, I-14, F-9)', how => {
    const stores = new MemoryStores()
    const log = openUnverified({ store: stores.store(orders) })
    write(log, 1, 0)
    end(log, 'ABORT', 1)
    write(log, 2, 0)
    append(log, batch(['plain']))
    replicated(log)
    now(log.checkpoint())
    now(log[how]() as undefined)
    const again = reopen(stores, {}, { verifyTransactions: false })
    expect(again.lastStableOffset).toBe(2)
    expect(again.abortedTransactions(0, 4)).toEqual([{ producerId: 1, firstOffset: 0 }])
    end(again, 'ABORT', 2)
    again.advanceHighWatermark(5)
    expect(again.lastStableOffset).toBe(5)
    expect(again.abortedTransactions(0, 5).map(each => each.firstOffset)).toEqual([0, 2])
  })

  test('truncation: a marker that was cut off leaves its transaction open (I-13, R-35)', () => {
    const log = openUnverified()
    append(log, batch(['plain']))
    write(log, 1, 0)
    end(log, 'ABORT', 1)
    replicated(log)
    now(log.truncateTo(2, NOW))
    expect(log.lastStableOffset).toBe(1)
    expect(log.abortedTransactions(0, 2)).toEqual([])
    end(log, 'COMMIT', 1)
    expect(replicated(log).lastStableOffset).toBe(3)
  })

  test('replication: a follower has the same last stable offset and index (F-9)', () => {
    const leader = openUnverified()
    write(leader, 1, 0)
    write(leader, 2, 0)
    end(leader, 'ABORT', 1)
    const follower = openUnverified()
    follower.appendAsFollower(now(leader.read(0, 1_000_000, 3)), { leaderEpoch: 0, now: NOW })
    replicated(leader)
    replicated(follower)
    expect(follower.lastStableOffset).toBe(1)
    expect(follower.snapshot().producers).toEqual(leader.snapshot().producers)
    expect(follower.producerStates.aborted.entries).toEqual(leader.producerStates.aborted.entries)
  })

  test.each(['close', 'abandon', 'cut'] as const)('%s, also those that ended above the high watermark (F-9)', how => {
    const stores = new MemoryStores()
    const log = openLog({ 'internal.segment.bytes': 180 }, { verifyTransactions: false, store: stores.store(orders) })
    write(log, 1, 0)
    end(log, 'COMMIT', 1)
    append(log, batch(['in the next segment']))
    append(log, batch(['and the next']))
    expect(log.snapshot().segments.length).toBeGreaterThan(1)
    log.advanceHighWatermark(1)
    now(log.checkpoint())
    expect(log.lastStableOffset).toBe(0)
    if (how === 'cut') {
      now(log.truncateTo(3, NOW))
      expect(log.lastStableOffset).toBe(0)
      return
    }
    now(log[how]() as undefined)
    const again = reopen(stores, {}, { verifyTransactions: false })
    expect([again.highWatermark, again.lastStableOffset]).toEqual([1, 0])
    again.advanceHighWatermark(2)
    expect(again.lastStableOffset).toBe(2)
  })
})
