/**
 * The clients as users know them. `new Producer({ 'bootstrap.servers': 'localhost:9092' })` speaks TCP to any Kafka, on real
 * time; those that a cluster makes are given its network and its time instead.
 */
import type { AdminOptions } from '../metadata/admin-configs.ts'
import { Admin as AdminCalls } from './admin/admin.ts'
import type { ConsumerOptions, ProducerOptions } from './configuration.ts'
import { Consumer as RecordConsumer } from './consumer/consumer.ts'
import type { ClientEnvironment } from './environment.ts'
import { RecordMock } from './mock/mock-producer.ts'
import type { MockProducerOptions } from './mock/mock-producer-options.ts'
import { OwnEnvironment } from './own-environment.ts'
import { Producer as RecordProducer } from './producer/producer.ts'
import type { RecordData } from './producer/producer-record.ts'
import type { Deserialized, Deserializing, Serialized, Serializing } from './serde-choice.ts'

class TcpProducer<Key, Value> extends RecordProducer<Key, Value> {
  /**
   * @param environment A cluster's; left out: TCP and real time, at `bootstrap.servers`.
   * @throws {ConfigError} for a value that is not legal, or two that do not agree.
   */
  constructor(config: ProducerOptions, environment?: ClientEnvironment) {
    super(config, environment ?? new OwnEnvironment('producer', config))
  }
}

/**
 * Sends records (Kafka's KafkaProducer) over TCP: `new Producer({ 'bootstrap.servers': 'localhost:9092' })`. As a type it is
 * what a producer can do, whoever does it: a MockProducer, too.
 */
export interface Producer<Key = RecordData, Value = RecordData>
  extends Pick<RecordProducer<Key, Value>, keyof RecordProducer<Key, Value>> {}

/** `Key` and `Value` are those that the serializers take; `new Producer<Key, Value>` is taken on trust. */
interface ProducerClass {
  // The third parameter, which says nothing, keeps `<Key, Value>` for the other signature.
  new <const KeyChoice extends Serializing, const ValueChoice extends Serializing, _>(
    config: ProducerOptions<KeyChoice, ValueChoice>,
    environment?: ClientEnvironment,
  ): Producer<Serialized<KeyChoice>, Serialized<ValueChoice>>
  new <Key = RecordData, Value = RecordData>(
    config: ProducerOptions,
    environment?: ClientEnvironment,
  ): Producer<Key, Value>
  readonly prototype: Producer<unknown, unknown>
}

export const Producer: ProducerClass = TcpProducer

class TcpConsumer<Key, Value> extends RecordConsumer<Key, Value> {
  /**
   * @param environment A cluster's; left out: TCP and real time, at `bootstrap.servers`.
   * @throws {ConfigError} for a value that is not legal, or two that do not agree.
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
   * @throws {ConfigError} for a value that is not legal, or two that do not agree.
   */
  constructor(config: AdminOptions, environment?: ClientEnvironment) {
    super(config, environment ?? new OwnEnvironment('adminclient', config))
  }
}

/** A producer without a cluster (Kafka's MockProducer): records what is sent, and ends it as the test says. */
export interface MockProducer<Key = RecordData, Value = RecordData> extends RecordMock<Key, Value> {}

/** `Key` and `Value` are those that the serializers take; `new MockProducer<Key, Value>` is taken on trust. */
interface MockProducerClass {
  new <const KeyChoice extends Serializing, const ValueChoice extends Serializing, _>(
    options?: MockProducerOptions<KeyChoice, ValueChoice>,
  ): MockProducer<Serialized<KeyChoice>, Serialized<ValueChoice>>
  new <Key = RecordData, Value = RecordData>(options?: MockProducerOptions): MockProducer<Key, Value>
  readonly prototype: MockProducer<unknown, unknown>
}

export const MockProducer: MockProducerClass = RecordMock
