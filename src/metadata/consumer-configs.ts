/**
 * Every key of a consumer (Apache Kafka 4.3.1, ConsumerConfig; M-50).
 */

import { type ClientOptionsOf, clientConfigs } from './client-configs.ts'
import type { ConfigsOf } from './config-definition.ts'
import {
  atLeast,
  boolean,
  checkedBy,
  classes,
  className,
  entries,
  high,
  int,
  internal,
  list,
  long,
  low,
  medium,
  nonEmpty,
  oneOf,
  oneOfAnyCase,
  required,
  string,
  stringOf,
} from './config-definition.ts'
import { acquireModeRule, offsetResetRule } from './config-validator.ts'

/** Where a consumer begins that nothing says it to; `by_duration:PT1H`: an hour ago (ISO 8601, KIP-1106). */
type OffsetReset = 'earliest' | 'latest' | 'none' | `by_duration:${string}`
type AcquireMode = 'BATCH_OPTIMIZED' | 'batch_optimized' | 'RECORD_LIMIT' | 'record_limit'

export const consumerConfigs = {
  ...clientConfigs,
  'allow.auto.create.topics': boolean(true, medium),
  'auto.commit.interval.ms': int(5000, low, atLeast(0)),
  'auto.offset.reset': stringOf<OffsetReset>(
    'latest',
    medium,
    checkedBy(offsetResetRule(['latest', 'earliest', 'none'])),
  ),
  'bootstrap.servers': list(required, high, entries({ empty: false })),
  'check.crcs': boolean(true, low),
  'client.id': string('', low),
  'client.rack': string('', low),
  'connections.max.idle.ms': long(540_000, medium),
  'default.api.timeout.ms': int(60_000, medium, atLeast(0)),
  'enable.auto.commit': boolean(true, medium),
  'enable.metrics.push': boolean(true, low),
  'exclude.internal.topics': boolean(true, medium),
  'fetch.max.bytes': int(52_428_800, medium, atLeast(0)),
  'fetch.max.wait.ms': int(500, low, atLeast(0)),
  'fetch.min.bytes': int(1, high, atLeast(0)),
  'group.id': string(null, high),
  'group.instance.id': string(null, medium, nonEmpty),
  'group.protocol': oneOfAnyCase(['CONSUMER', 'CLASSIC'], 'classic', high),
  'group.remote.assignor': string(null, medium),
  'heartbeat.interval.ms': int(3000, high),
  'interceptor.classes': classes([], low),
  'internal.throw.on.fetch.stable.offset.unsupported': boolean(false, low, internal),
  'isolation.level': oneOf(['read_committed', 'read_uncommitted'], 'read_uncommitted', medium),
  'key.deserializer': className(required, high),
  'max.partition.fetch.bytes': int(1_048_576, high, atLeast(0)),
  'max.poll.interval.ms': int(300_000, medium, atLeast(1)),
  'max.poll.records': int(500, medium, atLeast(1)),
  'partition.assignment.strategy': classes(
    ['org.apache.kafka.clients.consumer.RangeAssignor', 'org.apache.kafka.clients.consumer.CooperativeStickyAssignor'],
    medium,
  ),
  'receive.buffer.bytes': int(65_536, medium, atLeast(-1)),
  'session.timeout.ms': int(45_000, high),
  'share.acknowledgement.mode': oneOf(['implicit', 'explicit'], 'implicit', medium),
  'share.acquire.mode': stringOf<AcquireMode>('BATCH_OPTIMIZED', medium, checkedBy(acquireModeRule)),
  'value.deserializer': className(required, high),
}

/** Values in force, every key present. */
export type ConsumerConfigs = ConfigsOf<typeof consumerConfigs>
/** What a user may write. */
export type ConsumerOptions = ClientOptionsOf<typeof consumerConfigs>
