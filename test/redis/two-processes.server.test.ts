/** Two processes that want the same keyspace: one has it, and the other is told. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Consumer, Producer } from '../../src/index.ts'
import { HostedCluster, type HostOptions, quickConfigs } from './hosted.ts'
import { missingForRedis, type RedisServer, RedisServers } from './servers.ts'
import { persistent, storedFor } from './steady-producer.ts'

const servers = new RedisServers()
let server: RedisServer
const topics = { orders: { partitions: 1, replicationFactor: 3, configs: { 'min.insync.replicas': 2 } } }

const hosted = (keyspace: string, logs: object = {}, cluster: HostOptions['cluster'] = {}) =>
  HostedCluster.start({
    nodes: [server],
    logs: { keyspace, ...logs },
    cluster: { topics, configs: quickConfigs, ...cluster },
  })

async function failure(run: Promise<unknown>): Promise<string> {
  return run.then(
    () => 'it passed',
    error => error.message,
  )
}

describe.skipIf(missingForRedis() !== undefined)('of two processes on one keyspace', () => {
  beforeAll(async () => {
    server = await servers.server()
  })
  afterAll(() => servers.stop())

  test('the second is refused while the first lives, whatever it wants with what is there', async () => {
    const first = await hosted('refused')
    for (const existing of ['continue', 'clear']) {
      expect(await failure(hosted('refused', { existing }))).toMatch(
        new RegExp(
          `^ConfigError: the keyspace 'refused' is in use by process ${first.pid} on \\S+: close it first, or name`,
        ),
      )
    }
    const other = await hosted('another')
    await other.kill('SIGTERM')
    await first.kill('SIGTERM')
    const next = await hosted('refused')
    await next.kill('SIGTERM')
  })

  test('whoever was killed is not in the way', async () => {
    const first = await hosted('killed')
    await first.kill()
    const next = await hosted('killed')
    await next.kill('SIGTERM')
  })

  test('who says to refuse is refused what is there, and who says to clear begins anew', async () => {
    const first = await hosted('again')
    await new Producer({ 'bootstrap.servers': first.bootstrapServers }).send({ topic: 'orders', value: 'old' })
    await first.kill('SIGTERM')
    expect(await failure(hosted('again', { existing: 'refuse' }))).toMatch(
      /^ConfigError: the keyspace 'again' is in use: it holds \d+ keys, such as again:replica:\d:orders:0/,
    )
    const cleared = await hosted('again', { existing: 'clear' })
    const { offset } = await new Producer({ 'bootstrap.servers': cleared.bootstrapServers }).send({
      topic: 'orders',
      value: 'new',
    })
    expect(offset).toBe(0)
    await cleared.kill('SIGTERM')
  })

  test('the first, if it stood still for too long, has lost it: it acknowledges nothing more, and spoils nothing', async () => {
    const first = await hosted('frozen')
    const former = new Producer({
      'bootstrap.servers': first.bootstrapServers,
      ...persistent,
      'delivery.timeout.ms': 3_000,
    })
    await former.send({ topic: 'orders', partition: 0, value: 'of the first' })
    first.freeze()
    // Its lease has to end.
    const second = await hosted('frozen')
    const producer = new Producer({ 'bootstrap.servers': second.bootstrapServers, ...persistent })
    await producer.send({ topic: 'orders', partition: 0, value: 'of the second' })
    first.thaw()
    const late = await former.send({ topic: 'orders', partition: 0, value: 'too late' }).then(
      ({ offset }) => `acknowledged at ${offset}`,
      error => error.name,
    )
    expect(late).toBe('TimeoutError')
    await sleep(1_500)
    // It does not read what is no longer its own, either.
    const reader = new Consumer({ 'bootstrap.servers': first.bootstrapServers, 'auto.offset.reset': 'earliest' })
    reader.assign([{ topic: 'orders', partition: 0 }])
    const seen = await reader.poll({ timeoutMs: 1_000 }).then(
      found => [...found].length,
      () => 0,
    )
    expect(seen).toBe(0)
    await reader.close()
    await former.close({ timeoutMs: 0 })
    await producer.send({ topic: 'orders', partition: 0, value: 'of the second still' })
    const consumer = new Consumer({ 'bootstrap.servers': second.bootstrapServers, 'auto.offset.reset': 'earliest' })
    expect(await storedFor(consumer, 3)).toEqual([
      { offset: 0, value: 'of the first' },
      { offset: 1, value: 'of the second' },
      { offset: 2, value: 'of the second still' },
    ])
    await producer.close()
    await first.kill()
    await second.kill('SIGTERM')
  })
})
