/** Our clients over TLS: to a cluster that listens, through a server that decrypts what comes for it. */
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { createServer, type Server, type TlsOptions } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { metadata } from '../../src/apis/metadata.ts'
import { opensslCipher } from '../../src/client/authentication/cipher-names.ts'
import {
  Admin,
  AuthenticationError,
  type Cluster,
  ConfigError,
  Consumer,
  createCluster,
  KafkaError,
  Producer,
  type ProducerOptions,
  SslAuthenticationError,
} from '../../src/index.ts'

const path = (name: string) => fileURLToPath(new URL(`../data/tls/${name}`, import.meta.url))
const pem = (name: string) => readFileSync(path(name), 'utf8')

let cluster: Cluster | undefined
let server: Server | undefined
afterEach(async () => {
  await cluster?.close()
  server?.close()
  cluster = undefined
  server = undefined
})

/** A cluster of one broker behind TLS; answers where, and collects the names that clients show and the versions agreed on. */
async function start(options: TlsOptions = {}, ca = 'ca.pem') {
  cluster = await createCluster({ brokers: 1, listen: true, topics: { orders: {} } })
  const [host, plainPort] = cluster.bootstrapServers.split(':')
  const seen: string[] = []
  server = createServer({ cert: pem('broker.pem'), key: pem('broker-key.pem'), ca: pem(ca), ...options }, socket => {
    const { subject } = socket.getPeerCertificate()
    seen.push(`${socket.getProtocol()} ${socket.getCipher().name} ${subject?.CN ?? 'nobody'}`)
    const inner = connect({ host: host!, port: Number(plainPort) })
    socket.pipe(inner).pipe(socket)
    for (const each of [socket, inner])
      each.on('error', () => {}).on('close', () => [socket, inner].map(one => one.destroy()))
  })
  server.on('tlsClientError', () => {})
  const listening = server
  await new Promise<void>(done => listening.listen(0, 'localhost', done))
  const { port } = listening.address() as { port: number }
  cluster.intercept(metadata, async (_, next) => {
    const answer = await next()
    if (answer === undefined || typeof answer === 'string') return answer
    return { ...answer, brokers: answer.brokers.map(broker => ({ ...broker, host: 'localhost', port })) }
  })
  const address = (name = 'localhost') =>
    ({ 'bootstrap.servers': `${name}:${port}`, 'security.protocol': 'SSL' }) as const
  return { seen, address }
}

const trust = { 'ssl.truststore.type': 'PEM', 'ssl.truststore.certificates': pem('ca.pem') } as const
const identity = {
  'ssl.keystore.type': 'PEM',
  'ssl.keystore.certificate.chain': pem('client.pem'),
  'ssl.keystore.key': pem('client-key.pem'),
  'ssl.key.password': 'sesame',
} as const

async function works(config: ProducerOptions & object): Promise<void> {
  const producer = new Producer({ ...config, 'linger.ms': 0 })
  const consumer = new Consumer({ ...(config as object), 'auto.offset.reset': 'earliest' })
  const admin = new Admin(config as never)
  try {
    const large = 'x'.repeat(300_000)
    const sends = [large, 'y'].map(value => producer.send({ topic: 'orders', value }))
    expect((await Promise.all(sends)).map(({ offset }) => offset)).toEqual([0, 1])
    consumer.assign([{ topic: 'orders', partition: 0 }])
    const values: string[] = []
    while (values.length < 2) {
      for (const { value } of await consumer.poll({ timeoutMs: 5_000 })) values.push(String(value))
    }
    expect(values).toEqual([large, 'y'])
    expect((await admin.listTopics()).map(({ name }) => name)).toEqual(['orders'])
  } finally {
    await Promise.all([producer.close(), consumer.close(), admin.close()])
  }
}

async function refusal(config: ProducerOptions): Promise<KafkaError> {
  const producer = new Producer({ ...config, 'max.block.ms': 5_000 })
  const error = await producer.send({ topic: 'orders', value: 'x' }).then(
    () => new Error('it was sent'),
    reason => reason,
  )
  await producer.close({ timeoutMs: 0 })
  expect(error).toBeInstanceOf(KafkaError)
  return error
}

test('all clients work over TLS, and trust whom the truststore names', async () => {
  const { seen, address } = await start()
  await works({ ...address(), ...trust })
  expect(new Set(seen.map(line => line.split(' ')[0]))).toEqual(new Set(['TLSv1.3']))
  expect(seen[0]).toMatch(/ nobody$/)
})

test.each([
  ['texts, the key encrypted', identity],
  [
    'a PKCS12 file',
    {
      'ssl.keystore.type': 'PKCS12',
      'ssl.keystore.location': path('client.p12'),
      'ssl.keystore.password': 'sesame',
    },
  ],
])('a broker that asks for a certificate is shown that of the client: %s', async (_, shown) => {
  const { seen, address } = await start({ requestCert: true, rejectUnauthorized: true })
  await works({ ...address(), ...trust, ...shown })
  expect(seen.every(line => line.endsWith(' client'))).toBe(true)
})

test('one version of TLS, one cipher suite, and the truststore in a file', async () => {
  const { seen, address } = await start()
  await works({
    ...address(),
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': path('ca.pem'),
    'ssl.enabled.protocols': ['TLSv1.2'],
    'ssl.cipher.suites': 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
  })
  expect(new Set(seen)).toEqual(new Set(['TLSv1.2 ECDHE-ECDSA-AES256-GCM-SHA384 nobody']))
})

test('whom nobody known has vouched for is refused at once, and for good', async () => {
  const { address } = await start()
  for (const certificates of [pem('stranger.pem'), null]) {
    const error = await refusal({ ...address(), ...trust, 'ssl.truststore.certificates': certificates })
    expect(error).toBeInstanceOf(SslAuthenticationError)
    expect(error).toBeInstanceOf(AuthenticationError)
    expect(error).toMatchObject({ name: 'SslAuthenticationError', fatal: true, retriable: false })
    expect(error.message).toMatch(/^SSL handshake with localhost:\d+ failed: .*certificate/)
  }
})

test('a client that the broker does not trust learns it under TLS 1.3, too, where it is told late', async () => {
  for (const version of ['TLSv1.2', 'TLSv1.3']) {
    const { address } = await start({ requestCert: true, rejectUnauthorized: true })
    const error = await refusal({ ...address(), ...trust, 'ssl.enabled.protocols': version })
    expect([version, error.name]).toEqual([version, 'SslAuthenticationError'])
    expect(error.message).toMatch(/handshake failure|certificate required/i)
    await cluster?.close()
    server?.close()
  }
})

test('a certificate for another host is refused, unless ssl.endpoint.identification.algorithm is empty', async () => {
  const { address } = await start({}, 'ca.pem')
  const elsewhere = { ...address(), ...trust, 'bootstrap.servers': address('127.0.0.1')['bootstrap.servers'] }
  const error = await refusal(elsewhere)
  expect(error.name).toBe('SslAuthenticationError')
  expect(error.message).toContain("IP: 127.0.0.1 is not in the cert's list")
  await works({ ...elsewhere, 'ssl.endpoint.identification.algorithm': '' })
})

test('who speaks no TLS there is no business of trust: it is tried again until time is up', async () => {
  cluster = await createCluster({ brokers: 1, listen: true })
  const config = { 'bootstrap.servers': cluster.bootstrapServers, 'security.protocol': 'SSL', ...trust } as const
  const producer = new Producer({ ...config, 'max.block.ms': 300 })
  await expect(producer.send({ topic: 'orders', value: 'x' })).rejects.toMatchObject({ errorName: 'REQUEST_TIMED_OUT' })
  await producer.close({ timeoutMs: 0 })
})

test('files, texts and names that cannot be meant are refused when the client is made', () => {
  const refused = (config: ProducerOptions) => {
    try {
      new Producer({ 'bootstrap.servers': 'localhost:1', 'security.protocol': 'SSL', ...config }).close({
        timeoutMs: 0,
      })
      return 'taken'
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError)
      return (error as Error).message
    }
  }
  const wrong: [config: ProducerOptions, text: string | RegExp][] = [
    [
      { 'ssl.truststore.location': '/nonexistent.jks' },
      /^ssl\.truststore\.type JKS cannot be read by Node: set it to PEM/,
    ],
    [
      { ...trust, 'ssl.truststore.certificates': null, 'ssl.truststore.location': 'no.pem' },
      /^ssl\.truststore\.location: ENOENT/,
    ],
    [{ ...trust, 'ssl.truststore.certificates': 'x' }, /^ssl\.truststore\.certificates holds no certificate/],
    [{ ...trust, 'ssl.truststore.location': path('ca.pem') }, /set one of them$/],
    [
      { 'ssl.truststore.certificates': pem('ca.pem') },
      'ssl.truststore.certificates is for PEM, but ssl.truststore.type is JKS: set it to PEM',
    ],
    [
      { 'ssl.keystore.location': path('client.p12') },
      'ssl.keystore.type JKS cannot be read by Node: PEM and PKCS12 can',
    ],
    [
      { 'ssl.keystore.type': 'PEM', 'ssl.keystore.location': path('ca.pem') },
      /^ssl\.keystore\.location holds no private key/,
    ],
    [{ ...identity, 'ssl.keystore.type': 'JKS' }, /^ssl\.keystore\.certificate\.chain is for PEM/],
    [{ ...identity, 'ssl.keystore.key': null }, 'ssl.keystore.certificate.chain needs ssl.keystore.key'],
    [{ ...identity, 'ssl.keystore.certificate.chain': null }, 'ssl.keystore.key needs ssl.keystore.certificate.chain'],
    [
      { ...identity, 'ssl.key.password': 'simsim' },
      /^one of ssl\.cipher\.suites, ssl\.keystore\.\* or ssl\.truststore\.\* cannot be used/,
    ],
    [{ 'ssl.cipher.suites': 'TLS_NO_SUCH' }, /cannot be used: .*no cipher match/i],
    [{ 'ssl.enabled.protocols': 'SSLv3' }, /^ssl\.enabled\.protocols: there is no 'SSLv3'/],
    [
      { 'ssl.enabled.protocols': 'TLSv1.3', 'ssl.protocol': 'TLSv1.2' },
      /^ssl\.enabled\.protocols has no version up to/,
    ],
    [{ ...trust, ...identity }, 'taken'],
    [{}, 'taken'],
  ]
  for (const [config, text] of wrong) expect(refused(config)).toMatch(text)
})

test('cipher suites have the names of OpenSSL', () => {
  const names: [java: string, openssl: string][] = [
    ['TLS_AES_256_GCM_SHA384', 'TLS_AES_256_GCM_SHA384'],
    ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'],
    ['TLS_DHE_RSA_WITH_AES_256_CBC_SHA256', 'DHE-RSA-AES256-SHA256'],
    ['TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256', 'ECDHE-ECDSA-CHACHA20-POLY1305'],
    ['TLS_RSA_WITH_AES_128_CBC_SHA', 'AES128-SHA'],
    ['ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'],
  ]
  for (const [java, openssl] of names) expect(opensslCipher(java)).toBe(openssl)
})
