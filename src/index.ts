export type { BrokerHandle } from './cluster/broker-handle.ts'
export type { Cluster, NewTopic } from './cluster/cluster.ts'
export type { ControllerHandle } from './cluster/controller-handle.ts'
export { createCluster } from './cluster/create-cluster.ts'
export {
  cut,
  delay,
  hold,
  isolate,
  type NamedRule,
  type NodeReference,
  type PassageFilter,
  reset,
} from './cluster/network-faults.ts'
export type { BrokerSpec, ClusterOptions, TopicSpec } from './cluster/options.ts'
export type { PartitionView, ReplicaView } from './cluster/partition-view.ts'
export { type WaitOptions, WaitTimeoutError } from './cluster/wait.ts'
