import { expect, test } from 'vitest'
import { producerConfiguration } from '../../src/metadata/producer-checks.ts'
import { ConfigError } from '../../src/wire/errors.ts'
import kafka from '../data/kafka/config-errors.json' with { type: 'json' }

interface Row {
  config: Record<string, unknown>
  throws: string | null
  fact?: string
  effective?: Record<string, unknown>
  logs?: string[]
}

const base = { 'bootstrap.servers': '127.0.0.1:1', 'key.serializer': 'String', 'value.serializer': 'String' }

/** Refused by Kafka for what only it has; here the value is kept for whoever uses the key. */
const elsewhere: [reason: string, fact: RegExp][] = [
  [
    'JavaScript has no class path',
    /class .* not found|is not a org\.apache|wrong type|no public constructor|configure\(\)/,
  ],
  ['names are looked up when connecting', /none of the hosts resolves/],
  ['no SASL, no TLS', /JAAS|trust store/],
  ['JavaScript has one kind of number', /got java\.lang\.Long/],
  ['in JavaScript anybody would write acks: 1', /wants a string, got java\.lang\.Integer/],
]

const rows = kafka.rows as Row[]
const reasonOf = (row: Row) => elsewhere.find(([, fact]) => row.fact !== undefined && fact.test(row.fact))?.[0]
const given = (row: Row) =>
  Object.fromEntries(Object.entries({ ...base, ...row.config }).filter(([, value]) => value !== '<absent>'))

test('177 configurations: 157 are taken or refused as Kafka does, 20 need what only Java has (C-1)', () => {
  expect(rows.length).toBe(177)
  expect(rows.filter(row => reasonOf(row) !== undefined).length).toBe(20)
})

test.each(
  rows
    .filter(row => reasonOf(row) === undefined && row.throws !== null)
    .map(row => [JSON.stringify(row.config), row] as const),
)('%s is refused (C-1 to C-7)', (_, row) => {
  expect(() => producerConfiguration(given(row))).toThrow(ConfigError)
})

test.each(rows.filter(row => row.throws === null).map(row => [JSON.stringify(row.config), row] as const))(
  '%s is taken, and what differs from it is what Kafka makes of it (C-1 to C-7)',
  (_, row) => {
    const { configs, warnings } = producerConfiguration(given(row))
    const effective = Object.fromEntries(
      Object.keys(row.effective ?? {}).map(key => [key, (configs as Record<string, unknown>)[key]]),
    )
    expect(effective).toEqual(row.effective ?? {})
    if (row.config['enable.idempotence'] === undefined && row.effective?.['enable.idempotence'] === undefined) {
      expect(configs['enable.idempotence']).toBe(true)
    }
    for (const log of row.logs ?? []) {
      const subject =
        /because of (acks|retries)|(delivery\.timeout\.ms) raised|(\.max bound)|unresolvable|repeated/.exec(log)
      expect(subject).not.toBeNull()
      const word = subject![1] ?? subject![2] ?? (subject![3] === undefined ? undefined : 'retry.backoff.max.ms')
      if (word !== undefined) expect(warnings.join('\n')).toContain(word)
    }
  },
)

const refusal = (options: object) => {
  try {
    producerConfiguration({ ...base, ...options })
    return 'taken'
  } catch (error) {
    return (error as Error).message
  }
}

test('what conflicts with idempotence is refused in the words of Kafka (C-2, C-3, C-4)', () => {
  const inFlight = { 'max.in.flight.requests.per.connection': 6 }
  expect(refusal({ 'enable.idempotence': true, acks: '1' })).toBe(
    'Must set acks to all in order to use the idempotent producer. Otherwise we cannot guarantee idempotence.',
  )
  expect(refusal({ 'enable.idempotence': true, acks: '1', retries: 0 })).toBe(
    'Must set retries to non-zero when using the idempotent producer.',
  )
  expect(refusal({ acks: '1', ...inFlight })).toBe(
    'To use the idempotent producer, max.in.flight.requests.per.connection must be set to at most 5. Current value is 6.',
  )
  expect(refusal({ 'enable.idempotence': false, ...inFlight })).toBe('taken')
  expect(refusal({ 'transactional.id': 't', acks: '1' })).toBe(
    'Cannot set a transactional.id without also enabling idempotence.',
  )
})

test('two-phase commit knows no transaction timeout (C-5)', () => {
  expect(refusal({ 'transaction.two.phase.commit.enable': true, 'transaction.timeout.ms': 5 })).toBe(
    'Cannot set transaction.timeout.ms when transaction.two.phase.commit.enable is set to true. ' +
      'Transactions will not expire with two-phase commit enabled.',
  )
})

test("a delivery timeout of one's own must cover lingering and a request; the default gives way (C-6)", () => {
  expect(refusal({ 'delivery.timeout.ms': 30_004 })).toBe(
    'delivery.timeout.ms should be equal to or larger than linger.ms + request.timeout.ms',
  )
  expect(producerConfiguration({ ...base, 'linger.ms': 100_000 }).configs['delivery.timeout.ms']).toBe(130_000)
})

test('acks=all is -1, and a backoff above its maximum is said to be constant (C-7)', () => {
  expect(producerConfiguration({ ...base, acks: 'all' }).configs.acks).toBe('-1')
  expect(producerConfiguration({ ...base, 'retry.backoff.ms': 2000 }).warnings).toEqual([
    'retry.backoff.ms is above retry.backoff.max.ms: the backoff is always 1000 ms',
  ])
})

test('a reconnect backoff given alone is constant', () => {
  const { configs } = producerConfiguration({ ...base, 'reconnect.backoff.ms': 5000 })
  expect(configs['reconnect.backoff.max.ms']).toBe(5000)
})

test('an unknown key is kept, ignored, and named with its nearest neighbour (C-8)', () => {
  const { configs, warnings } = producerConfiguration({ ...base, 'linger.msec': 7, 'no.such.thing': 1 })
  expect(configs).toMatchObject({ 'linger.ms': 5, 'linger.msec': 7, 'no.such.thing': 1 })
  expect(warnings).toEqual([
    "unknown producer config 'linger.msec': did you mean 'linger.ms'?",
    "unknown producer config 'no.such.thing'",
  ])
})

test('a serializer may be an object or a function', () => {
  const serializer = { serialize: () => null }
  const { configs } = producerConfiguration({ ...base, 'key.serializer': serializer, 'value.serializer': () => null })
  expect(configs['key.serializer']).toBe(serializer)
})
