import { expect, test } from 'vitest'
import { metadata } from '../../src/apis/metadata.ts'
import { produce } from '../../src/apis/produce.ts'
import { disconnect, type InterceptedRequest } from '../../src/node/intercept.ts'
import { joined } from '../../src/wire/frame.ts'
import { encodeResponse } from '../../src/wire/header.ts'
import { NodeUnderTest } from './node-under-test.ts'

const all = { topics: null }
const plain = { brokers: [], topics: [] }
const from = (nodeId: number) => ({ brokers: [{ nodeId, host: 'h', port: 1 }], topics: [] })
const hex = (correlation: number, body: Parameters<typeof encodeResponse<typeof metadata>>[3]) =>
  Buffer.from(joined(encodeResponse(metadata, 13, correlation, body).slices)).toString('hex')

test('observe: the interceptor sees request and answer, and changes nothing', async () => {
  const node = new NodeUnderTest()
  const seen: unknown[] = []
  node.interceptors.install(metadata, async (request, next) => {
    const { api, version, clientId, from, peer, node } = request
    seen.push([api.name, version, clientId, from, peer, node, request.body.topics])
    const answer = await next()
    seen.push(answer)
    return answer
  })
  const client = await node.client('broker-2')
  client.ask(metadata, 1, all)
  await node.pass(10)
  expect(seen).toEqual([['Metadata', 13, 'me', 'broker-2', 2, 1, null], plain])
  expect([client.answers, node.handled.length]).toEqual([[hex(1, plain)], 1])
})

test('refuse: without next nothing happens on the broker', async () => {
  const node = new NodeUnderTest()
  node.interceptors.install(metadata, () => from(9))
  const client = await node.client()
  client.ask(metadata, 1, all)
  await node.pass(10)
  expect([client.answers, node.handled]).toEqual([[hex(1, from(9))], []])
})

test('late: the answer comes when the interceptor has slept, and holds up what is behind it (W-4)', async () => {
  const node = new NodeUnderTest()
  let times = 0
  node.interceptors.install(metadata, async (request, next) => {
    if (times++ === 0) await request.sleep(500)
    return next()
  })
  const client = await node.client()
  client.ask(metadata, 1, all)
  client.ask(metadata, 2, all)
  await node.pass(499)
  expect(client.correlations).toEqual([])
  await node.pass(10)
  expect(client.correlations).toEqual([1, 2])
})

test('apply, then fail: it has happened, and the client hears another story', async () => {
  const node = new NodeUnderTest()
  node.interceptors.install(metadata, async (_, next) => {
    await next()
    return from(9)
  })
  const client = await node.client()
  client.ask(metadata, 1, all)
  await node.pass(10)
  expect([client.answers, node.handled.length]).toEqual([[hex(1, from(9))], 1])
})

test('edit: the handler gets another request, the client another answer', async () => {
  const node = new NodeUnderTest()
  node.interceptors.install(metadata, async (request, next) => {
    const answer = await next({ ...request.body, topics: [] })
    return answer === undefined || answer === disconnect ? answer : { ...answer, clusterId: 'edited' }
  })
  const client = await node.client()
  client.ask(metadata, 1, all)
  await node.pass(10)
  expect(node.handled.map(({ body }) => body.topics)).toEqual([[]])
  expect(client.answers).toEqual([hex(1, { ...plain, clusterId: 'edited' })])
})

test.each([true, false])(
  'disconnect (applied first: %s): the connection is closed instead of an answer',
  async applied => {
    const node = new NodeUnderTest()
    node.interceptors.install(metadata, async (_, next) => {
      if (applied) await next()
      return disconnect
    })
    const client = await node.client()
    client.ask(metadata, 1, all)
    client.ask(metadata, 2, all)
    await node.pass(10)
    expect([client.answers, client.closed, node.handled.length]).toEqual([
      [],
      'Metadata was answered by closing the connection',
      applied ? 1 : 0,
    ])
    expect(node.refusals).toEqual(['Metadata was answered by closing the connection'])
  },
)

test('no answer: undefined is what acks=0 gives', async () => {
  const node = new NodeUnderTest()
  node.interceptors.install(metadata, () => undefined)
  const client = await node.client()
  client.ask(metadata, 1, all)
  client.ask(produce, 2, { acks: 1, timeoutMs: 1, topicData: [] })
  node.handler = () => ({ responses: [] })
  await node.pass(10)
  expect([client.correlations, client.closed]).toEqual([[2], undefined])
})

test('the first installed is asked first and hears of the answer last; a removed one is not asked', async () => {
  const node = new NodeUnderTest()
  const order: string[] = []
  const install = (name: string) =>
    node.interceptors.install(metadata, async (_, next) => {
      order.push(name)
      const answer = await next()
      order.push(`${name} after`)
      return answer
    })
  const [, second] = [install('1'), install('2'), install('3')]
  second()
  second()
  const client = await node.client()
  client.ask(metadata, 1, all)
  await node.pass(10)
  expect([order, node.interceptors.size]).toEqual([['1', '3', '3 after', '1 after'], 2])
})

test('other APIs are not asked about', async () => {
  const node = new NodeUnderTest()
  node.interceptors.install(produce, () => disconnect)
  const client = await node.client()
  client.ask(metadata, 1, all)
  await node.pass(10)
  expect([client.correlations, node.interceptors.of(3)]).toEqual([[1], undefined])
})

test('an interceptor that throws ends the run with what it threw: a failed expectation fails the test', async () => {
  for (const isSync of [true, false]) {
    const node = new NodeUnderTest()
    node.interceptors.install(metadata, () => {
      const error = new Error('expected 3 to be 4')
      if (isSync) throw error
      return Promise.reject(error)
    })
    const client = await node.client()
    client.ask(metadata, 1, all)
    await expect(node.pass(10)).rejects.toThrow('expected 3 to be 4')
  }
})

test('real I/O of an interceptor makes time stand still, while it waits for the broker time runs', async () => {
  const node = new NodeUnderTest()
  let before = -1
  let after = -1
  node.handler = () => node.life.sleep(200).then(() => plain)
  node.interceptors.install(metadata, async (_, next) => {
    const answer = await next()
    before = node.passed()
    await new Promise(resolve => setTimeout(resolve, 30))
    after = node.passed()
    return answer
  })
  const client = await node.client()
  client.ask(metadata, 1, all)
  await node.pass(10_000)
  expect(before).toBeGreaterThanOrEqual(200)
  expect(after).toBe(before)
  expect(client.correlations).toEqual([1])
})

test('next may be asked for twice: then it has happened twice', async () => {
  const node = new NodeUnderTest()
  node.interceptors.install(metadata, async (_, next) => {
    await next()
    return next()
  })
  const client = await node.client()
  client.ask(metadata, 1, all)
  await node.pass(10)
  expect([node.handled.length, client.correlations]).toEqual([2, [1]])
})

test('a crash under an interceptor that sleeps: no answer, and nothing goes on', async () => {
  const node = new NodeUnderTest()
  let request: InterceptedRequest | undefined
  let wentOn = false
  node.interceptors.install(metadata, async (asked, next) => {
    request = asked
    await asked.sleep(100)
    wentOn = true
    return next()
  })
  const client = await node.client()
  client.ask(metadata, 1, all)
  await node.pass(10)
  node.life.end()
  await node.pass(1_000)
  expect([request?.api.name, wentOn, client.answers, node.handled]).toEqual(['Metadata', false, [], []])
})
