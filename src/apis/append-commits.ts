import type { Broker } from '../broker/broker.ts'
import type { CommitWait } from '../broker/commit-waits.ts'
import type { Partition } from '../broker/partition.ts'
import type { RequestContext } from '../wire/api.ts'
import type { ErrorName } from '../wire/errors.ts'

/** Where something was appended with acks=all: committed once the high watermark is there. */
export interface Appended {
  readonly partition: Partition
  readonly requiredOffset: number
}

export interface CommitRound<T, R> {
  /** Milliseconds until what is not decided is REQUEST_TIMED_OUT. */
  readonly timeoutMs: number
  readonly settle: (each: T, error: ErrorName | undefined) => void
  /** What to answer when all are settled. */
  readonly answer: () => R
}

/**
 * Until everything that one request has appended is committed, or its time is up (R-16…R-18; Kafka's DelayedProduce). What
 * was appended nowhere is settled. Who is gone waits no longer.
 */
export function whenCommitted<T extends { readonly appended: Appended | undefined }, R>(
  broker: Broker,
  all: readonly T[],
  { timeoutMs, settle, answer }: CommitRound<T, R>,
  context: RequestContext,
): R | Promise<R> {
  const open = all.filter(each => {
    const outcome = each.appended?.partition.commitOutcome(each.appended.requiredOffset)
    if (outcome !== undefined) settle(each, outcome.error)
    return each.appended !== undefined && outcome === undefined
  })
  if (open.length === 0) return answer()
  const done = broker.life.deferred<R>()
  const waits = new Map<CommitWait, T>()
  const forget = () => {
    timer.cancel()
    for (const [wait, { appended }] of waits) appended!.partition.forgetCommit(wait)
    waits.clear()
  }
  const timer = broker.life.after(timeoutMs, () => {
    for (const each of waits.values()) settle(each, 'REQUEST_TIMED_OUT')
    forget()
    done.resolve(answer())
  })
  for (const each of open) {
    const { partition, requiredOffset } = each.appended!
    const wait: CommitWait = {
      offset: requiredOffset,
      settle(error) {
        waits.delete(wait)
        settle(each, error)
        if (waits.size > 0) return
        timer.cancel()
        done.resolve(answer())
      },
    }
    waits.set(wait, each)
    partition.awaitCommit(wait)
  }
  context.closed.onClose(forget)
  return done.promise
}
