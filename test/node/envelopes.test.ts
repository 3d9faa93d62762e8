import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createTopics } from '../../src/apis/create-topics.ts'
import { endTxn } from '../../src/apis/end-txn.ts'
import { envelope } from '../../src/apis/envelope.ts'
import { encodePrincipal, principalData } from '../../src/apis/principal-data.ts'
import { CreateTopics, createCluster } from '../../src/index.ts'
import { answered, disclosed, enclosed, opened } from '../../src/node/envelopes.ts'
import { KafkaError } from '../../src/wire/errors.ts'
import { joined } from '../../src/wire/frame.ts'
import { encodeRequest, encodeResponse } from '../../src/wire/header.ts'
import { ask, nameOf } from '../apis/asking.ts'
import { differences, protocol } from '../apis/protocol.ts'

const alice = {
  principal: { type: 'User', name: 'alice' },
  byToken: false,
  host: '10.0.0.7',
  clientId: 'checkout',
  correlationId: 42,
}
const wanted = { topics: [], timeoutMs: 1000, validateOnly: false }
const letter = () => enclosed(createTopics, wanted, alice)
const bytes = (...values: number[]) => Uint8Array.from(values)

test('what is in an envelope comes out as it went in: who, from where, under which ids (KIP-590)', () => {
  const arbitrary = fc.record({
    principal: fc.record({ type: fc.constantFrom('User', 'Group'), name: fc.string({ unit: 'binary' }) }),
    byToken: fc.boolean(),
    host: fc.ipV4(),
    clientId: fc.option(fc.string()),
    correlationId: fc.integer(),
  })
  fc.assert(
    fc.property(arbitrary, requester => {
      const found = opened(enclosed(createTopics, wanted, requester) as never)
      if (found instanceof KafkaError) throw found
      const { host, clientId, correlationId, principal, byToken } = requester
      expect(found).toMatchObject({
        header: { api: createTopics, apiVersion: 7, clientId, correlationId },
        body: wanted,
        principal: { ...principal, tokenAuthenticated: byToken },
        host,
      })
    }),
  )
})

test.each([
  ['::1', '0:0:0:0:0:0:0:1'],
  ['::', '0:0:0:0:0:0:0:0'],
  ['2001:db8::8:800:200c:417a', '2001:db8:0:0:8:800:200c:417a'],
  ['fe80::1%lo', 'fe80:0:0:0:0:0:0:1'],
  ['::ffff:127.0.0.1', '127.0.0.1'],
  ['64:ff9b::1.2.3.4', '64:ff9b:0:0:0:0:102:304'],
])('the address %s arrives as Java writes it: %s', (host, text) => {
  expect(opened(enclosed(createTopics, wanted, { ...alice, host }) as never)).toMatchObject({ host: text })
})

test('the serialized principal is Kafka’s DefaultPrincipalData: its version, then the fields', () => {
  expect(differences(principalData, protocol.data.find(each => each.name === 'DefaultPrincipalData')!)).toEqual([])
  const written = encodePrincipal({ type: 'User', name: 'al', tokenAuthenticated: true })
  expect([...written]).toEqual([0, 0, 5, ...Buffer.from('User'), 3, ...Buffer.from('al'), 1, 0])
})

test('an envelope that nobody can open is refused with Kafka’s codes', () => {
  const frame = (api: typeof createTopics, version: number, body: object) =>
    joined(encodeRequest({ ...api, versions: { min: 0, max: 99 } }, version, 1, null, body as never).slices)
  const wrong = (change: object) => {
    const found = opened({ ...letter(), ...change } as never)
    return found instanceof KafkaError ? found.errorName : 'opened'
  }
  expect(wrong({})).toBe('opened')
  expect(wrong({ requestPrincipal: null })).toBe('PRINCIPAL_DESERIALIZATION_FAILURE')
  expect(wrong({ requestPrincipal: bytes(0, 9, 1) })).toBe('PRINCIPAL_DESERIALIZATION_FAILURE')
  expect(wrong({ clientHostAddress: bytes(1, 2, 3) })).toBe('INVALID_REQUEST')
  expect(wrong({ requestData: bytes(0, 19, 0, 7) })).toBe('UNSUPPORTED_VERSION')
  expect(wrong({ requestData: bytes(0, 99, 0, 7, 0, 0, 0, 0, 0, 0) })).toBe('UNSUPPORTED_VERSION')
  expect(wrong({ requestData: letter().requestData.subarray(0, 20) })).toBe('INVALID_REQUEST')
  // Only what the controller decides is forwarded: no transaction, no envelope in an envelope.
  const end = joined(
    encodeRequest(endTxn, 3, 1, null, { transactionalId: 't', producerId: 1, producerEpoch: 0, committed: true })
      .slices,
  )
  expect(wrong({ requestData: end })).toBe('INVALID_REQUEST')
  expect(wrong({ requestData: joined(encodeRequest(envelope, 0, 1, null, letter()).slices) })).toBe('INVALID_REQUEST')
  const tooNew = Uint8Array.from(frame(createTopics, 7, wanted))
  tooNew[3] = 8
  expect(wrong({ requestData: tooNew })).toBe('UNSUPPORTED_VERSION')
})

test('the answer comes back the same way; an error of the envelope itself is thrown', () => {
  const response = { throttleTimeMs: 0, topics: [] }
  const back = answered(encodeResponse(createTopics, 7, alice.correlationId, response))
  expect(disclosed(createTopics, back as never, alice)).toEqual(response)
  expect(() => disclosed(createTopics, { errorCode: 31, responseData: null }, alice)).toThrow('did not open')
  expect(() => disclosed(createTopics, { errorCode: 0, responseData: null }, alice)).toThrow('empty')
})

test('whoever looks at the controller sees the request in the envelope, with the client’s own id, sent by a broker', async () => {
  await using cluster = await createCluster({ brokers: 1 })
  const seen: unknown[] = []
  cluster.intercept(CreateTopics, ({ node, peer, from, clientId, version }, next) => {
    seen.push({ node, peer, from, clientId, version })
    return next()
  })
  await ask(cluster, 1, createTopics, { topics: [], timeoutMs: 1000 }, 5)
  expect(seen).toEqual([
    { node: 1, peer: undefined, from: 'asker', clientId: 'asker', version: 5 },
    { node: 1000, peer: 1, from: 'broker-1', clientId: 'asker', version: 5 },
  ])
  expect(cluster.trace.text()).toContain('CreateTopics')
  expect(cluster.trace.text()).not.toContain('Envelope')
})

test('with an authorizer only brokers have their envelopes opened: of others they are CLUSTER_AUTHORIZATION_FAILED', async () => {
  await using cluster = await createCluster({ brokers: 1, authorizer: 'standard' })
  const { errorCode, responseData } = await ask(cluster, 1000, envelope, letter())
  expect([nameOf(errorCode), responseData]).toEqual(['CLUSTER_AUTHORIZATION_FAILED', null])
})
