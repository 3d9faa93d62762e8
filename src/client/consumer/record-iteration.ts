import type { Deferred, Runtime } from '../../runtime/runtime.ts'
import type { ConsumerRecord } from './consumer-record.ts'

export interface IterationOptions<Key, Value> {
  readonly runtime: Runtime
  readonly name: string
  /** The next record, if it can be had at once. */
  readonly ready: () => ConsumerRecord<Key, Value> | undefined
  /** The next record, however long it takes; undefined once `isOver` or the consumer is closed. */
  readonly next: (isOver: () => boolean) => Promise<ConsumerRecord<Key, Value> | undefined>
  /** `isOver` has changed: whoever waits looks again. */
  readonly changed: () => void
}

/**
 * `for await (const record of consumer)`: one record after the other, for ever. It rides virtual time and never drives it:
 * records come while something else does. While the body of the loop has a record, time stands still.
 *
 * The position moves record by record: what is committed, by the body or by itself, is what the body has got so far.
 */
export class RecordIteration<Key, Value> implements AsyncIterableIterator<ConsumerRecord<Key, Value>> {
  readonly #options: IterationOptions<Key, Value>
  #body: Deferred<void> | undefined
  #error: unknown
  #isOver = false
  /** The `next` that waits. */
  #waiting: Promise<unknown> | undefined

  constructor(options: IterationOptions<Key, Value>) {
    this.#options = options
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<ConsumerRecord<Key, Value>>> {
    this.#bodyIsDone()
    if (this.#error !== undefined) {
      const error = this.#error
      this.#error = undefined
      throw error
    }
    const record = this.#isOver ? undefined : (this.#options.ready() ?? (await this.#wait()))
    if (record === undefined) {
      this.#isOver = true
      return { done: true, value: undefined }
    }
    // Left meanwhile: the record was had before, and nobody would say that the body is done with it.
    if (!this.#isOver) this.#bodyBegins()
    return { done: false, value: record }
  }

  async #wait(): Promise<ConsumerRecord<Key, Value> | undefined> {
    const { runtime, name, next } = this.#options
    const arrive = runtime.ride(`${name} waits in a \`for await\`, which rides time and does not drive it`)
    const record = next(() => this.#isOver)
    this.#waiting = record.catch(() => {})
    try {
      return await record
    } finally {
      this.#waiting = undefined
      arrive()
    }
  }

  /** Ends a `next` that waits, too: then the consumer may be polled again, or iterated anew. */
  async return(): Promise<IteratorResult<ConsumerRecord<Key, Value>>> {
    this.#isOver = true
    this.#bodyIsDone()
    if (this.#waiting !== undefined) {
      this.#options.changed()
      await this.#waiting
    }
    return { done: true, value: undefined }
  }

  #bodyBegins(): void {
    const { runtime, name } = this.#options
    const body = runtime.deferred()
    this.#body = body
    runtime.outside(`the body of an iteration over ${name}`, body.promise).catch(error => {
      this.#error = error
    })
  }

  #bodyIsDone(): void {
    this.#body?.resolve()
    this.#body = undefined
  }
}
