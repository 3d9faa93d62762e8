import type { ClassValue } from '../../metadata/config-definition.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { ConfigError } from '../../wire/errors.ts'
import type { ProducerRecord, RecordMetadata } from './producer-record.ts'

/** `interceptor.classes`: sees every record before it is sent, and how it ended. What it throws is only noted. */
export interface ProducerInterceptor {
  /** Answers the record to send instead. */
  onSend?(record: ProducerRecord): ProducerRecord
  onAcknowledgement?(metadata: RecordMetadata | undefined, error: unknown): void
}

/** A producer's interceptors, each handed what the one before it made (C-20, C-48). */
export class ProducerInterceptors {
  readonly #interceptors: readonly ProducerInterceptor[]
  readonly #runtime: Runtime
  readonly #who: string

  constructor(values: readonly ClassValue[], runtime: Runtime, who: string) {
    this.#runtime = runtime
    this.#who = who
    this.#interceptors = values.map(value => {
      const made: unknown = typeof value === 'function' ? new (value as new () => ProducerInterceptor)() : value
      if (typeof made === 'object' && made !== null) return made
      throw new ConfigError('interceptor.classes takes objects with onSend and onAcknowledgement, or classes of such')
    })
  }

  get isEmpty(): boolean {
    return this.#interceptors.length === 0
  }

  async send(
    record: ProducerRecord,
    send: (record: ProducerRecord) => Promise<RecordMetadata>,
  ): Promise<RecordMetadata> {
    let changed = record
    for (const interceptor of this.#interceptors) {
      this.#guarded('onSend', () => {
        changed = interceptor.onSend?.(changed) ?? changed
      })
    }
    try {
      const metadata = await send(changed)
      this.#acknowledged(metadata, undefined)
      return metadata
    } catch (error) {
      this.#acknowledged(undefined, error)
      throw error
    }
  }

  #acknowledged(metadata: RecordMetadata | undefined, error: unknown): void {
    for (const interceptor of this.#interceptors) {
      this.#guarded('onAcknowledgement', () => interceptor.onAcknowledgement?.(metadata, error))
    }
  }

  #guarded(what: string, call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#runtime.trace.add('client', this.#who, { what: `interceptor ${what} threw ${String(error)}` })
    }
  }
}
