/**
 * Every key of a topic (Apache Kafka 4.3.1, LogConfig; M-20), and the broker keys that supply its default.
 *
 * `internal.segment.bytes` is Kafka's own door for tests that want small segments (S-3): it goes before `segment.bytes`,
 * whose minimum is 1 MiB.
 */
import type { ConfigOptionsOf, ConfigsOf } from './config-definition.ts'
import {
  atLeast,
  between,
  boolean,
  checkedBy,
  double,
  from,
  int,
  internal,
  list,
  listOf,
  long,
  MAX_LONG,
  medium,
  oneOf,
} from './config-definition.ts'
import { throttledReplicasRule } from './config-validator.ts'

const MINUTES = 60_000
const HOURS = 3_600_000

export const topicConfigs = {
  'cleanup.policy': listOf(['compact', 'delete'], ['delete'], { empty: true }, medium, from('log.cleanup.policy')),
  'compression.gzip.level': int(-1, medium, between(1, 9, -1), from('compression.gzip.level')),
  'compression.lz4.level': int(9, medium, between(1, 17), from('compression.lz4.level')),
  'compression.type': oneOf(
    ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'],
    'producer',
    medium,
    from('compression.type'),
  ),
  'compression.zstd.level': int(3, medium, between(-131_072, 22), from('compression.zstd.level')),
  'delete.retention.ms': long(86_400_000, medium, atLeast(0), from('log.cleaner.delete.retention.ms')),
  'file.delete.delay.ms': long(60_000, medium, atLeast(0), from('log.segment.delete.delay.ms')),
  'flush.messages': long(MAX_LONG, medium, atLeast(1), from('log.flush.interval.messages')),
  'flush.ms': long(MAX_LONG, medium, atLeast(0), from('log.flush.interval.ms', 'log.flush.scheduler.interval.ms')),
  'follower.replication.throttled.replicas': list([], medium, checkedBy(throttledReplicasRule)),
  'index.interval.bytes': int(4096, medium, atLeast(0), from('log.index.interval.bytes')),
  'internal.segment.bytes': int(null, medium, internal),
  'leader.replication.throttled.replicas': list([], medium, checkedBy(throttledReplicasRule)),
  'local.retention.bytes': long(-2, medium, atLeast(-2), from('log.local.retention.bytes')),
  'local.retention.ms': long(-2, medium, atLeast(-2), from('log.local.retention.ms')),
  'max.compaction.lag.ms': long(MAX_LONG, medium, atLeast(1), from('log.cleaner.max.compaction.lag.ms')),
  'max.message.bytes': int(1_048_588, medium, atLeast(0), from('message.max.bytes')),
  'message.timestamp.after.max.ms': long(3_600_000, medium, atLeast(0), from('log.message.timestamp.after.max.ms')),
  'message.timestamp.before.max.ms': long(MAX_LONG, medium, atLeast(0), from('log.message.timestamp.before.max.ms')),
  'message.timestamp.type': oneOf(
    ['CreateTime', 'LogAppendTime'],
    'CreateTime',
    medium,
    from('log.message.timestamp.type'),
  ),
  'min.cleanable.dirty.ratio': double(0.5, medium, between(0, 1), from('log.cleaner.min.cleanable.ratio')),
  'min.compaction.lag.ms': long(0, medium, atLeast(0), from('log.cleaner.min.compaction.lag.ms')),
  'min.insync.replicas': int(1, medium, atLeast(1), from('min.insync.replicas')),
  preallocate: boolean(false, medium, from('log.preallocate')),
  'remote.log.copy.disable': boolean(false, medium),
  'remote.log.delete.on.disable': boolean(false, medium),
  'remote.storage.enable': boolean(false, medium),
  'retention.bytes': long(-1, medium, from('log.retention.bytes')),
  'retention.ms': long(
    604_800_000,
    medium,
    atLeast(-1),
    from('log.retention.ms', ['log.retention.minutes', MINUTES], ['log.retention.hours', HOURS]),
  ),
  'segment.bytes': int(1_073_741_824, medium, atLeast(1_048_576), from('log.segment.bytes')),
  'segment.index.bytes': int(10_485_760, medium, atLeast(4), from('log.index.size.max.bytes')),
  'segment.jitter.ms': long(0, medium, atLeast(0), from('log.roll.jitter.ms', ['log.roll.jitter.hours', HOURS])),
  'segment.ms': long(604_800_000, medium, atLeast(1), from('log.roll.ms', ['log.roll.hours', HOURS])),
  'unclean.leader.election.enable': boolean(false, medium, from('unclean.leader.election.enable')),
}

/** Values in force, every key present. */
export type TopicConfigs = ConfigsOf<typeof topicConfigs>
/** What a user may write. */
export type TopicOptions = ConfigOptionsOf<typeof topicConfigs>
