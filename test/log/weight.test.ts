import { expect, test } from 'vitest'
import { MemoryStores } from '../../src/log/memory-store.ts'
import { append, batch, NOW, now, openLog, orders } from './logs.ts'

test('thousands of replicas that keep nothing are opened and closed in no time', () => {
  const started = process.hrtime.bigint()
  for (let cluster = 0; cluster < 1000; cluster++) {
    const stores = new MemoryStores()
    for (const broker of [1, 2, 3]) now(openLog({}, { store: stores.store({ ...orders, broker }) }).close())
  }
  const ms = Number(process.hrtime.bigint() - started) / 1e6
  // About 40 ms on a laptop; the bound leaves room for a busy machine.
  expect(ms).toBeLessThan(1000)
})

test('batches are shared, not copied: three replicas hold one body', () => {
  const made = batch(['x'.repeat(1000)])
  const leader = openLog()
  append(leader, made)
  const replicas = [leader, openLog(), openLog()]
  for (const each of replicas.slice(1)) {
    now(each.appendAsFollower(now(leader.read(0, 10_000, 1)), { leaderEpoch: 0, now: NOW }))
  }
  expect(replicas.map(each => now(each.read(0, 10_000, 1))[0]!.body === made.body)).toEqual([true, true, true])
})
