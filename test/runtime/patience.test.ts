import { afterEach, expect, test } from 'vitest'
import { PatienceError, START_TIME, VirtualRuntime } from '../../src/runtime/virtual.ts'

const made: VirtualRuntime[] = []
function virtual(patienceMs?: number): VirtualRuntime {
  const one = new VirtualRuntime({ seed: 1, ...(patienceMs === undefined ? {} : { patienceMs }) })
  made.push(one)
  return one
}
afterEach(async () => {
  for (const one of made.splice(0)) await one.close(new Error('the test is over'))
})

const passed = (time: VirtualRuntime) => time.now() - START_TIME
const failureOf = (call: Promise<unknown>): Promise<Error> =>
  call.then(
    () => expect.fail('it settled'),
    error => error,
  )

/** Heartbeats, as it were: they never end. */
function beat(time: VirtualRuntime, ms: number): void {
  time.after(ms, () => beat(time, ms), { housekeeping: true })
}

test('a call that is pending while nothing but housekeeping runs for patienceMs is an error that lists what waits, and on what', async () => {
  const time = virtual(10_000)
  beat(time, 500)
  time.explain(() => ['producer-1: Produce to broker-2', 'producer-1: Metadata to broker-1'])
  time.explain(() => ["what producer-1 sent to broker-2: 'isolate broker-2' holds it back"])
  const [one, other] = [
    failureOf(time.drive('send to orders', () => time.deferred().promise)),
    failureOf(time.drive('flush of producer-1', () => time.deferred().promise)),
  ]
  const error = await one
  expect(error).toBeInstanceOf(PatienceError)
  expect(error.message).toBe(
    [
      'nothing but housekeeping has happened for 10 s of virtual time, and still waiting:',
      '  send to orders',
      '  flush of producer-1',
      'on:',
      '  producer-1: Produce to broker-2',
      '  producer-1: Metadata to broker-1',
      "  what producer-1 sent to broker-2: 'isolate broker-2' holds it back",
      "If it waits for real I/O of the test, hand that promise to cluster.outside(), or use time: 'real'.",
    ].join('\n'),
  )
  expect(await other).toBe(error)
  expect(passed(time)).toBe(10_000)
})

test('patience is five minutes unless set', async () => {
  const time = virtual()
  beat(time, 1_000)
  await failureOf(time.drive('send', () => time.deferred().promise))
  expect(passed(time)).toBe(300_000)
})

test('what housekeeping schedules is housekeeping, unless it says otherwise', async () => {
  const time = virtual(10_000)
  const relay = (): void => void time.after(100, () => time.after(100, relay))
  time.after(100, relay, { housekeeping: true })
  await failureOf(time.drive('send', () => time.deferred().promise))
  expect(passed(time)).toBeLessThan(10_500)
})

test('whatever else happens starts patience anew', async () => {
  const time = virtual(10_000)
  beat(time, 500)
  for (const ms of [8_000, 16_000, 24_000]) time.after(ms, () => {}, { housekeeping: false })
  await failureOf(time.drive('send', () => time.deferred().promise))
  expect(passed(time)).toBe(34_000)
})

test('what a call of the test schedules is no housekeeping, whatever event went before it', async () => {
  const time = virtual(10_000)
  beat(time, 500)
  const stuck = failureOf(time.drive('stuck', () => time.deferred().promise))
  await time.sleep(1_000, { housekeeping: true })
  // Set right behind housekeeping, and yet the test's own: patience begins anew when it fires.
  await time.drive('a call', () => time.sleep(8_000))
  await stuck
  expect(passed(time)).toBe(19_000)
})

test('what a poll schedules is: a loop of polls does not keep a stuck call waiting for ever', async () => {
  const time = virtual(10_000)
  const stuck = failureOf(time.drive('stuck', () => time.deferred().promise))
  let over = false
  void stuck.then(() => {
    over = true
  })
  while (!over) await time.drive('poll', () => time.sleep(700), { poll: true, patient: true })
  expect((await stuck).message).toContain('  stuck\n')
  expect(passed(time)).toBeLessThan(12_000)
})

test('a call that began later is given up later', async () => {
  const time = virtual(10_000)
  beat(time, 500)
  const first = failureOf(time.drive('first', () => time.deferred().promise))
  const beginning = time.sleep(6_000, { housekeeping: true }).then(() => {
    const drive = time.begin('second', () => given.push(passed(time)))
    return drive
  })
  const given: number[] = []
  await beginning
  await first
  expect([passed(time), given]).toEqual([10_000, []])
})

test('a wait with a deadline of its own goes on until then, with what else is pending', async () => {
  const time = virtual(10_000)
  beat(time, 500)
  let failed = false
  const pending = failureOf(time.drive('send', () => time.deferred().promise)).then(() => {
    failed = true
  })
  await time.drive('advance', () => time.sleep(60_000, { housekeeping: false }), { patient: true })
  expect(failed).toBe(false)
  await pending
  expect(passed(time)).toBe(70_000)
})

test('where nothing at all is left to happen, a call is given up at once', async () => {
  const time = virtual()
  const error = await failureOf(time.drive('send', () => time.deferred().promise))
  expect(error.message).toContain('nothing is left that could happen in virtual time, and still waiting:\n  send\n')
  expect(passed(time)).toBe(0)
})

test('after a call was given up, the next one finds time as it was left', async () => {
  const time = virtual(10_000)
  beat(time, 500)
  await failureOf(time.drive('send', () => time.deferred().promise))
  await time.drive('another', () => time.sleep(100))
  expect(passed(time)).toBe(10_100)
})

test('who no longer explains is not asked', async () => {
  const time = virtual(1_000)
  const end = time.explain(() => ['never said'])
  end()
  const error = await failureOf(time.drive('send', () => time.deferred().promise))
  expect(error.message).not.toContain('on:')
})
