import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Cluster } from '../../src/index.ts'
import { fill, type Member, member, startCluster } from './group-story.ts'

let cluster: Cluster
let consumer: Member
beforeEach(async () => {
  cluster = await startCluster()
  consumer = member(cluster)
  consumer.subscribe(['orders'])
})
afterEach(() => cluster.close())

test('leaving an iterator ends the next that waits: the consumer may be polled, and iterated anew', async () => {
  const iterator = consumer[Symbol.asyncIterator]()
  const waiting = iterator.next()
  await cluster.group('billing').waitForStable({ members: 1 })
  await iterator.return!()
  expect(await waiting).toEqual({ done: true, value: undefined })

  await fill(cluster, 1)
  const first = await consumer.poll({ timeoutMs: 1_000 })
  expect(first.length).toBeGreaterThan(0)
  expect(await iterator.next()).toEqual({ done: true, value: undefined })
  const again = consumer[Symbol.asyncIterator]()
  await fill(cluster, 1)
  expect((await cluster.run(again.next())).done).toBe(false)
  await again.return!()
})

test('leaving before time has run at all ends it as well, and twice does no harm', async () => {
  const iterator = consumer[Symbol.asyncIterator]()
  const waiting = iterator.next()
  await Promise.all([iterator.return!(), iterator.return!()])
  expect(await waiting).toEqual({ done: true, value: undefined })
  expect(await consumer.poll({ timeoutMs: 0 })).toHaveLength(0)
})

test('a poll beside an iteration that waits is refused, and the text says that it is an iteration', async () => {
  const iterator = consumer[Symbol.asyncIterator]()
  const waiting = iterator.next()
  await expect(consumer.poll({ timeoutMs: 0 })).rejects.toThrow(
    'consumer-1 is being polled already, by a `for await` that waits for a record: leave it (break, or return() of its iterator)',
  )
  await iterator.return!()
  await waiting
})
