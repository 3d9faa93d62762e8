import {
  Admin,
  type Cluster,
  type ClusterOptions,
  createCluster,
  cut,
  delay,
  Metadata,
  Producer,
  reset,
} from 'mini-kafka'
import { expect, test } from 'vitest'
import { metadata } from '../../src/apis/metadata.ts'
import { framed } from '../../src/network/framing.ts'
import { encodeRequest } from '../../src/wire/header.ts'
import { hello, RawSocket, sleep, until } from './raw-socket.ts'
import '../../src/vitest.ts'

const allTopics = { topics: null, allowAutoTopicCreation: false, includeTopicAuthorizedOperations: false }

function listening(options: ClusterOptions = {}): Promise<Cluster> {
  return createCluster({ listen: true, ...options })
}

function producerOf(cluster: Cluster, config: object = {}): Producer {
  return new Producer({ 'bootstrap.servers': cluster.bootstrapServers, ...config })
}

test('what a client of another process sends is in the trace and among the requests, by its client id and address', async () => {
  await using cluster = await listening({ brokers: 1 })
  await using admin = new Admin({ 'bootstrap.servers': cluster.bootstrapServers, 'client.id': 'checkout' })
  await admin.listTopics()
  const raw = new RawSocket(cluster.bootstrapServers)
  raw.socket.write(hello(7, null))
  await until(() => raw.answers.length === 1)
  const { address, port } = raw.socket.address() as { address: string; port: number }
  const asked = cluster.requests({ from: 'checkout', api: 'Metadata' })
  expect(asked).toMatchObject([
    { clientId: 'checkout', to: 'broker-1', outcome: 'answered', fromBroker: false, bytes: 23 },
  ])
  expect(asked[0]!.from).toMatch(/^checkout@127\.0\.0\.1:\d+$/)
  expect(asked[0]!.answerBytes).toBeGreaterThan(40)
  expect(cluster.requests({ from: 'external' }).map(({ from }) => from.split('@')[0])).toEqual([
    'checkout',
    'checkout',
    'external',
  ])
  expect(cluster.requests({ from: `${address}:${port}` })).toMatchObject([
    { clientId: null, from: `external@${address}:${port}` },
  ])
  const traced = cluster.trace.events().filter(({ kind, who }) => kind === 'request' && who.endsWith(`:${port}`))
  expect(traced.map(({ fields }) => fields)).toMatchObject([
    { to: 'broker-1', api: 'ApiVersions', version: 4, correlation: 7 },
  ])
  raw.socket.destroy()
})

test('a client that calls itself by the name of a node is none', async () => {
  await using cluster = await listening({ brokers: 1 })
  for (const name of ['broker-1', 'broker-2', 'controller']) {
    const raw = new RawSocket(cluster.bootstrapServers)
    raw.socket.write(hello(1, name))
    await until(() => raw.answers.length === 1)
    raw.socket.destroy()
    const [request] = cluster.requests({ clientId: name, api: 'ApiVersions', from: 'external' })
    expect(request).toMatchObject({ fromBroker: false, from: expect.stringMatching(/^external@/) })
  }
})

test('pipelined requests are answered one after the other, in their order (W-4)', async () => {
  await using cluster = await listening({ brokers: 1 })
  let together = 0
  let most = 0
  cluster.intercept('Metadata', async (request, next) => {
    most = Math.max(most, ++together)
    await request.sleep(5)
    together--
    return next()
  })
  const raw = new RawSocket(cluster.bootstrapServers)
  const ask = (id: number) => Buffer.concat(framed(encodeRequest(metadata, 12, id, 'raw', allTopics)))
  raw.socket.write(Buffer.concat([ask(1), hello(2), ask(3), ask(4), hello(5)]))
  await until(() => raw.answers.length === 5)
  expect([raw.answers, most]).toEqual([[1, 2, 3, 4, 5], 1])
  raw.socket.destroy()
})

test('requests arrive whole however the network cuts them', async () => {
  await using cluster = await listening({ brokers: 1 })
  const raw = new RawSocket(cluster.bootstrapServers)
  raw.socket.setNoDelay(true)
  const bytes = Buffer.concat([hello(1), hello(2)])
  for (const byte of bytes) {
    raw.socket.write(Buffer.of(byte))
    await new Promise(resolve => setImmediate(resolve))
  }
  await until(() => raw.answers.length === 2)
  expect(raw.answers).toEqual([1, 2])
  raw.socket.destroy()
})

test('a size that cannot be closes the connection, with its reason in the trace, and nothing else (W-1)', async () => {
  await using cluster = await listening({ brokers: 1, configs: { 'socket.request.max.bytes': 1_000 } })
  const sized = (size: number, bytes = 0) => {
    const frame = Buffer.alloc(4 + bytes)
    frame.writeInt32BE(size, 0)
    return frame
  }
  const witness = new RawSocket(cluster.bootstrapServers)
  for (const [bytes, reason] of [
    [sized(0), 'a frame of 0 bytes'],
    [sized(-1), 'a frame of -1 bytes'],
    [sized(1_001, 100), 'a frame of 1001 bytes, more than socket.request.max.bytes, 1000'],
    [Buffer.concat([hello(1), sized(-2_147_483_648)]), 'a frame of -2147483648 bytes'],
  ] as const) {
    const raw = new RawSocket(cluster.bootstrapServers)
    raw.socket.write(bytes)
    await until(() => raw.closed !== undefined)
    const closed = cluster.trace.events().filter(({ kind, who }) => kind === 'connection' && who === 'broker-1')
    expect(closed.at(-1)!.fields).toMatchObject({ what: 'closed', reason })
  }
  witness.socket.write(hello(9))
  await until(() => witness.answers.length === 1)
  witness.socket.destroy()
})

test('a connection on which nothing happens is closed after connections.max.idle.ms, and one that is used is not (W-6)', async () => {
  await using cluster = await listening({ brokers: 1, configs: { 'connections.max.idle.ms': 600 } })
  const silent = new RawSocket(cluster.bootstrapServers)
  const used = new RawSocket(cluster.bootstrapServers)
  for (let id = 1; silent.closed === undefined; id++) {
    used.socket.write(hello(id))
    await until(() => used.answers.length === id)
    await sleep(30)
  }
  expect([silent.closed, used.closed]).toEqual(['ended', undefined])
  await until(() => used.closed === 'ended')
})

test('a thousand connections at once are served, and none is left when the cluster has closed', async () => {
  const cluster = await listening({ brokers: 1 })
  const clients = Array.from({ length: 1_000 }, () => new RawSocket(cluster.bootstrapServers))
  for (const [id, { socket }] of clients.entries()) socket.write(hello(id))
  await until(() => clients.every(({ answers }) => answers.length === 1), 10_000)
  expect(clients.map(({ answers }) => answers[0])).toEqual(clients.map((_, id) => id))
  expect(cluster.brokers[0]!.openSockets).toBe(1_000)
  await cluster.close()
  expect(cluster.brokers[0]!.openSockets).toBe(0)
  await until(() => clients.every(({ closed }) => closed !== undefined))
}, 20_000)

test('a paused broker is felt by a producer that asks for no answers: what it sends does not pile up', async () => {
  await using cluster = await listening({ brokers: 1, topics: { t: {} } })
  const producer = producerOf(cluster, {
    acks: '0',
    'enable.idempotence': false,
    'buffer.memory': 40_000_000,
    'max.block.ms': 300,
  })
  await producer.send({ topic: 't', value: 'first' })
  await cluster.brokers[0]!.pause()
  const value = Buffer.alloc(900_000)
  const outcomes = await Promise.allSettled(
    Array.from({ length: 100 }, () => producer.send({ topic: 't', value })).slice(60),
  )
  const refused = outcomes.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[]
  expect(refused.length).toBeGreaterThan(20)
  expect(refused[0]!.reason.name).toBe('BufferExhaustedError')
  await cluster.brokers[0]!.resume()
  await producer.close()
}, 20_000)

test('a client that reads no answers is read no more, and the broker keeps one answer for it, not all', async () => {
  await using cluster = await listening({ brokers: 1, topics: { t: {} } })
  const raw = new RawSocket(cluster.bootstrapServers)
  raw.socket.pause()
  const ask = Buffer.concat(framed(encodeRequest(metadata, 12, 1, 'x'.repeat(30_000), allTopics)))
  let asked = 0
  cluster.intercept(Metadata, async (_, next) => {
    asked++
    const answer = await next()
    if (answer === undefined || answer === 'disconnect') return answer
    return { ...answer, topics: Array.from({ length: 40 }, () => ({ ...answer.topics[0]!, name: 'n'.repeat(30_000) })) }
  })
  raw.socket.write(Buffer.concat(Array.from({ length: 100 }, () => ask)))
  await sleep(300)
  const before = asked
  expect(before).toBeLessThan(20)
  await sleep(100)
  expect(asked).toBe(before)
  raw.socket.removeAllListeners('data')
  raw.socket.resume()
  await until(() => asked === 100, 10_000)
  raw.socket.destroy()
}, 20_000)

test('a cut holds what clients of other processes send, by client id or all of them, until it is healed', async () => {
  await using cluster = await listening({ brokers: 1 })
  const mine = new RawSocket(cluster.bootstrapServers)
  const other = new RawSocket(cluster.bootstrapServers)
  mine.socket.write(hello(1, 'mine'))
  other.socket.write(hello(1, 'other'))
  await until(() => mine.answers.length + other.answers.length === 2)
  {
    using _ = cluster.network.rule(cut('mine', 1))
    mine.socket.write(hello(2, 'mine'))
    other.socket.write(hello(2, 'other'))
    await until(() => other.answers.length === 2)
    await sleep(50)
    expect([mine.answers, mine.closed]).toEqual([[1], undefined])
  }
  await until(() => mine.answers.length === 2)
  const all = cluster.network.rule(cut('external', 1))
  const fresh = new RawSocket(cluster.bootstrapServers)
  for (const { socket } of [mine, other, fresh]) socket.write(hello(3))
  await sleep(50)
  expect([mine.answers, other.answers, fresh.answers]).toEqual([[1, 2], [1, 2], []])
  all.dispose()
  await until(() => fresh.answers.length === 1 && mine.answers.length === 3 && other.answers.length === 3)
  for (const { socket } of [mine, other, fresh]) socket.destroy()
})

test('a delay delays, and a reset breaks the connection of a client of another process', async () => {
  await using cluster = await listening({ brokers: 1 })
  const raw = new RawSocket(cluster.bootstrapServers)
  raw.socket.write(hello(1))
  await until(() => raw.answers.length === 1)
  {
    using _ = cluster.network.rule(delay(80, { from: 'raw', kind: 'request' }))
    const from = performance.now()
    raw.socket.write(hello(2))
    await until(() => raw.answers.length === 2)
    expect(performance.now() - from).toBeGreaterThanOrEqual(78)
  }
  using _ = cluster.network.rule(reset({ to: 'external', api: 'ApiVersions' }))
  raw.socket.write(hello(3))
  await until(() => raw.closed !== undefined)
  expect([raw.answers, raw.closed]).toEqual([[1, 2], 'ECONNRESET'])
})
