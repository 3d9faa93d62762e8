import { afterEach, expect, test } from 'vitest'
import { OutsideError } from '../../src/runtime/outside.ts'
import { START_TIME, VirtualRuntime } from '../../src/runtime/virtual.ts'

const made: VirtualRuntime[] = []
function virtual(outsideMs = 1_000): VirtualRuntime {
  const one = new VirtualRuntime({ seed: 1, outsideMs })
  made.push(one)
  return one
}
afterEach(async () => {
  for (const one of made.splice(0)) await one.close(new Error('the test is over'))
})

const real = (ms: number) => new Promise<void>(resolve => setTimeout(resolve, ms))
const passed = (time: VirtualRuntime) => time.now() - START_TIME

test('while our code awaits the user’s, time stands still and the loop really waits', async () => {
  const time = virtual()
  let during = -1
  await time.drive('send', async () => {
    await time.sleep(5)
    time.after(1_000, () => {})
    await time.outside('a serializer', async () => {
      await real(30)
      during = passed(time)
    })
  })
  expect([during, passed(time)]).toEqual([5, 5])
})

test('real I/O of the test is included: a call that began before waits for it, too', async () => {
  const time = virtual()
  const pending = time.drive('a poll', () => time.sleep(60_000))
  const body = await time.outside(
    'cluster.outside()',
    real(20).then(() => 'from the network'),
  )
  expect([body, passed(time)]).toEqual(['from the network', 0])
  await pending
  expect(passed(time)).toBe(60_000)
})

test('after outsideMs the wait is an error that names what it waited for', async () => {
  const time = virtual(30)
  const call = time.drive('send', () => time.outside('a serializer of producer-1', new Promise(() => {})))
  const error: Error = await call.then(
    () => expect.fail('it settled'),
    failure => failure,
  )
  expect(error).toBeInstanceOf(OutsideError)
  expect(error.message).toBe(
    'a serializer of producer-1 has not settled for 30 ms of real time, while virtual time stood still for it. ' +
      "Allow it more with outsideMs, or use time: 'real'.",
  )
})

test('what the user’s code fails with is the caller’s to see', async () => {
  const time = virtual()
  const failing = time.drive('send', () => time.outside('a serializer', Promise.reject(new Error('cannot'))))
  await expect(failing).rejects.toThrow('cannot')
  const throwing = time.outside('a serializer', () => {
    throw new Error('cannot at all')
  })
  await expect(throwing).rejects.toThrow('cannot at all')
  await time.drive('a later call', () => time.sleep(5))
})

test('user code that calls back in while it is awaited lets time run, until that call has settled', async () => {
  const time = virtual()
  await time.drive('a rebalance', () =>
    time.outside('a listener', async () => {
      await real(5)
      await time.drive('commit', () => time.sleep(100))
      expect(passed(time)).toBe(100)
      time.after(1, () => {})
      await real(20)
    }),
  )
  expect(passed(time)).toBe(100)
})

test('a call of its first breath lets time run as well', async () => {
  const time = virtual()
  await time.drive('send', () => time.outside('an interceptor', () => time.drive('commit', () => time.sleep(100))))
  expect(passed(time)).toBe(100)
})

test('outsideMs counts only while time stands still', async () => {
  const time = virtual(60)
  const call = time.drive('a rebalance', () =>
    time.outside('a listener', async () => {
      for (let i = 0; i < 4; i++) {
        await real(25)
        await time.drive('commit', () => time.sleep(1))
      }
      return 'done'
    }),
  )
  expect(await call).toBe('done')
})

test('user code that hangs after it called back in is named as well', async () => {
  const time = virtual(30)
  const call = time.drive('a rebalance', () =>
    time.outside('a listener', async () => {
      await time.drive('commit', () => time.sleep(1))
      await new Promise(() => {})
    }),
  )
  await expect(call).rejects.toThrow('a listener has not settled for 30 ms of real time')
})

test('user code that waits for us lets time run without driving it', async () => {
  const time = virtual()
  const waiting = time.outside('an interceptor', () => time.inside(time.sleep(50)))
  await real(20)
  expect(passed(time)).toBe(0)
  await time.drive('a call', () => time.sleep(100))
  await waiting
  expect(passed(time)).toBe(100)
})

test('user code awaited within user code holds time for itself', async () => {
  const time = virtual()
  let inner = -1
  await time.drive('a rebalance', () =>
    time.outside('a listener', () =>
      time.drive('send', async () => {
        await time.sleep(10)
        time.after(1, () => {})
        await time.outside('a serializer', async () => {
          await real(20)
          inner = passed(time)
        })
        await time.sleep(10)
      }),
    ),
  )
  expect([inner, passed(time)]).toEqual([10, 20])
})

test('close ends the wait, and leaves no timer', async () => {
  const time = virtual(60_000)
  const timers = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length
  const before = timers()
  const waiting = expect(time.outside('a listener', new Promise(() => {}))).rejects.toThrow('closed')
  expect(timers()).toBe(before + 1)
  await time.close(new Error('closed'))
  await waiting
  expect(timers()).toBe(before)
})
