import type { Deferred, Runtime } from '../../runtime/runtime.ts'
import type { ConsumerRecord } from './consumer-record.ts'

export interface IterationOptions<Key, Value> {
  readonly runtime: Runtime
  readonly name: string
  /** The next records, however long it takes; undefined once the consumer is closed. */
  readonly next: () => Promise<readonly ConsumerRecord<Key, Value>[] | undefined>
}

/**
 * `for await (const record of consumer)`: one record after the other, for ever. It rides virtual time and never drives it:
 * records come while something else does. While the body of the loop has a record, time stands still.
 */
export class RecordIteration<Key, Value> implements AsyncIterableIterator<ConsumerRecord<Key, Value>> {
  readonly #options: IterationOptions<Key, Value>
  #records: readonly ConsumerRecord<Key, Value>[] = []
  #index = 0
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
    if (this.#index === this.#records.length) {
      const records = this.#isOver ? undefined : await this.#options.next()
      if (records === undefined) {
        this.#isOver = true
        return { done: true, value: undefined }
      }
      this.#records = records
      this.#index = 0
    }
    this.#bodyBegins()
    return { done: false, value: this.#records[this.#index++]! }
  }

  async return(): Promise<IteratorResult<ConsumerRecord<Key, Value>>> {
    this.#isOver = true
    this.#records = []
    this.#index = 0
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
