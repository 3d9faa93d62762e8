/** Sockets without a port, as kafkajs' `socketFactory` wants them: bytes in, bytes out, and node's events. */
import type { Socket } from 'node:net'
import { type Cluster, createCluster, reset } from 'mini-kafka'
import { expect, test } from 'vitest'
import { socketFactory } from '../../src/kafkajs.ts'
import { hello, sleep, until } from './raw-socket.ts'

/** A socket that writes down what happens to it. */
function open(cluster: Cluster, address = cluster.addresses[0]!): { socket: Socket; events: string[] } {
  const [host, port] = address.split(':')
  const events: string[] = []
  const socket = socketFactory(cluster)({
    host: host!,
    port: Number(port),
    onConnect: () => events.push('connect'),
  })
  socket.on('data', chunk => events.push(`data ${chunk.readInt32BE(4)}`))
  socket.on('end', () => events.push('end'))
  socket.on('error', error => events.push(error.message))
  return { socket, events }
}

test('it connects later than it is made, answers, and ends when the client ends', async () => {
  await using cluster = await createCluster({ time: 'real', brokers: 1 })
  const { socket, events } = open(cluster)
  expect(events).toEqual([])
  await until(() => events.length === 1)
  socket.write(Buffer.concat([hello(1), hello(2)]))
  await until(() => events.length === 3)
  socket.end().unref()
  await until(() => socket.destroyed)
  expect(events).toEqual(['connect', 'data 1', 'data 2', 'end'])
  expect(process.getActiveResourcesInfo().filter(name => name.startsWith('TCP'))).toEqual([])
})

test('a crash ends it, and a broker that is down refuses it until it is back', async () => {
  await using cluster = await createCluster({ time: 'real', brokers: 1 })
  const [broker] = cluster.brokers
  const before = open(cluster)
  before.socket.write(hello(1))
  await until(() => before.events.length === 2)
  await broker!.crash()
  await until(() => before.events.length === 3)
  expect(before.events).toEqual(['connect', 'data 1', 'end'])
  const refused = open(cluster)
  await until(() => refused.events.length === 1)
  expect(refused.events).toEqual(['connect ECONNREFUSED broker-1:9092'])
  await broker!.restart()
  const after = open(cluster)
  after.socket.write(hello(2))
  await until(() => after.events.length === 2)
  expect(after.events).toEqual(['connect', 'data 2'])
})

test('rules of the network meet it by its client id', async () => {
  await using cluster = await createCluster({ time: 'real', brokers: 1 })
  const { socket, events } = open(cluster)
  {
    using _ = cluster.network.rule(reset({ from: 'checkout' }))
    socket.write(hello(1, 'checkout'))
    await until(() => events.length === 2)
  }
  expect(events).toEqual(['connect', 'read ECONNRESET'])
})

test('after the cluster was closed, and at an address of nobody, it is refused', async () => {
  const cluster = await createCluster({ time: 'real', brokers: 1 })
  const nobody = open(cluster, 'localhost:9092')
  const connected = open(cluster)
  connected.socket.write(hello(1))
  await until(() => connected.events.length === 2)
  await cluster.close()
  const late = open(cluster)
  await until(() => late.events.length > 0 && nobody.events.length > 0)
  await sleep(10)
  expect(nobody.events).toEqual(['connect ECONNREFUSED localhost:9092: brokers of this cluster are broker-1:9092'])
  expect(late.events).toEqual(['connect ECONNREFUSED broker-1:9092'])
  expect(connected.events).toEqual(['connect', 'data 1', 'end'])
})

test('virtual time and TLS are one clear line', async () => {
  await using virtual = await createCluster({ brokers: 1 })
  expect(() => socketFactory(virtual)).toThrow(
    "a client with timers of its own cannot ride virtual time: createCluster({ time: 'real' }), which needs no port",
  )
  await using real = await createCluster({ time: 'real', brokers: 1 })
  expect(() => socketFactory(real)({ host: 'broker-1', port: 9092, ssl: true, onConnect() {} })).toThrow(
    'there is no TLS in process: leave ssl out',
  )
})
