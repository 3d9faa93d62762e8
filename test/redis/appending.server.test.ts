import type { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { redisLogs } from '../../src/redis.ts'
import { batchOf } from '../../src/wire/batch-builder.ts'
import { eventually, type RedisServer, RedisServers } from './servers.ts'

const servers = new RedisServers()
let server: RedisServer
const clients: Redis[] = []
const client = (options: object = {}) => {
  const one = server.client(options)
  clients.push(one)
  return one
}

beforeAll(async () => {
  server = await servers.server()
})

afterAll(async () => {
  for (const one of clients) one.disconnect()
  await servers.stop()
})

const replica = { broker: 1, topic: 'orders', topicId: 'AAAAAAAAAAAAAAAAAAAAAA', partition: 0, isFirst: true }
const batchAt = (baseOffset: number, bytes: number) =>
  batchOf([{ key: null, value: Buffer.alloc(bytes, 'v') }], { baseOffset, leaderEpoch: 1, timestamp: 1_000 })

test('a reader elsewhere is woken by publish, and reads what it was told of by range', async () => {
  const reader = client()
  const woken = client()
  const key = 'woken:stream:orders:0'
  const read: string[] = []
  let from = '-'
  woken.on('message', async (channel, end) => {
    const entries = await reader.xrange(channel, from, end)
    read.push(...entries.map(([id]) => id))
    if (entries.length > 0) from = `(${entries.at(-1)![0]}`
  })
  await woken.subscribe(key)
  const logs = redisLogs(client(), { keyspace: 'woken' })
  const store = logs.store(replica)
  await store.open()
  // Small batches go through a script, large ones by a transaction.
  await Promise.all([10, 10, 10, 200_000, 200_000].map((bytes, at) => store.append(at, batchAt(at, bytes))))
  await eventually(() => read.length >= 5)
  expect([...new Set(read)]).toEqual(['1-0', '2-0', '3-0', '4-0', '5-0'])
  await logs.close()
})

test('a user who may not publish may append all the same', async () => {
  const admin = client()
  const rights =
    '~limited:* ~{limited:* +@stream +@hash +@set +@string +@keyspace +@scripting +@transaction +@connection'
  await admin.call('ACL', 'SETUSER', 'app', 'on', '>secret', 'resetchannels', ...rights.split(' '), '+info', '+publish')
  const logs = redisLogs(client({ username: 'app', password: 'secret' }), { keyspace: 'limited' })
  const store = logs.store(replica)
  await store.open()
  await store.append(0, batchAt(0, 10))
  await store.append(1, batchAt(1, 200_000))
  expect((await store.read(0, 1_000_000)).map(batch => batch.baseOffset)).toEqual([0, 1])
  await logs.close()
})

test('what is appended is what is read, however much is on its way and whatever its size', async () => {
  const logs = redisLogs(client(), { keyspace: 'many' })
  const store = logs.store(replica)
  await store.open()
  // Memory is used again while others are on their way, and small and large ones go different ways.
  const batches = Array.from({ length: 3_000 }, (_, at) => {
    const value = Buffer.alloc(at % 40 === 0 ? 30_000 : 200 + (at % 7) * 300, at % 251)
    return batchOf([{ key: null, value }], { baseOffset: at, leaderEpoch: 1, timestamp: 1_000 })
  })
  const waiting: Promise<void>[] = []
  for (const [at, batch] of batches.entries()) {
    waiting.push(store.append(at, batch) as Promise<void>)
    if (waiting.length >= 64) await waiting.shift()
  }
  await Promise.all(waiting)
  const bytesOf = ({ head, body }: { head: Uint8Array; body: Uint8Array }) => Buffer.concat([head, body])
  let next = 0
  while (next < batches.length) {
    for (const batch of await store.read(next, 1_000_000)) {
      expect(bytesOf(batch).equals(bytesOf(batches[next]!))).toBe(true)
      next++
    }
  }
  await logs.close()
})

test('a server is never asked for more than 32 MB at a time, though it counts entries and not bytes', async () => {
  const reader = client()
  const asked: number[] = []
  const { xrangeBuffer } = reader
  reader.xrangeBuffer = ((...args: Parameters<typeof xrangeBuffer>) => {
    asked.push(Number(args.at(-1)))
    return xrangeBuffer.apply(reader, args)
  }) as typeof xrangeBuffer
  const logs = redisLogs(reader, { keyspace: 'sizes' })
  const store = logs.store(replica)
  await store.open()
  await store.append(0, batchAt(0, 1_000_000))
  await Promise.all(Array.from({ length: 500 }, (_, n) => store.append(n + 1, batchAt(n + 1, 10))))
  expect((await store.read(1, 10_000_000)).length).toBe(500)
  // By the size of the last ones it would be thousands.
  expect(Math.max(...asked)).toBeLessThanOrEqual(34)
  await logs.close()
})
