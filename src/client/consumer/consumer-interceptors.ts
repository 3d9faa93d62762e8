import type { ClassValue } from '../../metadata/config-definition.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { Interceptors } from '../interceptors.ts'
import type { OffsetAndMetadata, TopicPartition } from '../topic-partition.ts'
import { type ConsumerRecord, ConsumerRecords } from './consumer-record.ts'

/** `interceptor.classes`: sees the records before the application does, and what was committed. What it throws is only noted. */
export interface ConsumerInterceptor {
  /** Called once, with all that the consumer was configured with. */
  configure?(configs: Readonly<Record<string, unknown>>): void
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
  readonly #all: Interceptors<ConsumerInterceptor>

  /** @throws {ConfigError} for something that cannot intercept */
  constructor(configs: { readonly 'interceptor.classes': readonly ClassValue[] }, runtime: Runtime, who: string) {
    const values = configs['interceptor.classes']
    this.#all = new Interceptors(values, 'onConsume, onCommit and close', runtime, who, configs)
  }

  get isEmpty(): boolean {
    return this.#all.isEmpty
  }

  consumed<Key, Value>(records: ConsumerRecords<Key, Value>): ConsumerRecords<Key, Value> {
    let changed = records
    this.#all.each('onConsume', interceptor => {
      const answer = interceptor.onConsume?.(changed) ?? changed
      changed = answer instanceof ConsumerRecords ? answer : asRecords(answer)
    })
    return changed
  }

  committed(offsets: ReadonlyMap<TopicPartition, OffsetAndMetadata>): void {
    this.#all.each('onCommit', interceptor => interceptor.onCommit?.(offsets))
  }

  close(): void {
    this.#all.each('close', interceptor => interceptor.close?.())
  }
}

/** What `filter` and `map` made of them. */
function asRecords<Key, Value>(list: readonly ConsumerRecord<Key, Value>[]): ConsumerRecords<Key, Value> {
  const records = new ConsumerRecords<Key, Value>()
  for (const record of list) records.push(record)
  return records
}
