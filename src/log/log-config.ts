/**
 * What a replica's log asks of the effective configuration of its topic, under Kafka's own names. Times are
 * milliseconds, sizes bytes; a limit that Kafka writes as Long.MAX may be `Infinity`. The object is read at each use,
 * so that a changed configuration acts from the next append on (`ReplicaLog.config` may be assigned).
 */
export interface LogConfig {
  /** Some of `delete`, `compact`; empty keeps everything. A string is read as Kafka's comma-separated list. */
  readonly 'cleanup.policy': string | readonly string[]
  /** `producer` keeps what the producer chose (P-17). */
  readonly 'compression.type': string
  readonly 'compression.gzip.level': number
  readonly 'compression.lz4.level': number
  readonly 'compression.zstd.level': number
  readonly 'delete.retention.ms': number
  readonly 'flush.messages': number
  readonly 'flush.ms': number
  readonly 'index.interval.bytes': number
  readonly 'max.compaction.lag.ms': number
  readonly 'max.message.bytes': number
  readonly 'message.timestamp.after.max.ms': number
  readonly 'message.timestamp.before.max.ms': number
  readonly 'message.timestamp.type': string
  readonly 'min.cleanable.dirty.ratio': number
  readonly 'min.compaction.lag.ms': number
  readonly 'retention.bytes': number
  readonly 'retention.ms': number
  readonly 'segment.bytes': number
  /** The hidden override for tests, below the minimum of `segment.bytes` (S-3). */
  readonly 'internal.segment.bytes'?: number | null | undefined
  readonly 'segment.index.bytes': number
  readonly 'segment.jitter.ms': number
  readonly 'segment.ms': number
}

/** Kafka's defaults (§10.3 of its topic configuration). */
export const defaultLogConfig: LogConfig = {
  'cleanup.policy': ['delete'],
  'compression.type': 'producer',
  'compression.gzip.level': -1,
  'compression.lz4.level': 9,
  'compression.zstd.level': 3,
  'delete.retention.ms': 86_400_000,
  'flush.messages': Number.POSITIVE_INFINITY,
  'flush.ms': Number.POSITIVE_INFINITY,
  'index.interval.bytes': 4096,
  'max.compaction.lag.ms': Number.POSITIVE_INFINITY,
  'max.message.bytes': 1_048_588,
  'message.timestamp.after.max.ms': 3_600_000,
  'message.timestamp.before.max.ms': Number.POSITIVE_INFINITY,
  'message.timestamp.type': 'CreateTime',
  'min.cleanable.dirty.ratio': 0.5,
  'min.compaction.lag.ms': 0,
  'retention.bytes': -1,
  'retention.ms': 604_800_000,
  'segment.bytes': 1_073_741_824,
  'segment.index.bytes': 10_485_760,
  'segment.jitter.ms': 0,
  'segment.ms': 604_800_000,
}

export function hasPolicy(config: LogConfig, policy: 'delete' | 'compact'): boolean {
  const policies = config['cleanup.policy']
  return typeof policies === 'string'
    ? policies.split(',').some(each => each.trim() === policy)
    : policies.includes(policy)
}

/** The segment limit that counts: the hidden one where it is set (S-3). */
export function segmentBytes(config: LogConfig): number {
  return config['internal.segment.bytes'] ?? config['segment.bytes']
}
