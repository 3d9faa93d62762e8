import type { ClassValue } from '../../metadata/config-definition.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { Interceptors } from '../interceptors.ts'
import type { ProducerRecord, RecordMetadata } from './producer-record.ts'

/** `interceptor.classes`: sees every record before it is sent, and how it ended. What it throws is only noted. */
export interface ProducerInterceptor {
  /** Answers the record to send instead. */
  onSend?(record: ProducerRecord): ProducerRecord
  onAcknowledgement?(metadata: RecordMetadata | undefined, error: unknown): void
}

/** A producer's interceptors, each handed what the one before it made (C-20, C-48). */
export class ProducerInterceptors {
  readonly #all: Interceptors<ProducerInterceptor>

  /** @throws {ConfigError} for something that cannot intercept */
  constructor(values: readonly ClassValue[], runtime: Runtime, who: string) {
    this.#all = new Interceptors(values, 'onSend and onAcknowledgement', runtime, who)
  }

  get isEmpty(): boolean {
    return this.#all.isEmpty
  }

  async send(
    record: ProducerRecord,
    send: (record: ProducerRecord) => Promise<RecordMetadata>,
  ): Promise<RecordMetadata> {
    let changed = record
    this.#all.each('onSend', interceptor => {
      changed = interceptor.onSend?.(changed) ?? changed
    })
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
    this.#all.each('onAcknowledgement', interceptor => interceptor.onAcknowledgement?.(metadata, error))
  }
}
