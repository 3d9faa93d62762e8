/**
 * Our clients against the listeners of a real Apache Kafka that want to know who is there: SASL by every mechanism that is
 * spoken here, TLS with and without a certificate of the client's own.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { Admin, AuthenticationError, Consumer, KafkaError, Producer, SslAuthenticationError } from '../../src/index.ts'
import { type Oracle, startKafka } from './kafka.mjs'

const oracleOf = inject('oracle')
const hasOpenssl = spawnSync('openssl', ['version'], { stdio: 'ignore' }).status === 0
const missing = oracleOf === undefined ? 'run by vitest.oracle.config.ts' : oracleOf.missing
const module = 'org.apache.kafka.common.security'
const login = {
  PLAIN: `${module}.plain.PlainLoginModule required username="alice" password="alice's secret";`,
  'SCRAM-SHA-256': `${module}.scram.ScramLoginModule required username="sc,r=am" password="pencil";`,
  'SCRAM-SHA-512': `${module}.scram.ScramLoginModule required username="sc,r=am" password="pencil";`,
  OAUTHBEARER: `${module}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="alice";`,
} as const
type Mechanism = keyof typeof login

let kafka: Oracle
let dir: string
let sslPort: number
const port = (which: 'port' | 'port2' | 'port3') => (kafka.node(1) as unknown as Record<string, number>)[which]!
const pem = (name: string) => readFileSync(join(dir, `${name}.pem`), 'utf8')

const sasl = (mechanism: Mechanism, jaas: string = login[mechanism]) =>
  ({
    'bootstrap.servers': `127.0.0.1:${port('port2')}`,
    'security.protocol': 'SASL_PLAINTEXT',
    'sasl.mechanism': mechanism,
    'sasl.jaas.config': jaas,
  }) as const
const ssl = (trusted = 'ca') =>
  ({
    'bootstrap.servers': `localhost:${sslPort}`,
    'security.protocol': 'SSL',
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.certificates': pem(trusted),
  }) as const
const identity = () =>
  ({
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.certificate.chain': pem('client'),
    'ssl.keystore.key': pem('client-key'),
    'ssl.key.password': 'sesame',
  }) as const

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { cwd: dir, stdio: 'ignore' })
}

/** A certificate authority, the broker's certificate, the client's with an encrypted key, and a stranger's authority. */
function makeCertificates(): void {
  for (const name of ['ca', 'stranger']) {
    const subject = ['-subj', `/CN=${name}`, '-days', '2']
    openssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      `${name}-key.pem`,
      '-out',
      `${name}.pem`,
      ...subject,
    )
  }
  const sign = (name: string, alternative: string) => {
    writeFileSync(join(dir, 'names.cnf'), `subjectAltName=${alternative}\n`)
    openssl(
      'req',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      `${name}-plain.pem`,
      '-out',
      `${name}.csr`,
      '-subj',
      `/CN=${name}`,
    )
    const issued = ['-CA', 'ca.pem', '-CAkey', 'ca-key.pem', '-CAcreateserial', '-extfile', 'names.cnf', '-days', '2']
    openssl('x509', '-req', '-in', `${name}.csr`, '-out', `${name}.pem`, ...issued)
  }
  sign('broker', 'DNS:localhost')
  sign('client', 'DNS:client')
  openssl('pkcs8', '-topk8', '-in', 'client-plain.pem', '-out', 'client-key.pem', '-passout', 'pass:sesame')
  openssl(
    'pkcs12',
    '-export',
    '-in',
    'client.pem',
    '-inkey',
    'client-plain.pem',
    '-out',
    'client.p12',
    '-passout',
    'pass:sesame',
  )
  openssl('pkcs8', '-topk8', '-nocrypt', '-in', 'broker-plain.pem', '-out', 'broker-key.pem')
  writeFileSync(join(dir, 'broker-store.pem'), pem('broker-key') + pem('broker'))
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const address = server.address() as { port: number }
  await new Promise(done => server.close(done))
  return address.port
}

beforeAll(async () => {
  if (missing !== undefined || !hasOpenssl) return
  dir = join(oracleOf!.dir, 'security')
  mkdirSync(dir, { recursive: true })
  makeCertificates()
  sslPort = await freePort()
  const listener = 'listener.name.sasl_plaintext'
  const tls = {
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': join(dir, 'broker-store.pem'),
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': join(dir, 'ca.pem'),
  }
  kafka = await startKafka({
    dir: join(dir, 'kafka'),
    configs: { 'auto.create.topics.enable': 'false' },
    brokerConfigs: {
      listeners:
        'PLAINTEXT://127.0.0.1:{port},SASL_PLAINTEXT://127.0.0.1:{port2},' +
        `SASL_SSL://localhost:{port3},SSL://localhost:${sslPort}`,
      'sasl.enabled.mechanisms': Object.keys(login).join(),
      [`${listener}.plain.sasl.jaas.config`]: `${module}.plain.PlainLoginModule required user_alice="alice's secret";`,
      [`${listener}.plain.connections.max.reauth.ms`]: '2000',
      [`${listener}.scram-sha-256.sasl.jaas.config`]: `${module}.scram.ScramLoginModule required;`,
      [`${listener}.scram-sha-512.sasl.jaas.config`]: `${module}.scram.ScramLoginModule required;`,
      [`${listener}.oauthbearer.sasl.jaas.config`]: `${module}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`,
      'listener.name.sasl_ssl.sasl.enabled.mechanisms': 'SCRAM-SHA-512',
      'listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config': `${module}.scram.ScramLoginModule required;`,
      'listener.name.ssl.ssl.client.auth': 'requested',
      ...tls,
    },
  })
  const admin = new Admin({ 'bootstrap.servers': kafka.bootstrapServers })
  await admin.createTopics([{ name: 'orders', partitions: 1, replicationFactor: 1 }])
  for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const) {
    await admin.alterUserScramCredentials([{ user: 'sc,r=am', mechanism, password: 'pencil' }])
  }
  await admin.close()
}, 120_000)

afterAll(async () => {
  await kafka?.stop()
})

/** Sends a record, reads it again, and asks for the cluster: three kinds of clients, each with connections of its own. */
async function works(config: object): Promise<void> {
  const value = `${Math.trunc(performance.now() * 1000)}`
  const producer = new Producer(config)
  const consumer = new Consumer({ ...config, 'auto.offset.reset': 'earliest' })
  const admin = new Admin(config as never)
  try {
    const { offset } = await producer.send({ topic: 'orders', partition: 0, value })
    consumer.assign([{ topic: 'orders', partition: 0 }])
    consumer.seek({ topic: 'orders', partition: 0 }, offset)
    const records = await consumer.poll({ timeoutMs: 10_000 })
    expect(String(records[0]?.value)).toBe(value)
    expect((await admin.describeCluster()).nodes).toHaveLength(1)
  } finally {
    await Promise.all([producer.close(), consumer.close(), admin.close()])
  }
}

/** How each kind of client is refused. */
async function refusals(config: object): Promise<KafkaError[]> {
  const producer = new Producer(config)
  const consumer = new Consumer({ ...config, 'auto.offset.reset': 'earliest' })
  const member = new Consumer({ ...config, 'group.id': 'g' })
  const admin = new Admin(config as never)
  consumer.assign([{ topic: 'orders', partition: 0 }])
  member.subscribe(['orders'])
  const outcome = (call: Promise<unknown>) =>
    call.then(
      () => new Error('it worked'),
      error => error,
    )
  const errors = await Promise.all([
    outcome(producer.send({ topic: 'orders', value: 'x' })),
    outcome(consumer.poll({ timeoutMs: 10_000 })),
    outcome(member.poll({ timeoutMs: 10_000 })),
    outcome(admin.listTopics()),
  ])
  await Promise.all([producer, consumer, member, admin].map(client => client.close({ timeoutMs: 0 })))
  return errors
}

describe.skipIf(missing !== undefined || !hasOpenssl)('against Apache Kafka', () => {
  test.each(Object.keys(login) as Mechanism[])('%s over SASL_PLAINTEXT', async mechanism => {
    await works(sasl(mechanism))
  })

  test('OAUTHBEARER with tokens of a function', async () => {
    const part = (data: object) => Buffer.from(JSON.stringify(data)).toString('base64url')
    let asked = 0
    const token = async () => {
      asked++
      // The broker looks whether it is of the future.
      const now = Date.now() - 1_000
      const value = `${part({ alg: 'none' })}.${part({ sub: 'alice', iat: now / 1000, exp: now / 1000 + 60 })}.`
      return { value, lifetimeMs: 60_000 }
    }
    await works({ ...sasl('OAUTHBEARER'), 'sasl.jaas.config': null, 'sasl.login.callback.handler.class': token })
    expect(asked).toBe(3)
  })

  test.each([
    ['PLAIN', login.PLAIN.replace('secret', 'guess'), 'Authentication failed: Invalid username or password'],
    [
      'SCRAM-SHA-256',
      login['SCRAM-SHA-256'].replace('pencil', 'crayon'),
      'invalid credentials with SASL mechanism SCRAM-SHA-256',
    ],
    [
      'SCRAM-SHA-512',
      login['SCRAM-SHA-512'].replace('sc,r=am', 'nobody'),
      'invalid credentials with SASL mechanism SCRAM-SHA-512',
    ],
    ['OAUTHBEARER', `${login.OAUTHBEARER.slice(0, -1)} unsecuredLoginLifetimeSeconds="-3600";`, 'invalid_token'],
  ] as const)(
    'wrong credentials of %s are refused at once, whoever asks, and for good',
    async (mechanism, jaas, text) => {
      const began = performance.now()
      for (const error of await refusals(sasl(mechanism, jaas))) {
        expect(error).toBeInstanceOf(AuthenticationError)
        expect(error).toMatchObject({
          name: 'SaslAuthenticationError',
          errorName: 'SASL_AUTHENTICATION_FAILED',
          fatal: true,
        })
        expect(error.message).toContain(text)
      }
      expect(performance.now() - began).toBeLessThan(8_000)
    },
  )

  test('a mechanism that the broker does not take is named with those that it takes', async () => {
    const config = {
      ...sasl('PLAIN'),
      ...tlsOf(),
      'security.protocol': 'SASL_SSL',
      'bootstrap.servers': `localhost:${port('port3')}`,
    }
    for (const error of await refusals(config)) {
      expect(error).toMatchObject({ errorName: 'UNSUPPORTED_SASL_MECHANISM', fatal: true })
      expect(error.message).toContain("'PLAIN' not enabled in the server, enabled mechanisms are [SCRAM-SHA-512]")
    }
  })

  const tlsOf = () => ({ 'ssl.truststore.type': 'PEM', 'ssl.truststore.location': join(dir, 'ca.pem') })

  test('SCRAM-SHA-512 over SASL_SSL, the truststore in a file', async () => {
    const server = { 'bootstrap.servers': `localhost:${port('port3')}`, 'security.protocol': 'sasl_ssl' }
    await works({ ...sasl('SCRAM-SHA-512'), ...tlsOf(), ...server })
  })

  test('a session that the broker ends after two seconds is renewed in time: nothing is lost (KIP-368)', async () => {
    const producer = new Producer({ ...sasl('PLAIN'), retries: 0, 'enable.idempotence': false, 'linger.ms': 0 })
    const offsets: number[] = []
    for (let n = 0; n < 50; n++) {
      offsets.push((await producer.send({ topic: 'orders', partition: 0, value: 'x' })).offset)
      await pause(100)
    }
    expect(offsets.map(offset => offset - offsets[0]!)).toEqual(Array.from({ length: 50 }, (_, n) => n))
    await producer.close()
  })

  test.each(['TLSv1.2', 'TLSv1.3'])('SSL without and with a certificate of the client, %s', async version => {
    await works({ ...ssl(), 'ssl.enabled.protocols': version })
    await works({ ...ssl(), ...identity(), 'ssl.enabled.protocols': version })
  })

  test('the certificate of the client in a PKCS12 file, one cipher suite under its Java name', async () => {
    const store = { 'ssl.keystore.type': 'PKCS12', 'ssl.keystore.location': join(dir, 'client.p12') }
    const cipher = 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384'
    const limits = { 'ssl.enabled.protocols': 'TLSv1.2', 'ssl.cipher.suites': cipher }
    await works({ ...ssl(), ...store, 'ssl.keystore.password': 'sesame', ...limits })
  })

  test('a broker that nobody known has vouched for is not spoken to', async () => {
    for (const error of await refusals(ssl('stranger'))) {
      expect(error).toBeInstanceOf(SslAuthenticationError)
      expect(error).toBeInstanceOf(AuthenticationError)
      expect(error.fatal).toBe(true)
      expect(error.message).toMatch(/^SSL handshake with localhost:\d+ failed: /)
    }
  })

  test('a certificate for another host is refused, unless nobody looks', async () => {
    const elsewhere = { ...ssl(), 'bootstrap.servers': `127.0.0.1:${sslPort}` }
    const [error] = await refusals(elsewhere)
    expect(error).toBeInstanceOf(SslAuthenticationError)
    expect(error!.message).toContain("IP: 127.0.0.1 is not in the cert's list")
    await works({ ...elsewhere, 'ssl.endpoint.identification.algorithm': '' })
  })

  test('a client that speaks plain text to a listener with TLS or SASL does not get through', async () => {
    for (const server of [`localhost:${sslPort}`, `127.0.0.1:${port('port2')}`]) {
      const producer = new Producer({ 'bootstrap.servers': server, 'max.block.ms': 500 })
      const error = await producer.send({ topic: 'orders', value: 'x' }).catch(reason => reason)
      expect(error).toBeInstanceOf(KafkaError)
      expect(error.errorName).toBe('REQUEST_TIMED_OUT')
      await producer.close({ timeoutMs: 0 })
    }
  })
})
