import { afterEach, expect, test, vi } from 'vitest'
import { START_TIME, VirtualRuntime } from '../../src/runtime/virtual.ts'

const made: VirtualRuntime[] = []
function virtual(): { time: VirtualRuntime; warnings: string[] } {
  const warnings: string[] = []
  const time = new VirtualRuntime({ seed: 1, warn: text => warnings.push(text) })
  made.push(time)
  return { time, warnings }
}
afterEach(async () => {
  for (const one of made.splice(0)) await one.close(new Error('the test is over'))
})

const real = (ms: number) => new Promise<void>(resolve => setTimeout(resolve, ms))
const passed = (time: VirtualRuntime) => time.now() - START_TIME

function poll(time: VirtualRuntime, ms: number): Promise<void> {
  return time.drive(`poll for ${ms} ms`, () => time.sleep(ms), { poll: true, patient: true })
}

/** A virtual minute of empty polls. */
async function idle(time: VirtualRuntime): Promise<void> {
  for (let i = 0; i < 60; i++) await poll(time, 1_000)
}

/** As a service polls in the background, until it is stopped. */
function polling(time: VirtualRuntime, ms: number): { stop(): Promise<void> } {
  let stopped = false
  const loop = async () => {
    while (!stopped) await poll(time, ms)
  }
  const running = loop()
  return {
    stop() {
      stopped = true
      return running
    },
  }
}

test('after one virtual minute of nothing but empty polls time is paced, with a warning that names real time', async () => {
  const { time, warnings } = virtual()
  await idle(time)
  expect(warnings).toEqual([])
  const background = polling(time, 10)
  const before = performance.now()
  await real(100)
  await background.stop()
  expect(passed(time) - 60_000).toBeGreaterThanOrEqual(50)
  expect(passed(time) - 60_000).toBeLessThanOrEqual(performance.now() - before + 10)
  expect(warnings).toEqual([
    'mini-kafka: for 60 s of virtual time there was nothing but empty polls, so time now runs at the pace of the real ' +
      "clock. A service that polls in the background wants time: 'real'.",
  ])
})

test('a call that comes while time is paced is not kept waiting', async () => {
  const { time } = virtual()
  await idle(time)
  const long = poll(time, 10_000)
  await real(30)
  const before = performance.now()
  await time.drive('send', () => time.sleep(9_990))
  await long
  expect(performance.now() - before).toBeLessThan(1_000)
})

test('then another minute of empty polls passes at once, and is warned of no second time', async () => {
  const { time, warnings } = virtual()
  await idle(time)
  const paced = poll(time, 5)
  await paced
  await time.drive('send', () => time.sleep(5))
  const before = performance.now()
  await idle(time)
  expect(performance.now() - before).toBeLessThan(1_000)
  await poll(time, 5)
  expect(warnings).toHaveLength(1)
})

test('an event of the world outside that comes while time is paced does not wait for the next poll', async () => {
  const { time } = virtual()
  await idle(time)
  const long = poll(time, 3_600_000).catch(() => {})
  await real(60)
  const before = performance.now()
  let at = -1
  time.after(0, () => {
    at = passed(time)
  })
  await vi.waitFor(() => expect(at).toBeGreaterThanOrEqual(60_000))
  expect(performance.now() - before).toBeLessThan(1_000)
  // Time has gone on with the real clock meanwhile.
  expect(at).toBeGreaterThanOrEqual(60_050)
  await time.close(new Error('closed'))
  await long
})

test('real time that passes while nobody polls is not caught up', async () => {
  const { time } = virtual()
  await idle(time)
  await poll(time, 5)
  await real(60)
  const before = performance.now()
  await poll(time, 40)
  expect(performance.now() - before).toBeGreaterThanOrEqual(35)
})

test('real time for which virtual time stood still is not caught up either', async () => {
  const { time } = virtual()
  await idle(time)
  await poll(time, 5)
  const pending = poll(time, 40)
  await real(5)
  await time.outside('cluster.outside()', real(80))
  const before = performance.now()
  await pending
  expect(performance.now() - before).toBeGreaterThanOrEqual(25)
})

test('polls that find something are no idling', async () => {
  const { time, warnings } = virtual()
  for (let i = 0; i < 200; i++) {
    await time.drive('poll', () => time.sleep(1_000), { poll: true, patient: true })
    if (i % 30 === 0) time.progressed()
  }
  expect([passed(time), warnings]).toEqual([200_000, []])
})

test('nor are polls beside another call', async () => {
  const { time, warnings } = virtual()
  const advance = time.drive('advance', () => time.sleep(600_000, { housekeeping: false }), { patient: true })
  for (let i = 0; i < 500; i++) await poll(time, 1_000)
  await advance
  expect(warnings).toEqual([])
  // The minute counts from the end of that call.
  for (let i = 0; i < 50; i++) await poll(time, 1_000)
  expect(warnings).toEqual([])
})

test('one long poll that the test awaits costs no wall time', async () => {
  const { time, warnings } = virtual()
  const before = performance.now()
  await poll(time, 3_600_000)
  expect(performance.now() - before).toBeLessThan(500)
  expect(warnings).toEqual([])
})

test('close ends the wait for the real clock, and leaves no timer', async () => {
  const { time } = virtual()
  await idle(time)
  const timers = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length
  const before = timers()
  const pending = expect(poll(time, 600_000)).rejects.toThrow('closed')
  while (timers() === before) await new Promise(resolve => setImmediate(resolve))
  await time.close(new Error('closed'))
  await pending
  expect(timers()).toBe(before)
})
