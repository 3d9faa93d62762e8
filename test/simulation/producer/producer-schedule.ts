import fc from 'fast-check'
import type { ProducerOptions } from '../../../src/client/configuration.ts'
import type { ErrorName } from '../../../src/wire/errors.ts'

/** What befalls the producer's requests, at a time of the run. */
export type ProducerFault =
  | { readonly kind: 'lose answer' | 'lose request'; readonly atMs: number; readonly times: number }
  | { readonly kind: 'hold'; readonly atMs: number; readonly lastsMs: number }
  | { readonly kind: 'delay'; readonly atMs: number; readonly lastsMs: number; readonly ms: number }
  | {
      readonly kind: 'refuse'
      readonly atMs: number
      readonly times: number
      readonly error: ErrorName
      readonly when: 'before' | 'after'
    }
  | { readonly kind: 'crash leader'; readonly atMs: number }

export interface ProducerSend {
  readonly afterMs: number
  /** Undefined: the sticky partitioner's choice. */
  readonly partition: number | undefined
  readonly bytes: number
}

export interface ProducerSchedule {
  readonly seed: number
  readonly config: ProducerOptions & { readonly 'buffer.memory'?: number; readonly 'request.timeout.ms'?: number }
  readonly sends: readonly ProducerSend[]
  readonly faults: readonly ProducerFault[]
  /** `flush` after so many sends. */
  readonly flushAfter: number
}

const atMs = fc.integer({ min: 0, max: 3_000 })
const lastsMs = fc.integer({ min: 0, max: 3_000 })
const times = fc.integer({ min: 1, max: 4 })

/** Refusals that may go away; with the others a batch fails while those before it may still be under way. */
const retriable: readonly ErrorName[] = [
  'NOT_ENOUGH_REPLICAS',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'NOT_LEADER_OR_FOLLOWER',
  'REQUEST_TIMED_OUT',
  'UNKNOWN_TOPIC_OR_PARTITION',
]
const final: readonly ErrorName[] = ['INVALID_RECORD', 'TOPIC_AUTHORIZATION_FAILED', 'UNKNOWN_SERVER_ERROR']

function faultsOf(errors: readonly ErrorName[], whens: readonly ('before' | 'after')[]): fc.Arbitrary<ProducerFault[]> {
  const lost = fc.constantFrom('lose answer' as const, 'lose request' as const)
  const error = fc.constantFrom(...errors)
  const when = fc.constantFrom(...whens)
  return fc.array(
    fc.oneof(
      fc.record({ kind: lost, atMs, times }),
      fc.record({ kind: fc.constant('hold' as const), atMs, lastsMs }),
      fc.record({ kind: fc.constant('delay' as const), atMs, lastsMs, ms: fc.integer({ min: 1, max: 800 }) }),
      fc.record({ kind: fc.constant('refuse' as const), atMs, times, error, when }),
      fc.record({ kind: fc.constant('crash leader' as const), atMs }),
    ),
    { maxLength: 5 },
  )
}

/** Whatever a producer may be configured with, as far as the combination is legal. */
const anyConfig: fc.Arbitrary<ProducerSchedule['config']> = fc
  .record({
    acks: fc.constantFrom('all' as const, '1' as const, '0' as const),
    isIdempotent: fc.boolean(),
    retries: fc.constantFrom(0, 1, 3, 2_147_483_647),
    inFlight: fc.integer({ min: 1, max: 7 }),
    batchBytes: fc.constantFrom(0, 100, 400, 16_384),
    lingerMs: fc.constantFrom(0, 5, 300),
    memory: fc.constantFrom(1_000, 3_000, 33_554_432),
    maxBlockMs: fc.constantFrom(0, 50, 2_000, 60_000),
    requestMs: fc.constantFrom(300, 1_000),
    deliveryMs: fc.constantFrom(600, 1_500, 5_000),
    compression: fc.constantFrom('none' as const, 'gzip' as const),
  })
  .map(one => {
    const idempotent = one.isIdempotent && one.acks === 'all' && one.retries > 0 && one.inFlight <= 5
    return {
      acks: one.acks,
      'enable.idempotence': idempotent,
      retries: one.retries,
      'max.in.flight.requests.per.connection': one.inFlight,
      'batch.size': one.batchBytes,
      'linger.ms': Math.max(0, Math.min(one.lingerMs, one.deliveryMs - one.requestMs)),
      'buffer.memory': one.memory,
      'max.block.ms': one.maxBlockMs,
      'request.timeout.ms': Math.min(one.requestMs, one.deliveryMs),
      'delivery.timeout.ms': one.deliveryMs,
      'compression.type': one.compression,
    }
  })

const send: fc.Arbitrary<ProducerSend> = fc.record({
  afterMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 400 })),
  partition: fc.option(fc.nat(1), { nil: undefined }),
  bytes: fc.integer({ min: 8, max: 600 }),
})

function schedulesOf(
  config: fc.Arbitrary<ProducerSchedule['config']>,
  errors: readonly ErrorName[],
  whens: readonly ('before' | 'after')[] = ['before', 'after'],
): fc.Arbitrary<ProducerSchedule> {
  return fc.record({
    seed: fc.integer({ min: 0, max: 0x7fffffff }),
    config,
    sends: fc.array(send, { minLength: 1, maxLength: 30 }),
    faults: faultsOf(errors, whens),
    flushAfter: fc.integer({ min: 1, max: 40 }),
  })
}

export const anySchedules = schedulesOf(anyConfig, [...retriable, ...final])

/** Requests that are answered too late, or refused for a while, and batches small enough that several are under way. */
function retrying(
  config: ProducerSchedule['config'],
  whens?: readonly ('before' | 'after')[],
): fc.Arbitrary<ProducerSchedule> {
  const rest = { 'batch.size': 100, 'linger.ms': 0, 'request.timeout.ms': 1_000, 'delivery.timeout.ms': 60_000 }
  return schedulesOf(fc.constant({ ...rest, ...config }), retriable, whens)
}

export const idempotentSchedules = retrying({ 'enable.idempotence': true })
/** What is refused was not appended: with a record that was, and is said not to be, its follower is acknowledged first. */
export const truthfulSchedules = retrying({ 'enable.idempotence': true }, ['before'])
export const plainSchedules = retrying({ 'enable.idempotence': false })
export const oneInFlightSchedules = retrying({
  'enable.idempotence': false,
  'max.in.flight.requests.per.connection': 1,
})

/** The schedule as a person reads it. */
export function tell(schedule: ProducerSchedule): string {
  const sends = schedule.sends.map(({ afterMs, partition, bytes }) => `+${afterMs} ms ${partition ?? '?'} ${bytes} B`)
  const faults = schedule.faults.map(fault => `  ${JSON.stringify(fault)}`)
  return [
    `seed ${schedule.seed}: ${JSON.stringify(schedule.config)}`,
    `  ${sends.join(', ')}; flush after ${schedule.flushAfter}`,
    ...faults,
  ].join('\n')
}
