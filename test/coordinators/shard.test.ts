import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { batchOf } from '../../src/wire/batch-builder.ts'
import { controlBatch } from '../../src/wire/control-record.ts'
import { type ErrorName, KafkaError } from '../../src/wire/errors.ts'
import { DrivenLog, drivenShard, standing, Words, wordCodec, writeWords } from './driven-log.ts'

function active(log?: DrivenLog) {
  const driven = drivenShard(log)
  driven.shard.load(() => {})
  return driven
}

/** A log that somebody else has written. */
function written(...words: string[]): DrivenLog {
  const log = new DrivenLog()
  for (const word of words) log.append(batchOf([wordCodec.encode(word)], { timestamp: 5 }))
  return log
}

describe('a decision', () => {
  test('is taken on all that was written, and answered once it is committed', async () => {
    const { shard, log, pass } = active()
    const first = standing(() => writeWords(shard, 'a', 'b'))
    const second = standing(() => shard.write(state => ({ records: ['c'], response: `after ${state.text}` })))
    await pass(1)
    expect([first.now, second.now, shard.latest.text, shard.committed.text]).toEqual(['waits', 'waits', 'a b c', ''])
    log.commit(2)
    await pass(1)
    expect([first.now, second.now, shard.committed.text]).toEqual(['a b', 'waits', 'a b'])
    log.commit(3)
    await pass(1)
    expect([second.now, shard.committed.text]).toEqual(['after a b', 'a b c'])
  })

  test('that is committed within its append is answered at once', () => {
    const { shard, log } = active()
    log.alone = true
    expect(writeWords(shard, 'a')).toBe('a')
    expect(shard.write(({ text }) => ({ records: [], response: text }))).toBe('a')
  })

  test('without records waits for what was written before it: it may tell of that', async () => {
    const { shard, log, pass } = active()
    const look = () => standing(() => shard.write(({ text }) => ({ records: [], response: `saw ${text}` })))
    expect(look().now).toBe('saw ')
    writeWords(shard, 'a')
    const seen = look()
    expect(shard.read(({ text }) => text)).toBe('')
    log.commit()
    await pass(1)
    expect([seen.now, shard.read(({ text }) => text)]).toEqual(['saw a', 'a'])
  })

  test('writes all of its records in one batch, with the time of the decision', async () => {
    const { shard, log, pass } = active()
    await pass(234)
    writeWords(shard, 'a', 'b')
    expect(log.batches.map(({ count, baseOffset }) => [count, baseOffset])).toEqual([[2, 0]])
    expect(shard.latest.places.map(({ offset, timestamp }) => [offset, timestamp])).toEqual([
      [0, 1234],
      [1, 1234],
    ])
  })

  test('that throws writes nothing', () => {
    const { shard, log } = active()
    const refuse = () => {
      throw new KafkaError('UNKNOWN_MEMBER_ID')
    }
    expect(standing(() => shard.write(refuse)).now).toBe('UNKNOWN_MEMBER_ID')
    expect(log.batches).toEqual([])
  })

  test('not committed in time is COORDINATOR_NOT_AVAILABLE; it may be committed yet (G-2)', async () => {
    const { shard, log, pass } = active()
    const slow = standing(() => writeWords(shard, 'a'))
    const quick = standing(() => shard.write(() => ({ records: ['b'], response: 'b' }), { timeoutMs: 1_000 }))
    await pass(1_000)
    expect([slow.now, quick.now]).toEqual(['waits', 'COORDINATOR_NOT_AVAILABLE'])
    await pass(3_999)
    expect(slow.now).toBe('waits')
    await pass(1)
    expect([slow.now, shard.latest.text, shard.committed.text]).toEqual(['COORDINATOR_NOT_AVAILABLE', 'a b', ''])
    log.commit()
    expect(shard.committed.text).toBe('a b')
  })

  test.each<[ErrorName, ErrorName]>([
    ['UNKNOWN_TOPIC_OR_PARTITION', 'COORDINATOR_NOT_AVAILABLE'],
    ['NOT_ENOUGH_REPLICAS', 'COORDINATOR_NOT_AVAILABLE'],
    ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'COORDINATOR_NOT_AVAILABLE'],
    ['REQUEST_TIMED_OUT', 'COORDINATOR_NOT_AVAILABLE'],
    ['NOT_LEADER_OR_FOLLOWER', 'NOT_COORDINATOR'],
    ['KAFKA_STORAGE_ERROR', 'NOT_COORDINATOR'],
    ['MESSAGE_TOO_LARGE', 'UNKNOWN_SERVER_ERROR'],
    ['RECORD_LIST_TOO_LARGE', 'UNKNOWN_SERVER_ERROR'],
    ['INVALID_FETCH_SIZE', 'UNKNOWN_SERVER_ERROR'],
    ['INVALID_PRODUCER_EPOCH', 'INVALID_PRODUCER_EPOCH'],
  ])('that the log refuses with %s changes nothing, and is answered %s (G-2)', (refusal, answer) => {
    const { shard, log, seen } = active()
    log.refusal = new KafkaError(refusal)
    const told: unknown[] = []
    const settled = (error: KafkaError | undefined) => told.push(error?.errorName)
    expect(standing(() => shard.write(() => ({ records: ['a'], response: 'a', settled }))).now).toBe(answer)
    expect([told, shard.latest.text, seen.written]).toEqual([[answer], '', 0])
  })

  test('a bug is no refusal: it goes on', () => {
    const { shard, log } = active()
    log.refusal = new TypeError('a bug') as never
    expect(() => writeWords(shard, 'a')).toThrow(TypeError)
  })
})

describe('whoever is told when a decision has settled', () => {
  test('is told before the answer goes out, and once', async () => {
    const { shard, log, pass } = active()
    const told: string[] = []
    const write = (word: string) => {
      const settled = (error: KafkaError | undefined) => told.push(`${word} ${error?.errorName ?? 'committed'}`)
      return shard.write(() => ({ records: [word], response: word, settled }))
    }
    const answers = ['a', 'b'].map(async word => told.push(`answered ${await write(word)}`))
    log.commit()
    expect(told).toEqual(['a committed', 'b committed'])
    await Promise.all(answers)
    expect(told.slice(2).sort()).toEqual(['answered a', 'answered b'])
    standing(() => write('c'))
    await pass(5_000)
    shard.close()
    expect(told.slice(4)).toEqual(['c COORDINATOR_NOT_AVAILABLE'])
  })

  test('may decide again: nothing overtakes what was written first', async () => {
    const { shard, log, pass } = active()
    log.alone = false
    const answers: { now: string }[] = []
    const again = (word: string) => () => {
      answers.push(standing(() => writeWords(shard, word)))
    }
    shard.write(() => ({ records: ['a'], response: 'a', settled: again('after a') }))
    shard.write(() => ({ records: ['b'], response: 'b', settled: again('after b') }))
    log.alone = true
    log.commit()
    await pass(1)
    expect(answers.map(({ now }) => now).sort()).toEqual(['after a', 'after b'])
    expect(shard.latest.text).toBe('a b after a after b')
    expect(shard.committed.text).toBe(shard.latest.text)
  })

  test('hears of it after the append that committed it is replayed', async () => {
    const { shard, log, pass } = active()
    const seen: string[] = []
    const settled = () => {
      seen.push(shard.latest.text)
      writeWords(shard, 'then')
    }
    shard.write(() => ({ records: ['first'], response: 'first', settled }))
    // A replica that lagged behind counts no longer: the next append commits what waited for it.
    log.alone = true
    const second = standing(() => writeWords(shard, 'second'))
    await pass(1)
    expect([seen, second.now]).toEqual([['first second'], 'second'])
    expect(shard.latest.text).toBe('first second then')
    expect(shard.committed.text).toBe('first second then')
  })
})

describe('a transaction', () => {
  test('is written as one, and ends with its marker', async () => {
    const { shard, log, pass } = active()
    shard.write(() => ({ records: ['a'], response: 'a', transaction: { producerId: 7, producerEpoch: 2 } }))
    writeWords(shard, 'b')
    const marker = { type: 'COMMIT', producerId: 7, producerEpoch: 2, coordinatorEpoch: 4 } as const
    const ended = standing(() => shard.writeMarker(marker, 1_000))
    const [first, , last] = log.batches
    expect([first!.isTransactional, first!.producerId, first!.producerEpoch, first!.baseSequence]).toEqual([
      true,
      7,
      2,
      -1,
    ])
    expect([last!.isControl, last!.producerId]).toEqual([true, 7])
    expect(shard.latest.text).toBe('(a) b COMMIT 7 at 2')
    expect(shard.latest.places.map(({ producerId, producerEpoch }) => [producerId, producerEpoch])).toEqual([
      [7, 2],
      [-1, -1],
    ])
    await pass(1_000)
    // Who writes markers is told what the partition itself says (T-23), not what a group's client would be (G-2).
    expect(ended.now).toBe('REQUEST_TIMED_OUT')
    log.refusal = new KafkaError('NOT_LEADER_OR_FOLLOWER')
    expect(standing(() => shard.writeMarker(marker, 1_000)).now).toBe('NOT_LEADER_OR_FOLLOWER')
  })
})

describe('loading', () => {
  test('replays the log to its end; what is above the high watermark is not committed yet', async () => {
    const log = written('a', 'of later days', 'b', 'c')
    log.append(controlBatch({ type: 'ABORT', producerId: 9, producerEpoch: 0, coordinatorEpoch: 0, timestamp: 5 }))
    log.highWatermark = 3
    const { shard } = active(log)
    expect([shard.latest.text, shard.committed.text]).toEqual(['a b c ABORT 9 at 4', 'a b'])
    expect(shard.isCommitted).toBe(false)
    const answer = standing(() => shard.write(({ text }) => ({ records: [], response: text })))
    expect(answer.now).toBe('waits')
    log.commit()
    await Promise.resolve()
    expect([answer.now, shard.committed.text]).toEqual(['a b c ABORT 9 at 4', 'a b c ABORT 9 at 4'])
  })

  test('from a store that answers later: until then COORDINATOR_LOAD_IN_PROGRESS (G-2)', async () => {
    const log = written('a', 'b', 'c', 'd', 'e')
    log.slow = true
    const { shard, runtime, pass } = drivenShard(log)
    let loaded = 0
    shard.load(() => loaded++)
    for (const call of [() => writeWords(shard, 'x'), () => shard.read(({ text }) => text)]) {
      expect(standing(call).now).toBe('COORDINATOR_LOAD_IN_PROGRESS')
    }
    await pass(1)
    expect([loaded, shard.isActive, shard.latest.text]).toEqual([1, true, 'a b c d e'])
    expect(runtime.trace.events().filter(({ kind }) => kind === 'coordinator')).toHaveLength(1)
  })

  test('given up half way never ends', async () => {
    const log = written('a', 'b', 'c', 'd', 'e')
    log.slow = true
    const { shard, pass } = drivenShard(log)
    let loaded = 0
    shard.load(() => loaded++)
    shard.close()
    await pass(1_000)
    expect([loaded, standing(() => writeWords(shard, 'x')).now]).toEqual([0, 'NOT_COORDINATOR'])
  })

  test.each([false, true])('a log that cannot be read is read again; meanwhile NOT_COORDINATOR', async slow => {
    const log = written('a', 'b')
    log.slow = slow
    log.unreadable = new KafkaError('KAFKA_STORAGE_ERROR')
    const { shard, pass } = drivenShard(log)
    shard.load(() => {})
    await pass(1)
    expect(standing(() => shard.read(({ text }) => text)).now).toBe('NOT_COORDINATOR')
    await pass(500)
    expect([shard.isActive, shard.latest.text]).toEqual([true, 'a b'])
  })

  test('a record that nobody understands ends it for good', async () => {
    const { shard, pass, runtime } = drivenShard(written('a', 'malformed', 'b'))
    let loaded = 0
    shard.load(() => loaded++)
    await pass(60_000)
    expect([loaded, standing(() => writeWords(shard, 'x')).now]).toEqual([0, 'NOT_COORDINATOR'])
    expect(runtime.trace.events().map(({ fields }) => fields.what)).toEqual([
      '__consumer_offsets-0 could not be loaded',
    ])
  })

  test('a log whose end is compacted away is loaded to its end', () => {
    const log = written('a', 'b')
    const read = log.read.bind(log)
    log.read = from => (from >= 1 ? [] : (read(from) as []).slice(0, 1))
    const { shard } = active(log)
    expect([shard.isActive, shard.latest.text]).toEqual([true, 'a'])
  })
})

describe('the end', () => {
  test('of leadership: whoever waits is told NOT_COORDINATOR, timers end, and nothing is replayed any more', async () => {
    const { shard, log, pass } = active()
    const fired: string[] = []
    const told: unknown[] = []
    shard.timers.schedule('t', 10, () => fired.push('t'))
    const settled = (error: KafkaError | undefined) => told.push(error?.errorName)
    const waiting = standing(() => shard.write(() => ({ records: ['a'], response: 'a', settled })))
    shard.close()
    log.commit()
    await pass(10_000)
    expect([waiting.now, told, fired]).toEqual(['NOT_COORDINATOR', ['NOT_COORDINATOR'], []])
    expect(shard.committed.text).toBe('')
    expect(standing(() => shard.read(({ text }) => text)).now).toBe('NOT_COORDINATOR')
  })

  test('a store that loses what was replayed is told of once', async () => {
    const { shard, log, seen, pass } = active()
    log.storing = Promise.reject(new KafkaError('KAFKA_STORAGE_ERROR'))
    writeWords(shard, 'a')
    await pass(1)
    expect(seen.lost).toBe(1)
    writeWords(shard, 'b')
    shard.close()
    await pass(1)
    expect(seen.lost).toBe(1)
  })
})

test('whatever is written, committed and awaited: both states are what the log says, and answers come in order', async () => {
  const step = fc.oneof(
    fc.record({ words: fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 3 }) }),
    fc.record({ commit: fc.nat(20) }),
    fc.record({ alone: fc.boolean() }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async steps => {
      const { shard, log } = active()
      const answered: number[] = []
      const expected = (end: number) => {
        const state = new Words()
        for (const batch of log.batches) {
          if (batch.nextOffset > end) break
          for (let i = 0; i < batch.count; i++) state.words.push('')
        }
        return state.words.length
      }
      let asked = 0
      for (const one of steps) {
        if ('alone' in one) log.alone = one.alone
        else if ('commit' in one) log.commit(Math.max(log.highWatermark, Math.min(one.commit, log.endOffset)))
        else {
          const number = asked++
          const settled = () => {
            expect(log.highWatermark).toBeGreaterThanOrEqual(log.batches[answered.length]?.baseOffset ?? 0)
            answered.push(number)
          }
          shard.write(() => ({ records: one.words, response: number, settled }))
        }
        expect(shard.latest.words.length).toBe(expected(log.endOffset))
        expect(shard.committed.words.length).toBe(expected(log.highWatermark))
        expect(shard.latest.text.startsWith(shard.committed.text)).toBe(true)
      }
      log.commit()
      expect(answered).toEqual(Array.from({ length: asked }, (_, number) => number))
    }),
  )
})
