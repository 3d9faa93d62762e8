import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { START_TIME, VirtualRuntime } from '../../src/runtime/virtual.ts'

const made: VirtualRuntime[] = []
function calm(isCalm: () => boolean = () => true): VirtualRuntime {
  const time = new VirtualRuntime({ seed: 1 })
  time.calm = isCalm
  made.push(time)
  return time
}
afterEach(async () => {
  for (const one of made.splice(0)) await one.close(new Error('the test is over'))
})

const passed = (time: VirtualRuntime) => time.now() - START_TIME
const day = 24 * 3_600_000

/** Heartbeats that would change nothing. */
function beat(time: VirtualRuntime, ms: number, beats: number[] = []): number[] {
  const again = () => {
    beats.push(passed(time))
    time.after(ms, again, { idle: true })
  }
  time.after(ms, again, { idle: true })
  return beats
}

function advance(time: VirtualRuntime, ms: number): Promise<void> {
  return time.drive(`advance(${ms})`, () => time.sleep(ms, { housekeeping: false }), { patient: true })
}

test('seven idle days cost less than a second', async () => {
  const time = calm()
  for (let i = 0; i < 20; i++) beat(time, 500)
  for (let i = 1; i < (7 * day) / 300_000; i++) time.after(i * 300_000, () => {}, { housekeeping: true })
  const before = performance.now()
  await advance(time, 7 * day)
  expect(passed(time)).toBe(7 * day)
  expect(performance.now() - before).toBeLessThan(1_000)
})

test('where the world is not calm every heartbeat happens', async () => {
  const time = calm(() => false)
  const beats = beat(time, 500)
  await advance(time, 60_100)
  expect(beats).toHaveLength(120)
})

test('time leaps by whole seconds, the idle timers move along, and whoever keeps stamps is told', async () => {
  const time = calm()
  const moved: number[] = []
  const end = time.onLeap(ms => moved.push(ms))
  const beats = beat(time, 2_000)
  await advance(time, 20_500)
  expect(moved).toEqual([20_000])
  expect(beats).toEqual([])
  end()
  await advance(time, 20_000)
  expect(moved).toEqual([20_000])
})

test('nothing leaps over an event that is not idle, housekeeping or not', async () => {
  const time = calm()
  beat(time, 500)
  const at: number[] = []
  time.after(7_300, () => at.push(passed(time)), { housekeeping: true })
  time.after(19_999, () => at.push(passed(time)))
  await advance(time, 60_000)
  expect(at).toEqual([7_300, 19_999])
})

test('short waits do not leap', async () => {
  const time = calm()
  const beats = beat(time, 500)
  await advance(time, 4_999)
  expect(beats).toHaveLength(9)
})

test('a call that nothing will settle is given up when patience ends, leaps or not', async () => {
  const time = calm()
  beat(time, 500)
  await expect(time.drive('send', () => time.deferred().promise)).rejects.toThrow('nothing but housekeeping')
  expect(passed(time)).toBeGreaterThan(299_000)
  expect(passed(time)).toBeLessThanOrEqual(300_000)
})

test('time does not leap while it is paced', async () => {
  const time = new VirtualRuntime({ seed: 1, warn: () => {} })
  made.push(time)
  time.calm = () => true
  beat(time, 500)
  const poll = (ms: number) => time.drive('poll', () => time.sleep(ms), { poll: true, patient: true })
  for (let i = 0; i < 60; i++) await poll(1_000)
  const pending = poll(3_600_000).catch(() => {})
  const before = performance.now()
  await new Promise(resolve => setTimeout(resolve, 30))
  expect(passed(time) - 60_000).toBeLessThanOrEqual(performance.now() - before + 10)
  await time.close(new Error('closed'))
  await pending
})

test('leaps change neither the time nor the order of what is not idle', async () => {
  const times = fc.array(fc.nat(60_000), { maxLength: 20 })
  await fc.assert(
    fc.asyncProperty(times, fc.integer({ min: 100, max: 5_000 }), async (all, ms) => {
      const happened = async (isCalm: boolean) => {
        const time = calm(() => isCalm)
        beat(time, ms)
        const seen: [number, number][] = []
        all.forEach((at, index) => void time.after(at, () => seen.push([passed(time), index])))
        await advance(time, 61_000)
        return seen
      }
      expect(await happened(true)).toEqual(await happened(false))
    }),
    { numRuns: 50 },
  )
})

test('an idle timer never fires before its time', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(100_000), { maxLength: 10 }), fc.nat(100_000), async (all, ms) => {
      const time = calm()
      for (const at of all) time.after(at, () => expect(passed(time)).toBeGreaterThanOrEqual(at), { idle: true })
      time.after(ms, () => {})
      await advance(time, 200_000)
    }),
    { numRuns: 50 },
  )
})
