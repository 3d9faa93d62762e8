import type { Eventually, LogStore, TopicNews } from '../log/log-store.ts'
import type { Overrides } from '../metadata/config-values.ts'
import type { MetadataRecordInput } from '../metadata/records.ts'
import type { Address } from '../network/channel.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { AnyApi } from '../wire/api.ts'
import type { AdoptedTopic } from './format.ts'

export interface ControllerOptions {
  /** A life of the node: its timers end with the node. */
  readonly runtime: Runtime
  /** Of `__cluster_metadata`, partition 0. A fresh one is formatted. */
  readonly store: LogStore
  readonly clusterId: string
  /** Default 1000. */
  readonly nodeId?: number
  /** Where it listens, as DescribeQuorum and DescribeCluster tell it. Default localhost:9093, as Kafka's example has it. */
  readonly address?: Address
  /** Static values, as of server.properties (`brokerOverrides` makes them). */
  readonly configs?: Overrides
  /** Levels other than those of a new 4.3 cluster; 0 leaves a feature out. Only a fresh store minds them. */
  readonly features?: Readonly<Record<string, number>>
  /** Topics whose logs are there already. Only a fresh store minds them. */
  readonly adopted?: readonly AdoptedTopic[]
  /** What the log begins with, or goes on with: users of the options. */
  readonly initialRecords?: readonly MetadataRecordInput[]
  /** Told of topics, once their records are stored. What it throws is not heard. */
  readonly topicsChanged?: ((news: TopicNews) => Eventually<void>) | undefined
  /** The store failed: this life of the controller is over (see below). */
  readonly failed?: (error: unknown) => void
  /** Safety rules to switch off, for tests of checkers: `no-alter-partition-epoch-check`. */
  readonly mutants?: ReadonlySet<string>
  /** What it takes, by key, for ApiVersions (W-15). */
  readonly apis?: ReadonlyMap<number, AnyApi>
}
