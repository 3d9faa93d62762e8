import type { ClassValue } from '../../metadata/config-definition.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { ConfigError } from '../../wire/errors.ts'
import type { OffsetAndMetadata, TopicPartition } from '../topic-partition.ts'
import { type ConsumerRecord, ConsumerRecords } from './consumer-record.ts'

/** `interceptor.classes`: sees the records before the application does, and what was committed. What it throws is only noted. */
export interface ConsumerInterceptor {
  /** Answers the records to hand out instead. Called in `poll`, whenever it found something. */
  // biome-ignore lint/suspicious/noExplicitAny: of whatever types the consumer's deserializers make
  onConsume?(records: ConsumerRecords<any, any>): readonly ConsumerRecord<any, any>[]
  /** After the coordinator took a commit, by the application or automatic. */
  onCommit?(offsets: ReadonlyMap<TopicPartition, OffsetAndMetadata>): void
  /** The consumer is closed. */
  close?(): void
}

/** A consumer's interceptors, each handed what the one before it made (Kafka's ConsumerInterceptors). */
export class ConsumerInterceptors {
  readonly #interceptors: readonly ConsumerInterceptor[]
  readonly #runtime: Runtime
  readonly #who: string

  /** @throws {ConfigError} for something that cannot intercept */
  constructor(values: readonly ClassValue[], runtime: Runtime, who: string) {
    this.#runtime = runtime
    this.#who = who
    this.#interceptors = values.map(value => {
      const made: unknown = typeof value === 'function' ? new (value as new () => ConsumerInterceptor)() : value
      if (typeof made === 'object' && made !== null) return made
      throw new ConfigError('interceptor.classes takes objects with onConsume, onCommit and close, or classes of such')
    })
  }

  get isEmpty(): boolean {
    return this.#interceptors.length === 0
  }

  consumed<Key, Value>(records: ConsumerRecords<Key, Value>): ConsumerRecords<Key, Value> {
    let changed = records
    for (const interceptor of this.#interceptors) {
      this.#guarded('onConsume', () => {
        const answer = interceptor.onConsume?.(changed) ?? changed
        changed = answer instanceof ConsumerRecords ? answer : asRecords(answer)
      })
    }
    return changed
  }

  committed(offsets: ReadonlyMap<TopicPartition, OffsetAndMetadata>): void {
    for (const interceptor of this.#interceptors) this.#guarded('onCommit', () => interceptor.onCommit?.(offsets))
  }

  close(): void {
    for (const interceptor of this.#interceptors) this.#guarded('close', () => interceptor.close?.())
  }

  #guarded(what: string, call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#runtime.trace.add('client', this.#who, { what: `interceptor ${what} threw ${String(error)}` })
    }
  }
}

/** What `filter` and `map` made of them. */
function asRecords<Key, Value>(list: readonly ConsumerRecord<Key, Value>[]): ConsumerRecords<Key, Value> {
  const records = new ConsumerRecords<Key, Value>()
  for (const record of list) records.push(record)
  return records
}
