import type { Deferred, Runtime } from '../../runtime/runtime.ts'
import type { RecordMetadata } from './producer-record.ts'
import type { TopicQueues } from './topic-queues.ts'

/** A send that could not go on at once. */
export interface WaitingSend {
  /** When max.block.ms is over, in milliseconds since the epoch. */
  readonly deadline: number
  /** Its caller has been told already: it must not be appended any more. */
  readonly isGivenUp: boolean
  /** The record is in a batch, and this is its promise. */
  admit(future: Promise<RecordMetadata>): void
}

export interface WaitingOptions {
  readonly runtime: Runtime
  readonly maxBlockMs: number
  /** There is one more pending, or one less. */
  readonly counted: (change: 1 | -1) => void
  /** A record will not be in a batch. */
  readonly refused: (error: unknown) => void
}

/** Sends that wait for metadata, memory or a serializer: for one topic one after the other, as the calls came. */
export class WaitingSends {
  readonly #options: WaitingOptions
  readonly #results = new Set<Deferred<RecordMetadata>>()

  constructor(options: WaitingOptions) {
    this.#options = options
  }

  /** `append` hands the record's promise to `admit` once it is in a batch, unless it finds itself given up. */
  add(topic: TopicQueues, append: (send: WaitingSend) => Promise<void>): Promise<RecordMetadata> {
    const { runtime, maxBlockMs, counted } = this.#options
    const result = runtime.deferred<RecordMetadata>()
    const send: WaitingSend = {
      deadline: runtime.now() + maxBlockMs,
      get isGivenUp() {
        return result.settled
      },
      // A promise resolved with a promise follows it.
      admit: future => result.resolve(future as unknown as RecordMetadata),
    }
    topic.waiting++
    this.#results.add(result)
    counted(1)
    topic.chain = topic.chain.then(async () => {
      try {
        if (!send.isGivenUp) await append(send)
      } catch (error) {
        // Told first: what follows from it may refuse all that still wait, for another reason.
        const isNew = !result.settled
        result.reject(error)
        if (isNew) this.#options.refused(error)
      } finally {
        topic.waiting--
        this.#finish(result)
      }
    })
    return result.promise
  }

  refuse(error: Error): void {
    for (const result of [...this.#results]) {
      if (result.settled) continue
      this.#options.refused(error)
      result.reject(error)
      this.#finish(result)
    }
  }

  #finish(result: Deferred<RecordMetadata>): void {
    if (this.#results.delete(result)) this.#options.counted(-1)
  }
}
