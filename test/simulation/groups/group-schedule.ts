import fc from 'fast-check'
import { type Fault, faults } from '../schedule.ts'

/** What befalls a member of the group, or what is said between it and its coordinator. */
export interface MemberFault {
  readonly atMs: number
  readonly lastsMs: number
  readonly what:
    | { readonly kind: 'cut off'; readonly member: number }
    | { readonly kind: 'dies'; readonly member: number }
    | { readonly kind: 'leaves'; readonly member: number }
    /** Its process stands still, longer than any timeout if `lastsMs` says so: its heartbeats go on. */
    | { readonly kind: 'is busy'; readonly member: number }
    | { readonly kind: 'coordinator crash' }
    | { readonly kind: 'lost answer'; readonly api: LosableApi }
}

export const losable = [
  'JoinGroup',
  'SyncGroup',
  'Heartbeat',
  'OffsetCommit',
  'OffsetFetch',
  'ConsumerGroupHeartbeat',
] as const
export type LosableApi = (typeof losable)[number]

export interface GroupSchedule {
  readonly seed: number
  /** Records for each of the four partitions. */
  readonly records: number
  readonly gapMs: number
  readonly members: number
  readonly faults: readonly Fault[]
  readonly memberFaults: readonly MemberFault[]
}

const member = fc.integer({ min: 0, max: 2 })

const what = fc.oneof(
  fc.record({ kind: fc.constant('cut off' as const), member }),
  fc.record({ kind: fc.constant('dies' as const), member }),
  fc.record({ kind: fc.constant('leaves' as const), member }),
  fc.record({ kind: fc.constant('is busy' as const), member }),
  fc.record({ kind: fc.constant('coordinator crash' as const) }),
  fc.record({ kind: fc.constant('lost answer' as const), api: fc.constantFrom(...losable) }),
)

/** Schedules that shrink: fewer faults, earlier, shorter, fewer members and records. */
export const groupSchedules: fc.Arbitrary<GroupSchedule> = fc.record({
  seed: fc.integer({ min: 0, max: 0x7fffffff }),
  records: fc.integer({ min: 1, max: 12 }),
  gapMs: fc.integer({ min: 0, max: 1_000 }),
  members: fc.integer({ min: 1, max: 3 }),
  faults: faults(2),
  memberFaults: fc.array(
    fc.record({ atMs: fc.integer({ min: 0, max: 20_000 }), lastsMs: fc.integer({ min: 0, max: 40_000 }), what }),
    { maxLength: 5 },
  ),
})

/** The schedule as a person reads it. */
export function tell({ seed, records, gapMs, members, faults, memberFaults }: GroupSchedule): string {
  const lines = [...faults, ...memberFaults]
    .toSorted((a, b) => a.atMs - b.atMs)
    .map(({ atMs, lastsMs, what }) => `  ${atMs} ms: ${JSON.stringify(what)} for ${lastsMs} ms`)
  return [`seed ${seed}: ${members} members, ${records} records each ${gapMs} ms apart`, ...lines].join('\n')
}
