import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { START_TIME, VirtualRuntime } from '../../src/runtime/virtual.ts'

const made: VirtualRuntime[] = []
function virtual(options: Partial<ConstructorParameters<typeof VirtualRuntime>[0]> = {}): VirtualRuntime {
  const one = new VirtualRuntime({ seed: 1, ...options })
  made.push(one)
  return one
}
afterEach(async () => {
  vi.useRealTimers()
  for (const one of made.splice(0)) await one.close(new Error('the test is over'))
})

/** Real time, behind the back of the runtime. */
const real = (ms: number) => new Promise<void>(resolve => setTimeout(resolve, ms))

describe('calls drive time', () => {
  test('a call that waits 30 s simply works, and costs no wall time', async () => {
    const time = virtual()
    const before = performance.now()
    await time.drive('a session timeout', () => time.sleep(30_000))
    expect(time.now()).toBe(START_TIME + 30_000)
    expect(performance.now() - before).toBeLessThan(1_000)
  })

  test('time stands exactly where the call settled: what is due later has not happened', async () => {
    const time = virtual()
    const happened: number[] = []
    for (const at of [10, 20, 30]) time.after(at, () => happened.push(at))
    await time.drive('until 20', () => time.sleep(20))
    expect([happened, time.now() - START_TIME]).toEqual([[10, 20], 20])
  })

  test('while no call is pending no time passes, however long the test awaits real I/O', async () => {
    const time = virtual()
    let fired = false
    time.after(1, () => {
      fired = true
    })
    await real(30)
    expect([fired, time.now()]).toEqual([false, START_TIME])
  })

  test('what merely waits rides on the time that calls drive, and never drives it', async () => {
    const time = virtual()
    let woken = false
    const riding = time.sleep(5).then(() => {
      woken = true
    })
    await real(20)
    expect(woken).toBe(false)
    await time.drive('a call', () => time.sleep(10))
    await riding
    expect([woken, time.now() - START_TIME]).toEqual([true, 10])
  })

  test('two calls share one time, which runs until both have settled', async () => {
    const time = virtual()
    const [a, b] = [time.drive('a', () => time.sleep(10)), time.drive('b', () => time.sleep(25))]
    await a
    expect(time.now() - START_TIME).toBe(10)
    await b
    expect(time.now() - START_TIME).toBe(25)
  })

  test('a call with a handle drives until it is ended; ending it twice ends no other', async () => {
    const time = virtual()
    const [one, other] = [time.begin('one', () => {}), time.begin('other', () => {})]
    await time.sleep(10)
    one.end()
    one.end()
    await time.sleep(10)
    other.end()
    let fired = false
    time.after(10, () => {
      fired = true
    })
    await real(10)
    expect(fired).toBe(false)
  })

  test('the world outside gets its turn while millions of events run', async () => {
    const time = virtual()
    let left = 300_000
    let turns = 0
    const step = () => {
      if (--left > 0) time.after(1, step)
    }
    time.after(1, step)
    const count = () => {
      turns++
      if (left > 0) setImmediate(count)
    }
    setImmediate(count)
    await time.drive('many events', () => time.sleep(300_000, { housekeeping: false }))
    expect(turns).toBeGreaterThan(30)
  })
})

describe('order', () => {
  test('events happen in the order of (time, sequence), whoever schedules them and when', async () => {
    interface Plan {
      readonly ms: number
      readonly next: readonly Plan[]
    }
    const { plans } = fc.letrec<{ plan: Plan; plans: Plan[] }>(tie => ({
      plan: fc.record({ ms: fc.nat(5), next: fc.oneof({ maxDepth: 4 }, fc.constant([]), tie('plans')) }),
      plans: fc.array(tie('plan'), { maxLength: 4 }),
    }))
    await fc.assert(
      fc.asyncProperty(plans, async all => {
        const time = virtual()
        const happened: { at: number; sequence: number }[] = []
        let sequence = 0
        const schedule = (plan: Plan) => {
          const entry = { at: time.now() + plan.ms, sequence: sequence++ }
          time.after(plan.ms, () => {
            expect(time.now()).toBe(entry.at)
            happened.push(entry)
            plan.next.forEach(schedule)
          })
        }
        all.forEach(schedule)
        await time.drive('all', () => time.sleep(100))
        expect(happened).toHaveLength(sequence)
        expect(happened).toEqual(happened.toSorted((a, b) => a.at - b.at || a.sequence - b.sequence))
      }),
      { numRuns: 200 },
    )
  })

  test('fractions of a millisecond count up, and the past is now', async () => {
    const time = virtual()
    const at: number[] = []
    await time.drive('all', async () => {
      time.after(0.2, () => at.push(time.now() - START_TIME))
      time.after(-5, () => at.push(time.now() - START_TIME))
      time.after(Number.NaN, () => at.push(time.now() - START_TIME))
      await time.sleep(5)
    })
    expect(at).toEqual([0, 0, 1])
  })

  test('an idle timer takes its place among the others', async () => {
    const time = virtual()
    const order: string[] = []
    await time.drive('all', async () => {
      time.after(2, () => order.push('a'))
      time.after(2, () => order.push('b'), { idle: true })
      time.after(2, () => order.push('c'))
      time.after(1, () => order.push('first'), { idle: true })
      await time.sleep(3)
    })
    expect(order).toEqual(['first', 'a', 'b', 'c'])
  })
})

describe('promises settle before the next event', () => {
  test('a chain of awaits behind a deferred has run to its end', async () => {
    const time = virtual()
    const order: string[] = []
    const settled = time.deferred()
    const chain = async () => {
      await settled.promise
      for (let i = 0; i < 20; i++) await undefined
      order.push('the end of the chain')
    }
    const running = chain()
    await time.drive('all', async () => {
      time.after(1, () => settled.resolve())
      time.after(1, () => order.push('the next event'))
      await time.sleep(2)
    })
    await running
    expect(order).toEqual(['the end of the chain', 'the next event'])
  })

  test('so has what an event goes on with that answers a promise', async () => {
    const time = virtual()
    const order: string[] = []
    await time.drive('all', async () => {
      time.after(1, async () => {
        for (let i = 0; i < 20; i++) await undefined
        order.push('its end')
      })
      time.after(1, () => order.push('the next event'))
      await time.sleep(2)
    })
    expect(order).toEqual(['its end', 'the next event'])
  })

  test('so has what waits for a condition that an event made true', async () => {
    const time = virtual()
    const order: string[] = []
    let isTrue = false
    const waiting = async () => {
      await time.until(() => isTrue).promise
      await undefined
      order.push('whoever waited')
    }
    await time.drive('all', async () => {
      const waited = waiting()
      time.after(1, () => {
        isTrue = true
      })
      time.after(1, () => order.push('the next event'))
      await Promise.all([waited, time.sleep(2)])
    })
    expect(order).toEqual(['whoever waited', 'the next event'])
  })

  test('a hop is made only where it is needed: 10,000 plain events take a few turns of the event loop', async () => {
    const time = virtual()
    let left = 10_000
    const step = () => {
      if (--left > 0) time.after(1, step)
    }
    time.after(1, step)
    const drive = time.begin('all', () => {})
    let turns = 0
    while (left > 0) {
      await new Promise(resolve => setImmediate(resolve))
      turns++
    }
    drive.end()
    expect(turns).toBeLessThan(10)
  })

  interface Doing {
    readonly what: 'timer' | 'settle' | 'async' | 'sleep' | 'until' | 'choose'
    readonly ms: number
    readonly next: readonly Doing[]
  }
  const { doings } = fc.letrec<{ doing: Doing; doings: Doing[] }>(tie => ({
    doing: fc.record({
      what: fc.constantFrom('timer', 'settle', 'async', 'sleep', 'until', 'choose'),
      ms: fc.nat(3),
      next: fc.oneof({ maxDepth: 5 }, fc.constant([]), tie('doings')),
    }),
    doings: fc.array(tie('doing'), { minLength: 1, maxLength: 4 }),
  }))

  async function traceOf(program: readonly Doing[], hopAlways: boolean, seed = 1): Promise<string> {
    const time = virtual({ hopAlways, seed })
    let count = 0
    const note = (what: string) => time.trace.add('client', 'program', { what, drawn: time.choose('order', 1000) })
    const run = (doing: Doing): unknown => {
      const name = `${doing.what} ${count++}`
      const go = () => {
        note(name)
        return doing.next.map(run)
      }
      if (doing.what === 'timer') return time.after(doing.ms, () => void go())
      if (doing.what === 'choose') return time.after(time.choose('delay', doing.ms + 1), () => void go())
      if (doing.what === 'settle') {
        const settled = time.deferred()
        settled.promise.then(() => undefined).then(go)
        return time.after(doing.ms, () => settled.resolve())
      }
      if (doing.what === 'sleep')
        return time
          .sleep(doing.ms)
          .then(() => undefined)
          .then(go)
      if (doing.what === 'until') {
        const at = time.now() + doing.ms
        return time.until(() => time.now() >= at).promise.then(go)
      }
      return time.after(doing.ms, async () => {
        await undefined
        await undefined
        go()
      })
    }
    await time.drive('the program', () => {
      program.forEach(run)
      return time.sleep(100)
    })
    return time.trace.text()
  }

  test('the trace with a hop after every event is the trace without, for any program', async () => {
    let lines = 0
    await fc.assert(
      fc.asyncProperty(doings, async program => {
        const text = await traceOf(program, false)
        expect(text).toBe(await traceOf(program, true))
        lines += text.split('\n').length
      }),
      { numRuns: 300 },
    )
    expect(lines).toBeGreaterThan(1_000)
  })

  test('the same seed gives the same trace twice, and another seed another one', async () => {
    const doing = (next: readonly Doing[]): Doing => ({ what: 'choose', ms: 3, next })
    const program = [doing([doing([]), doing([])]), doing([doing([])])]
    expect(await traceOf(program, false)).toBe(await traceOf(program, false))
    expect(await traceOf(program, false)).not.toBe(await traceOf(program, false, 2))
  })
})

describe('conditions', () => {
  test('a condition is asked at once, and after every event', async () => {
    const time = virtual()
    const asked: number[] = []
    await time.drive('until', async () => {
      for (const ms of [1, 2, 3]) time.after(ms, () => {})
      await time.until(() => {
        asked.push(time.now() - START_TIME)
        return time.now() - START_TIME >= 2
      }).promise
    })
    expect(asked).toEqual([0, 0, 1, 2])
  })

  test('one condition may be waited for twice, and cancelling one leaves the other', async () => {
    const time = virtual()
    let isTrue = false
    const condition = () => isTrue
    const [one, other] = [time.until(condition), time.until(condition)]
    one.cancel()
    time.after(1, () => {
      isTrue = true
    })
    await time.drive('until', () => other.promise)
    expect(isTrue).toBe(true)
  })

  test('a condition that holds by what a promise did, not an event, is seen before hope is given up', async () => {
    const time = virtual()
    let isTrue = false
    await time.drive('until', async () => {
      const held = time.until(() => isTrue).promise
      await undefined
      isTrue = true
      await held
    })
    expect(time.events).toBe(0)
  })
})

test('fake timers of the test do not freeze virtual time, nor what waits for the world outside', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'Date', 'performance'] })
  const time = virtual({ outsideMs: 20 })
  await time.drive('a call', () => time.sleep(30_000))
  expect(time.now()).toBe(START_TIME + 30_000)
  const waiting = time.drive('a call', () => time.outside('a listener', new Promise(() => {})))
  await expect(waiting).rejects.toThrow('a listener has not settled for 20 ms of real time')
})

test('time begins where the test says', () => {
  expect(virtual({ startTime: 1_000 }).now()).toBe(1_000)
  expect(new Date(virtual().now()).toISOString()).toBe('2026-01-01T00:00:00.000Z')
})

test('a bug ends time: what was due later does not happen any more', async () => {
  const time = virtual()
  let fired = false
  const broken = time.drive('a call', () => {
    time.after(0, () => {
      throw new TypeError('a bug')
    })
    time.after(0, () => {
      fired = true
    })
    return time.sleep(10)
  })
  await expect(broken).rejects.toThrow(TypeError)
  await real(5)
  expect(fired).toBe(false)
})
