import fc from 'fast-check'
import { type Fault, faults } from '../schedule.ts'
import { delayable, losable, steps } from './transaction-schedule.ts'

export const WORKERS = 3

type LosableApi = (typeof losable)[number] | 'OffsetFetch'

/** What befalls a worker, or what is said between it and the brokers. */
export interface WorkerFault {
  readonly atMs: number
  readonly lastsMs: number
  readonly what:
    | { readonly kind: 'cut off'; readonly worker: number }
    | { readonly kind: 'dies'; readonly worker: number }
    | { readonly kind: 'leaves'; readonly worker: number }
    /** It stands still in the middle of a transaction; its heartbeats go on. */
    | { readonly kind: 'is busy'; readonly worker: number }
    | {
        readonly kind: 'late'
        readonly worker: number
        readonly api: (typeof delayable)[number]
        readonly times: number
      }
    | { readonly kind: 'coordinator crash'; readonly of: 'group' | 'transactions'; readonly worker: number }
    | { readonly kind: 'stop'; readonly worker: number; readonly step: (typeof steps)[number]; readonly crash: boolean }
    | { readonly kind: 'lost answer'; readonly api: LosableApi; readonly times: number }
    | { readonly kind: 'lost request'; readonly api: LosableApi; readonly times: number }
}

export interface PipelineSchedule {
  readonly seed: number
  readonly workers: number
  /** For each of the partitions. */
  readonly records: number
  readonly gapMs: number
  readonly faults: readonly Fault[]
  readonly workerFaults: readonly WorkerFault[]
}

const worker = fc.nat(WORKERS - 1)
const times = fc.integer({ min: 1, max: 3 })
const api = fc.constantFrom(...losable, 'OffsetFetch' as const)

const what: fc.Arbitrary<WorkerFault['what']> = fc.oneof(
  fc.record({ kind: fc.constant('cut off' as const), worker }),
  fc.record({ kind: fc.constant('dies' as const), worker }),
  fc.record({ kind: fc.constant('leaves' as const), worker }),
  fc.record({ kind: fc.constant('is busy' as const), worker }),
  fc.record({ kind: fc.constant('late' as const), worker, api: fc.constantFrom(...delayable), times }),
  fc.record({
    kind: fc.constant('coordinator crash' as const),
    of: fc.constantFrom('group' as const, 'transactions' as const),
    worker,
  }),
  fc.record({ kind: fc.constant('stop' as const), worker, step: fc.constantFrom(...steps), crash: fc.boolean() }),
  fc.record({ kind: fc.constant('lost answer' as const), api, times }),
  fc.record({ kind: fc.constant('lost request' as const), api, times }),
)

function schedulesOf(
  what: fc.Arbitrary<WorkerFault['what']>,
  maxBrokerFaults: number,
  { minWorkers = 1, minFaults = 0, minLastsMs = 0 } = {},
): fc.Arbitrary<PipelineSchedule> {
  const lastsMs = fc.integer({ min: minLastsMs, max: 25_000 })
  return fc.record({
    seed: fc.integer({ min: 0, max: 0x7fffffff }),
    workers: fc.integer({ min: minWorkers, max: WORKERS }),
    records: fc.integer({ min: 1, max: 12 }),
    gapMs: fc.nat(1_500),
    faults: faults(maxBrokerFaults),
    workerFaults: fc.array(fc.record({ atMs: fc.nat(16_000), lastsMs, what }), {
      minLength: minFaults,
      maxLength: 5,
    }),
  })
}

/** Schedules that shrink: fewer workers, records and faults, earlier and shorter. */
export const pipelineSchedules = schedulesOf(what, 2)

/** Workers lose their partitions to others, and go on. */
export const zombieWorkers = schedulesOf(
  fc.oneof(
    fc.record({ kind: fc.constant('is busy' as const), worker }),
    fc.record({ kind: fc.constant('cut off' as const), worker }),
  ),
  0,
)

/** Commits take their time, while workers come and go. */
export const slowCommits = schedulesOf(
  fc.oneof(
    fc.record({
      kind: fc.constant('stop' as const),
      worker,
      step: fc.constant('after PREPARE' as const),
      crash: fc.constant(false),
    }),
    fc.record({ kind: fc.constant('dies' as const), worker }),
    fc.record({ kind: fc.constant('leaves' as const), worker }),
  ),
  0,
  { minWorkers: 2, minFaults: 3, minLastsMs: 12_000 },
)

/** The schedule as a person reads it. */
export function tell({ seed, workers, records, gapMs, faults, workerFaults }: PipelineSchedule): string {
  const lines = [...faults, ...workerFaults]
    .toSorted((a, b) => a.atMs - b.atMs)
    .map(({ atMs, lastsMs, what }) => `  ${atMs} ms: ${JSON.stringify(what)} for ${lastsMs} ms`)
  return [`seed ${seed}: ${workers} workers, ${records} records each ${gapMs} ms apart`, ...lines].join('\n')
}
