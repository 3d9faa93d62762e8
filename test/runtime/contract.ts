import { afterEach, describe, expect, test } from 'vitest'
import type { Runtime } from '../../src/runtime/runtime.ts'

/** What both kinds of time promise. */
export function runtimeContract(name: string, make: (seed: number) => Runtime): void {
  describe(`a runtime on ${name} time`, () => {
    const made: Runtime[] = []
    const runtime = (seed = 1) => {
      const one = make(seed)
      made.push(one)
      return one
    }
    afterEach(async () => {
      for (const one of made.splice(0)) await one.close(new Error('the test is over'))
    })

    test('timers fire in the order of their time, and what is due at once in the order of the calls', async () => {
      const time = runtime()
      const order: string[] = []
      await time.drive('the timers', async () => {
        time.after(30, () => order.push('30'))
        time.after(0, () => order.push('0 a'))
        time.after(15, () => order.push('15'))
        time.after(0, () => order.push('0 b'))
        await time.sleep(45)
      })
      expect(order).toEqual(['0 a', '0 b', '15', '30'])
    })

    test('nothing happens within the call that schedules it', async () => {
      const time = runtime()
      let fired = false
      await time.drive('a timer', () => {
        time.after(0, () => {
          fired = true
        })
        expect(fired).toBe(false)
        return time.sleep(1)
      })
      expect(fired).toBe(true)
    })

    test('a cancelled timer does not fire, and cancelling it twice or too late changes nothing', async () => {
      const time = runtime()
      const fired: number[] = []
      await time.drive('the timers', async () => {
        const never = time.after(5, () => fired.push(1))
        const done = time.after(0, () => fired.push(2))
        never.cancel()
        never.cancel()
        await time.sleep(10)
        done.cancel()
      })
      expect(fired).toEqual([2])
    })

    test('a timer may cancel another one that is due at the same moment', async () => {
      const time = runtime()
      const fired: number[] = []
      await time.drive('the timers', async () => {
        time.after(0, () => {
          fired.push(1)
          second.cancel()
        })
        const second = time.after(0, () => fired.push(2))
        await time.sleep(5)
      })
      expect(fired).toEqual([1])
    })

    test('a timer of Infinity never fires, and one of a month does not fire today', async () => {
      const time = runtime()
      const fired: number[] = []
      await time.drive('a while', async () => {
        time.after(Number.POSITIVE_INFINITY, () => fired.push(1))
        time.after(40 * 24 * 3_600_000, () => fired.push(2))
        await time.sleep(10)
      })
      expect(fired).toEqual([])
    })

    test('sleep takes as long as it says', async () => {
      const time = runtime()
      const before = time.now()
      await time.drive('sleep', () => time.sleep(20))
      // Node fires up to a millisecond early by the wall clock.
      expect(time.now() - before).toBeGreaterThanOrEqual(19)
    })

    test('a deferred settles once, and one that is rejected without a listener does no harm', async () => {
      const time = runtime()
      const one = time.deferred<number>()
      one.resolve(1)
      one.resolve(2)
      one.reject(new Error('too late'))
      expect([await one.promise, one.settled]).toEqual([1, true])
      time.deferred().reject(new Error('nobody listens'))
      await time.drive('a moment', () => time.sleep(1))
    })

    test('choose draws under a name: another name in between changes nothing', () => {
      const draw = (time: Runtime, between: boolean) =>
        Array.from({ length: 20 }, () => {
          if (between) time.choose('another', 10)
          return time.choose('one', 10)
        })
      expect(draw(runtime(), true)).toEqual(draw(runtime(), false))
      expect(draw(runtime(1), false)).not.toEqual(draw(runtime(2), false))
    })

    test('until settles when its condition holds, and tells what the condition throws', async () => {
      const time = runtime()
      let value = 0
      await time.drive('until', async () => {
        time.after(3, () => {
          value = 1
        })
        await time.until(() => value === 1).promise
        await expect(
          time.until(() => {
            throw new Error('no idea')
          }).promise,
        ).rejects.toThrow('no idea')
      })
      await time.until(() => true).promise
    })

    test('a condition that was cancelled is not asked again', async () => {
      const time = runtime()
      let asked = 0
      const { cancel } = time.until(() => {
        asked++
        return false
      })
      cancel()
      await time.drive('a while', () => time.sleep(20))
      expect(asked).toBe(1)
    })

    test('drive answers what its call answers, and throws what its call throws', async () => {
      const time = runtime()
      expect(await time.drive('an answer', () => 7)).toBe(7)
      expect(await time.drive('an answer', async () => 8)).toBe(8)
      const throwing = time.drive('a failure', () => {
        throw new Error('as it is')
      })
      await expect(throwing).rejects.toThrow('as it is')
    })

    test('what a timer throws rejects whatever is pending, and every later call', async () => {
      const time = runtime()
      time.after(1, () => {
        throw new Error('a bug')
      })
      await expect(time.drive('a call', () => time.sleep(50))).rejects.toThrow('a bug')
      await expect(time.drive('a later call', () => 1)).rejects.toThrow('a bug')
      expect(time.trace.events().map(({ kind, fields }) => [kind, fields.what])).toEqual([['bug', 'Error: a bug']])
    })

    test('what a timer rejects with later does so too', async () => {
      const time = runtime()
      time.after(1, async () => {
        await time.sleep(2)
        throw new Error('a late bug')
      })
      await expect(time.drive('a call', () => time.sleep(50))).rejects.toThrow('a late bug')
    })

    test('outside and inside answer what they were given; a function is called at once', async () => {
      const time = runtime()
      const call = time.drive('a call', async () => {
        const called = await time.outside('theirs', () => Promise.resolve('called'))
        const plain = await time.outside('theirs', 'plain')
        return [called, plain, await time.outside('theirs', Promise.resolve(3)), await time.inside(Promise.resolve(4))]
      })
      expect(await call).toEqual(['called', 'plain', 3, 4])
      await expect(time.outside('theirs', Promise.reject(new Error('theirs failed')))).rejects.toThrow('theirs failed')
    })

    test('after close nothing fires, what is pending rejects with the reason, and so does what comes later', async () => {
      const time = runtime()
      const fired: number[] = []
      time.after(1, () => fired.push(1))
      const pending = expect(time.drive('pending', () => time.deferred().promise)).rejects.toThrow('closed')
      const given: Error[] = []
      time.begin('with a handle', reason => given.push(reason))
      await time.close(new Error('closed'))
      await pending
      time.after(0, () => fired.push(2))
      await expect(time.drive('too late', () => 1)).rejects.toThrow('closed')
      expect(() => time.begin('too late', () => {})).toThrow('closed')
      expect(given.map(error => error.message)).toEqual(['closed'])
      await new Promise(resolve => setTimeout(resolve, 5))
      expect(fired).toEqual([])
    })

    test('close may be called twice, and from within an event', async () => {
      const time = runtime()
      const pending = time.drive('pending', () => time.deferred().promise)
      time.after(0, () => time.close(new Error('from within')))
      await expect(pending).rejects.toThrow('from within')
      await time.close(new Error('again'))
      await expect(time.drive('too late', () => 1)).rejects.toThrow('from within')
    })
  })
}
