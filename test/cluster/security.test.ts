/** Clusters with TLS and SASL on their listeners, and our clients at them: over TCP, and in process. */
import { afterEach, describe, expect, test } from 'vitest'
import { describeCluster } from '../../src/apis/describe-cluster.ts'
import { metadata } from '../../src/apis/metadata.ts'
import { type Cluster, SslAuthenticationError } from '../../src/index.ts'
import { jaasOf, mechanisms, password, refusal, saslOf, secured, works } from './secured.ts'

let cluster: Cluster | undefined
afterEach(async () => {
  await cluster?.close()
  cluster = undefined
})

const closures = () => {
  const events = cluster!.trace.events().filter(({ kind }) => kind === 'connection')
  return events.flatMap(({ fields: { what, reason } }) =>
    what === 'closed' || what === 'refused' ? [String(reason)] : [],
  )
}
const trusting = () => ({ 'ssl.truststore.type': 'PEM', 'ssl.truststore.certificates': cluster!.ca }) as const

describe.each(['SASL_PLAINTEXT', 'SASL_SSL'] as const)('%s', protocol => {
  test.each(mechanisms)('a client says who it is by %s, and works (M-60, M-62, M-63, M-65)', async mechanism => {
    cluster = await secured({ listen: { tls: protocol === 'SASL_SSL', sasl: true } })
    const tls = protocol === 'SASL_SSL' ? trusting() : {}
    const server = { 'bootstrap.servers': cluster.bootstrapServers, 'security.protocol': protocol }
    await works({ ...saslOf(mechanism), ...tls, ...server })
    const said = cluster.trace.events().filter(({ fields }) => fields.what === 'authenticated')
    expect(new Set(said.map(({ fields: { as, by } }) => `${as} by ${by}`))).toEqual(
      new Set([`User:alice by ${mechanism}`]),
    )
  })
})

test.each([
  ['PLAIN', 'Authentication failed: Invalid username or password'],
  ['SCRAM-SHA-256', 'invalid credentials with SASL mechanism SCRAM-SHA-256'],
  ['SCRAM-SHA-512', 'invalid credentials with SASL mechanism SCRAM-SHA-512'],
] as const)(
  '%s: a wrong password and an unknown name are refused alike, and for good (M-61)',
  async (mechanism, text) => {
    cluster = await secured({ listen: { sasl: true } })
    const server = { 'bootstrap.servers': cluster.bootstrapServers }
    for (const login of [jaasOf(mechanism, 'alice', 'guess'), jaasOf(mechanism, 'mallory')]) {
      const error = await refusal({ ...saslOf(mechanism), ...server, 'sasl.jaas.config': login })
      expect(error).toMatchObject({ errorName: 'SASL_AUTHENTICATION_FAILED', fatal: true })
      expect(error.message).toContain(text)
    }
    expect(closures().some(reason => reason.startsWith(`authentication failed: ${mechanism}: `))).toBe(true)
  },
)

test('a mechanism that is not enabled is refused with those that are (M-61)', async () => {
  cluster = await secured({ listen: { sasl: { mechanisms: ['SCRAM-SHA-512'] } } })
  const error = await refusal({ ...saslOf('PLAIN'), 'bootstrap.servers': cluster.bootstrapServers })
  expect(error).toMatchObject({ errorName: 'UNSUPPORTED_SASL_MECHANISM', fatal: true })
  expect(error.message).toContain('enabled mechanisms are [SCRAM-SHA-512]')
  expect(closures()).toContain('authentication failed: a mechanism that is not enabled here')
})

test('credentials come and go by alterUserScramCredentials (KIP-554)', async () => {
  cluster = await secured({ listen: { sasl: true } })
  const server = { 'bootstrap.servers': cluster.bootstrapServers }
  const admin = cluster.admin()
  const login = saslOf('SCRAM-SHA-256', 'carol', 'first')
  expect(await refusal({ ...login, ...server })).toMatchObject({ errorName: 'SASL_AUTHENTICATION_FAILED' })
  await admin.alterUserScramCredentials([{ user: 'carol', mechanism: 'SCRAM-SHA-256', password: 'first' }])
  await works({ ...login, ...server })
  await admin.alterUserScramCredentials([{ user: 'carol', mechanism: 'SCRAM-SHA-256', deletion: true }])
  expect(await refusal({ ...login, ...server })).toMatchObject({ errorName: 'SASL_AUTHENTICATION_FAILED' })
  // Those of the options are in the metadata log, too.
  expect([...(await admin.describeUserScramCredentials([])).keys()]).toEqual(['alice', 'bob'])
})

test('SSL without and with a certificate of the client; who it is, is the name in it (M-65)', async () => {
  cluster = await secured({ listen: { tls: { requestCert: 'requested' } } })
  const { cert, key } = cluster.certificate('CN=alice,OU=Sales,O=Example')
  const server = { 'bootstrap.servers': cluster.bootstrapServers, 'security.protocol': 'SSL', ...trusting() }
  const identity = { 'ssl.keystore.type': 'PEM', 'ssl.keystore.certificate.chain': cert, 'ssl.keystore.key': key }
  await works(server)
  await works({ ...server, ...identity })
  expect(await principalsOf(cluster)).toEqual(['User:ANONYMOUS', 'User:CN=alice,OU=Sales,O=Example'])
})

/** Who has been there, as handlers know it. */
async function principalsOf(of: Cluster): Promise<string[]> {
  const ofClients = of.requests({ from: 'clients' }).filter(({ from }) => /^(?:producer|consumer|admin)-|@/.test(from))
  return [...new Set(ofClients.map(({ principal }) => principal))].sort()
}

test('rules make principals of the names in certificates (KIP-371)', async () => {
  const configs = { 'ssl.principal.mapping.rules': 'RULE:^CN=(.*?),OU=Sales.*$/$1/L,DEFAULT' }
  cluster = await secured({ listen: { tls: { requestCert: true } }, configs })
  const server = { 'bootstrap.servers': cluster.bootstrapServers, 'security.protocol': 'SSL', ...trusting() }
  for (const subject of ['CN=ALICE,OU=Sales,O=Example', 'bob']) {
    const { cert, key } = cluster.certificate(subject)
    await works({
      ...server,
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.certificate.chain': cert,
      'ssl.keystore.key': key,
    })
  }
  expect(await principalsOf(cluster)).toEqual(['User:CN=bob', 'User:alice'])
})

test('a client without a certificate, or with one of nobody known, is not let in where one is required', async () => {
  cluster = await secured({ listen: { tls: { requestCert: true } } })
  const server = { 'bootstrap.servers': cluster.bootstrapServers, 'security.protocol': 'SSL', ...trusting() }
  expect(await refusal(server)).toBeInstanceOf(SslAuthenticationError)
  const other = await secured({ listen: { tls: true } })
  const { cert, key } = other.certificate('alice')
  await other.close()
  const stranger = { 'ssl.keystore.type': 'PEM', 'ssl.keystore.certificate.chain': cert, 'ssl.keystore.key': key }
  await refusal({ ...server, ...stranger, 'max.block.ms': 300 })
  expect(closures().filter(reason => reason.startsWith('TLS: '))).toEqual(
    expect.arrayContaining([
      expect.stringContaining('peer did not return a certificate'),
      expect.stringContaining('its certificate is not trusted: '),
    ]),
  )
})

test('every listener has endpoints of its own; clients stay with the one that they came by (W-40)', async () => {
  cluster = await secured({
    brokers: 3,
    listen: [{ name: 'INTERNAL' }, { name: 'EXTERNAL', advertisedHost: 'localhost', tls: true, sasl: true }],
  })
  const [internal, external] = ['INTERNAL', 'EXTERNAL'].map(name => cluster!.bootstrapServersOf(name))
  expect(cluster.bootstrapServers).toBe(internal)
  expect(external).toMatch(/^localhost:\d+,localhost:\d+,localhost:\d+$/)
  await works({ 'bootstrap.servers': internal }, 3)
  await works(
    { ...saslOf('SCRAM-SHA-256'), ...trusting(), 'bootstrap.servers': external, 'security.protocol': 'SASL_SSL' },
    3,
  )
  for (const api of [metadata, describeCluster]) {
    for (const { answer, from } of cluster.requests({ api, from: 'clients' })) {
      const servers = answer!.brokers!.map(({ host, port }) => `${host}:${port}`)
      expect([internal, external], `${from}`).toContain(servers.join(','))
    }
  }
  expect(() => cluster!.bootstrapServersOf('OTHER')).toThrow("no listener 'OTHER'; there are INTERNAL, EXTERNAL")
})

describe('in process', () => {
  test.each(mechanisms)('a client may say who it is by %s, on virtual time', async mechanism => {
    cluster = await secured()
    await cluster.producer(saslOf(mechanism)).send({ topic: 'orders', value: 'paid' })
    await cluster.producer().send({ topic: 'orders', value: 'paid' })
    expect(await principalsOf(cluster)).toEqual(['User:ANONYMOUS', 'User:alice'])
    const wrong = cluster.producer(saslOf('PLAIN', 'alice', 'guess')).send({ topic: 'orders', value: 'paid' })
    await expect(wrong).rejects.toMatchObject({ errorName: 'SASL_AUTHENTICATION_FAILED' })
  })

  test('the test may say who a client is', async () => {
    cluster = await secured({ sasl: { users: { alice: password }, required: true } })
    await cluster.producer({ principal: 'User:carol' }).send({ topic: 'orders', value: 'paid' })
    await cluster.consumer({ principal: 'Group:team' }).partitionsFor('orders')
    await cluster.admin({ principal: 'User:a:b' }).listTopics()
    expect(await principalsOf(cluster)).toEqual(['Group:team', 'User:a:b', 'User:carol'])
    expect(() => cluster!.producer({ principal: 'carol' })).toThrow('principal is written \'User:alice\', not "carol"')
  })

  test('and where authentication is required, nobody gets in without', async () => {
    cluster = await secured({ sasl: { users: { alice: password }, required: true } })
    const error = await cluster
      .producer({ 'max.block.ms': 500 })
      .send({ topic: 'orders', value: 'x' })
      .catch(reason => reason)
    expect(error).toMatchObject({ errorName: 'REQUEST_TIMED_OUT' })
    expect(closures()).toContain('authentication failed: unexpected Metadata during SASL handshake')
    await cluster.producer(saslOf('SCRAM-SHA-512')).send({ topic: 'orders', value: 'paid' })
  })
})
