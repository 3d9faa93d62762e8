/** Who speaks the wrong way to a listener is answered or closed on, and the trace has a line that says why. */
import { connect as openTls } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Cluster, ConfigError, createCluster, type ListenOptions, type TlsOptions } from '../../src/index.ts'
import { hello, RawSocket, sleep, until } from './raw-socket.ts'
import { converse, type Step } from './sasl-dialogue.ts'
import { password, refusal, saslOf, secured } from './secured.ts'

let cluster: Cluster
beforeAll(async () => {
  cluster = await secured({
    listen: [{}, { tls: true }, { sasl: true }, { name: 'MUTUAL', tls: { requestCert: 'requested' } }],
    configs: { 'ssl.principal.mapping.rules': 'RULE:^CN=(alice|bob)$/$1/' },
  })
})
afterAll(() => cluster?.close())

/** What the trace says of connections, since it was asked for the last time. */
function reasons(): string[] {
  const events = cluster.trace.events().filter(({ kind, number }) => kind === 'connection' && number > seen)
  seen = cluster.trace.count
  return events.flatMap(({ fields: { what, reason } }) =>
    what === 'closed' || what === 'refused' ? [String(reason)] : [],
  )
}
let seen = 0
const server = (listener: string) => cluster.bootstrapServersOf(listener)
const metadata: Step = { ask: 3, version: 12, body: { topics: [] } }

async function sent(listener: string, bytes: Buffer): Promise<void> {
  const raw = new RawSocket(server(listener))
  raw.socket.write(bytes)
  await until(() => raw.closed !== undefined)
}

test.each<[what: string, listener: string, bytes: Buffer, reason: RegExp]>([
  ['plain text to TLS', 'SSL', hello(1), /^TLS: .*(?:wrong version number|packet length too long)/],
  ['HTTP to TLS', 'SSL', Buffer.from('GET / HTTP/1.1\r\n\r\n'), /^TLS: .*http request/],
  [
    'TLS to plain text',
    'PLAINTEXT',
    Buffer.from('16030100c8010000c40303', 'hex'),
    /^a frame of 369295616 bytes, more than socket\.request\.max\.bytes, 104857600$/,
  ],
  [
    'TLS to SASL in plain text',
    'SASL_PLAINTEXT',
    Buffer.from('16030100c8010000c40303', 'hex'),
    /^a frame of 369295616 bytes, more than sasl\.server\.max\.receive\.size, 524288$/,
  ],
  [
    'a frame that is long for nobody known',
    'SASL_PLAINTEXT',
    Buffer.from('0008000100', 'hex'),
    /^a frame of 524289 bytes, more than sasl\.server\.max\.receive\.size, 524288$/,
  ],
  ['nonsense to SASL', 'SASL_PLAINTEXT', Buffer.from('\0\0\0\x03abc'), /^malformed request: /],
])('%s', async (_, listener, bytes, reason) => {
  reasons()
  await sent(listener, bytes)
  expect(reasons()).toContainEqual(expect.stringMatching(reason))
})

test.each<[what: string, steps: Step[], reason: string]>([
  ['a request before authentication', [metadata], 'authentication failed: unexpected Metadata during SASL handshake'],
  [
    'a request instead of a token',
    [{ handshake: 'PLAIN' }, metadata],
    'authentication failed: unexpected Metadata during SASL authentication',
  ],
  [
    'a mechanism that is not enabled',
    [{ handshake: 'GSSAPI' }],
    'authentication failed: a mechanism that is not enabled here',
  ],
  [
    'a token of another form',
    [{ handshake: 'PLAIN' }, { token: 'alice' }],
    'authentication failed: PLAIN: Invalid SASL/PLAIN response: expected 3 tokens, got 1',
  ],
  [
    'a name that is unknown',
    [{ handshake: 'SCRAM-SHA-256' }, { token: 'n,,n=mallory,r=x' }],
    'authentication failed: SCRAM-SHA-256: there is no such user, or without credential',
  ],
])('%s', async (_, steps, reason) => {
  reasons()
  expect((await converse(server('SASL_PLAINTEXT'), steps)).at(-1)).toBe('closed')
  expect(reasons()).toContain(reason)
})

test('authentication where there is nothing to authenticate: ILLEGAL_SASL_STATE, and the connection goes on', async () => {
  const answers = await converse(server('PLAINTEXT'), [{ handshake: 'PLAIN' }, { token: 'x' }, metadata])
  expect(answers.map(each => each.split(' ')[1])).toEqual(['ILLEGAL_SASL_STATE', 'ILLEGAL_SASL_STATE', 'NONE'])
  const error = await refusal({ ...saslOf('PLAIN'), 'bootstrap.servers': server('PLAINTEXT') })
  expect(error).toMatchObject({ errorName: 'ILLEGAL_SASL_STATE', fatal: true })
})

test('a refusal takes its time, and holds nobody else up (M-61)', async () => {
  const slow = await secured({ listen: { sasl: true }, configs: { 'connection.failed.authentication.delay.ms': 300 } })
  const began = performance.now()
  const refused = converse(slow.bootstrapServers, [{ handshake: 'PLAIN' }, { token: '\0alice\0guess' }]).then(
    () => 'refused',
  )
  const good: Step[] = [{ handshake: 'PLAIN' }, { token: `\0alice\0${password}` }, metadata]
  expect(await Promise.race([refused, converse(slow.bootstrapServers, good).then(() => 'let in')])).toBe('let in')
  await refused
  expect(performance.now() - began).toBeGreaterThanOrEqual(299)
  await slow.close()
})

test('a certificate that no rule is for is refused (KIP-371)', async () => {
  reasons()
  const [host, port] = server('MUTUAL').split(':')
  const { cert, key } = cluster.certificate('mallory')
  const socket = openTls({ host: host!, port: Number(port), ca: cluster.ca, cert, key })
  socket.on('error', () => {})
  await until(() => socket.destroyed)
  expect(reasons()).toEqual(["TLS: no rule of ssl.principal.mapping.rules is for 'CN=mallory'"])
})

test('a handshake that does not end holds no cluster up', async () => {
  const other = await createCluster({ brokers: 1, listen: { tls: true } })
  const raw = new RawSocket(other.bootstrapServers)
  raw.socket.write(Buffer.from('16030100', 'hex'))
  await sleep(50)
  await other.close()
  await until(() => raw.closed !== undefined)
  expect(other.brokers.map(broker => broker.openSockets)).toEqual([0])
})

test('nobody may shake hands longer than connections.max.idle.ms, and who shakes them again is cut off (W-6)', async () => {
  const configs = { 'connections.max.idle.ms': 500 }
  await using other = await createCluster({
    brokers: 1,
    listen: [{ tls: true }, { sasl: { users: { alice: 'x' } } }],
    configs,
  })
  const silent = ['', '160301'].map(bytes => [other.bootstrapServersOf('SSL'), bytes] as const)
  const unknown = ['', '000000'].map(bytes => [other.bootstrapServersOf('SASL_PLAINTEXT'), bytes] as const)
  const sockets = [...silent, ...unknown].map(([address, bytes]) => {
    const raw = new RawSocket(address)
    raw.socket.write(Buffer.from(bytes, 'hex'))
    return raw
  })
  const [host, port] = other.bootstrapServers.split(':')
  const again = openTls({ host: host!, port: Number(port), ca: other.ca, maxVersion: 'TLSv1.2' })
  again.on('error', () => {})
  await until(() => again.authorized)
  again.renegotiate({}, () => {})
  await until(() => again.destroyed && sockets.every(({ closed }) => closed !== undefined))
  await until(() => other.brokers[0]!.openSockets === 0)
  const text = other.trace.text()
  expect(text.match(/TLS handshake timeout/g)).toHaveLength(2)
  expect(text.match(/idle for 500 ms/g)).toHaveLength(2)
  expect(text.match(/renegotiation disabled/g)).toHaveLength(1)
})

test.each<[listen: ListenOptions | ListenOptions[], message: string | RegExp]>([
  [{ tls: { cert: 'x' } }, 'listen: tls has a cert without its key'],
  [{ tls: { key: 'x' } }, 'listen: tls has a key without its cert'],
  [{ tls: { cert: 'x', key: 'y' } }, /^listen: cert, key or ca of tls cannot be used: /],
  [{ tls: { crt: 'x' } as TlsOptions }, "unknown option of tls 'crt': did you mean 'cert'?"],
  [
    { tls: { requestCert: 'maybe' } as never },
    "listen: requestCert of tls takes true, false, 'requested' or 'required', not \"maybe\"",
  ],
  [{ tls: 'yes' as never }, 'listen: tls takes true, or options such as { cert, key }, not string'],
  [[], 'listen takes at least one listener'],
  [[{}, {}], 'listen: there are two listeners PLAINTEXT: give one of them another name'],
  [[{ port: 19092 }, { port: 19092, name: 'B' }], 'listen: port 19092 is named twice'],
  [{ name: 'a b' }, "listen: name takes letters, digits, '.', '_' and '-', and is not CONTROLLER, not \"a b\""],
  [
    { name: 'controller' },
    "listen: name takes letters, digits, '.', '_' and '-', and is not CONTROLLER, not \"controller\"",
  ],
  [
    { sasl: { required: true } },
    'sasl of listen: required is for clients in this process: createCluster({ sasl: { required } })',
  ],
])('%j is refused', async (listen, message) => {
  const error = await createCluster({ brokers: 1, listen }).catch(reason => reason)
  expect(error).toBeInstanceOf(ConfigError)
  expect(error.message).toMatch(message)
})

test('certificates are for sockets: on virtual time there are none', async () => {
  const virtual = await createCluster({ brokers: 1 })
  expect(() => virtual.ca).toThrow(
    'certificates are for TLS, and TLS is for sockets: createCluster({ listen: { tls: true } })',
  )
  await virtual.close()
})
