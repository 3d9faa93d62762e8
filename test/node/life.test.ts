import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Life } from '../../src/node/life.ts'
import { START_TIME, VirtualRuntime } from '../../src/runtime/virtual.ts'

function born() {
  const time = new VirtualRuntime({ seed: 1 })
  const life = new Life(time)
  const pass = (ms: number) => time.drive('a while', () => time.sleep(ms, { housekeeping: false }), { patient: true })
  return { time, life, pass, passed: () => time.now() - START_TIME }
}

test('nothing of a dead life fires: timers, sleeps, what enters it, what it guards', async () => {
  const { time, life, pass } = born()
  const happened: string[] = []
  life.after(10, () => happened.push('timer'))
  void life.sleep(10).then(() => happened.push('sleep'))
  void life.guard(time.sleep(10)).then(() => happened.push('guarded'))
  void life.until(() => time.now() > START_TIME + 10).promise.then(() => happened.push('until'))
  life.onLeap(() => happened.push('leap'))
  await pass(5)
  life.end()
  life.after(0, () => happened.push('timer of the dead'))
  life.enter(() => happened.push('entered'))
  await pass(20)
  expect([happened, life.isOver]).toEqual([[], true])
})

test('nothing of a dead life settles: a continuation of the dead never goes on', async () => {
  const { life, pass } = born()
  const happened: string[] = []
  const [resolved, rejected] = [life.deferred<number>(), life.deferred()]
  void resolved.promise.then(() => happened.push('resolved'))
  rejected.promise.catch(() => happened.push('rejected'))
  life.end()
  resolved.resolve(1)
  rejected.reject(new Error('too late'))
  await pass(5)
  expect([happened, resolved.settled, rejected.settled]).toEqual([[], false, false])
})

test('the next life of the node is untouched by the end of the one before', async () => {
  const { time, life, pass } = born()
  const happened: string[] = []
  life.after(10, () => happened.push('the first'))
  await pass(5)
  life.end()
  const next = new Life(time)
  next.after(5, () => happened.push('the second'))
  await pass(10)
  expect(happened).toEqual(['the second'])
})

test('the end of a life is told once, last come first, and at once to whoever comes later', () => {
  const { life } = born()
  const ends: number[] = []
  for (const each of [1, 2, 3]) life.onEnd(() => ends.push(each))
  life.end()
  life.end()
  life.onEnd(() => ends.push(4))
  expect(ends).toEqual([3, 2, 1, 4])
})

test('an end that is told may ask nothing more of its life: what it schedules never happens', async () => {
  const { life, pass } = born()
  let happened = false
  life.onEnd(() =>
    life.after(0, () => {
      happened = true
    }),
  )
  life.end()
  await pass(5)
  expect(happened).toBe(false)
})

test('a pause withholds clock and events, and what was withheld happens after it, in order', async () => {
  const { life, pass, passed } = born()
  const happened: [string, number][] = []
  const note = (what: string) => () => happened.push([what, passed()])
  life.after(10, note('10'))
  life.after(30, note('30'))
  life.after(20, note('20'))
  life.pause()
  await pass(15)
  life.enter(note('a frame at 15'))
  await pass(85)
  expect([happened, life.isPaused]).toEqual([[], true])
  life.resume()
  await pass(1)
  expect(happened).toEqual([
    ['10', 100],
    ['a frame at 15', 100],
    ['20', 100],
    ['30', 100],
  ])
})

test('what comes while the pause is made up for queues up behind it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(20), { maxLength: 30 }), fc.nat(20), fc.nat(20), async (times, from, ms) => {
      const { time, life, pass, passed } = born()
      const happened: { at: number; index: number }[] = []
      times.forEach((at, index) => void life.after(at, () => happened.push({ at, index })))
      time.after(from, () => life.pause())
      time.after(from + ms, () => life.resume())
      await pass(100)
      expect(passed()).toBe(100)
      expect(happened).toHaveLength(times.length)
      expect(happened).toEqual(happened.toSorted((a, b) => a.at - b.at || a.index - b.index))
    }),
  )
})

test('promises of one withheld event settle before the next one happens', async () => {
  const { life, pass } = born()
  const order: string[] = []
  life.pause()
  const settled = life.deferred()
  void settled.promise.then(() => undefined).then(() => order.push('whoever awaited it'))
  life.enter(() => settled.resolve())
  life.enter(async () => {
    for (let i = 0; i < 5; i++) await undefined
    order.push('the end of an async one')
  })
  life.enter(() => order.push('the next'))
  life.resume()
  await pass(1)
  expect(order).toEqual(['whoever awaited it', 'the end of an async one', 'the next'])
})

test('a timer that is cancelled while it is withheld does not fire', async () => {
  const { life, pass } = born()
  const happened: string[] = []
  const timer = life.after(10, () => happened.push('timer'))
  life.pause()
  await pass(20)
  timer.cancel()
  life.resume()
  await pass(20)
  expect(happened).toEqual([])
})

test('a pause while the one before is made up for stops that, and loses nothing', async () => {
  const { time, life, pass } = born()
  const happened: number[] = []
  life.pause()
  for (let i = 0; i < 4; i++) {
    life.enter(() => {
      happened.push(i)
      if (i === 1) life.pause()
    })
  }
  life.resume()
  await pass(5)
  expect(happened).toEqual([0, 1])
  life.resume()
  life.pause()
  life.resume()
  time.after(0, () => life.enter(() => happened.push(4)))
  await pass(5)
  expect(happened).toEqual([0, 1, 2, 3, 4])
})

test('a crash while paused: nothing that was withheld ever happens', async () => {
  const { time, life, pass } = born()
  const happened: string[] = []
  life.after(10, () => happened.push('timer'))
  life.pause()
  life.enter(() => happened.push('frame'))
  void life.guard(time.sleep(5)).then(() => happened.push('guarded'))
  await pass(20)
  life.end()
  life.resume()
  await pass(20)
  expect([happened, life.isPaused]).toEqual([[], false])
})

test('a crash while a pause is made up for: the rest never happens', async () => {
  const { life, pass } = born()
  const happened: number[] = []
  life.pause()
  for (let i = 0; i < 3; i++) {
    life.enter(() => {
      happened.push(i)
      if (i === 1) life.end()
    })
  }
  life.resume()
  await pass(5)
  expect(happened).toEqual([0, 1])
})

test('what the world outside promised settles for a paused life when it goes on, rejections too', async () => {
  const { life, pass } = born()
  const seen: string[] = []
  life.pause()
  void life.guard(Promise.resolve('written')).then(value => seen.push(value))
  life.guard(Promise.reject(new Error('disk full'))).catch((error: Error) => seen.push(error.message))
  await pass(5)
  expect(seen).toEqual([])
  life.resume()
  await pass(5)
  expect(seen).toEqual(['written', 'disk full'])
})

test('a bug in a withheld event ends the run as any other does', async () => {
  const { life, pass } = born()
  life.pause()
  life.enter(async () => {
    throw new TypeError('a bug')
  })
  life.resume()
  await expect(pass(5)).rejects.toThrow(new TypeError('a bug'))
})

test('ended timers leave the runtime: a life of a thousand timers leaves nothing to run', async () => {
  const { time, life, pass } = born()
  for (let i = 0; i < 1_000; i++) life.after(i, () => {})
  life.end()
  await pass(2_000)
  expect(time.events).toBe(1)
})
