/**
 * Every key of a group (Apache Kafka 4.3.1, GroupConfig; KIP-848, KIP-932, KIP-1071), and the broker key that supplies its
 * default.
 */
import type { ConfigOptionsOf, ConfigsOf } from './config-definition.ts'
import { atLeast, boolean, checkedBy, from, int, medium, oneOf, string } from './config-definition.ts'
import { offsetResetRule } from './config-validator.ts'

export const groupConfigs = {
  'consumer.assignment.interval.ms': int(1000, medium, atLeast(0), from('group.consumer.assignment.interval.ms')),
  'consumer.heartbeat.interval.ms': int(5000, medium, atLeast(1), from('group.consumer.heartbeat.interval.ms')),
  'consumer.session.timeout.ms': int(45_000, medium, atLeast(1), from('group.consumer.session.timeout.ms')),
  'share.assignment.interval.ms': int(1000, medium, atLeast(0), from('group.share.assignment.interval.ms')),
  'share.auto.offset.reset': string('latest', medium, checkedBy(offsetResetRule(['latest', 'earliest']))),
  'share.delivery.count.limit': int(5, medium, atLeast(2), from('group.share.delivery.count.limit')),
  'share.heartbeat.interval.ms': int(5000, medium, atLeast(1), from('group.share.heartbeat.interval.ms')),
  'share.isolation.level': oneOf(['read_committed', 'read_uncommitted'], 'read_uncommitted', medium),
  'share.partition.max.record.locks': int(2000, medium, atLeast(100), from('group.share.partition.max.record.locks')),
  'share.record.lock.duration.ms': int(30_000, medium, atLeast(1000), from('group.share.record.lock.duration.ms')),
  'share.renew.acknowledge.enable': boolean(true, medium),
  'share.session.timeout.ms': int(45_000, medium, atLeast(1), from('group.share.session.timeout.ms')),
  'streams.assignment.interval.ms': int(1000, medium, atLeast(0), from('group.streams.assignment.interval.ms')),
  'streams.heartbeat.interval.ms': int(5000, medium, atLeast(1), from('group.streams.heartbeat.interval.ms')),
  'streams.initial.rebalance.delay.ms': int(3000, medium, atLeast(0), from('group.streams.initial.rebalance.delay.ms')),
  'streams.num.standby.replicas': int(0, medium, atLeast(0), from('group.streams.num.standby.replicas')),
  'streams.session.timeout.ms': int(45_000, medium, atLeast(1), from('group.streams.session.timeout.ms')),
}

/** Values in force, every key present. */
export type GroupConfigs = ConfigsOf<typeof groupConfigs>
/** What a user may write. */
export type GroupOptions = ConfigOptionsOf<typeof groupConfigs>
