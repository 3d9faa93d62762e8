/** What a server refuses, and what others do to the keys of a cluster: an error or a retry, and never a wrong answer. */
import type { Redis } from 'ioredis'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Cluster, createCluster, Fetch, type KafkaError } from '../../src/index.ts'
import { redisLogs } from '../../src/redis.ts'
import { missingForRedis, type RedisServer, RedisServers } from './servers.ts'
import { persistent } from './steady-producer.ts'

const STREAM = 'korvet:stream:orders:0'
const topics = { orders: { partitions: 1 } }
const servers = new RedisServers()
let server: RedisServer
let client: Redis
let cluster: Cluster

async function start(): Promise<Cluster> {
  client = server.client()
  client.on('error', () => {})
  cluster = await createCluster({ brokers: 1, topics, logs: redisLogs(client) })
  return cluster
}

async function end(): Promise<void> {
  await cluster.close()
  client.disconnect()
}

/** What becomes of one record, asked for once: its offset, or why it was refused. */
async function send(value: string, retries = 0): Promise<number | string> {
  const producer = cluster.producer({
    ...persistent,
    retries,
    'delivery.timeout.ms': 1_500,
    'request.timeout.ms': 1_000,
  })
  try {
    return (await producer.send({ topic: 'orders', partition: 0, value })).offset!
  } catch (error) {
    return (error as KafkaError).name
  } finally {
    await producer.close({ timeoutMs: 0 })
  }
}

/** What a consumer gets within half a second. */
async function read(): Promise<string[]> {
  const consumer = cluster.consumer({ 'auto.offset.reset': 'earliest', 'retry.backoff.ms': 20 })
  consumer.assign([{ topic: 'orders', partition: 0 }])
  const values: string[] = []
  const endsAt = performance.now() + 500
  while (performance.now() < endsAt) {
    for (const { value } of await consumer.poll({ timeoutMs: 100 })) values.push(`${value}`)
  }
  await consumer.close()
  return values
}

/** What fetches of the partition were answered last. */
function fetchErrors(): number[] {
  const answers = cluster.requests({ api: Fetch }).flatMap(({ answer }) => {
    return (answer?.responses ?? []).flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode))
  })
  return [...new Set(answers)].filter(code => code !== 0)
}

const KAFKA_STORAGE_ERROR = 56

describe.skipIf(missingForRedis() !== undefined)('a cluster with one replica', () => {
  beforeEach(async () => {
    server = await servers.server()
    await start()
    for (const value of ['a', 'b', 'c']) expect(await send(value)).toBeTypeOf('number')
  })
  afterEach(end)
  afterAll(() => servers.stop())

  test('refuses records while the server is out of memory, and goes on when it is not', async () => {
    await server.ask('CONFIG', 'SET', 'maxmemory-policy', 'noeviction')
    await server.ask('CONFIG', 'SET', 'maxmemory', '1')
    expect(await send('too much')).toBeTypeOf('string')
    expect(await read()).toEqual(['a', 'b', 'c'])
    await server.ask('CONFIG', 'SET', 'maxmemory', '0')
    expect(await send('d', 100)).toBe(3)
    expect(await read()).toEqual(['a', 'b', 'c', 'd'])
  })

  test('waits while the server is a replica that takes no writes, and goes on when it is master again', async () => {
    const other = await servers.server()
    await server.ask('REPLICAOF', '127.0.0.1', '1')
    const producer = cluster.producer({ ...persistent, 'delivery.timeout.ms': 20_000 })
    const sent = producer.send({ topic: 'orders', partition: 0, value: 'd' })
    await new Promise(resolve => setTimeout(resolve, 300))
    await server.ask('REPLICAOF', 'NO', 'ONE')
    expect((await sent).offset).toBe(3)
    expect(await read()).toEqual(['a', 'b', 'c', 'd'])
    await other.kill()
  })

  test('whose stream was evicted shows nothing and appends nothing behind the gap', async () => {
    await server.ask('DEL', STREAM)
    expect(await read()).toEqual([])
    expect(fetchErrors()).toEqual([KAFKA_STORAGE_ERROR])
    expect(await send('behind a gap')).toBeTypeOf('string')
    expect(await server.ask('EXISTS', STREAM)).toBe(0)
  })

  test('that lost one entry shows what comes before it, and not what comes after', async () => {
    await server.ask('XDEL', STREAM, '2-0')
    expect(await read()).not.toContain('c')
    expect(fetchErrors()).toEqual([KAFKA_STORAGE_ERROR])
  })

  test('whose key somebody else uses for something else says so, and leaves it as it is', async () => {
    await server.ask('DEL', STREAM)
    await server.ask('SET', STREAM, 'mine')
    expect(await read()).toEqual([])
    expect(await send('not here')).toBeTypeOf('string')
    expect(await server.ask('GET', STREAM)).toBe('mine')
  })

  test('to whose stream somebody else adds an entry shows nothing of it, and takes it out before it goes on', async () => {
    await server.ask('XADD', STREAM, '9-0', 'key', 'value')
    expect(await read()).toEqual(['a', 'b', 'c'])
    expect(await send('d')).toBeTypeOf('string')
    expect(await send('d', 100)).toBe(3)
    expect(await read()).toEqual(['a', 'b', 'c', 'd'])
    expect(await server.ask('XLEN', STREAM)).toBe(4)
  })

  test('of whose entries one was changed is not continued with it: the replica is offline, and says why', async () => {
    await end()
    const [[, [, bytes]]] = (await (async () => {
      const own = server.client()
      const found = await own.xrangeBuffer(STREAM, '3', '3')
      own.disconnect()
      return found
    })()) as unknown as [[Buffer, [Buffer, Buffer]]]
    const own = server.client()
    const damaged = Buffer.from(bytes)
    damaged[damaged.length - 1]! ^= 0xff
    await own.xdel(STREAM, '3')
    await own.call('XSETID', STREAM, '2-0')
    await own.xadd(STREAM, '3', 'b', damaged)
    own.disconnect()
    await start()
    // As Kafka cuts a log at the first bad batch after a crash (S-41).
    expect(await read()).toEqual(['a', 'b'])
    expect(await send('c again')).toBe(2)
  })

  test('that is continued without its stream, or with a key of another type there, is an error that names it', async () => {
    const spoils = [
      [['DEL', STREAM], 'cannot be used: its records up to 3 are gone: the key was deleted or evicted'],
      [['SET', STREAM, 'mine'], 'cannot be used: the key holds a string, no stream'],
    ] as const
    for (const [spoil, why] of spoils) {
      await end()
      await server.ask(...spoil)
      const refusal = await start().then(
        () => 'it passed',
        error => error.message,
      )
      expect(refusal).toContain(
        `orders-0 cannot be continued: broker 1, its leader, cannot open its log: ${STREAM} ${why}`,
      )
      await cluster.close()
    }
  })
})
