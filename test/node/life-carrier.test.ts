import { expect, test } from 'vitest'
import { metadata } from '../../src/apis/metadata.ts'
import { LifeCarrier } from '../../src/node/life-carrier.ts'
import { frameOf } from '../../src/wire/frame.ts'
import { End } from '../network/ends.ts'
import { NodeUnderTest, RawClient } from './node-under-test.ts'

const all = { topics: null }
const label = { kind: 'request', api: 'raw' } as const

test('when a node dies its connections break and nobody listens there any more', async () => {
  const node = new NodeUnderTest()
  const client = await node.client()
  node.life.end()
  await node.pass(5)
  expect(client.closed).toBe('broker-1 is gone')
  await expect(node.client()).rejects.toThrow('found nobody listening at broker-1:1')
})

test('the next life listens at the same address, and knows nothing of the connections of the dead', async () => {
  const node = new NodeUnderTest()
  const before = await node.client()
  before.ask(metadata, 1, all)
  node.life.end()
  node.start()
  const after = await node.client()
  after.ask(metadata, 2, all)
  before.ask(metadata, 3, all)
  await node.pass(10)
  expect([before.correlations, after.correlations]).toEqual([[], [2]])
})

test('an answer that was on its way when the node died still arrives: the kernel sends what it has', async () => {
  const node = new NodeUnderTest()
  const client = await node.client()
  node.network.rules.install('slow', ({ from }) => (from === 'broker-1' ? { afterMs: 50 } : 'pass'))
  client.ask(metadata, 1, all)
  await node.pass(5)
  node.life.end()
  await node.pass(200)
  expect([client.correlations, client.closed]).toEqual([[1], 'broker-1 is gone'])
})

test('a request in hand when the node dies is never answered, and its handler is not told of it', async () => {
  const node = new NodeUnderTest()
  const told: string[] = []
  const answer = node.life.deferred<undefined>()
  node.handler = (_, __, { closed }) => {
    closed.onClose(() => told.push('closed'))
    return answer.promise
  }
  const client = await node.client()
  client.ask(metadata, 1, all)
  await node.pass(5)
  node.life.end()
  answer.resolve(undefined)
  await node.pass(5)
  expect([client.answers, client.closed, told]).toEqual([[], 'broker-1 is gone', []])
})

test('a paused node takes nothing in: requests and connections wait, and are served in order when it goes on', async () => {
  const node = new NodeUnderTest()
  const early = await node.client('early')
  node.life.pause()
  early.ask(metadata, 1, all)
  const late = await node.client('late')
  late.ask(metadata, 2, all)
  early.ask(metadata, 3, all)
  await node.pass(1_000)
  expect([node.handled.length, early.closed, late.closed]).toEqual([0, undefined, undefined])
  node.life.resume()
  await node.pass(10)
  expect([early.correlations, late.correlations]).toEqual([[1, 3], [2]])
})

test('nobody takes up a connection while the node is paused, and the dead take up none', async () => {
  const node = new NodeUnderTest()
  const taken: string[] = []
  const carrier = new LifeCarrier(node.life, node.network, 'broker-1')
  carrier.listen('side door', { host: 'side', port: 1 }, channel => taken.push(channel.peer))
  node.life.pause()
  const connect = (name: string) =>
    node.time.drive('connect', () => node.network.connect(name, { host: 'side', port: 1 }))
  await connect('one')
  expect(taken).toEqual([])
  node.life.resume()
  await node.pass(5)
  expect(taken).toEqual(['one'])
  node.life.pause()
  const two = new RawClient(await connect('two'))
  node.life.end()
  await node.pass(5)
  expect([taken, two.closed]).toEqual([['one'], 'broker-1 is gone'])
})

test('a client that gave up while the node was paused is served to its end, then gone', async () => {
  const node = new NodeUnderTest()
  const client = await node.client()
  node.life.pause()
  client.ask(metadata, 1, all)
  await node.pass(5)
  client.channel.close('request timed out')
  await node.pass(5)
  node.life.resume()
  await node.pass(5)
  expect(node.handled.map(({ context }) => context.closed.isClosed)).toEqual([true])
})

test('a connection made for a node that died meanwhile is closed at once', async () => {
  const node = new NodeUnderTest()
  const ends: End[] = []
  node.network.listen('peer', { host: 'peer', port: 1 }, channel => ends.push(new End(channel, node.passed)))
  let connected = false
  void new LifeCarrier(node.life, node.network, 'broker-1').connect('broker-1', { host: 'peer', port: 1 }).then(() => {
    connected = true
  })
  node.life.end()
  await node.pass(10)
  expect([connected, ends.map(end => end.seen)]).toEqual([false, [['closed: nobody is left to use it']]])
})

test('a connection made for a paused node is the node’s when it goes on, with what arrived meanwhile', async () => {
  const node = new NodeUnderTest()
  const carrier = new LifeCarrier(node.life, node.network, 'broker-1')
  node.network.listen('peer', { host: 'peer', port: 1 }, channel => {
    channel.send(frameOf([Uint8Array.of(1, 2)]), label)
    channel.close('that was all')
  })
  let client: RawClient | undefined
  void carrier.connect('broker-1', { host: 'peer', port: 1 }).then(channel => {
    client = new RawClient(channel)
  })
  node.life.pause()
  await node.pass(100)
  expect(client).toBeUndefined()
  node.life.resume()
  await node.pass(5)
  expect([client?.answers, client?.closed]).toEqual([['0102'], 'that was all'])
})

test('after its own close an end hears nothing, not even what a pause withheld', async () => {
  const node = new NodeUnderTest()
  const carrier = new LifeCarrier(node.life, node.network, 'broker-1')
  const peers: End[] = []
  node.network.listen('peer', { host: 'peer', port: 1 }, channel => peers.push(new End(channel, node.passed)))
  const channel = await node.time.drive('connect', () => carrier.connect('broker-1', { host: 'peer', port: 1 }))
  const heard: string[] = []
  channel.receive({
    onFrame: () => {
      heard.push('frame')
      channel.close('enough')
    },
    onClose: () => heard.push('close'),
  })
  node.life.pause()
  peers[0]!.send('1', '2')
  await node.pass(5)
  peers[0]!.channel.close('bye')
  await node.pass(5)
  expect([heard, channel.isClosed]).toEqual([[], false])
  node.life.resume()
  await node.pass(5)
  expect([heard, channel.isClosed]).toEqual([['frame'], true])
})
