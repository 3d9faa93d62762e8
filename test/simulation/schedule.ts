import fc from 'fast-check'

/** What befalls the cluster, at a time of the run; each fault ends after `lastsMs`. */
export interface Fault {
  readonly atMs: number
  readonly lastsMs: number
  readonly what:
    | { readonly kind: 'cut'; readonly a: number; readonly b: number; readonly oneWay: boolean }
    | { readonly kind: 'isolate'; readonly broker: number }
    | { readonly kind: 'isolate from controller'; readonly broker: number }
    | { readonly kind: 'delay'; readonly broker: number; readonly ms: number }
    | { readonly kind: 'crash'; readonly broker: number }
    | { readonly kind: 'power loss'; readonly broker: number }
    | { readonly kind: 'pause'; readonly broker: number }
    | { readonly kind: 'controller crash' }
}

export interface Schedule {
  readonly seed: number
  /** Records that are sent, one after the other, without waiting. */
  readonly sends: number
  readonly gapMs: number
  readonly faults: readonly Fault[]
}

const broker = fc.integer({ min: 1, max: 3 })

const what = fc.oneof(
  fc
    .record({ kind: fc.constant('cut' as const), a: broker, b: broker, oneWay: fc.boolean() })
    .filter(({ a, b }) => a !== b),
  fc.record({ kind: fc.constant('isolate' as const), broker }),
  fc.record({ kind: fc.constant('isolate from controller' as const), broker }),
  fc.record({ kind: fc.constant('delay' as const), broker, ms: fc.integer({ min: 1, max: 2000 }) }),
  fc.record({ kind: fc.constant('crash' as const), broker }),
  fc.record({ kind: fc.constant('power loss' as const), broker }),
  fc.record({ kind: fc.constant('pause' as const), broker }),
  fc.record({ kind: fc.constant('controller crash' as const) }),
)

export function faults(maxLength: number): fc.Arbitrary<Fault[]> {
  const atMs = fc.integer({ min: 0, max: 10_000 })
  return fc.array(fc.record({ atMs, lastsMs: fc.integer({ min: 0, max: 30_000 }), what }), { maxLength })
}

/** Schedules that shrink: fewer faults, earlier, shorter, fewer records. */
export const schedules: fc.Arbitrary<Schedule> = fc.record({
  seed: fc.integer({ min: 0, max: 0x7fffffff }),
  sends: fc.integer({ min: 1, max: 40 }),
  gapMs: fc.integer({ min: 0, max: 500 }),
  faults: faults(6),
})

/** The schedule as a person reads it. */
export function tell(schedule: Schedule): string {
  const lines = schedule.faults
    .toSorted((a, b) => a.atMs - b.atMs)
    .map(({ atMs, lastsMs, what }) => `  ${atMs} ms: ${JSON.stringify(what)} for ${lastsMs} ms`)
  return [`seed ${schedule.seed}: ${schedule.sends} records, ${schedule.gapMs} ms apart`, ...lines].join('\n')
}
