import { expect, test, vi } from 'vitest'
import { RealRuntime } from '../../src/runtime/real.ts'

const handles = () => process.getActiveResourcesInfo().filter(name => /Timeout|Immediate/.test(name)).length

test('after(0) is setImmediate: one that was set before comes first, and timers do not delay it', async () => {
  const time = new RealRuntime({ seed: 1 })
  const order: string[] = []
  await new Promise<void>(resolve => {
    setImmediate(() => order.push('before'))
    time.after(0, () => order.push('after(0)'))
    setImmediate(() => {
      order.push('behind')
      resolve()
    })
  })
  expect(order).toEqual(['before', 'after(0)', 'behind'])
})

test('close leaves no handle', async () => {
  const before = handles()
  const time = new RealRuntime({ seed: 1 })
  time.after(60_000, () => {})
  time.after(Number.MAX_SAFE_INTEGER, () => {})
  time.after(0, () => {})
  time.until(() => false)
  const pending = expect(time.drive('pending', () => time.sleep(60_000))).rejects.toThrow('closed')
  expect(handles()).toBeGreaterThan(before)
  await time.close(new Error('closed'))
  await pending
  expect(handles()).toBe(before)
})

test('fake timers of the test do not freeze real time', async () => {
  const time = new RealRuntime({ seed: 1 })
  vi.useFakeTimers()
  try {
    const before = time.now()
    await time.drive('sleep', () => time.sleep(10))
    expect(time.now() - before).toBeGreaterThanOrEqual(9)
  } finally {
    vi.useRealTimers()
    await time.close(new Error('closed'))
  }
})

test('a bug in a timer while no call is pending ends the process, as any uncaught exception does', async () => {
  const time = new RealRuntime({ seed: 1 })
  const told: unknown[] = []
  const listeners = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', error => told.push(error))
  try {
    time.after(0, () => {
      throw new Error('a bug that nobody waits for')
    })
    await vi.waitFor(() => expect(told).toEqual([new Error('a bug that nobody waits for')]))
  } finally {
    process.removeAllListeners('uncaughtException')
    for (const listener of listeners) process.on('uncaughtException', listener)
    await time.close(new Error('closed'))
  }
})
