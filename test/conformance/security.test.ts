/** Foreign clients at listeners that ask who is there: each mechanism, in plain text and over TLS, and certificates. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Cluster, createCluster } from '../../src/index.ts'
import { unsigned } from '../cluster/sasl-dialogue.ts'
import { jaasOf, type Mechanism, mechanisms, password } from '../cluster/secured.ts'
import { clientNames, readClient, whyNotInstalled } from './client.ts'
import { Driver } from './driver.ts'

let cluster: Cluster
let folder: string
let certificate: { cert: string; key: string }

beforeAll(async () => {
  cluster = await createCluster({
    brokers: 2,
    listen: [{ sasl: true }, { tls: true, sasl: true }, { tls: { requestCert: 'requested' } }],
    sasl: { users: { alice: password }, mechanisms },
  })
  certificate = cluster.certificate('CN=alice,O=Example')
  folder = mkdtempSync(join(tmpdir(), 'mini-kafka-certificates-'))
  for (const [name, text] of Object.entries({ ca: cluster.ca, ...certificate })) writeFileSync(fileOf(name), text)
})

afterAll(async () => {
  await cluster?.close()
  if (folder !== undefined) rmSync(folder, { recursive: true })
})

const fileOf = (name: string) => join(folder, `${name}.pem`)

/** All that a driver has to know, in the words of each client; `own`: with a certificate. */
function securityOf(protocol: string, mechanism: Mechanism | undefined, own = false): object {
  const java: Record<string, string> = { 'security.protocol': protocol }
  const librdkafka: Record<string, string> = { 'security.protocol': protocol }
  const said: Record<string, unknown> = { java, librdkafka }
  if (protocol.endsWith('SSL')) {
    said.tls = { ca: cluster.ca, ...(own ? certificate : {}) }
    said.files = { ca: fileOf('ca'), ...(own ? { cert: fileOf('cert'), key: fileOf('key') } : {}) }
    Object.assign(java, { 'ssl.truststore.type': 'PEM', 'ssl.truststore.certificates': cluster.ca })
    librdkafka['ssl.ca.location'] = fileOf('ca')
    if (own) {
      const { cert, key } = certificate
      Object.assign(java, {
        'ssl.keystore.type': 'PEM',
        'ssl.keystore.certificate.chain': cert,
        'ssl.keystore.key': key,
      })
      Object.assign(librdkafka, { 'ssl.certificate.location': fileOf('cert'), 'ssl.key.location': fileOf('key') })
    }
  }
  if (mechanism === undefined) return said
  Object.assign(java, { 'sasl.mechanism': mechanism, 'sasl.jaas.config': jaasOf(mechanism) })
  librdkafka['sasl.mechanisms'] = mechanism
  if (mechanism === 'OAUTHBEARER') {
    const now = Math.floor(Date.now() / 1000)
    said.sasl = { mechanism, token: unsigned({ sub: 'alice', iat: now - 1, exp: now + 3600 }) }
    librdkafka['enable.sasl.oauthbearer.unsecure.jwt'] = 'true'
    librdkafka['sasl.oauthbearer.config'] = 'principal=alice'
  } else {
    said.sasl = { mechanism, username: 'alice', password }
    Object.assign(librdkafka, { 'sasl.username': 'alice', 'sasl.password': password })
  }
  return said
}

/** Writes and reads a record; answers as whom. */
async function principalsOf(name: string, listener: string, security: object): Promise<string[]> {
  const topic = `${name}-${process.hrtime.bigint()}`
  await cluster.createTopic({ name: topic, partitions: 1, replicationFactor: 2 })
  const others = new Set(cluster.requests({ from: 'external' }).map(({ from }) => from))
  const driver = await Driver.start(readClient(name), cluster.bootstrapServersOf(listener), security)
  try {
    const value = Buffer.from('paid').toString('base64')
    const producer = { acks: 'all', compression: 'none', idempotent: false } as const
    await driver.ask('produce', { producer, records: [{ topic, partition: 0, key: null, value }] })
    const { records } = await driver.ask('read', { topic, partitions: 1, count: 1 })
    expect(records.map(each => each.value)).toEqual([value])
  } finally {
    await driver.end()
  }
  const open = ['ApiVersions', 'SaslHandshake', 'SaslAuthenticate']
  const asked = cluster
    .requests({ from: 'external' })
    .filter(({ from, api }) => !others.has(from) && !open.includes(api))
  return [...new Set(asked.map(({ principal }) => principal))]
}

describe.each(clientNames)('%s', name => {
  const client = readClient(name)
  const missing = whyNotInstalled(client)
  const { sasl = mechanisms } = client.can
  const spoken = mechanisms.filter(mechanism => sasl.includes(mechanism))

  describe.skipIf(missing !== undefined)(missing ?? 'installed', () => {
    describe.each(['SASL_PLAINTEXT', 'SASL_SSL'])('%s', protocol => {
      test.each(spoken)('%s: it is let in, as who it is (M-60…M-65)', async mechanism => {
        expect(await principalsOf(name, protocol, securityOf(protocol, mechanism))).toEqual(['User:alice'])
      })
    })

    test('SSL, without a certificate and with one (M-65)', async () => {
      expect(await principalsOf(name, 'SSL', securityOf('SSL', undefined))).toEqual(['User:ANONYMOUS'])
      expect(await principalsOf(name, 'SSL', securityOf('SSL', undefined, true))).toEqual(['User:CN=alice,O=Example'])
    })
  })
})
