import { afterEach, describe, expect, test } from 'vitest'
import { type FaultyStores, faultyLogs, type StoreFault, type StoreFaultRule } from '../../src/log/faulty-store.ts'
import { MemoryStores } from '../../src/log/memory-store.ts'
import { ReplicaLog } from '../../src/log/replica-log.ts'
import { VirtualRuntime } from '../../src/runtime/virtual.ts'
import { KafkaError } from '../../src/wire/errors.ts'
import { append, batch, configOf, NOW, now, openLog, orders, refusalCode, reopen, sequenced, values } from './logs.ts'
import { storeContract } from './store-contract.ts'

storeContract('a faulty store without faults', () => faultyLogs(new MemoryStores()))

const runtimes: VirtualRuntime[] = []
afterEach(async () => {
  for (const runtime of runtimes.splice(0)) await runtime.close(new Error('the test is over'))
})

function faulty(...rules: StoreFaultRule[]): { stores: FaultyStores; faults: StoreFault[]; runtime: VirtualRuntime } {
  const stores = faultyLogs(new MemoryStores(), rules)
  const runtime = new VirtualRuntime({ seed: 1, startTime: NOW })
  runtimes.push(runtime)
  const faults: StoreFault[] = []
  stores.bind(runtime, fault => faults.push(fault))
  return { stores, faults, runtime }
}

/** The errors with which promises reject, `stored` for those that do not. */
const outcomes = async (stored: readonly unknown[]) =>
  (await Promise.allSettled(stored)).map(each =>
    each.status === 'fulfilled' ? 'stored' : each.reason instanceof KafkaError ? each.reason.errorName : each.reason,
  )

describe('a store without rules', () => {
  test('answers as at once as the store within', () => {
    const { stores } = faulty()
    expect(append(openLog({}, { store: stores.store(orders) }), batch(['a'])).stored).toBeUndefined()
  })
})

describe('a failing store', () => {
  test('refuses the nth append with KAFKA_STORAGE_ERROR, and all is as it was before it', () => {
    const { stores, faults } = faulty({ fault: 'failing', nth: 2 })
    const log = openLog({}, { store: stores.store(orders) })
    append(log, sequenced(0))
    const before = log.snapshot()
    expect(refusalCode(() => append(log, sequenced(1)))).toBe('KAFKA_STORAGE_ERROR')
    expect(log.snapshot()).toEqual(before)
    expect(append(log, sequenced(1))).toMatchObject({ baseOffset: 1, duplicate: false })
    expect(faults).toMatchObject([{ rule: { nth: 2 }, call: { operation: 'append', replica: orders } }])
  })

  test('is chosen by broker, topic, partition, operation, predicate and number of times', () => {
    const { stores, faults } = faulty(
      { fault: 'failing', broker: 2 },
      { fault: 'failing', topic: 'payments' },
      { fault: 'failing', operation: ['flush', 'truncateTo'], times: 1 },
      { fault: 'failing', when: ({ batch: appended }) => appended?.count === 2 },
    )
    const store = stores.store(orders)
    now(store.open())
    store.append(0, batch(['a']))
    expect(refusalCode(() => store.append(1, batch(['b', 'c'], { baseOffset: 1 })))).toBe('KAFKA_STORAGE_ERROR')
    expect(refusalCode(() => store.flush(1))).toBe('KAFKA_STORAGE_ERROR')
    expect(store.truncateTo(1)).toBe(1)
    for (const other of [{ broker: 2 }, { topic: 'payments', topicId: 'BBBBBBBBBBBBBBBBBBBBBB' }]) {
      expect(refusalCode(() => stores.store({ ...orders, ...other }).append(0, batch(['a'])))).toBe(
        'KAFKA_STORAGE_ERROR',
      )
    }
    expect(faults).toHaveLength(4)
  })

  test('reports rules that never fired, but for optional and lifted ones', () => {
    const { stores } = faulty({ fault: 'failing', nth: 5 }, { fault: 'failing', topic: 'x', optional: true })
    const lifted = stores.rule({ fault: 'failing' })
    expect(stores.unfired).toHaveLength(2)
    lifted[Symbol.dispose]()
    expect(stores.unfired).toMatchObject([{ nth: 5 }])
    expect(lifted.hits).toBe(0)
    expect(append(openLog({}, { store: stores.store(orders) }), batch(['a'])).baseOffset).toBe(0)
  })
})

describe('a torn append', () => {
  test.each([
    ['part', ['a']],
    ['nothing', ['a']],
  ] as const)('that keeps %s is gone after a restart, and all before it is there (S-41)', (keeps, expected) => {
    const { stores } = faulty({ fault: 'torn', nth: 2, keeps })
    const log = openLog({}, { store: stores.store(orders) })
    append(log, batch(['a']))
    expect(refusalCode(() => append(log, sequenced(0, 3)))).toBe('KAFKA_STORAGE_ERROR')
    // The disk died with it.
    expect(refusalCode(() => append(log, batch(['b'])))).toBe('KAFKA_STORAGE_ERROR')
    log.abandon()
    const again = reopen(stores)
    expect(values(again)).toEqual(expected)
    expect(again.endOffset).toBe(1)
    expect(append(again, sequenced(0, 3), { leaderEpoch: 1 }).baseOffset).toBe(1)
  })
})

describe('a slow store', () => {
  const slow = (delayMs: number, rule: Partial<StoreFaultRule> = {}) =>
    ({ fault: 'slow', delayMs, ...rule }) as StoreFaultRule

  test('has a batch when its time has passed; the end follows, in order', async () => {
    const { stores, runtime } = faulty(slow(100, { nth: 1 }))
    await runtime.drive('test', async () => {
      const log = openLog({}, { store: stores.store(orders) })
      const ends: [number, number][] = []
      log.onEndOffset = end => ends.push([runtime.now() - NOW, end])
      const first = append(log, batch(['a']))
      const second = append(log, batch(['b', 'c']))
      expect([first.baseOffset, second.baseOffset]).toEqual([0, 1])
      expect([log.endOffset, log.assignedEndOffset]).toEqual([0, 3])
      expect(now(log.read(0, 1000, 3))).toEqual([])
      await second.stored
      expect(ends).toEqual([
        [100, 1],
        [100, 3],
      ])
      expect((await log.read(0, 1000, 3)).length).toBe(2)
    })
  })

  test('a duplicate of a batch on its way waits for it (R-18)', async () => {
    const { stores, runtime } = faulty(slow(100))
    await runtime.drive('test', async () => {
      const log = openLog({}, { store: stores.store(orders) })
      append(log, sequenced(0))
      const again = append(log, sequenced(0))
      expect(again).toMatchObject({ duplicate: true, baseOffset: 0 })
      await again.stored
      expect(runtime.now() - NOW).toBe(100)
      expect(log.endOffset).toBe(1)
      expect(append(log, sequenced(0)).stored).toBeUndefined()
    })
  })

  test('when one append fails, the later ones fail with it and everything is taken back', async () => {
    const { stores, runtime } = faulty({ fault: 'failing', nth: 2 }, slow(10))
    await runtime.drive('test', async () => {
      const log = openLog({}, { store: stores.store(orders) })
      const sent = [0, 1, 2].map(at => append(log, sequenced(at)).stored)
      expect(await outcomes(sent)).toEqual(['stored', 'KAFKA_STORAGE_ERROR', 'KAFKA_STORAGE_ERROR'])
      expect([log.endOffset, log.assignedEndOffset, log.closed]).toEqual([1, 1, false])
      expect(log.producerStates.get(7)?.lastSequence).toBe(0)
      await append(log, sequenced(1)).stored
      expect(await log.read(0, 1000, 2)).toHaveLength(2)
      expect(log.snapshot().segments[0]?.size).toBe(log.size)
    })
  })

  test('a write that was refused but took effect all the same is taken back too', async () => {
    const { stores, runtime } = faulty({ fault: 'failing', nth: 2, applied: true }, slow(10))
    await runtime.drive('test', async () => {
      const log = openLog({}, { store: stores.store(orders) })
      const sent = [0, 1].map(at => append(log, sequenced(at)).stored)
      expect(await outcomes(sent)).toEqual(['stored', 'KAFKA_STORAGE_ERROR'])
      await append(log, sequenced(1)).stored
      expect(log.endOffset).toBe(2)
      expect((await log.read(0, 1000, 2)).map(each => each.baseSequence)).toEqual([0, 1])
    })
  })

  test('while a failed write is taken back, writes are refused; then the log goes on', async () => {
    const { stores, runtime } = faulty({ fault: 'failing', nth: 2 }, slow(10, { operation: ['append', 'truncateTo'] }))
    await runtime.drive('test', async () => {
      const log = openLog({}, { store: stores.store(orders) })
      const sent = [append(log, batch(['a'])).stored, append(log, batch(['b'])).stored]
      await runtime.sleep(15)
      expect(refusalCode(() => append(log, batch(['c'])))).toBe('KAFKA_STORAGE_ERROR')
      expect(log.refusal).toContain('being taken back')
      expect(await outcomes(sent)).toEqual(['stored', 'KAFKA_STORAGE_ERROR'])
      expect([runtime.now() - NOW, log.closed]).toEqual([20, false])
      await append(log, batch(['c'])).stored
      expect(values(log)).toEqual(['a', 'c'])
    })
  })

  test('a failed write that cannot be taken back is met by the next one, which is refused too; then the log goes on', async () => {
    const { stores, runtime } = faulty(
      { fault: 'failing', nth: 2 },
      { fault: 'failing', operation: 'truncateTo', times: 1 },
      slow(10),
    )
    await runtime.drive('test', async () => {
      const log = openLog({}, { store: stores.store(orders) })
      const sent = [append(log, batch(['a'])).stored, append(log, batch(['b'])).stored]
      expect(await outcomes(sent)).toEqual(['stored', 'KAFKA_STORAGE_ERROR'])
      expect(log.refusal).toContain('could not be taken back')
      expect(refusalCode(() => append(log, batch(['c'])))).toBe('KAFKA_STORAGE_ERROR')
      await log.drained()
      expect(log.refusal).toBeUndefined()
      await append(log, batch(['d'])).stored
      expect(values(log)).toEqual(['a', 'd'])
    })
  })

  test('a dead broker’s write that was still on its way never reaches the restarted broker', async () => {
    const { stores, runtime } = faulty(slow(100, { times: 2 }))
    await runtime.drive('test', async () => {
      const log = openLog({}, { store: stores.store(orders) })
      const sent = [append(log, batch(['old 1'])).stored, append(log, batch(['old 2'])).stored]
      log.abandon()
      const again = await ReplicaLog.open({
        name: 'orders-0',
        config: configOf(),
        now: NOW,
        store: stores.store(orders),
      })
      again.becomeLeader(1)
      const fresh = append(again, batch(['new'])).stored
      expect(await outcomes([...sent, fresh])).toEqual(['KAFKA_STORAGE_ERROR', 'KAFKA_STORAGE_ERROR', 'stored'])
      await runtime.sleep(1000)
      expect(values(again)).toEqual(['new'])
    })
  })

  test('truncation and closing wait for what is on its way', async () => {
    const { stores, runtime } = faulty(slow(50))
    await runtime.drive('test', async () => {
      const log = openLog({}, { store: stores.store(orders) })
      for (let at = 0; at < 3; at++) append(log, batch([`${at}`]))
      expect(await log.truncateTo(2, NOW)).toBe(2)
      expect(log.assignedEndOffset).toBe(2)
      append(log, batch(['x']))
      await log.close()
      expect(values(reopen(stores))).toEqual(['0', '1', 'x'])
    })
  })

  test('opening, reading, flushing and checkpoints may be slow as well', async () => {
    const { stores, runtime } = faulty(slow(5, { operation: ['open', 'read', 'flush', 'save', 'load'] }))
    await runtime.drive('test', async () => {
      const open = () =>
        ReplicaLog.open({ name: 'orders-0', config: configOf(), now: NOW, store: stores.store(orders) })
      const log = await open()
      log.becomeLeader(0)
      for (let at = 0; at < 3; at++) await append(log, sequenced(at)).stored
      log.advanceHighWatermark(3)
      await log.checkpoint()
      expect((await log.offsetForTimestamp(NOW))?.offset).toBe(0)
      log.abandon()
      const again = await open()
      expect([again.endOffset, again.highWatermark]).toEqual([3, 3])
      expect(again.producerStates.get(7)?.lastSequence).toBe(2)
      await again.close()
      expect((await open()).endOffset).toBe(3)
    })
  })
})
