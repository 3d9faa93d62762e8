/**
 * Appending to one replica's log, as leader (P-10…P-22) and as follower (P-24).
 *
 * What is appended is decided against the end already assigned and handed to the store at once; nothing is awaited in
 * between. A store that answers later is followed in order: `endOffset` moves when it has the batch. When it refuses one,
 * all later ones fail with it, and end, segments, epochs and producers are taken back to what it has.
 */
import { KafkaError } from '../wire/errors.ts'
import { type RecordBatch, verifyCrc } from '../wire/record-batch.ts'
import { validateBatch } from './batch-validation.ts'
import { isLater } from './eventually.ts'
import { segmentBytes } from './log-config.ts'
import type { LogState } from './log-state.ts'
import type { Eventually } from './log-store.ts'
import { rewind } from './log-truncation.ts'
import type { BatchFacts } from './producer-state.ts'
import type { AppendOrigin, VerificationGuard } from './producer-states.ts'
import { refused } from './refusal.ts'

export interface LeaderAppendOptions {
  readonly leaderEpoch: number
  /** Milliseconds since the epoch. */
  readonly now: number
  /** Default `client`. */
  readonly origin?: Exclude<AppendOrigin, 'replication'>
  /** From `startVerification`, for the first batch of a transaction (I-5). */
  readonly verificationGuard?: VerificationGuard | undefined
  /** The `transaction.version` that wrote a marker (I-21); default 0. */
  readonly transactionVersion?: number
}

export interface LeaderAppend {
  readonly baseOffset: number
  readonly lastOffset: number
  /** −1 on CreateTime topics; of a duplicate, the batch's largest timestamp (I-4). */
  readonly logAppendTime: number
  readonly logStartOffset: number
  /** It was here already: nothing was written (P-21). */
  readonly duplicate: boolean
  /** Undefined when the store has it; else a promise that rejects with KAFKA_STORAGE_ERROR if the store refuses. */
  readonly stored: Eventually<void>
}

export interface FollowerAppendOptions {
  /** Of the fetch that brought the batches. */
  readonly leaderEpoch: number
  /** Milliseconds since the epoch. */
  readonly now: number
}

export class LogAppender {
  readonly #log: LogState
  readonly #checksDuplicates: boolean
  /** Settles with the last append that the store has not answered yet. */
  #tail: Promise<void> | undefined
  #takingBack: Promise<void> | undefined
  /** Why it is not known what the store has: the next write begins with finding out. */
  #failure: string | undefined

  constructor(log: LogState, mutants: ReadonlySet<string> | undefined) {
    this.#log = log
    this.#checksDuplicates = mutants?.has('no-duplicate-check') !== true
  }

  /** Settled, well or not, when nothing that was handed to the store is open any more. */
  drained(): Eventually<void> {
    const open = this.#takingBack ?? this.#tail
    return open?.then(
      () => this.drained(),
      () => this.drained(),
    )
  }

  asLeader(batch: RecordBatch, options: LeaderAppendOptions): LeaderAppend {
    const log = this.#log
    this.recover(options.now)
    log.mustBeWritable()
    const { leaderEpoch, now, origin = 'client' } = options
    const { name, config } = log
    const validated = validateBatch(batch, { name, config, origin, now })
    const limit = segmentBytes(config)
    if (validated.batch.size > limit) {
      const what = `a batch of ${validated.batch.size} bytes is larger than a segment of ${name} may be, ${limit}`
      throw refused('RECORD_LIST_TOO_LARGE', what, false)
    }
    const known = origin === 'client' ? log.producers.duplicateOf(validated.batch) : undefined
    if (known !== undefined && this.#checksDuplicates) return this.#duplicate(known)
    if (known === undefined) {
      const { verificationGuard, transactionVersion } = options
      log.producers.check(validated.batch, { origin, verificationGuard, transactionVersion })
    }
    const placed = validated.batch.placedAt(log.assignedEnd, leaderEpoch).unpinned()
    const stored = this.#write(placed, now)
    const { baseOffset, lastOffset } = placed
    const { logAppendTime } = validated
    return { baseOffset, lastOffset, logAppendTime, logStartOffset: log.startOffset, duplicate: false, stored }
  }

  /** I-4, P-21: the old offsets; where the first append is still on its way, so is this answer. */
  #duplicate({ lastOffset, offsetDelta, timestamp }: BatchFacts): LeaderAppend {
    const { startOffset: logStartOffset, endOffset } = this.#log
    const stored = lastOffset < endOffset ? undefined : this.#tail
    const baseOffset = lastOffset - offsetDelta
    return { baseOffset, lastOffset, logAppendTime: timestamp, logStartOffset, duplicate: true, stored }
  }

  /** Answers how many batches were appended, once the store has them. */
  asFollower(batches: readonly RecordBatch[], { leaderEpoch, now }: FollowerAppendOptions): Eventually<number> {
    const log = this.#log
    this.recover(now)
    let appended = 0
    let stored: Eventually<void> | undefined
    for (const batch of batches) {
      log.mustBeWritable()
      // Written by a later leader than the one that was asked: the next fetch will say who it is (KAFKA-18723).
      if (batch.leaderEpoch > leaderEpoch) break
      if (batch.baseOffset < log.assignedEnd) {
        const what = `a replicated batch at ${batch.baseOffset} lies below the end of ${log.name}, ${log.assignedEnd}`
        throw new KafkaError('UNKNOWN_SERVER_ERROR', what)
      }
      if (!verifyCrc(batch)) {
        throw new KafkaError(
          'CORRUPT_MESSAGE',
          `the CRC of batch ${batch.baseOffset} for ${log.name} does not fit its bytes`,
        )
      }
      stored = this.#write(batch.unpinned(), now)
      appended++
    }
    return isLater(stored) ? stored.then(() => appended) : appended
  }

  #write(batch: RecordBatch, now: number): Eventually<void> {
    const log = this.#log
    if (log.segments.mustRoll(batch, log.config, now)) log.roll(now)
    const expectedEnd = log.assignedEnd
    // A synchronous refusal leaves everything as it was.
    const answer = log.store.append(expectedEnd, batch)
    log.account(batch, now)
    if (isLater(answer) || this.#tail !== undefined) return this.#follow(answer, batch.nextOffset, now)
    return this.#reached(batch.nextOffset, now)
  }

  #reached(endOffset: number, now: number): Eventually<void> {
    const log = this.#log
    log.endOffset = endOffset
    log.onEndOffset?.(endOffset)
    return endOffset - log.recoveryPoint >= log.config['flush.messages'] ? flushLog(log, now) : undefined
  }

  /** In order: a batch has arrived when all before it have. */
  #follow(answer: Eventually<void>, endOffset: number, now: number): Promise<void> {
    const arrived = Promise.allSettled([this.#tail, answer]).then(outcomes => {
      if (this.#tail === arrived) this.#tail = undefined
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw this.#failed(outcome.reason, now)
      return this.#log.store.ended ? undefined : this.#reached(endOffset, now)
    })
    this.#tail = arrived
    // Who appended is told once everything is taken back, so that what it does next finds a log that is whole again.
    const told = arrived.catch(error => Promise.resolve(this.#takingBack).then(() => Promise.reject(error)))
    told.catch(() => undefined)
    return told
  }

  #failed(reason: unknown, now: number): KafkaError {
    const log = this.#log
    if (this.#takingBack === undefined && log.refusal === undefined) this.#startTakingBack(now)
    if (reason instanceof KafkaError) return reason
    const message = reason instanceof Error ? reason.message : String(reason)
    const error = new KafkaError('KAFKA_STORAGE_ERROR', `${log.name}: ${message}`)
    error.cause = reason
    return error
  }

  /** The store was away when a write was to be taken back: whoever writes next finds out whether it is there again. */
  recover(now: number): void {
    const { refusal } = this.#log
    if (refusal !== undefined && refusal === this.#failure) this.#startTakingBack(now)
  }

  #startTakingBack(now: number): void {
    this.#log.refusal = takingBack
    this.#takingBack = this.#takeBack(now).finally(() => {
      this.#takingBack = undefined
    })
  }

  /** Whether the store wrote what it refused is unknown: it is cut to what is known to be there. */
  async #takeBack(now: number): Promise<void> {
    const log = this.#log
    while (this.#tail !== undefined) await this.#tail.catch(() => undefined)
    try {
      const left = await log.store.truncateTo(log.endOffset)
      await rewind(log, left, now)
      if (log.refusal === takingBack) log.refusal = undefined
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      this.#failure = `a write failed and could not be taken back: ${why}`
      if (log.refusal === takingBack) log.refusal = this.#failure
    }
  }
}

const takingBack = 'a write failed and is being taken back'

/** Everything the store has is safe from a power loss then (S-42). */
export function flushLog(log: LogState, now: number): Eventually<void> {
  const at = log.endOffset
  log.lastFlushAt = now
  const flushed = log.store.flush(at)
  const safe = () => {
    log.recoveryPoint = Math.max(log.recoveryPoint, Math.min(at, log.endOffset))
  }
  return isLater(flushed) ? flushed.then(safe) : safe()
}
