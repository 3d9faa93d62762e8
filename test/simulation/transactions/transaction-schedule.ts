import fc from 'fast-check'
import { type Fault, faults } from '../schedule.ts'

export const TOPIC = 't'
export const PARTITIONS = 3

/** What one transaction does. */
export interface PlannedTransaction {
  /** Since the end of the one before. */
  readonly afterMs: number
  /** Of each record. */
  readonly partitions: readonly number[]
  /** It commits an offset for a group of its own. */
  readonly offsets: boolean
  readonly end: 'commit' | 'abort'
  /** Between its first record and its end. */
  readonly thinkMs: number
}

/** An application with one transactional id; another one may have the same. */
export interface PlannedWriter {
  readonly id: number
  readonly startMs: number
  readonly transactions: readonly PlannedTransaction[]
}

export const steps = ['before PREPARE', 'after PREPARE', 'after marker 1', 'before COMPLETE'] as const

export const losable = [
  'InitProducerId',
  'AddPartitionsToTxn',
  'AddOffsetsToTxn',
  'TxnOffsetCommit',
  'Produce',
  'EndTxn',
  'WriteTxnMarkers',
] as const

export const delayable = ['AddPartitionsToTxn', 'AddOffsetsToTxn', 'TxnOffsetCommit', 'Produce', 'EndTxn'] as const

/** What befalls a writer, or what is said between it and the brokers, or among them. */
export interface WriterFault {
  readonly atMs: number
  readonly lastsMs: number
  readonly what: /** Nothing comes from it and nothing to it; later it all does: a zombie, if another has the id by then. */
    | { readonly kind: 'cut off'; readonly writer: number }
    /** It ends without a word; another process takes its place. */
    | { readonly kind: 'dies'; readonly writer: number }
    /** Some of its next requests of a kind are on their way for so long. */
    | {
        readonly kind: 'late'
        readonly writer: number
        readonly api: (typeof delayable)[number]
        readonly times: number
      }
    /** Markers are. */
    | { readonly kind: 'late markers'; readonly times: number }
    | { readonly kind: 'coordinator crash'; readonly id: number }
    /** Its next end is held at a step; then goes on, or the coordinator crashes there. */
    | {
        readonly kind: 'stop'
        readonly id: number
        readonly step: (typeof steps)[number]
        readonly crash: boolean
      }
    | {
        readonly kind: 'lost answer' | 'lost request'
        readonly api: (typeof losable)[number]
        readonly times: number
      }
}

export interface TransactionSchedule {
  readonly seed: number
  readonly writers: readonly PlannedWriter[]
  readonly faults: readonly Fault[]
  readonly writerFaults: readonly WriterFault[]
}

const id = fc.nat(1)
const writer = fc.nat(2)
const times = fc.integer({ min: 1, max: 3 })

const planned: fc.Arbitrary<PlannedTransaction> = fc.record({
  afterMs: fc.oneof(fc.constant(0), fc.nat(3_000)),
  partitions: fc.array(fc.nat(PARTITIONS - 1), { minLength: 1, maxLength: 4 }),
  offsets: fc.boolean(),
  end: fc.oneof(
    { arbitrary: fc.constant('commit' as const), weight: 3 },
    { arbitrary: fc.constant('abort' as const), weight: 1 },
  ),
  thinkMs: fc.oneof(fc.constant(0), fc.nat(1_000), fc.nat(12_000)),
})

const late = fc.record({ kind: fc.constant('late' as const), writer, api: fc.constantFrom(...delayable), times })

const what: fc.Arbitrary<WriterFault['what']> = fc.oneof(
  fc.record({ kind: fc.constant('cut off' as const), writer }),
  fc.record({ kind: fc.constant('dies' as const), writer }),
  late,
  fc.record({ kind: fc.constant('late markers' as const), times }),
  fc.record({ kind: fc.constant('coordinator crash' as const), id }),
  fc.record({ kind: fc.constant('stop' as const), id, step: fc.constantFrom(...steps), crash: fc.boolean() }),
  fc.record({
    kind: fc.constantFrom('lost answer' as const, 'lost request' as const),
    api: fc.constantFrom(...losable),
    times,
  }),
)

interface Aim {
  readonly minWriters?: number
  readonly maxWriters: number
  /** Faults of writers last so long, or longer. */
  readonly minLastsMs?: number
  readonly id: fc.Arbitrary<number>
  readonly what: fc.Arbitrary<WriterFault['what']>
  readonly maxBrokerFaults: number
}

function schedulesOf(aim: Aim): fc.Arbitrary<TransactionSchedule> {
  const { minWriters = 1, maxWriters, minLastsMs = 0, id, what, maxBrokerFaults } = aim
  const lastsMs = fc.integer({ min: minLastsMs, max: 20_000 })
  const transactions = fc.array(planned, { minLength: 1, maxLength: 5 })
  return fc.record({
    seed: fc.integer({ min: 0, max: 0x7fffffff }),
    writers: fc.array(fc.record({ id, startMs: fc.nat(4_000), transactions }), {
      minLength: minWriters,
      maxLength: maxWriters,
    }),
    faults: faults(maxBrokerFaults),
    writerFaults: fc.array(fc.record({ atMs: fc.nat(12_000), lastsMs, what }), {
      minLength: minLastsMs > 0 ? 1 : 0,
      maxLength: 5,
    }),
  })
}

/** Schedules that shrink: fewer writers, transactions, records and faults, earlier and shorter. */
export const transactionSchedules = schedulesOf({ maxWriters: 3, id, what, maxBrokerFaults: 2 })

/** Of one id, whose requests come late, and nothing else. */
export const lateSchedules = schedulesOf({
  maxWriters: 1,
  minLastsMs: 5_000,
  id: fc.constant(0),
  what: late.map(fault => ({ ...fault, writer: 0 })),
  maxBrokerFaults: 0,
})

/** Several have one id, and are cut off for a while, or what they write comes late. */
export const zombieSchedules = schedulesOf({
  minWriters: 2,
  maxWriters: 3,
  minLastsMs: 5_000,
  id: fc.constant(0),
  what: fc.oneof(
    fc.record({ kind: fc.constant('cut off' as const), writer }),
    fc.record({ kind: fc.constant('late' as const), writer, api: fc.constant('Produce' as const), times }),
  ),
  maxBrokerFaults: 0,
})

/** Markers are lost, or come late. */
export const markerSchedules = schedulesOf({
  maxWriters: 2,
  id,
  what: fc.oneof(
    fc.record({ kind: fc.constant('late markers' as const), times }),
    fc.record({
      kind: fc.constantFrom('lost answer' as const, 'lost request' as const),
      api: fc.constant('WriteTxnMarkers' as const),
      times,
    }),
  ),
  maxBrokerFaults: 1,
})

/** The schedule as a person reads it. */
export function tell({ seed, writers, faults, writerFaults }: TransactionSchedule): string {
  const planned = writers.map(({ id, startMs, transactions }, index) => {
    const each = transactions.map(
      ({ afterMs, partitions, offsets, end, thinkMs }) =>
        `+${afterMs} ms ${partitions.join('')}${offsets ? ' with offsets' : ''} ${end} after ${thinkMs} ms`,
    )
    return `  writer ${index} (id ${id}) from ${startMs} ms: ${each.join('; ')}`
  })
  const befallen = [...faults, ...writerFaults]
    .toSorted((a, b) => a.atMs - b.atMs)
    .map(({ atMs, lastsMs, what }) => `  ${atMs} ms: ${JSON.stringify(what)} for ${lastsMs} ms`)
  return [`seed ${seed}:`, ...planned, ...befallen].join('\n')
}
