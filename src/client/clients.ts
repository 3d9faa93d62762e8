/**
 * The clients as users know them. `new Producer({ 'bootstrap.servers': 'localhost:9092' })` speaks TCP to any Kafka, on real
 * time; those that a cluster makes are given its network and its time instead.
 */
import type { AdminOptions } from '../metadata/admin-configs.ts'
import { Admin as AdminCalls } from './admin/admin.ts'
import type { ConsumerOptions, Deserializing, ProducerOptions } from './configuration.ts'
import { Consumer as RecordConsumer } from './consumer/consumer.ts'
import type { ClientEnvironment } from './environment.ts'
import { OwnEnvironment } from './own-environment.ts'
import { Producer as RecordProducer } from './producer/producer.ts'
import type { Deserialized } from './serdes.ts'

/** Sends records (Kafka's KafkaProducer) over TCP: `new Producer({ 'bootstrap.servers': 'localhost:9092' })`. */
export class Producer extends RecordProducer {
  /**
   * @param environment A cluster's; left out: TCP and real time, at `bootstrap.servers`.
   * @throws {ConfigError} for a key that is not known, a value that is not legal, or two that do not agree.
   */
  constructor(config: ProducerOptions, environment?: ClientEnvironment) {
    super(config, environment ?? new OwnEnvironment('producer', config))
  }
}

class TcpConsumer<Key, Value> extends RecordConsumer<Key, Value> {
  /**
   * @param environment A cluster's; left out: TCP and real time, at `bootstrap.servers`.
   * @throws {ConfigError} for a key that is not known, or a value that is not legal.
   */
  constructor(config: ConsumerOptions, environment?: ClientEnvironment) {
    super(config, environment ?? new OwnEnvironment('consumer', config))
  }
}

/** Reads records (Kafka's KafkaConsumer) over TCP: `new Consumer({ 'bootstrap.servers': 'localhost:9092' })`. */
export interface Consumer<Key = Buffer | null, Value = Buffer | null> extends RecordConsumer<Key, Value> {}

/** `Key` and `Value` are those that the deserializers make; `new Consumer<Key, Value>` is taken on trust. */
interface ConsumerClass {
  // The third parameter, which says nothing, keeps `<Key, Value>` for the other signature.
  new <const KeyChoice extends Deserializing, const ValueChoice extends Deserializing, _>(
    config: ConsumerOptions<KeyChoice, ValueChoice>,
    environment?: ClientEnvironment,
  ): Consumer<Deserialized<KeyChoice>, Deserialized<ValueChoice>>
  new <Key = Buffer | null, Value = Buffer | null>(
    config: ConsumerOptions,
    environment?: ClientEnvironment,
  ): Consumer<Key, Value>
  readonly prototype: Consumer<unknown, unknown>
}

export const Consumer: ConsumerClass = TcpConsumer

/** Looks after a cluster (Kafka's Admin) over TCP: `new Admin({ 'bootstrap.servers': 'localhost:9092' })`. */
export class Admin extends AdminCalls {
  /**
   * @param environment A cluster's; left out: TCP and real time, at `bootstrap.servers`.
   * @throws {ConfigError} for a key that is not known, or a value that is not legal.
   */
  constructor(config: AdminOptions, environment?: ClientEnvironment) {
    super(config, environment ?? new OwnEnvironment('adminclient', config))
  }
}
