/**
 * The clients as users know them. `new Producer({ 'bootstrap.servers': 'localhost:9092' })` speaks TCP to any Kafka, on real
 * time; those that a cluster makes are given its network and its time instead.
 */
import type { AdminOptions } from '../metadata/admin-configs.ts'
import { Admin as AdminCalls } from './admin/admin.ts'
import type { ConsumerOptions, ProducerOptions } from './configuration.ts'
import { Consumer as RecordConsumer } from './consumer/consumer.ts'
import type { ClientEnvironment } from './environment.ts'
import { OwnEnvironment } from './own-environment.ts'
import { Producer as RecordProducer } from './producer/producer.ts'

/** Sends records (Kafka's KafkaProducer) over TCP: `new Producer({ 'bootstrap.servers': 'localhost:9092' })`. */
export class Producer extends RecordProducer {
  readonly #own: OwnEnvironment | undefined

  /**
   * @param environment A cluster's; left out: TCP and real time, at `bootstrap.servers`.
   * @throws {ConfigError} for a key that is not known, a value that is not legal, or two that do not agree.
   */
  constructor(config: ProducerOptions, environment?: ClientEnvironment) {
    const own = environment === undefined ? new OwnEnvironment('producer', config) : undefined
    super(config, environment ?? own!)
    this.#own = own
  }

  override async close(options?: Parameters<RecordProducer['close']>[0]): Promise<void> {
    try {
      await super.close(options)
    } finally {
      await this.#own?.close()
    }
  }
}

/** Reads records (Kafka's KafkaConsumer) over TCP: `new Consumer({ 'bootstrap.servers': 'localhost:9092' })`. */
export class Consumer<Key = Buffer | null, Value = Buffer | null> extends RecordConsumer<Key, Value> {
  readonly #own: OwnEnvironment | undefined

  /**
   * @param environment A cluster's; left out: TCP and real time, at `bootstrap.servers`.
   * @throws {ConfigError} for a key that is not known, or a value that is not legal.
   */
  constructor(config: ConsumerOptions, environment?: ClientEnvironment) {
    const own = environment === undefined ? new OwnEnvironment('consumer', config) : undefined
    super(config, environment ?? own!)
    this.#own = own
  }

  override async close(options?: Parameters<RecordConsumer['close']>[0]): Promise<void> {
    try {
      await super.close(options)
    } finally {
      await this.#own?.close()
    }
  }
}

/** Looks after a cluster (Kafka's Admin) over TCP: `new Admin({ 'bootstrap.servers': 'localhost:9092' })`. */
export class Admin extends AdminCalls {
  readonly #own: OwnEnvironment | undefined

  /**
   * @param environment A cluster's; left out: TCP and real time, at `bootstrap.servers`.
   * @throws {ConfigError} for a key that is not known, or a value that is not legal.
   */
  constructor(config: AdminOptions, environment?: ClientEnvironment) {
    const own = environment === undefined ? new OwnEnvironment('adminclient', config) : undefined
    super(config, environment ?? own!)
    this.#own = own
  }

  override async close(options?: Parameters<AdminCalls['close']>[0]): Promise<void> {
    try {
      await super.close(options)
    } finally {
      await this.#own?.close()
    }
  }
}
