import type { Runtime, Timer, TimerOptions } from '../runtime/runtime.ts'
import { batchOf } from '../wire/batch-builder.ts'
import { controlBatch, type TransactionMarker, transactionMarkerOf } from '../wire/control-record.ts'
import { KafkaError } from '../wire/errors.ts'
import { MalformedError } from '../wire/reader.ts'
import { type LogRecord, recordsOf } from '../wire/record.ts'
import type { RecordBatch } from '../wire/record-batch.ts'
import type { EncodedRecord } from './coordinator-records.ts'
import type { ShardDecision, ShardTransaction } from './shard-decision.ts'
import { coordinatorError, type ShardAppendOptions, type ShardLog } from './shard-log.ts'
import { ShardTimers } from './shard-timers.ts'

/** Where a record lies, and whose transaction it belongs to. */
export interface RecordPlace {
  readonly offset: number
  readonly timestamp: number
  /** Of the transaction that wrote it; −1: of none. */
  readonly producerId: number
  readonly producerEpoch: number
}

/** What a coordinator knows by its records alone. Nothing but these two changes it. */
export interface ShardState<Replayed> {
  replay(record: Replayed, place: RecordPlace): void
  /** A transaction that wrote here has ended. */
  endTransaction?(marker: TransactionMarker, offset: number): void
}

/** Between the records of a coordinator's topic and their bytes. */
export interface ShardCodec<Input, Replayed> {
  encode(record: Input): EncodedRecord
  decode(record: Pick<LogRecord, 'key' | 'value'>): Replayed | undefined
}

export interface ShardOptions<State, Input, Replayed> {
  readonly runtime: Runtime
  /** Of the broker, in traces. */
  readonly name: string
  readonly log: ShardLog
  readonly codec: ShardCodec<Input, Replayed>
  readonly makeState: () => State
  /** How long an answer waits for its records to be committed: `offsets.commit.timeout.ms`. */
  readonly commitTimeoutMs: () => number
  /** Something was appended and replayed. */
  readonly written?: () => void
  /** More is committed, and whoever waited for it has been answered. */
  readonly committed?: () => void
  /** The store lost a write that was replayed already: the shard has to be loaded again. */
  readonly lost: () => void
}

interface Waiting {
  readonly offset: number
  readonly settle: (error: KafkaError | undefined) => void
}

/** What a batch does to a state. */
interface Replay<State> {
  /** The end of the batch. */
  readonly nextOffset: number
  readonly steps: readonly ((state: State) => void)[]
}

/** How long a timer whose records were not taken waits before it tries again (CoordinatorTimerImpl); a load, too. */
const RETRY_MS = 500

/**
 * One partition of a coordinator's topic, on its leader: decide, append, replay (Kafka's CoordinatorRuntime). Decisions are
 * taken on `latest`, which is all that was written; what must never be taken back is answered from `committed`. An answer
 * goes out when everything that was written before it, its own records too, is committed: nobody is told of a state that a
 * fail-over can undo.
 *
 * Simplification: batches are not gathered over requests (`group.coordinator.append.linger.ms`); a decision is a batch.
 */
export class Shard<State extends ShardState<Replayed>, Input, Replayed> {
  readonly latest: State
  readonly committed: State
  readonly timers: ShardTimers
  readonly log: ShardLog
  readonly #options: ShardOptions<State, Input, Replayed>
  readonly #runtime: Runtime
  #status: 'loading' | 'active' | 'failed' | 'closed' = 'loading'
  /** End of what was replayed into `latest`. */
  #written: number
  /** End of what was replayed into `committed`. */
  #committedEnd: number
  /** End of what was loaded. */
  #loadedEnd = 0
  readonly #uncommitted: Replay<State>[] = []
  readonly #waiting: Waiting[] = []
  /** Inside an append: what others wait for is settled once it is replayed, so that nothing overtakes it. */
  #appending = false

  constructor(options: ShardOptions<State, Input, Replayed>) {
    this.#options = options
    this.#runtime = options.runtime
    this.log = options.log
    this.latest = options.makeState()
    this.committed = options.makeState()
    this.timers = new ShardTimers(options.runtime)
    this.#written = options.log.startOffset
    this.#committedEnd = options.log.startOffset
  }

  get isActive(): boolean {
    return this.#status === 'active'
  }

  get isLoading(): boolean {
    return this.#status === 'loading'
  }

  /** Everything that was written is committed. */
  get isCommitted(): boolean {
    return this.#committedEnd >= this.#written
  }

  /** All that was loaded is committed: `committed` lacks nothing that an earlier leader has told anybody. */
  get isLoadCommitted(): boolean {
    return this.#status === 'active' && this.#committedEnd >= this.#loadedEnd
  }

  // --- loading -------------------------------------------------------------------------------------------------------

  /**
   * Reads the log to its end. `loaded` is called once it is replayed: at once where the store answers at once. Meanwhile,
   * and while the log cannot be read, nobody is answered.
   */
  load(loaded: () => void): void {
    while (this.#status === 'loading' && this.#written < this.log.endOffset) {
      let read: readonly RecordBatch[] | Promise<readonly RecordBatch[]>
      try {
        read = this.log.read(this.#written)
      } catch (error) {
        this.#loadFailed(error, loaded)
        return
      }
      if (read instanceof Promise) {
        read.then(
          batches => {
            this.#replayAll(batches)
            this.load(loaded)
          },
          error => this.#loadFailed(error, loaded),
        )
        return
      }
      this.#replayAll(read)
    }
    if (this.#status !== 'loading') return
    this.#status = 'active'
    this.#loadedEnd = this.#written
    this.#trace('loaded', { end: this.#written })
    loaded()
  }

  /** A store that does not answer well may do so later; what nobody understands stays so. */
  #loadFailed(error: unknown, loaded?: () => void): void {
    if (!(error instanceof Error)) throw error
    if (this.#status !== 'loading') return
    this.#status = 'failed'
    this.#trace('could not be loaded', { error: error.message })
    if (loaded === undefined) return
    const again = () => {
      this.#status = 'loading'
      this.load(loaded)
    }
    this.timers.schedule('load', RETRY_MS, again, { housekeeping: true })
  }

  #replayAll(batches: readonly RecordBatch[]): void {
    if (this.#status !== 'loading') return
    if (batches.length === 0) {
      // Compaction may leave nothing between here and the end.
      this.#written = this.log.endOffset
      return
    }
    for (const batch of batches) {
      try {
        this.#replay(batch, batch.baseOffset, batch.nextOffset)
      } catch (error) {
        if (!(error instanceof MalformedError || error instanceof KafkaError)) throw error
        this.#loadFailed(error)
        return
      }
    }
  }

  // --- writing -------------------------------------------------------------------------------------------------------

  /**
   * Decides on the latest state, appends, replays, and answers once all of it is committed: at once if it is already.
   *
   * @throws {KafkaError} NOT_COORDINATOR, COORDINATOR_LOAD_IN_PROGRESS, what `decide` throws, what the log refuses by the
   * names that a coordinator has for it (G-2); COORDINATOR_NOT_AVAILABLE, later, without a commit in time.
   */
  write<Response>(
    decide: (state: State) => ShardDecision<Input, Response>,
    options: { readonly timeoutMs?: number } = {},
  ): Response | Promise<Response> {
    this.requireActive()
    const { records, response, transaction, appended, settled } = decide(this.latest)
    if (records.length > 0) {
      try {
        this.#append(this.#batchOf(records, transaction), transaction)
      } catch (error) {
        const translated = coordinatorError(error)
        settled?.(translated)
        throw translated
      }
      appended?.()
    }
    return this.#onceCommitted(response, settled, options.timeoutMs ?? this.#options.commitTimeoutMs())
  }

  /**
   * The end of a transaction that wrote here: its marker, and what follows from it. `transactionVersion` is that of the
   * transaction (I-21).
   *
   * @throws {KafkaError} NOT_COORDINATOR, COORDINATOR_LOAD_IN_PROGRESS, what the log refuses, by its own names; later
   * REQUEST_TIMED_OUT
   */
  writeMarker(
    marker: Omit<TransactionMarker, 'timestamp'>,
    timeoutMs: number,
    transactionVersion = 0,
  ): undefined | Promise<undefined> {
    this.requireActive()
    this.#append(controlBatch({ ...marker, timestamp: this.#runtime.now() }), { transactionVersion })
    return this.#onceCommitted(undefined, undefined, timeoutMs, () => new KafkaError('REQUEST_TIMED_OUT'))
  }

  /**
   * What is committed, without a wait. Right after a fail-over, before the new leader knows how far all replicas are, that
   * may be less than what was acknowledged before, as in Kafka: who must not see that asks by a `write` without records.
   *
   * @throws {KafkaError} as `write` does for a shard that is not active
   */
  read<Response>(look: (committed: State) => Response): Response {
    this.requireActive()
    return look(this.committed)
  }

  /**
   * Decides when a time has come. What the log refuses is tried again a little later; a timer that somebody else has set
   * under the same key meanwhile stays.
   */
  schedule(
    key: string,
    ms: number,
    decide: (state: State) => ShardDecision<Input, unknown> | undefined,
    options?: TimerOptions,
  ): void {
    this.timers.schedule(key, ms, () => this.#fire(key, decide, options), options)
  }

  #fire(
    key: string,
    decide: (state: State) => ShardDecision<Input, unknown> | undefined,
    options: TimerOptions | undefined,
  ): void {
    if (this.#status !== 'active') return
    const failed = (error: unknown) => {
      const { errorName } = coordinatorError(error)
      if (this.#status !== 'active' || errorName === 'NOT_COORDINATOR' || this.timers.has(key)) return
      this.schedule(key, RETRY_MS, decide, options)
    }
    try {
      const answer = this.write(state => decide(state) ?? { records: [], response: undefined })
      if (answer instanceof Promise) answer.catch(failed)
    } catch (error) {
      failed(error)
    }
  }

  requireActive(): void {
    if (this.#status === 'loading') throw new KafkaError('COORDINATOR_LOAD_IN_PROGRESS')
    if (this.#status !== 'active') throw new KafkaError('NOT_COORDINATOR')
  }

  #batchOf(records: readonly Input[], transaction: ShardTransaction | undefined): RecordBatch {
    const timestamp = this.#runtime.now()
    const encoded = records.map(record => this.#options.codec.encode(record))
    if (transaction === undefined) return batchOf(encoded, { timestamp })
    const { producerId, producerEpoch } = transaction
    return batchOf(encoded, { timestamp, producerId, producerEpoch, transactional: true })
  }

  #append(batch: RecordBatch, options?: ShardAppendOptions): void {
    this.#appending = true
    try {
      const { baseOffset, nextOffset, stored } = this.log.append(batch, options)
      this.#replay(batch, baseOffset, nextOffset)
      stored?.catch(() => {
        if (this.#status === 'active') this.#options.lost()
      })
    } finally {
      this.#appending = false
    }
    this.#options.written?.()
    this.#advance()
  }

  #replay(batch: RecordBatch, baseOffset: number, nextOffset: number): void {
    const steps = this.#stepsOf(batch, baseOffset)
    for (const step of steps) step(this.latest)
    this.#written = nextOffset
    this.#uncommitted.push({ nextOffset, steps })
    if (this.log.highWatermark < nextOffset) {
      this.log.awaitCommit({ offset: nextOffset, settle: committed => committed && this.#advance() })
    } else if (!this.#appending) this.#advance()
  }

  #stepsOf(batch: RecordBatch, baseOffset: number): ((state: State) => void)[] {
    if (batch.isControl) {
      const marker = transactionMarkerOf(batch)
      return marker === undefined ? [] : [state => state.endTransaction?.(marker, baseOffset)]
    }
    const { producerId, producerEpoch } = batch.isTransactional ? batch : { producerId: -1, producerEpoch: -1 }
    const moved = baseOffset - batch.baseOffset
    return recordsOf(batch).flatMap(record => {
      const replayed = this.#options.codec.decode(record)
      if (replayed === undefined) return []
      const place = { offset: record.offset + moved, timestamp: record.timestamp, producerId, producerEpoch }
      return [(state: State) => state.replay(replayed, place)]
    })
  }

  // --- commits -------------------------------------------------------------------------------------------------------

  #onceCommitted<Response>(
    response: Response,
    settled: ((error: KafkaError | undefined) => void) | undefined,
    timeoutMs: number,
    // An error is dear, and most are in time.
    late = () => coordinatorError(new KafkaError('REQUEST_TIMED_OUT')),
  ): Response | Promise<Response> {
    if (this.isCommitted) {
      settled?.(undefined)
      return response
    }
    const done = this.#runtime.deferred<Response>()
    let timer: Timer | undefined
    const waiting: Waiting = {
      offset: this.#written,
      settle: error => {
        timer?.cancel()
        settled?.(error)
        if (error === undefined) done.resolve(response)
        else done.reject(error)
      },
    }
    this.#waiting.push(waiting)
    timer = this.#runtime.after(timeoutMs, () => {
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
      waiting.settle(late())
    })
    return done.promise
  }

  /** The high watermark moved: what is committed now is so in the other state too, and whoever waited is told. */
  #advance(): void {
    if (this.#appending || this.#status === 'closed') return
    const { highWatermark } = this.log
    const before = this.#committedEnd
    while (this.#uncommitted[0] !== undefined && this.#uncommitted[0].nextOffset <= highWatermark) {
      const { nextOffset, steps } = this.#uncommitted.shift()!
      for (const step of steps) step(this.committed)
      this.#committedEnd = nextOffset
    }
    while (this.#waiting[0] !== undefined && this.#waiting[0].offset <= this.#committedEnd) {
      this.#waiting.shift()!.settle(undefined)
    }
    if (this.#committedEnd > before && this.#status === 'active') this.#options.committed?.()
  }

  /** Leadership is gone, or the broker: whoever waits is told to look elsewhere. */
  close(): void {
    if (this.#status === 'closed') return
    const wasActive = this.#status === 'active'
    this.#status = 'closed'
    this.timers.cancelAll()
    this.#uncommitted.length = 0
    for (const { settle } of this.#waiting.splice(0)) settle(new KafkaError('NOT_COORDINATOR'))
    if (wasActive) this.#trace('given up', {})
  }

  #trace(what: string, fields: Readonly<Record<string, string | number>>): void {
    const { runtime, name, log } = this.#options
    runtime.trace.add('coordinator', name, { what: `${log.name} ${what}`, leaderEpoch: log.leaderEpoch, ...fields })
  }
}
