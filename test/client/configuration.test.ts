/** What our clients make of their configuration, beyond the tables of test/metadata. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  Admin,
  type Cluster,
  ConfigError,
  Consumer,
  createCluster,
  Producer,
  type ProducerOptions,
} from '../../src/index.ts'
import kafka from '../data/kafka/config-errors.json' with { type: 'json' }

let cluster: Cluster
let warnings: string[]
beforeEach(async () => {
  warnings = []
  cluster = await createCluster({ brokers: 1, topics: { orders: {} }, warn: text => warnings.push(text) })
})
afterEach(() => cluster.close())

/** As somebody without TypeScript would write it. */
const loosely = (config: object) => config as never

test('an unknown key is ignored, with a warning that names the one that was probably meant (C-8)', async () => {
  const producer = cluster.producer(loosely({ 'linger.msec': 7, colour: 'red' }))
  cluster.consumer(loosely({ 'auto.offset.rest': 'latest' }))
  cluster.admin(loosely({ 'default.api.timeout': 1, absent: undefined }))
  expect(warnings).toEqual([
    "producer-1: unknown producer config 'linger.msec': did you mean 'linger.ms'?",
    "producer-1: unknown producer config 'colour'",
    "consumer-1: unknown consumer config 'auto.offset.rest': did you mean 'auto.offset.reset'?",
    "admin-1: unknown admin config 'default.api.timeout': did you mean 'default.api.timeout.ms'?",
  ])
  expect(await producer.send({ topic: 'orders', value: 'x' })).toMatchObject({ offset: 0 })
})

test("a key that only Java's clients can obey is not ignored in silence", () => {
  cluster.producer({
    'sasl.kerberos.service.name': 'kafka',
    'send.buffer.bytes': 1,
    'sasl.oauthbearer.token.endpoint.url': 'https://localhost/token',
    'ssl.provider': 'BC',
  })
  cluster.admin({ 'bootstrap.controllers': 'localhost:1' })
  expect(warnings).toEqual([
    "producer-1: producer config 'sasl.kerberos.service.name' has no effect here: Kerberos is not spoken",
    "producer-1: producer config 'send.buffer.bytes' has no effect here: Node cannot set the buffers of the kernel",
    "producer-1: producer config 'sasl.oauthbearer.token.endpoint.url' has no effect here: " +
      'no token endpoint is asked; sasl.login.callback.handler.class takes a function that answers a token',
    "producer-1: producer config 'ssl.provider' has no effect here: only Java has it",
    "admin-1: admin config 'bootstrap.controllers' has no effect here: " +
      'controllers are reached through brokers: set bootstrap.servers',
  ])
})

test('what such a key is anyway, and what has an effect, is no reason to warn', () => {
  cluster.producer({ 'client.dns.lookup': 'use_all_dns_ips', 'metrics.recording.level': 'INFO', 'linger.ms': '9' })
  cluster.consumer({ 'receive.buffer.bytes': 65_536, 'enable.metrics.push': true })
  expect(warnings).toEqual([])
})

test('a wrong value is refused with the legal range (C-1)', () => {
  const refusal = (config: object) => {
    try {
      cluster.producer(loosely(config))
      return 'taken'
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError)
      return (error as Error).message
    }
  }
  expect(refusal({ 'linger.ms': -1 })).toBe(
    'Invalid value -1 for configuration linger.ms: Value must be at least 0 (legal: [0,...])',
  )
  expect(refusal({ 'compression.lz4.level': 18 })).toBe(
    'Invalid value 18 for configuration compression.lz4.level: Value must be no more than 17 (legal: [1,...,17])',
  )
  expect(refusal({ 'compression.gzip.level': 0 })).toBe(
    'Invalid value 0 for configuration compression.gzip.level: Value must be between 1 and 9 or equal to -1',
  )
  expect(refusal({ retries: 'many' })).toBe(
    'Invalid value many for configuration retries: Not a number of type INT (legal: [0,...,2147483647])',
  )
  expect(refusal({ 'compression.type': 'brotli' })).toBe(
    'Invalid value brotli for configuration compression.type: String must be one of: none, gzip, snappy, lz4, zstd',
  )
  expect(refusal({ acks: 2 })).toBe('Invalid value 2 for configuration acks: String must be one of: all, -1, 0, 1')
})

/** What the constructor of a client says: the class of its error, or that it was made. */
function made(make: () => { close(options: { timeoutMs: number }): Promise<void> }): string {
  try {
    make()
      .close({ timeoutMs: 0 })
      .catch(() => {})
    return 'made'
  } catch (error) {
    return (error as Error).name
  }
}

interface Row {
  readonly config: Record<string, unknown>
  readonly throws: string | null
  readonly fact?: string
}

/** What a JavaScript client takes and Java's does not, by what Kafka says of it. */
const taken: readonly RegExp[] = [
  // A name that does not resolve is asked for again when connecting.
  /none of the hosts resolves/,
  // JavaScript has one kind of number, and anybody would write acks: 1.
  /got java\.lang\.(Long|Integer)/,
  // Nothing is loaded for metric.reporters, which only Java has: a warning says so.
  /no\.such\.Reporter/,
]
const base = { 'bootstrap.servers': '127.0.0.1:1', 'key.serializer': 'String', 'value.serializer': 'String' }

test.each((kafka.rows as Row[]).map(row => [JSON.stringify(row.config), row] as const))(
  'new Producer(%s) throws if and only if that of Kafka does (C-1 to C-8)',
  (_, row) => {
    const config = Object.fromEntries(
      Object.entries({ ...base, ...row.config }).filter(([, value]) => value !== '<absent>'),
    )
    const isTaken = taken.some(fact => fact.test(row.fact ?? ''))
    // Serializers have a default here.
    const hasDefault = /\.serializer$/.test(Object.entries(row.config).find(([, v]) => v === '<absent>')?.[0] ?? '')
    const expected = row.throws !== null && !isTaken && !hasDefault ? 'ConfigError' : 'made'
    expect(made(() => new Producer(config as ProducerOptions & object))).toBe(expected)
  },
)

test('consumer and admin refuse the same of what all clients have', () => {
  const shared: [config: object, outcome: string][] = [
    [{}, 'made'],
    [{ 'security.protocol': 'TLS' }, 'ConfigError'],
    [{ 'request.timeout.ms': -1 }, 'ConfigError'],
    [{ 'bootstrap.servers': 'localhost' }, 'ConfigError'],
  ]
  for (const [config, outcome] of shared) {
    expect([config, made(() => new Consumer({ ...base, ...config } as object))]).toEqual([config, outcome])
    expect([config, made(() => new Admin({ ...base, ...config } as never))]).toEqual([config, outcome])
  }
})
