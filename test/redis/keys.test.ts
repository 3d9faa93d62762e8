import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { Keys, StreamKeys } from '../../src/redis/keys.ts'

/** Of a Redis Cluster, as ioredis has it. */
const slotOf = createRequire(import.meta.url)('cluster-key-slot') as (key: string) => number
const keys = new Keys('korvet')

test('a stream has the name that the workflow page gives it, replicas of other brokers lie outside of what is scanned', () => {
  expect(keys.stream('orders', 0)).toBe('korvet:stream:orders:0')
  expect(keys.replica(2, 'orders', 0)).toBe('korvet:replica:2:orders:0')
  expect(keys.topic('orders')).toBe('korvet:topic:orders')
  expect(keys.topics).toBe('korvet:topics')
})

test('all keys of one stream lie in one slot of a Cluster, also where names have dots, dashes and digits', () => {
  const slots = new Set<number>()
  for (const topic of ['orders', 'a.b-c_d.1', '0', '__consumer_offsets']) {
    for (const stream of [keys.stream(topic, 11), keys.replica(3, topic, 11)]) {
      const { state, checkpoints, side } = new StreamKeys(stream)
      expect([state, checkpoints, side].map(slotOf)).toEqual(Array(3).fill(slotOf(stream)))
      slots.add(slotOf(stream))
    }
  }
  expect(slots.size).toBe(8)
})

test('the stream of a state is found again', () => {
  const { state } = new StreamKeys('korvet:stream:orders:0')
  expect(state).toBe('{korvet:stream:orders:0}:state')
  expect(StreamKeys.ofState(state)).toEqual(new StreamKeys('korvet:stream:orders:0'))
})
