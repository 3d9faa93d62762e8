// What it costs to ask who is there: connections per second by each way in, and records per second over TLS; brokers of others
// can stand beside ours.
//   node bench/security.mjs [NAME=COMMAND …]
// COMMAND starts a broker that owns a topic `bench` with 4 partitions and a user alice with the password secret, prints its
// bootstrap servers on its first line, and ends on SIGTERM. The environment says what it speaks: BENCH_TLS_CERT and BENCH_TLS_KEY
// (files) or nothing, BENCH_SASL (a mechanism) or nothing. Rounds of all of them are interleaved; medians.
import { spawn } from 'node:child_process'
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect as openSocket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { createInterface } from 'node:readline'
import { connect as openTls } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { Consumer, createCluster, Producer } from 'mini-kafka'

const median = values => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
const whole = value => Math.round(value).toLocaleString('en')
const ROUNDS = 4
const ROUND_MS = 1_500
/** Logins that are under way at a time. */
const AT_ONCE = 8
const RECORDS = 20_000

const folder = mkdtempSync(join(tmpdir(), 'mini-kafka-bench-'))
const authority = await createCluster({ brokers: 1, listen: { tls: true } })
const { cert, key } = authority.certificate('CN=bench')
const { ca } = authority
await authority.close()
const files = { BENCH_TLS_CERT: join(folder, 'cert.pem'), BENCH_TLS_KEY: join(folder, 'key.pem') }
writeFileSync(files.BENCH_TLS_CERT, cert)
writeFileSync(files.BENCH_TLS_KEY, key)

// --- a login, as bytes: nothing of ours is measured at the client's end ----------------------------------------------------

const text = value => Buffer.concat([Buffer.of(value.length >> 8, value.length & 0xff), Buffer.from(value)])
function request(apiKey, version, body) {
  const header = Buffer.concat([Buffer.of(0, apiKey, 0, version, 0, 0, 0, 1), text('bench'), body])
  const size = Buffer.alloc(4)
  size.writeInt32BE(header.length)
  return Buffer.concat([size, header])
}
const apiVersions = request(18, 0, Buffer.alloc(0))
const handshake = mechanism => request(17, 1, text(mechanism))
function authenticate(token) {
  const length = Buffer.alloc(4)
  length.writeInt32BE(token.length)
  return request(36, 0, Buffer.concat([length, token]))
}

/** Of a SaslAuthenticate answer of version 0; throws where it is a refusal. */
function tokenIn(frame) {
  const code = frame.readInt16BE(4)
  if (code !== 0) throw new Error(`error ${code}`)
  const messageLength = Math.max(0, frame.readInt16BE(6))
  return frame.subarray(8 + messageLength + 4)
}

const salted = new Map()
function scramFinal(first, challenge) {
  const fields = new Map(challenge.split(',').map(part => [part[0], part.slice(2)]))
  const salt = fields.get('s')
  if (!salted.has(salt)) {
    salted.set(salt, pbkdf2Sync('secret', Buffer.from(salt, 'base64'), Number(fields.get('i')), 32, 'sha256'))
  }
  const hmac = (by, data) => createHmac('sha256', by).update(data).digest()
  const clientKey = hmac(salted.get(salt), 'Client Key')
  const withoutProof = `c=biws,r=${fields.get('r')}`
  const signature = hmac(createHash('sha256').update(clientKey).digest(), `${first},${challenge},${withoutProof}`)
  return `${withoutProof},p=${Buffer.from(clientKey.map((byte, i) => byte ^ signature[i])).toString('base64')}`
}

class Line {
  #bytes = Buffer.alloc(0)
  #wake

  constructor(socket) {
    this.socket = socket
    socket.on('data', chunk => {
      this.#bytes = Buffer.concat([this.#bytes, chunk])
      this.#take()
    })
    socket.on('close', () => this.#wake?.reject(new Error('closed')))
  }

  ask(bytes) {
    this.socket.write(bytes)
    return new Promise((resolve, reject) => {
      this.#wake = { resolve, reject }
    })
  }

  #take() {
    if (this.#bytes.length < 4 || this.#bytes.length < 4 + this.#bytes.readInt32BE(0)) return
    const frame = this.#bytes.subarray(4, 4 + this.#bytes.readInt32BE(0))
    this.#bytes = this.#bytes.subarray(4 + frame.length)
    this.#wake.resolve(frame)
  }
}

async function login(server, { tls, mechanism }) {
  const [host, port] = server.split(':')
  const at = { host, port: Number(port), noDelay: true }
  const socket = tls ? openTls({ ...at, ca, checkServerIdentity: () => undefined }) : openSocket(at)
  socket.on('error', () => {})
  await once(socket, tls ? 'secureConnect' : 'connect')
  const line = new Line(socket)
  await line.ask(apiVersions)
  if (mechanism !== undefined) await line.ask(handshake(mechanism))
  if (mechanism === 'PLAIN') tokenIn(await line.ask(authenticate(Buffer.from('\0alice\0secret'))))
  if (mechanism === 'SCRAM-SHA-256') {
    const first = 'n=alice,r=bench'
    const challenge = tokenIn(await line.ask(authenticate(Buffer.from(`n,,${first}`))))
    tokenIn(await line.ask(authenticate(Buffer.from(scramFinal(first, challenge.toString())))))
  }
  socket.destroy()
}

async function logins(server, way) {
  for (let i = 0; i < 50; i++) await login(server, way)
  const from = performance.now()
  let count = 0
  const worker = async () => {
    while (performance.now() - from < ROUND_MS) {
      await login(server, way)
      count++
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return (count / (performance.now() - from)) * 1000
}

// --- records ---------------------------------------------------------------------------------------------------------------

async function records(server, { tls }) {
  const config = {
    'bootstrap.servers': server,
    ...(tls && {
      'security.protocol': 'SSL',
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.certificates': ca,
      'ssl.endpoint.identification.algorithm': '',
    }),
  }
  // kfake's producer ids are beyond 2^53, which our clients refuse.
  const settings = { acks: 'all', 'enable.idempotence': false, 'batch.size': 256 * 1024, 'linger.ms': 5 }
  const producer = new Producer({ ...config, ...settings })
  const value = new Uint8Array(1000)
  const { offset } = await producer.send({ topic: 'bench', partition: 0, value })
  const from = performance.now()
  let last
  for (let sent = 1; sent <= RECORDS; sent++) {
    last = producer.send({ topic: 'bench', partition: 0, value })
    if (sent % 10_000 === 0) await last
  }
  await last
  const produced = performance.now()
  await producer.close()
  const consumer = new Consumer({ ...config, 'auto.offset.reset': 'earliest', 'max.poll.records': 5_000 })
  consumer.assign([{ topic: 'bench', partition: 0 }])
  consumer.seek({ topic: 'bench', partition: 0 }, offset)
  const begun = performance.now()
  let read = 0
  while (read < RECORDS) for (const _ of await consumer.poll({ timeoutMs: 1_000 })) read++
  const consumed = performance.now()
  await consumer.close()
  return { produce: (RECORDS / (produced - from)) * 1000, consume: (read / (consumed - begun)) * 1000 }
}

// --- brokers ---------------------------------------------------------------------------------------------------------------

async function start(command, { tls, mechanism }) {
  const env = { ...process.env, ...(tls && files), ...(mechanism && { BENCH_SASL: mechanism }) }
  const child = spawn('bash', ['-c', `exec ${command}`], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const [servers] = await once(createInterface({ input: child.stdout }), 'line')
  return {
    server: servers.split(',')[0],
    async stop() {
      child.kill('SIGTERM')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    },
  }
}

const script = fileURLToPath(new URL('secured-cluster.mjs', import.meta.url))
const contenders = { ours: `${process.execPath} ${script}` }
for (const argument of process.argv.slice(2)) {
  const at = argument.indexOf('=')
  contenders[argument.slice(0, at)] = argument.slice(at + 1)
}

/** Rounds of all contenders in turn; the first one warms up. */
async function compare(what, way, measure) {
  const running = {}
  for (const [name, command] of Object.entries(contenders)) running[name] = await start(command, way)
  const figures = {}
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, { server }] of Object.entries(running)) {
      const measured = await measure(server, way)
      for (const [figure, value] of Object.entries(typeof measured === 'number' ? { [what]: measured } : measured)) {
        figures[figure] ??= {}
        figures[figure][name] ??= []
        figures[figure][name].push(value)
      }
    }
  }
  for (const { stop } of Object.values(running)) await stop()
  for (const [figure, byName] of Object.entries(figures)) {
    const ours = median(byName.ours.slice(1))
    const parts = Object.entries(byName).map(([name, values]) => {
      const value = median(values.slice(1))
      return `${name} ${whole(value)}/s${name === 'ours' ? '' : ` (ours ×${(ours / value).toFixed(2)})`}`
    })
    console.log(`${figure === what ? what : `${what}: ${figure}`}: ${parts.join(', ')}`)
  }
}

for (const [what, way] of [
  ['connections in plain text', {}],
  ['connections with PLAIN', { mechanism: 'PLAIN' }],
  ['connections with SCRAM-SHA-256', { mechanism: 'SCRAM-SHA-256' }],
  ['connections over TLS', { tls: true }],
  ['connections over TLS with SCRAM-SHA-256', { tls: true, mechanism: 'SCRAM-SHA-256' }],
]) {
  await compare(what, way, logins)
}
await compare('records of 1000 B in plain text', {}, records)
await compare('records of 1000 B over TLS', { tls: true }, records)
rmSync(folder, { recursive: true })
