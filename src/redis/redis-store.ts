import type { LogStore, StoreBounds } from '../log/log-store.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { KafkaError } from '../wire/errors.ts'
import type { RecordBatch } from '../wire/record-batch.ts'
import { AppendQueue } from './append-queue.ts'
import { batchOfEntry, entryOf, type Slab } from './batch-entries.ts'
import type { Entry } from './client.ts'
import { passes } from './failures.ts'
import type { OpenStream, StreamLog } from './stream-log.ts'

/** What the store of one replica has of all stores. */
export interface StoreGround {
  readonly runtime: Runtime
  readonly waitReplicas: number
  /** For what is on its way to a server. */
  readonly slab: Slab | undefined
  /** Where the replica's records are, or will be; undefined where there are none and none are to be. */
  find(): Promise<StreamLog | undefined>
  /** The same, opened for writing; made where there was none. */
  open(): Promise<{ readonly log: StreamLog; readonly opened: OpenStream }>
  /** While this goes on, virtual time stands still. @throws {KafkaError} for whatever fails */
  hold<T>(what: string, run: () => T | Promise<T>): Promise<T>
}

/** How long something is tried again that is likely to pass, and how often. */
const PERSIST_MS = 30_000
const RETRY_MS = 50
const LARGEST_RETRY_MS = 500

const ENTRIES_AT_ONCE = 2_048
/** What one answer may have at the most, as far as is known: Redis counts entries, not bytes. */
const BYTES_AT_ONCE = 1 << 25
/** What a batch is taken to have before any was seen. */
const USUAL_BYTES = 16_384

interface Writing {
  readonly log: StreamLog
  readonly token: string
  readonly queue: AppendQueue
}

/** One replica's log in a stream. What fails comes out as a KafkaError (see failures.ts). */
export class RedisStore implements LogStore {
  readonly #ground: StoreGround
  #writing: Writing | undefined
  #opening: Promise<Writing> | undefined
  #startOffset = 0
  /** Of what is done to the whole stream: one thing after the other. */
  #turn: Promise<unknown> | undefined
  /** Of the batches that were written and read lately. */
  #batchBytes = USUAL_BYTES
  /** Of the largest of them. */
  #largestBytes = USUAL_BYTES

  constructor(ground: StoreGround) {
    this.#ground = ground
  }

  open(): Promise<StoreBounds> {
    return this.#hold('open', async () => {
      const { startOffset, endOffset } = await this.#open()
      return { startOffset, endOffset }
    })
  }

  async #open(): Promise<OpenStream> {
    const { log, opened } = await this.#persist(() => this.#ground.open())
    const { token } = opened
    this.#startOffset = opened.startOffset
    const { runtime, waitReplicas, slab } = this.#ground
    const queue = new AppendQueue({
      log,
      token,
      runtime,
      waitReplicas,
      slab,
      startOffset: () => this.#startOffset,
      persist: run => this.#persist(run),
    })
    this.#writing = { log, token, queue }
    return opened
  }

  /** Opened when it first writes, if it was not before. */
  #opened(): Writing | Promise<Writing> {
    if (this.#writing !== undefined) return this.#writing
    this.#opening ??= this.#open().then(
      () => this.#writing!,
      error => {
        this.#opening = undefined
        throw error
      },
    )
    return this.#opening
  }

  append(expectedEnd: number, batch: RecordBatch): Promise<void> {
    if (batch.baseOffset < expectedEnd) {
      const what = `a batch at ${batch.baseOffset} cannot be appended to a log that ends at ${expectedEnd}`
      return Promise.reject(new KafkaError('KAFKA_STORAGE_ERROR', what))
    }
    return this.#hold('append', () => {
      this.#learn(batch.size)
      const entry = entryOf(batch, this.#ground.slab)
      const opened = this.#opened()
      if (opened instanceof Promise) return opened.then(({ queue }) => queue.add(expectedEnd, entry))
      return opened.queue.add(expectedEnd, entry)
    })
  }

  read(from: number, maxBytes: number): Promise<RecordBatch[]> {
    return this.#hold('read', async () => {
      const log = this.#writing?.log ?? (await this.#persist(() => this.#ground.find()))
      return log === undefined ? [] : this.#read(log, from, maxBytes)
    })
  }

  async #read(log: StreamLog, from: number, maxBytes: number): Promise<RecordBatch[]> {
    const found: RecordBatch[] = []
    let size = 0
    let next = from + 1
    for (;;) {
      const wanted = Math.ceil((maxBytes - size) / this.#batchBytes)
      const most = Math.min(ENTRIES_AT_ONCE, Math.ceil(BYTES_AT_ONCE / this.#largestBytes))
      const count = Math.min(most, Math.max(1, wanted))
      const entries = await this.#persist(() => log.range(next, count))
      for (const entry of entries) {
        const batch = found.length === 0 ? batchOfEntry(entry, log.keys.stream) : tryBatch(entry, log.keys.stream)
        if (batch === undefined) return found
        size += batch.size
        this.#learn(batch.size)
        if (size > maxBytes && found.length > 0) return found
        found.push(batch)
        next = batch.nextOffset + 1
      }
      if (entries.length < count || size >= maxBytes) return found
    }
  }

  #learn(bytes: number): void {
    this.#batchBytes += (bytes - this.#batchBytes) / 16
    if (bytes > this.#largestBytes) this.#largestBytes = bytes
  }

  truncateTo(end: number): Promise<number> {
    return this.#change('truncateTo', async ({ log, token }) => {
      const bounds = await this.#persist(() => log.truncateTo(token, end))
      return bounds.endOffset
    })
  }

  trimBefore(start: number): Promise<void> {
    return this.#change('trimBefore', async ({ log, token }) => {
      const bounds = await this.#persist(() => log.trimBefore(token, start))
      this.#startOffset = bounds.startOffset
    })
  }

  replace(from: number, to: number, batches: readonly RecordBatch[]): Promise<void> {
    return this.#change('replace', ({ log, token }) =>
      this.#persist(() =>
        log.replace(
          token,
          from,
          to,
          batches.map(batch => entryOf(batch, this.#ground.slab)),
        ),
      ),
    )
  }

  resetTo(start: number): Promise<void> {
    return this.#change('resetTo', async ({ log, token }) => {
      const bounds = await this.#persist(() => log.resetTo(token, start))
      this.#startOffset = bounds.startOffset
    })
  }

  /** What was appended is the server's: when that is safe is a matter of its `appendfsync` and of `waitReplicas`. */
  flush(): undefined {
    return undefined
  }

  save(name: string, bytes: Uint8Array): Promise<void> {
    return this.#hold('save', async () => {
      const { log, token } = await this.#opened()
      await this.#persist(() => log.save(token, name, bytes))
    })
  }

  load(name: string): Promise<Uint8Array | undefined> {
    return this.#hold('load', async () => {
      const log = this.#writing?.log ?? (await this.#persist(() => this.#ground.find()))
      const bytes = log && (await this.#persist(() => log.load(name)))
      return bytes ?? undefined
    })
  }

  close(): Promise<void> | undefined {
    const drained = this.#writing?.queue.drained()
    return drained && this.#hold('close', () => drained)
  }

  /** Something is done to the whole stream, after what was asked for before. */
  #change<T>(what: string, run: (writing: Writing) => Promise<T>): Promise<T> {
    const before = this.#turn
    const turn = this.#hold(what, async () => {
      await before?.catch(() => undefined)
      const writing = await this.#opened()
      await writing.queue.drained()
      return run(writing)
    })
    this.#turn = turn
    return turn
  }

  #hold<T>(what: string, run: () => T | Promise<T>): Promise<T> {
    return this.#ground.hold(what, run)
  }

  /** Again and again while what fails is likely to pass. */
  async #persist<T>(run: () => Promise<T>): Promise<T> {
    const { runtime } = this.#ground
    let until: number | undefined
    let pauseMs = RETRY_MS
    for (;;) {
      try {
        return await run()
      } catch (failure) {
        if (!passes(failure)) throw failure
        until ??= runtime.now() + PERSIST_MS
        if (runtime.now() + pauseMs > until) throw failure
      }
      await runtime.sleep(pauseMs, { housekeeping: true })
      pauseMs = Math.min(LARGEST_RETRY_MS, pauseMs * 2)
    }
  }
}

/** Undefined for what is no batch: whoever reads there first is told. */
function tryBatch(entry: Entry, stream: string): RecordBatch | undefined {
  try {
    return batchOfEntry(entry, stream)
  } catch {
    return undefined
  }
}
