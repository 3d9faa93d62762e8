import type { Deferred, Runtime } from '../../runtime/runtime.ts'
import type { ConsumerRecord } from './consumer-record.ts'

export interface IterationOptions<Key, Value> {
  readonly runtime: Runtime
  readonly name: string
  /** The next record, if it can be had at once. */
  readonly ready: () => ConsumerRecord<Key, Value> | undefined
  /** The next record, however long it takes; undefined once the consumer is closed. */
  readonly next: () => Promise<ConsumerRecord<Key, Value> | undefined>
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
    const { ready, next } = this.#options
    const record = this.#isOver ? undefined : (ready() ?? (await next()))
    if (record === undefined) {
      this.#isOver = true
      return { done: true, value: undefined }
    }
    this.#bodyBegins()
    return { done: false, value: record }
  }

  async return(): Promise<IteratorResult<ConsumerRecord<Key, Value>>> {
    this.#isOver = true
    this.#bodyIsDone()
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
