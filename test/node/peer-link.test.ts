import { expect, test } from 'vitest'
import { metadata } from '../../src/apis/metadata.ts'
import type { Address } from '../../src/network/channel.ts'
import { Life } from '../../src/node/life.ts'
import { LifeCarrier } from '../../src/node/life-carrier.ts'
import { PeerLink } from '../../src/node/peer-link.ts'
import { NodeUnderTest } from './node-under-test.ts'

const all = { topics: null }

/** Another node, and its link to the node under test. */
class Peer {
  readonly node = new NodeUnderTest()
  readonly life = new Life(this.node.time)
  readonly outcomes: string[] = []
  address: Address | undefined = { host: 'broker-1', port: 1 }
  readonly link = new PeerLink({
    life: this.life,
    carrier: new LifeCarrier(this.life, this.node.network, 'broker-2'),
    name: 'broker-2',
    address: () => this.address,
  })

  ask(name: string, timeoutMs = 5_000): void {
    this.link.send(metadata, all, timeoutMs, {
      onResponse: () => this.outcomes.push(`${name} answered at ${this.node.passed()}`),
      onLost: error => this.outcomes.push(`${name} lost: ${error.message}`),
    })
  }
}

const names = (outcomes: readonly string[]) => outcomes.map(outcome => outcome.replace(/ at \d+$/, ''))

test('the connection is made when it is needed, and kept', async () => {
  const peer = new Peer()
  peer.ask('1')
  peer.ask('2')
  await peer.node.pass(10)
  peer.ask('3')
  await peer.node.pass(10)
  expect(names(peer.outcomes)).toEqual(['1 answered', '2 answered', '3 answered'])
  expect(peer.node.handled.map(({ context }) => [context.from, context.peer, context.version])).toEqual(
    Array(3).fill(['broker-2', 2, 13]),
  )
})

test('without an address a request is lost, but not within the call', async () => {
  const peer = new Peer()
  peer.address = undefined
  peer.ask('1')
  expect(peer.outcomes).toEqual([])
  await peer.node.pass(5)
  peer.address = { host: 'broker-1', port: 1 }
  peer.ask('2')
  await peer.node.pass(5)
  expect(names(peer.outcomes)).toEqual(['1 lost: broker-2 does not know where to connect', '2 answered'])
})

test('where nobody listens a request is lost, and the next one tries again', async () => {
  const peer = new Peer()
  peer.node.life.end()
  peer.ask('1')
  await peer.node.pass(5)
  peer.node.start()
  peer.ask('2')
  await peer.node.pass(5)
  expect(names(peer.outcomes)).toEqual(['1 lost: broker-2 found nobody listening at broker-1:1', '2 answered'])
})

test('a connection that was lost is made again', async () => {
  const peer = new Peer()
  peer.ask('1')
  await peer.node.pass(5)
  peer.node.life.end()
  await peer.node.pass(5)
  peer.node.start()
  peer.ask('2')
  await peer.node.pass(5)
  expect(names(peer.outcomes)).toEqual(['1 answered', '2 answered'])
})

test('the timeout covers the making of the connection: under a cut a request is lost in time', async () => {
  const peer = new Peer()
  const cut = peer.node.network.rules.install('cut', () => 'hold')
  peer.ask('1', 1_000)
  await peer.node.pass(999)
  expect(peer.outcomes).toEqual([])
  await peer.node.pass(1)
  expect(peer.outcomes).toEqual(['1 lost: broker-2 could not send Metadata: no connection within 1000 ms'])
  peer.ask('2', 60_000)
  cut.dispose()
  await peer.node.pass(10)
  expect(names(peer.outcomes.slice(1))).toEqual(['2 answered'])
  expect(peer.node.handled).toHaveLength(1)
})

test('closing loses what is in flight and what waits for the connection; the next request makes a new one', async () => {
  const peer = new Peer()
  peer.ask('1')
  peer.link.close('another leader')
  expect(peer.outcomes).toEqual(['1 lost: broker-2 gave the connection up: another leader'])
  peer.ask('2')
  await peer.node.pass(10)
  peer.node.handler = () => peer.node.life.deferred<undefined>().promise
  peer.ask('3')
  await peer.node.pass(10)
  peer.link.close('another leader')
  await peer.node.pass(10)
  expect(names(peer.outcomes.slice(1))).toEqual([
    '2 answered',
    '3 lost: the connection to broker-1 was closed: another leader',
  ])
})

test('of a dead node nothing is told', async () => {
  const peer = new Peer()
  peer.node.network.rules.install('cut', () => 'hold')
  peer.ask('1', 1_000)
  peer.life.end()
  await peer.node.pass(5_000)
  expect(peer.outcomes).toEqual([])
})
