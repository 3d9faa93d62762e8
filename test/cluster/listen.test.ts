import { createServer, type Server } from 'node:net'
import { Admin, type Cluster, type ClusterOptions, Consumer, createCluster, Producer } from 'mini-kafka'
import { expect, test } from 'vitest'
import { hello, RawSocket, sleep, until } from './raw-socket.ts'
import '../../src/vitest.ts'

const orders = { orders: { partitions: 1, replicationFactor: 3, configs: { 'min.insync.replicas': 2 } } }

function listening(options: ClusterOptions = {}): Promise<Cluster> {
  return createCluster({ listen: true, ...options })
}

function producerOf(cluster: Cluster, config: object = {}): Producer {
  return new Producer({ 'bootstrap.servers': cluster.bootstrapServers, ...config })
}

test('every broker listens on a free port of its own, and tells clients of all of them', async () => {
  await using cluster = await listening({ topics: orders })
  const ports = cluster.addresses.map(address => Number(address.split(':')[1]))
  expect(new Set(ports).size).toBe(3)
  expect(cluster.addresses).toEqual(ports.map(port => `127.0.0.1:${port}`))
  await using admin = new Admin({ 'bootstrap.servers': cluster.addresses[1]! })
  const { nodes } = await admin.describeCluster()
  expect(nodes.map(({ id, host, port }) => [id, host, port])).toEqual(
    ports.map((port, i) => [i + 1, '127.0.0.1', port]),
  )
})

test('our clients over TCP send, read and administrate as those of the cluster do, and both see the same', async () => {
  await using cluster = await listening()
  await using admin = new Admin({ 'bootstrap.servers': cluster.bootstrapServers })
  await admin.createTopics([{ name: 'orders', partitions: 2, replicationFactor: 3 }])
  await using producer = producerOf(cluster)
  await using inside = cluster.producer()
  const values = ['a', 'b', 'x'.repeat(300_000)]
  for (const value of values) await producer.send({ topic: 'orders', partition: 1, value })
  await inside.send({ topic: 'orders', partition: 1, value: 'from inside' })
  await using consumer = new Consumer({
    'bootstrap.servers': cluster.bootstrapServers.split(','),
    'auto.offset.reset': 'earliest',
    'value.deserializer': 'string',
  })
  consumer.assign([{ topic: 'orders', partition: 1 }])
  const read: unknown[] = []
  while (read.length < 4) for (const { value } of await consumer.poll({ timeoutMs: 1_000 })) read.push(value)
  expect(read).toEqual([...values, 'from inside'])
  await expect(cluster).toHaveDelivered(
    'orders',
    [...values, 'from inside'].map(value => ({ value })),
  )
})

test('a closed cluster leaves no handle, whoever was connected', async () => {
  const sockets = () => process.getActiveResourcesInfo().filter(name => name.startsWith('TCP'))
  const cluster = await listening({ topics: orders })
  const producer = producerOf(cluster)
  await producer.send({ topic: 'orders', value: 'x' })
  const unread = producer.send({ topic: 'orders', value: 'y' })
  await cluster.close()
  await Promise.all([producer.close({ timeoutMs: 0 }), unread.catch(() => {})])
  expect(sockets()).toEqual([])
})

test('a crash breaks the connections and refuses the port; after a restart it is the same port', async () => {
  await using cluster = await listening({ topics: orders })
  await using producer = producerOf(cluster)
  await producer.send({ topic: 'orders', value: 'before' })
  const leader = cluster.leaderOf('orders', 0)
  const address = cluster.addresses[leader.id - 1]!
  const connected = new RawSocket(address)
  connected.socket.write(hello(1))
  await until(() => connected.answers.length === 1)
  await leader.crash()
  await until(() => connected.closed !== undefined)
  const refused = new RawSocket(address)
  await until(() => refused.closed !== undefined)
  expect(refused.closed).toBe('ECONNREFUSED')
  await producer.send({ topic: 'orders', value: 'after' })
  await leader.restart()
  expect(cluster.addresses[leader.id - 1]).toBe(address)
  const again = new RawSocket(address)
  again.socket.write(hello(2))
  await until(() => again.answers.length === 1)
  again.socket.destroy()
  await expect(cluster).toHaveDelivered('orders', [{ value: 'before' }, { value: 'after' }])
})

test('a broker whose port was taken while it was down says so, and starts once the port is free', async () => {
  await using cluster = await listening({ brokers: 1 })
  const [broker] = cluster.brokers
  const port = Number(cluster.bootstrapServers.split(':')[1])
  await broker!.crash()
  const thief = await occupy(port)
  await expect(broker!.restart()).rejects.toThrow(
    `listen: cannot open 127.0.0.1:${port} for broker-1: the port is in use; end what listens there, or leave the port out for a free one`,
  )
  expect(broker!.state).toBe('crashed')
  await new Promise(resolve => thief.close(resolve))
  await broker!.restart()
  expect(broker!.isReady).toBe(true)
})

test('a paused broker accepts and is silent; when it goes on it answers what waited', async () => {
  await using cluster = await listening({ brokers: 1 })
  const [broker] = cluster.brokers
  const old = new RawSocket(cluster.bootstrapServers)
  old.socket.write(hello(1))
  await until(() => old.answers.length === 1)
  await broker!.pause()
  const fresh = new RawSocket(cluster.bootstrapServers)
  old.socket.write(Buffer.concat([hello(2), hello(3)]))
  fresh.socket.write(hello(4))
  await sleep(100)
  expect([old.answers, fresh.answers, fresh.closed]).toEqual([[1], [], undefined])
  await broker!.resume()
  await until(() => fresh.answers.length === 1 && old.answers.length === 3)
  expect([old.answers, fresh.answers]).toEqual([[1, 2, 3], [4]])
  for (const { socket } of [old, fresh]) socket.destroy()
})

test('the ports can be chosen: one and those behind it, or each', async () => {
  const [first, second] = await freePorts(2)
  {
    await using cluster = await listening({ brokers: 2, listen: { ports: [second!, first!] } })
    expect(cluster.bootstrapServers).toBe(`127.0.0.1:${second},127.0.0.1:${first}`)
  }
  await using cluster = await listening({ brokers: 1, listen: { host: 'localhost', port: first! } })
  expect(cluster.bootstrapServers).toBe(`localhost:${first}`)
  await using admin = new Admin({ 'bootstrap.servers': cluster.bootstrapServers })
  expect(await admin.listTopics()).toEqual([])
})

test('a port in use is one clear error that names it and its broker, and the other ports are given back', async () => {
  const [free, taken] = await freePorts(2)
  const server = await occupy(taken!)
  await expect(listening({ brokers: 2, listen: { ports: [free!, taken!] } })).rejects.toThrow(
    `listen: cannot open 127.0.0.1:${taken} for broker-2: the port is in use; end what listens there, or leave the port out for a free one`,
  )
  const again = await occupy(free!)
  for (const each of [server, again]) await new Promise(resolve => each.close(resolve))
})

test('a host that is not loopback is allowed, with one warning, and clients are told what they can connect to', async () => {
  const warnings: string[] = []
  await using cluster = await listening({ listen: { host: '0.0.0.0' }, warn: text => warnings.push(text) })
  expect(warnings).toEqual([
    'mini-kafka listens on 0.0.0.0, not only on loopback: whoever reaches this machine can read and write, there is no authentication',
  ])
  expect(cluster.addresses.every(address => /^localhost:\d+$/.test(address))).toBe(true)
  await using admin = new Admin({ 'bootstrap.servers': cluster.bootstrapServers })
  expect(await admin.listTopics()).toEqual([])
})

test.each([
  [
    { listen: true, time: 'virtual' },
    "listen: virtual time cannot wait for sockets: leave time out, or say time: 'real'",
  ],
  [{ listen: 'yes' }, 'listen takes true, or options such as { port: 9092 }, not "yes"'],
  [{ listen: { prot: 1 } }, "unknown option of listen 'prot'"],
  [{ listen: { port: 9092, ports: [1, 2, 3] } }, 'listen takes port or ports, not both'],
  [{ listen: { ports: [9092] } }, 'listen: ports takes one for each of the 3 brokers, not 1'],
  [{ listen: { ports: [9092, 9093, 9092] } }, 'listen: port 9092 is named twice'],
  [{ listen: { port: 65_534 } }, 'listen: a port is a whole number from 0 (a free one) to 65535, not 65536'],
  [{ listen: { port: 1.5 } }, 'listen: a port is a whole number from 0 (a free one) to 65535, not 1.5'],
  [
    { listen: { host: 'localhost:9092' } },
    'listen: host takes a name or an address, without a port, not "localhost:9092"',
  ],
  [
    { listen: { host: 'no.such.host.invalid' }, warn: () => {} },
    'listen: cannot open no.such.host.invalid:0 for broker-1: ',
  ],
  [
    { listen: { host: '192.0.2.1' }, warn: () => {} },
    'listen: cannot open 192.0.2.1:0 for broker-1: that is no address of this machine',
  ],
])('what listen cannot mean is one clear line: %j', async (options, sentence) => {
  await expect(createCluster(options as ClusterOptions)).rejects.toThrow(sentence)
})

test.each<new (config: object) => object>([Producer, Consumer, Admin])(
  'a client without servers, or with one that is none, says so: %o',
  Client => {
    expect(() => new Client({})).toThrow("bootstrap.servers must name at least one broker, as in 'localhost:9092'")
    expect(() => new Client({ 'bootstrap.servers': 'localhost' })).toThrow(
      'Invalid url in bootstrap.servers: localhost',
    )
  },
)

test('a producer that reaches nobody fails with the timeout of its configuration, and closes at once', async () => {
  const [port] = await freePorts(1)
  const producer = new Producer({ 'bootstrap.servers': `127.0.0.1:${port}`, 'max.block.ms': 200 })
  await expect(producer.send({ topic: 't', value: 'x' })).rejects.toThrow(
    'Topic t not present in metadata after 200 ms.',
  )
  await producer.close()
})

async function occupy(port: number): Promise<Server> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return server
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => occupy(0)))
  const ports = servers.map(server => (server.address() as { port: number }).port)
  for (const server of servers) await new Promise(resolve => server.close(resolve))
  return ports
}
