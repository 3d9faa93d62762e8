import { describe, expect, test } from 'vitest'
import { type ErrorName, KafkaError } from '../../src/wire/errors.ts'
import { drivenShard, standing, writeWords } from './driven-log.ts'

function active() {
  const driven = drivenShard()
  driven.log.alone = true
  driven.shard.load(() => {})
  return driven
}

/** A decision to write one word, and when it was asked for. */
function says(word: string, asked: number[], now: () => number) {
  return () => {
    asked.push(now())
    return { records: [word], response: undefined }
  }
}

describe('a timer of a shard', () => {
  test('decides when its time has come, once', async () => {
    const { shard, pass } = active()
    shard.schedule('k', 100, () => ({ records: ['fired'], response: undefined }))
    await pass(99)
    expect(shard.latest.text).toBe('')
    await pass(1_000)
    expect([shard.latest.text, shard.timers.has('k')]).toEqual(['fired', false])
  })

  test('may find that there is nothing to decide any more', async () => {
    const { shard, pass, log } = active()
    shard.schedule('k', 100, () => undefined)
    await pass(1_000)
    expect(log.batches).toEqual([])
  })

  test('takes the place of the one with its key; another key has another', async () => {
    const { shard, pass } = active()
    shard.schedule('k', 100, () => ({ records: ['early'], response: undefined }))
    shard.schedule('other', 150, () => ({ records: ['other'], response: undefined }))
    shard.schedule('k', 200, () => ({ records: ['late'], response: undefined }))
    await pass(1_000)
    expect(shard.latest.text).toBe('other late')
  })

  test('is cancelled by its key', async () => {
    const { shard, pass } = active()
    shard.schedule('k', 100, () => ({ records: ['fired'], response: undefined }))
    shard.timers.cancel('k')
    shard.timers.cancel('never set')
    await pass(1_000)
    expect(shard.latest.text).toBe('')
  })

  test('may set itself again', async () => {
    const { shard, pass } = active()
    const tick = () => {
      shard.schedule('k', 100, tick)
      return { records: ['tick'], response: undefined }
    }
    shard.schedule('k', 100, tick)
    await pass(350)
    expect(shard.latest.text).toBe('tick tick tick')
    shard.timers.cancelAll()
    await pass(1_000)
    expect(shard.latest.text).toBe('tick tick tick')
  })

  test.each<ErrorName>(['NOT_ENOUGH_REPLICAS', 'MESSAGE_TOO_LARGE'])(
    'tries again 500 ms later what the log refuses with %s',
    async refusal => {
      const { shard, log, pass, runtime } = active()
      const asked: number[] = []
      shard.schedule(
        'k',
        100,
        says('fired', asked, () => runtime.now() - 1_000),
      )
      log.refusal = new KafkaError(refusal)
      await pass(700)
      log.refusal = undefined
      await pass(5_000)
      expect([asked, shard.latest.text]).toEqual([[100, 600, 1100], 'fired'])
    },
  )

  test('tries again what was not committed in time', async () => {
    const { shard, log, pass, runtime } = active()
    log.alone = false
    const asked: number[] = []
    shard.schedule(
      'k',
      100,
      says('fired', asked, () => runtime.now() - 1_000),
    )
    await pass(6_000)
    log.commit()
    await pass(20_000)
    expect(asked).toEqual([100, 5_600])
  })

  test('gives way to one that somebody has set meanwhile under its key', async () => {
    const { shard, log, pass } = active()
    shard.schedule('k', 100, () => ({ records: ['first'], response: undefined }))
    log.alone = false
    await pass(150)
    shard.schedule('k', 8_000, () => ({ records: ['second'], response: undefined }))
    await pass(5_500)
    expect(shard.latest.text).toBe('first')
    await pass(3_000)
    expect(shard.latest.text).toBe('first second')
  })

  test('does not try again where another broker leads now', async () => {
    const { shard, log, pass, runtime } = active()
    const asked: number[] = []
    shard.schedule(
      'k',
      100,
      says('fired', asked, () => runtime.now() - 1_000),
    )
    log.refusal = new KafkaError('NOT_LEADER_OR_FOLLOWER')
    await pass(5_000)
    expect(asked).toEqual([100])
    shard.close()
    shard.schedule(
      'k',
      100,
      says('fired', asked, () => runtime.now() - 1_000),
    )
    await pass(5_000)
    expect(asked).toEqual([100])
  })

  test('is no progress of a test where it is housekeeping', async () => {
    const { shard, runtime } = active()
    const beat = () => {
      shard.schedule('k', 3_000, beat, { housekeeping: true })
      return undefined
    }
    shard.schedule('k', 3_000, beat, { housekeeping: true })
    await expect(runtime.drive('a wait for nothing', () => new Promise(() => {}))).rejects.toThrow(/a wait for nothing/)
  })
})

test('who is told that something was written is told of each batch', () => {
  const { shard, seen } = active()
  for (const word of ['a', 'b']) standing(() => writeWords(shard, word))
  shard.write(() => ({ records: [], response: undefined }))
  expect(seen.written).toBe(2)
})
