/** What a server does to a store, and what becomes of it: a clear error or another try, never a hole and never a batch twice. */
import type { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { redisLogs } from '../../src/redis.ts'
import { RealRuntime } from '../../src/runtime/real.ts'
import { batchOf } from '../../src/wire/batch-builder.ts'
import { KafkaError } from '../../src/wire/errors.ts'
import type { RecordBatch } from '../../src/wire/record-batch.ts'
import { eventually, type RedisServer, RedisServers } from './servers.ts'

const replica = { broker: 1, topic: 'orders', topicId: 'AAAAAAAAAAAAAAAAAAAAAA', partition: 0, isFirst: true }
const servers = new RedisServers()
const clients: Redis[] = []
let server: RedisServer
let keyspaces = 0

beforeAll(async () => {
  server = await servers.server()
})

afterEach(() => {
  for (const client of clients.splice(0)) client.disconnect()
})

afterAll(() => servers.stop())

function connect(to: RedisServer = server, options: object = {}): Redis {
  const client = to.client(options)
  client.on('error', () => {})
  clients.push(client)
  return client
}

const batchAt = (baseOffset: number, value = `v${baseOffset}`): RecordBatch =>
  batchOf([{ value }], { baseOffset, leaderEpoch: 1, timestamp: 1_000 })

const spans = (batches: readonly RecordBatch[]) => batches.map(each => [each.baseOffset, each.lastOffset])
const ids = async (client: Redis, key: string) => (await client.xrange(key, '-', '+')).map(([id]) => id)

const refusal = (call: unknown) =>
  Promise.resolve(call).then(
    () => undefined,
    (error: unknown) => (error instanceof KafkaError ? error : Promise.reject(error)),
  )

async function opened(client: Redis, options: object = {}) {
  const keyspace = `failures-${keyspaces++}`
  const logs = redisLogs(client, { keyspace, ...options })
  const store = logs.store(replica)
  await store.open()
  return { logs, store, keyspace, stream: `${keyspace}:stream:orders:0`, state: `{${keyspace}:stream:orders:0}:state` }
}

/** A second of its time is a millisecond. */
class Hasty extends RealRuntime {
  override now(): number {
    return super.now() * 1_000
  }
}

describe('a second writer', () => {
  test('is refused from the moment on at which the other one opened the log', async () => {
    const client = connect()
    const { store, logs, stream } = await opened(client)
    await store.append(0, batchAt(0))
    const second = logs.store(replica)
    await second.open()
    await second.append(1, batchAt(1))
    for (const write of [
      () => store.append(1, batchAt(1, 'stale')),
      () => store.append(2, batchAt(2, 'stale')),
      () => store.truncateTo(0),
      () => store.trimBefore(1),
      () => store.resetTo(5),
      () => store.save('a', Uint8Array.of(1)),
    ]) {
      expect(await refusal(write())).toMatchObject({
        errorName: 'KAFKA_STORAGE_ERROR',
        message: `${stream} has been opened by another writer since: this one is fenced`,
      })
    }
    expect(await ids(client, stream)).toEqual(['1-0', '2-0'])
    expect((await client.xinfo('STREAM', stream)) as unknown[]).toEqual(
      expect.arrayContaining(['last-generated-id', '2-0']),
    )
    await second.append(2, batchAt(2))
    expect(spans(await second.read(0, 1_000_000))).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
    ])
  })

  test('that believes in another end is told the real one', async () => {
    const { store, stream } = await opened(connect())
    await store.append(0, batchAt(0))
    expect(await refusal(store.append(5, batchAt(5)))).toMatchObject({
      errorName: 'KAFKA_STORAGE_ERROR',
      message: `${stream} ends at 1, not at 5: nothing was appended`,
      details: { endOffset: 1 },
    })
    expect(await refusal(store.append(0, batchAt(0, 'other')))).toMatchObject({ details: { endOffset: 1 } })
    await store.append(1, batchAt(1))
    expect(spans(await store.read(0, 1_000_000))).toEqual([
      [0, 0],
      [1, 1],
    ])
  })
})

describe('a connection that breaks', () => {
  test.each([
    ['resends what was not answered', {}],
    ['gives up what was not answered', { autoResendUnfulfilledCommands: false, maxRetriesPerRequest: 0 }],
  ])('while its client %s: every append is there once, in order', async (_, options) => {
    const client = connect(server, options)
    const killer = connect()
    const { store } = await opened(client)
    const count = 3_000
    let done = 0
    const appended: Promise<void>[] = []
    for (let n = 0; n < count; n++) {
      const batch = batchAt(n)
      appended.push(Promise.resolve(store.append(n, batch)).then(() => void done++))
      if (n % 300 === 299) {
        await eventually(() => done > n - 200)
        await killer.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      }
    }
    await Promise.all(appended)
    const read: RecordBatch[] = []
    while (read.length < count) read.push(...(await store.read(read.length, 1 << 20)))
    expect(read.map(each => each.baseOffset)).toEqual(Array.from({ length: count }, (_, n) => n))
  })

  test('for good is NOT_LEADER_OR_FOLLOWER, and the store goes on when the server is there again', async () => {
    const own = await servers.server({ appendfsync: 'always' })
    const client = connect(own, { maxRetriesPerRequest: 1 })
    const { logs } = await opened(client)
    logs.bind!(new Hasty({ seed: 1 }), () => undefined)
    const store = logs.store(replica)
    await store.append(0, batchAt(0))
    await own.kill()
    const lost = refusal(store.append(1, batchAt(1)))
    expect(await lost).toMatchObject({ errorName: 'NOT_LEADER_OR_FOLLOWER', retriable: true })
    await own.start()
    expect(await store.truncateTo(1)).toBe(1)
    await store.append(1, batchAt(1, 'again'))
    expect(spans(await store.read(0, 1_000_000))).toEqual([
      [0, 0],
      [1, 1],
    ])
  })
})

describe('a server that refuses', () => {
  test('for lack of memory is KAFKA_STORAGE_ERROR, nothing is written, and what is there can be read', async () => {
    const client = connect()
    const { store, stream } = await opened(client)
    await store.append(0, batchAt(0))
    await client.config('SET', 'maxmemory', '1kb')
    try {
      const refused = await Promise.all([1, 2, 3].map(n => refusal(store.append(n, batchAt(n)))))
      expect(refused.map(error => error?.errorName)).toEqual(Array(3).fill('KAFKA_STORAGE_ERROR'))
      expect(refused[0]!.message).toContain('OOM command not allowed')
      expect(spans(await store.read(0, 1_000_000))).toEqual([[0, 0]])
    } finally {
      await client.config('SET', 'maxmemory', '0')
    }
    await store.append(1, batchAt(1))
    expect(await ids(client, stream)).toEqual(['1-0', '2-0'])
  })

  test('for want of replicas (min-replicas-to-write) is NOT_ENOUGH_REPLICAS, and nothing is written', async () => {
    const client = connect()
    const { store, stream } = await opened(client)
    await client.config('SET', 'min-replicas-to-write', '1')
    try {
      const refused = await refusal(store.append(0, batchAt(0)))
      expect(refused).toMatchObject({ errorName: 'NOT_ENOUGH_REPLICAS', retriable: true })
    } finally {
      await client.config('SET', 'min-replicas-to-write', '0')
    }
    expect(await client.exists(stream)).toBe(0)
    await store.append(0, batchAt(0))
  })

  test('because the key holds something else is KAFKA_STORAGE_ERROR when it is opened', async () => {
    const client = connect()
    const keyspace = `failures-${keyspaces++}`
    await client.set(`${keyspace}:stream:orders:0`, 'a text')
    const refused = await refusal(Promise.resolve(redisLogs(client, { keyspace }).store(replica).open()))
    expect(refused?.message).toBe(`${keyspace}:stream:orders:0 cannot be used: the key holds a string, no stream`)
  })
})

describe('a stream that others changed', () => {
  test('by deleting it takes no more appends, and does not open', async () => {
    const client = connect()
    const { store, logs, stream } = await opened(client)
    await store.append(0, batchAt(0))
    await client.del(stream)
    const gone = `${stream} cannot be used: its records up to 1 are gone: the key was deleted or evicted`
    expect(await refusal(store.append(1, batchAt(1)))).toMatchObject({
      errorName: 'KAFKA_STORAGE_ERROR',
      message: gone,
    })
    expect(await client.exists(stream)).toBe(0)
    expect((await refusal(Promise.resolve(logs.store(replica).open())))?.message).toBe(gone)
  })

  test('by adding to it refuses the append that meets that, removes it, and goes on', async () => {
    const client = connect()
    const { store, logs, stream } = await opened(client)
    await store.append(0, batchAt(0))
    await client.xadd(stream, '2-5', 'theirs', 'x')
    const refused = await refusal(store.append(1, batchAt(1)))
    expect(refused?.message).toContain(`${stream} cannot be used: entry 2 cannot be added`)
    expect(await ids(client, stream)).toEqual(['1-0'])
    await client.xadd(stream, '3-1', 'theirs', 'x')
    expect((await refusal(logs.store(replica).open()))?.message).toContain(
      'it has been written to by others, behind its end, 1, up to 3-1',
    )
    const all = await Promise.all([1, 2, 3, 4].map(n => refusal(store.append(n, batchAt(n)))))
    expect(all.map(error => error?.errorName)).toEqual(Array(4).fill('KAFKA_STORAGE_ERROR'))
    expect(await ids(client, stream)).toEqual(['1-0'])
    await store.append(1, batchAt(1))
    expect(spans(await store.read(0, 1_000_000))).toEqual([
      [0, 0],
      [1, 1],
    ])
  })

  test('by replacing an entry is told of by whoever reads it', async () => {
    const client = connect()
    const { store, stream } = await opened(client)
    for (const n of [0, 1]) await store.append(n, batchAt(n))
    await client.xdel(stream, '2-0')
    await client.call('XSETID', stream, '1-0')
    await client.xadd(stream, '2-0', 'value', 'x')
    expect((await refusal(Promise.resolve(store.read(1, 1_000))))?.message).toBe(
      `entry 2-0 of ${stream} is no record batch: it has the fields value, where a batch has b alone`,
    )
    expect(spans(await store.read(0, 1))).toEqual([[0, 0]])
  })

  test('by evicting what belongs to it is opened anew from its batches', async () => {
    const client = connect()
    const { store, logs, state } = await opened(client)
    for (const n of [0, 1]) await store.append(n, batchAt(n))
    await client.del(state)
    expect(await refusal(store.append(2, batchAt(2)))).toMatchObject({ errorName: 'KAFKA_STORAGE_ERROR' })
    const again = logs.store(replica)
    expect(await again.open()).toEqual({ startOffset: 0, endOffset: 2 })
    await again.append(2, batchAt(2))
    expect(spans(await again.read(0, 1_000_000))).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
    ])
  })
})

describe('waitReplicas', () => {
  test('awaits the replicas of the server; too few are NOT_ENOUGH_REPLICAS_AFTER_APPEND, and the batch can be taken back', async () => {
    const main = await servers.server()
    const copy = await servers.replica(main)
    const client = connect(main)
    const { store, logs, stream } = await opened(client, { waitReplicas: 1, waitTimeoutMs: 200 })
    await Promise.all([0, 1, 2].map(n => store.append(n, batchAt(n))))
    expect(await ids(connect(copy), stream)).toEqual(['1-0', '2-0', '3-0'])
    copy.freeze()
    try {
      expect(await refusal(store.append(3, batchAt(3)))).toMatchObject({
        errorName: 'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
        message: `0 Redis replicas have what was appended to ${stream}, 1 were to have it`,
        retriable: true,
      })
      // Reads do not wait behind WAIT.
      expect(spans(await store.read(3, 1_000))).toEqual([[3, 3]])
      expect(await store.truncateTo(3)).toBe(3)
    } finally {
      copy.thaw()
    }
    await store.append(3, batchAt(3, 'again'))
    expect(await ids(connect(copy), stream)).toEqual(['1-0', '2-0', '3-0', '4-0'])
    await logs.close()
  })
})
