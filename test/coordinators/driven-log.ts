import type { EncodedRecord } from '../../src/coordinators/coordinator-records.ts'
import { type RecordPlace, Shard, type ShardState } from '../../src/coordinators/shard.ts'
import type { ShardAppend, ShardCommit, ShardLog } from '../../src/coordinators/shard-log.ts'
import { VirtualRuntime } from '../../src/runtime/virtual.ts'
import type { TransactionMarker } from '../../src/wire/control-record.ts'
import type { KafkaError } from '../../src/wire/errors.ts'
import { MalformedError } from '../../src/wire/reader.ts'
import type { LogRecord } from '../../src/wire/record.ts'
import type { RecordBatch } from '../../src/wire/record-batch.ts'

/** A partition whose replication a test plays: it says how far everything is committed, and when a store answers. */
export class DrivenLog implements ShardLog {
  readonly name = '__consumer_offsets-0'
  readonly partition = 0
  readonly leaderEpoch = 3
  readonly startOffset: number
  readonly batches: RecordBatch[] = []
  highWatermark: number
  /** Whatever is appended is committed within the append, as without followers. */
  alone = false
  /** What the next appends are refused with. */
  refusal: KafkaError | undefined
  /** What the next appends wait for until they are stored. */
  storing: Promise<void> | undefined
  /** Reads answer later. */
  slow = false
  /** What the next reads fail with. */
  unreadable: Error | undefined
  #commits: ShardCommit[] = []

  constructor(startOffset = 0) {
    this.startOffset = startOffset
    this.highWatermark = startOffset
  }

  get endOffset(): number {
    return this.batches.at(-1)?.nextOffset ?? this.startOffset
  }

  read(from: number): readonly RecordBatch[] | Promise<readonly RecordBatch[]> {
    const { unreadable } = this
    this.unreadable = undefined
    if (unreadable !== undefined) {
      if (this.slow) return Promise.reject(unreadable)
      throw unreadable
    }
    const batches = this.batches.filter(({ nextOffset }) => nextOffset > from).slice(0, 2)
    return this.slow ? Promise.resolve(batches) : batches
  }

  append(batch: RecordBatch): ShardAppend {
    if (this.refusal !== undefined) throw this.refusal
    const placed = batch.placedAt(this.endOffset, this.leaderEpoch)
    this.batches.push(placed)
    if (this.alone) this.commit()
    return { baseOffset: placed.baseOffset, nextOffset: placed.nextOffset, stored: this.storing }
  }

  awaitCommit(commit: ShardCommit): void {
    this.#commits.push(commit)
  }

  /** Everything below is on all replicas in sync. */
  commit(to = this.endOffset): void {
    this.highWatermark = to
    const done = this.#commits.filter(({ offset }) => offset <= to)
    this.#commits = this.#commits.filter(({ offset }) => offset > to)
    for (const { settle } of done) settle(true)
  }
}

/** All the words that were written, and where; those of a transaction in brackets, until it ends. */
export class Words implements ShardState<string> {
  readonly words: string[] = []
  readonly places: RecordPlace[] = []

  replay(word: string, place: RecordPlace): void {
    this.words.push(place.producerId < 0 ? word : `(${word})`)
    this.places.push(place)
  }

  endTransaction({ type, producerId }: TransactionMarker, offset: number): void {
    this.words.push(`${type} ${producerId} at ${offset}`)
  }

  get text(): string {
    return this.words.join(' ')
  }
}

export const wordCodec = {
  encode: (word: string): EncodedRecord => ({ key: new TextEncoder().encode(word), value: null }),
  decode({ key }: Pick<LogRecord, 'key' | 'value'>): string | undefined {
    const word = new TextDecoder().decode(key!)
    if (word === 'malformed') throw new MalformedError('no word')
    return word === 'of later days' ? undefined : word
  },
}

export type WordShard = Shard<Words, string, string>

/** A shard over a driven log. */
export function drivenShard(log = new DrivenLog()) {
  const runtime = new VirtualRuntime({ seed: 1, startTime: 1_000 })
  const seen = { lost: 0, written: 0 }
  const shard: WordShard = new Shard({
    runtime,
    name: 'broker-1',
    log,
    codec: wordCodec,
    makeState: () => new Words(),
    commitTimeoutMs: () => 5_000,
    written: () => seen.written++,
    lost: () => seen.lost++,
  })
  /** Lets `ms` pass. */
  const pass = (ms: number) => runtime.drive('time', () => runtime.sleep(ms))
  return { runtime, log, shard, seen, pass }
}

/** Writes words, and answers them. */
export function writeWords(shard: WordShard, ...words: string[]): string | Promise<string> {
  return shard.write(() => ({ records: words, response: words.join(' ') }))
}

/** How a call stands: its answer, its error, or `waits`. */
export function standing<T>(call: () => T | Promise<T>): { now: string } {
  const seen = { now: 'waits' }
  const told = (value: unknown) => {
    seen.now = String(value)
  }
  const failed = (error: unknown) => {
    seen.now = (error as KafkaError).errorName
  }
  try {
    const answer = call()
    if (answer instanceof Promise) answer.then(told, failed)
    else told(answer)
  } catch (error) {
    failed(error)
  }
  return seen
}
