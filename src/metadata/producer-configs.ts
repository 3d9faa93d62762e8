/**
 * Every key of a producer (Apache Kafka 4.3.1, ProducerConfig; C-1).
 */

import { clientConfigs } from './client-configs.ts'
import type { ConfigOptionsOf, ConfigsOf } from './config-definition.ts'
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
  acks: oneOf(['all', '-1', '0', '1'], 'all', low),
  'batch.size': int(16_384, medium, atLeast(0)),
  'bootstrap.servers': list(required, high, entries({ empty: false })),
  'buffer.memory': long(33_554_432, high, atLeast(0)),
  'client.id': string('', medium),
  'compression.gzip.level': int(-1, medium, between(1, 9, -1)),
  'compression.lz4.level': int(9, medium, between(1, 17)),
  'compression.type': oneOf(['none', 'gzip', 'snappy', 'lz4', 'zstd'], 'none', high),
  'compression.zstd.level': int(3, medium, between(-131_072, 22)),
  'connections.max.idle.ms': long(540_000, medium),
  'delivery.timeout.ms': int(120_000, medium, atLeast(0)),
  'enable.idempotence': boolean(true, low),
  'enable.metrics.push': boolean(true, low),
  'interceptor.classes': classes([], low),
  'key.serializer': className(required, high),
  'linger.ms': long(5, medium, atLeast(0)),
  'max.block.ms': long(60_000, medium, atLeast(0)),
  'max.in.flight.requests.per.connection': int(5, low, atLeast(1)),
  'max.request.size': int(1_048_576, medium, atLeast(0)),
  'metadata.max.idle.ms': long(300_000, low, atLeast(5000)),
  'partitioner.adaptive.partitioning.enable': boolean(true, low),
  'partitioner.availability.timeout.ms': long(0, low, atLeast(0)),
  'partitioner.class': className(null, medium),
  'partitioner.ignore.keys': boolean(false, medium),
  'receive.buffer.bytes': int(32_768, medium, atLeast(-1)),
  retries: int(MAX_INT, high, between(0, MAX_INT)),
  'transaction.timeout.ms': int(60_000, low),
  'transaction.two.phase.commit.enable': boolean(false, low),
  'transactional.id': string(null, low, nonEmpty),
  'value.serializer': className(required, high),
}

/** Values in force, every key present. */
export type ProducerConfigs = ConfigsOf<typeof producerConfigs>
/** What a user may write. */
export type ProducerOptions = ConfigOptionsOf<typeof producerConfigs>
