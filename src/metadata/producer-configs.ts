/**
 * Every key of a producer (Apache Kafka 4.3.1, ProducerConfig; C-1).
 */

import { type ClientOptionsOf, clientConfigs } from './client-configs.ts'
import type { ConfigsOf } from './config-definition.ts'
import {
  atLeast,
  between,
  boolean,
  classes,
  className,
  entries,
  high,
  int,
  list,
  long,
  low,
  MAX_INT,
  medium,
  nonEmpty,
  oneOf,
  required,
  string,
} from './config-definition.ts'

export const producerConfigs = {
  ...clientConfigs,
  /**
   * Who must have a record before it counts as sent: `'all'` (−1) the in-sync replicas, `'1'` the leader, `'0'`
   * nobody. Default: all.
   */
  acks: oneOf(['all', '-1', '0', '1'], 'all', low),
  /** Bytes that a batch of one partition may have; 0 sends every record alone. Default: 16384. */
  'batch.size': int(16_384, medium, atLeast(0)),
  /** `host:port` of some brokers, as a list or separated by commas; the others are learnt from them. */
  'bootstrap.servers': list(required, high, entries({ empty: false })),
  /** Bytes of records that wait or are under way; `send` waits when there is no room. Default: 33554432 (32 MiB). */
  'buffer.memory': long(33_554_432, high, atLeast(0)),
  /** Who brokers take it for. Default: `producer-1`, `producer-2`, … */
  'client.id': string('', medium),
  /** 1 to 9, or −1 for zlib's own. Default: −1. */
  'compression.gzip.level': int(-1, medium, between(1, 9, -1)),
  /** 1 to 17. Default: 9. */
  'compression.lz4.level': int(9, medium, between(1, 17)),
  /** `'none'`, `'gzip'`, `'snappy'`, `'lz4'`, `'zstd'`; the last three need a package. Default: none. */
  'compression.type': oneOf(['none', 'gzip', 'snappy', 'lz4', 'zstd'], 'none', high),
  /** −131072 to 22. Default: 3. */
  'compression.zstd.level': int(3, medium, between(-131_072, 22)),
  /** Milliseconds of silence after which a connection is closed. Default: 540000. */
  'connections.max.idle.ms': long(540_000, medium),
  /**
   * Milliseconds from `send` to success or failure, retries included; at least `linger.ms` + `request.timeout.ms`.
   * Default: 120000.
   */
  'delivery.timeout.ms': int(120_000, medium, atLeast(0)),
  /**
   * Whether brokers drop what was sent twice and keep the order; needs acks=all, retries, at most 5 in flight.
   * Default: true, if those hold.
   */
  'enable.idempotence': boolean(true, low),
  /** No metrics are pushed to brokers, whatever is said here. Default: true. */
  'enable.metrics.push': boolean(true, low),
  /** Objects with onSend, onAcknowledgement and close, or classes of such. Default: none. */
  'interceptor.classes': classes([], low),
  /** What makes bytes of keys. */
  'key.serializer': className(required, high),
  /** Milliseconds that a batch waits for more records. Default: 5. */
  'linger.ms': long(5, medium, atLeast(0)),
  /** Milliseconds that `send` and `partitionsFor` wait for metadata, and `send` for memory. Default: 60000. */
  'max.block.ms': long(60_000, medium, atLeast(0)),
  /** Requests that a broker has not answered yet, at most; 5 with idempotence. Default: 5. */
  'max.in.flight.requests.per.connection': int(5, low, atLeast(1)),
  /** Bytes of a request, and of a record before compression. Default: 1048576 (1 MiB). */
  'max.request.size': int(1_048_576, medium, atLeast(0)),
  /** Milliseconds after which a topic that nothing was sent to is forgotten; from 5000 on. Default: 300000. */
  'metadata.max.idle.ms': long(300_000, low, atLeast(5000)),
  /** Whether records without a key rather go where less is queued. Default: true. */
  'partitioner.adaptive.partitioning.enable': boolean(true, low),
  /**
   * Milliseconds after which a broker that takes nothing is avoided for records without a key; 0: never. Default: 0.
   */
  'partitioner.availability.timeout.ms': long(0, low, atLeast(0)),
  /** A function, an object with `partition`, or `'RoundRobinPartitioner'`. Default: by the key, else sticky. */
  'partitioner.class': className(null, medium),
  /** Whether the sticky partitioner chooses for records with a key, too. Default: false. */
  'partitioner.ignore.keys': boolean(false, medium),
  /** Bytes of the kernel's buffer, which Node cannot set. Default: 32768. */
  'receive.buffer.bytes': int(32_768, medium, atLeast(-1)),
  /** How often a batch is sent again, at most. Default: 2147483647: `delivery.timeout.ms` is the bound. */
  retries: int(MAX_INT, high, between(0, MAX_INT)),
  /** Milliseconds after which the coordinator aborts a transaction. Default: 60000. */
  'transaction.timeout.ms': int(60_000, low),
  /** Whether transactions end only when told so (KIP-939). Default: false. */
  'transaction.two.phase.commit.enable': boolean(false, low),
  /** The name under which transactions survive their producer. Default: null, none. */
  'transactional.id': string(null, low, nonEmpty),
  /** What makes bytes of values. */
  'value.serializer': className(required, high),
}

/** Values in force, every key present. */
export type ProducerConfigs = ConfigsOf<typeof producerConfigs>
/** What a user may write. */
export type ProducerOptions = ClientOptionsOf<typeof producerConfigs>
