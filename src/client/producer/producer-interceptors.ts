import type { ClassValue } from '../../metadata/config-definition.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { KafkaError } from '../../wire/errors.ts'
import { Interceptors } from '../interceptors.ts'
import type { HeadersInput, ProducerRecord, RecordMetadata, SendCallback } from './producer-record.ts'

/** `interceptor.classes`: sees every record before it is sent, and how it ended. What it throws is only noted. */
export interface ProducerInterceptor {
  /** Called once, with all that the producer was configured with. */
  configure?(configs: Readonly<Record<string, unknown>>): void
  /** Answers the record to send instead. */
  // biome-ignore lint/suspicious/noExplicitAny: of whatever types the producer's serializers take
  onSend?(record: ProducerRecord<any, any>): ProducerRecord<any, any>
  /** `error` is undefined if all went well; otherwise what is not known of `metadata` is −1. */
  onAcknowledgement?(metadata: RecordMetadata, error: unknown, headers: HeadersInput | undefined): void
  /** The producer is closed. */
  close?(): void
}

interface InterceptorConfigs {
  readonly 'interceptor.classes': readonly ClassValue[]
}

/**
 * Those who are told of records on their way: a producer's interceptors, each handed what the one before it made, and the
 * callback of a `send` (C-20, C-21, C-48). What they throw is noted in the trace, and hurts nobody.
 *
 * As in Kafka's client, the interceptors are told before the callback. Kafka's does not call the callback for what it throws
 * (SerializationException, IllegalStateException, …): here nothing is thrown, so the callback hears of everything.
 */
export class ProducerInterceptors {
  readonly #all: Interceptors<ProducerInterceptor>
  readonly #runtime: Runtime
  readonly #who: string
  #isCalling = false

  /** @throws {ConfigError} for something that cannot intercept, or a `configure` that throws */
  constructor(configs: InterceptorConfigs, runtime: Runtime, who: string) {
    const values = configs['interceptor.classes']
    this.#all = new Interceptors(values, 'onSend, onAcknowledgement and close', runtime, who, configs)
    this.#runtime = runtime
    this.#who = who
  }

  get isEmpty(): boolean {
    return this.#all.isEmpty
  }

  /** A callback or an interceptor runs right now. */
  get isCalling(): boolean {
    return this.#isCalling
  }

  /** With a callback a failure is told to that: nobody has to look at the promise. */
  send(
    record: ProducerRecord<unknown, unknown>,
    callback: SendCallback | undefined,
    send: (record: ProducerRecord<unknown, unknown>) => Promise<RecordMetadata>,
  ): Promise<RecordMetadata> {
    let changed = record
    this.#all.each('onSend', interceptor => {
      changed = interceptor.onSend?.(changed) ?? changed
    })
    const told = send(changed).then(
      metadata => {
        this.#settled(metadata, undefined, changed, callback)
        return metadata
      },
      error => {
        this.#settled(metadataOfFailed(changed, error), error, changed, callback)
        throw error
      },
    )
    if (callback !== undefined) told.catch(() => {})
    return told
  }

  close(): void {
    this.#all.each('close', interceptor => interceptor.close?.())
  }

  #settled(
    metadata: RecordMetadata,
    error: unknown,
    record: ProducerRecord<unknown, unknown>,
    callback: SendCallback | undefined,
  ): void {
    this.#isCalling = true
    try {
      this.#all.each('onAcknowledgement', each => each.onAcknowledgement?.(metadata, error, record?.headers))
      callback?.(metadata, error)
    } catch (thrown) {
      this.#runtime.trace.add('client', this.#who, { what: `callback of send threw ${String(thrown)}` })
    } finally {
      this.#isCalling = false
    }
  }
}

/** What is known of a record that did not arrive (C-21). */
function metadataOfFailed(record: ProducerRecord<unknown, unknown>, error: unknown): RecordMetadata {
  const { details } = error instanceof KafkaError ? error : { details: undefined }
  const where = (details ?? {}) as { readonly partition?: number }
  return {
    topic: record?.topic,
    partition: record?.partition ?? where.partition ?? -1,
    offset: -1,
    timestamp: -1,
    serializedKeySize: -1,
    serializedValueSize: -1,
  }
}
