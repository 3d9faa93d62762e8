import fc from 'fast-check'
import { expect, test } from 'vitest'
import { apiVersions } from '../../src/apis/api-versions.ts'
import { metadata } from '../../src/apis/metadata.ts'
import { produce } from '../../src/apis/produce.ts'
import type { Deferred } from '../../src/runtime/runtime.ts'
import type { AnyApi, ResponseInput } from '../../src/wire/api.ts'
import { KafkaError } from '../../src/wire/errors.ts'
import { NodeUnderTest } from './node-under-test.ts'

const all = { topics: null }
const written = { topics: [], brokers: [] }

/** A handler whose answers the test gives by hand. */
function byHand(node: NodeUnderTest): Deferred<ResponseInput<AnyApi> | undefined>[] {
  const asked: Deferred<ResponseInput<AnyApi> | undefined>[] = []
  node.handler = () => {
    const answer = node.life.deferred<ResponseInput<AnyApi> | undefined>()
    asked.push(answer)
    return answer.promise
  }
  return asked
}

test('one request of a connection is handled at a time: the next one waits until the answer was sent (W-4)', async () => {
  const node = new NodeUnderTest()
  const asked = byHand(node)
  const client = await node.client()
  for (const correlation of [1, 2, 3]) client.ask(metadata, correlation, all)
  await node.pass(10)
  expect(asked).toHaveLength(1)
  asked[0]!.resolve(written)
  await node.pass(10)
  expect([asked.length, client.correlations]).toEqual([2, [1]])
  asked[1]!.resolve(written)
  asked[2]?.resolve(written)
  await node.pass(10)
  asked[2]!.resolve(written)
  await node.pass(10)
  expect(client.correlations).toEqual([1, 2, 3])
})

test('a request of another connection does not wait for it (W-4)', async () => {
  const node = new NodeUnderTest()
  const asked = byHand(node)
  const [one, other] = [await node.client('one'), await node.client('other')]
  one.ask(metadata, 1, all)
  other.ask(metadata, 2, all)
  await node.pass(10)
  asked[1]!.resolve(written)
  await node.pass(10)
  expect([one.correlations, other.correlations]).toEqual([[], [2]])
})

test('answers of one connection come in the order of its requests, however long each takes (W-2)', async () => {
  const step = fc.record({ takes: fc.nat(20), wait: fc.nat(5), isSync: fc.boolean() })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async steps => {
      const node = new NodeUnderTest()
      node.handler = (_, __, { correlationId }) => {
        const { takes, isSync } = steps[correlationId]!
        return isSync ? written : node.life.sleep(takes).then(() => written)
      }
      const client = await node.client()
      for (const [correlation, { wait }] of steps.entries()) {
        client.ask(metadata, correlation, all)
        await node.pass(wait)
      }
      await node.pass(1_000)
      expect(client.correlations).toEqual(steps.map((_, i) => i))
    }),
    { numRuns: 50 },
  )
})

test('ApiVersions, Metadata and ApiVersions in one write are answered in that order (W-2)', async () => {
  const node = new NodeUnderTest()
  const client = await node.client()
  client.ask(apiVersions, 1, { clientSoftwareName: 'x', clientSoftwareVersion: '1' })
  client.ask(metadata, 2, all)
  client.ask(apiVersions, 3, { clientSoftwareName: 'x', clientSoftwareVersion: '1' })
  await node.pass(10)
  expect(client.correlations).toEqual([1, 2, 3])
})

test('a request without an answer (acks=0) lets the next one through (W-4)', async () => {
  const node = new NodeUnderTest()
  node.handler = api => (api.name === 'Produce' ? undefined : written)
  const client = await node.client()
  client.ask(produce, 1, { acks: 0, timeoutMs: 1_000, topicData: [] })
  client.ask(metadata, 2, all)
  await node.pass(10)
  expect([client.correlations, node.handled.map(({ api }) => api)]).toEqual([[2], ['Produce', 'Metadata']])
})

test('a handler knows version, correlation id, client id, and who asks: a client or a peer', async () => {
  const node = new NodeUnderTest()
  const [client, peer] = [await node.client('producer-1'), await node.client('broker-2')]
  client.ask(metadata, 5, all, 12)
  peer.ask(metadata, 6, all)
  await node.pass(10)
  expect(node.handled.map(({ context }) => context)).toMatchObject([
    { version: 12, correlationId: 5, clientId: 'me', from: 'producer-1', peer: undefined },
    { version: 13, correlationId: 6, clientId: 'me', from: 'broker-2', peer: 2 },
  ])
})

test('what cannot be understood closes its connection with a reason in the trace, and hurts nothing else (W-5)', async () => {
  const node = new NodeUnderTest()
  const [bad, good] = [await node.client('bad'), await node.client('good')]
  const asked = byHand(node)
  good.ask(metadata, 1, all)
  await node.pass(5)
  bad.send('00ff')
  await node.pass(5)
  asked[0]!.resolve(written)
  await node.pass(5)
  expect([bad.closed, bad.answers]).toEqual(['malformed request: 2 bytes expected, 0 left', []])
  expect(node.refusals).toEqual(['malformed request: 2 bytes expected, 0 left'])
  expect(good.correlations).toEqual([1])
})

test('requests that wait behind one that closes the connection are never handled', async () => {
  const node = new NodeUnderTest()
  const asked = byHand(node)
  const client = await node.client()
  client.ask(metadata, 1, all)
  client.send('0003ffff')
  client.ask(metadata, 2, all)
  await node.pass(5)
  asked[0]!.resolve(written)
  await node.pass(5)
  expect([client.correlations, client.closed, node.handled.length]).toEqual([
    [1],
    'malformed request: 4 bytes expected, 0 left',
    1,
  ])
})

test('no bytes whatever end the process: they are answered, or the connection is closed (W-5)', async () => {
  const keys = fc.constantFrom(0, 1, 2, 3, 18, 19, 20, 22, 23, 32, 37, 43, 60, 61, 75, 999)
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    // With a header that may be right, so that the body is reached.
    fc
      .tuple(keys, fc.nat(20), fc.nat(), fc.uint8Array({ maxLength: 60 }))
      .map(([key, version, correlation, rest]) =>
        Uint8Array.of(
          0,
          key & 0xff,
          0,
          version,
          ...Buffer.from((correlation >>> 0).toString(16).padStart(8, '0'), 'hex'),
          0,
          0,
          ...rest,
        ),
      ),
  )
  await fc.assert(
    fc.asyncProperty(bytes, async frame => {
      const node = new NodeUnderTest()
      node.handler = () => node.life.deferred<undefined>().promise
      const client = await node.client()
      client.send(Buffer.from(frame).toString('hex'))
      await node.pass(10)
      const outcomes = [client.closed !== undefined, node.handled.length > 0, client.answers.length > 0]
      expect(outcomes.filter(Boolean)).toHaveLength(1)
      expect(node.refusals).toHaveLength(client.closed === undefined ? 0 : 1)
      expect(node.time.trace.events().filter(({ kind }) => kind === 'bug')).toEqual([])
    }),
    { numRuns: 500 },
  )
})

test('a handler that throws a KafkaError refuses to go on: the connection is closed, nothing else', async () => {
  for (const isSync of [true, false]) {
    const node = new NodeUnderTest()
    node.handler = () => {
      if (isSync) throw new KafkaError('INVALID_REQUEST', 'not like this')
      return Promise.reject(new KafkaError('INVALID_REQUEST', 'not like this'))
    }
    const client = await node.client()
    client.ask(metadata, 1, all)
    await node.pass(10)
    expect(client.closed).toContain('Metadata failed: ')
    expect(client.closed).toContain('not like this')
  }
})

test('any other exception of a handler is a bug: whatever the test waits for rejects with it', async () => {
  for (const fail of [
    () => {
      throw new TypeError('a bug')
    },
    () => Promise.reject(new TypeError('a bug')),
    async () => {
      await undefined
      throw new TypeError('a bug')
    },
  ]) {
    const node = new NodeUnderTest()
    node.handler = fail
    const client = await node.client()
    client.ask(metadata, 1, all)
    await expect(node.pass(10)).rejects.toThrow(new TypeError('a bug'))
  }
})

test.each([true, false])('so is one in a request that had to wait for its turn (thrown: %s)', async thrown => {
  const node = new NodeUnderTest()
  node.handler = (_, __, { correlationId }) => {
    if (correlationId === 1) return node.life.sleep(5).then(() => written)
    const error = new TypeError('a bug')
    if (thrown) throw error
    return node.life.sleep(5).then(() => Promise.reject(error))
  }
  const client = await node.client()
  client.ask(metadata, 1, all)
  client.ask(metadata, 2, all)
  await expect(node.pass(50)).rejects.toThrow(new TypeError('a bug'))
})

test('the client goes while its request is in hand: the handler is told once, and what it answers goes nowhere', async () => {
  const node = new NodeUnderTest()
  const told: string[] = []
  let answer: Deferred<ResponseInput<AnyApi>> | undefined
  node.handler = (_, __, { closed, correlationId }) => {
    closed.onClose(() => told.push(`${correlationId} ${closed.isClosed}`))
    answer = node.life.deferred()
    return answer.promise
  }
  const client = await node.client()
  client.ask(metadata, 1, all)
  await node.pass(5)
  client.channel.close('gone')
  await node.pass(5)
  answer!.resolve(written)
  await node.pass(5)
  expect([told, client.answers, node.handled.length]).toEqual([['1 true'], [], 1])
})

test('a handler that no longer listens is not told, and neither is one that has answered', async () => {
  const node = new NodeUnderTest()
  const told: number[] = []
  node.handler = (_, __, { closed, correlationId }) => {
    const unlisten = closed.onClose(() => told.push(correlationId))
    if (correlationId === 2) unlisten()
    return correlationId === 2 ? node.life.deferred<undefined>().promise : written
  }
  const client = await node.client()
  client.ask(metadata, 1, all)
  client.ask(metadata, 2, all)
  await node.pass(5)
  client.channel.close('gone')
  await node.pass(5)
  expect(told).toEqual([])
})

test('every request and every response is an event of the trace', async () => {
  const node = new NodeUnderTest()
  const client = await node.client('producer-1')
  client.ask(metadata, 7, all)
  await node.pass(5)
  expect(node.time.trace.events().map(({ kind, who, fields }) => [kind, who, fields])).toEqual([
    ['request', 'producer-1', { to: 'broker-1', api: 'Metadata', version: 13, correlation: 7 }],
    ['response', 'broker-1', { to: 'producer-1', api: 'Metadata', correlation: 7 }],
  ])
})

test('an async handler that waits for nothing answers before anything else happens, hop or no hop', async () => {
  const orders = await Promise.all(
    [false, true].map(async hopAlways => {
      const node = new NodeUnderTest({ hopAlways })
      const order: string[] = []
      node.handler = async () => {
        await undefined
        order.push('handled')
        return written
      }
      const client = await node.client()
      client.ask(metadata, 1, all)
      for (let ms = 0; ms <= 2; ms++) node.time.after(ms, () => order.push(`${ms}`))
      await node.pass(5)
      return order
    }),
  )
  expect(orders[0]).toEqual(orders[1])
})

test('a client that takes no answers is not served on: nothing of it waits at the node but what the way holds (W-4)', async () => {
  const node = new NodeUnderTest()
  const megabyte = 'x'.repeat(30_000)
  node.handler = () => ({ ...written, topics: Array.from({ length: 40 }, () => ({ name: megabyte, partitions: [] })) })
  const client = await node.client()
  client.channel.pause()
  for (let id = 1; id <= 40; id++) client.ask(metadata, id, all)
  await node.pass(100)
  // Eight MiB are what a link holds.
  expect(node.handled.length).toBe(7)
  client.channel.resume()
  await node.pass(100)
  expect(client.correlations).toEqual(Array.from({ length: 40 }, (_, i) => i + 1))
})

test('while a node is paused one request of each connection is withheld, the others stay on the way, and come in order', async () => {
  const node = new NodeUnderTest()
  const [one, other] = [await node.client('one'), await node.client('other')]
  await node.pass(5)
  node.life.pause()
  for (let id = 1; id <= 5; id++) one.ask(metadata, id, all)
  for (let id = 1; id <= 5; id++) other.ask(metadata, id, all)
  one.channel.close('gone')
  await node.pass(50)
  expect(node.handled).toEqual([])
  node.life.resume()
  await node.pass(50)
  const handledOf = (name: string) =>
    node.handled.filter(({ context }) => context.from === name).map(({ context }) => context.correlationId)
  expect([handledOf('one'), handledOf('other')]).toEqual([
    [1, 2, 3, 4, 5],
    [1, 2, 3, 4, 5],
  ])
  expect(other.correlations).toEqual([1, 2, 3, 4, 5])
})
