export * from './apis/kafka-names.ts'
export type { BrokerHandle } from './cluster/broker-handle.ts'
export type { Cluster, NewTopic } from './cluster/cluster.ts'
export type { ControllerHandle } from './cluster/controller-handle.ts'
export { createCluster } from './cluster/create-cluster.ts'
export type { FaultOptions, InstalledInterceptor } from './cluster/faults.ts'
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
export type { FailNextOptions, RequestFault } from './cluster/request-faults.ts'
export type { RequestFilter, SeenRequest } from './cluster/request-journal.ts'
export { FaultsNeverFiredError } from './cluster/scripted-faults.ts'
export type {
  BytesRecord,
  JsonRecord,
  RecordsOptions,
  RecordsWaitOptions,
  TextRecord,
  TopicHandle,
  TopicRecord,
} from './cluster/topic-handle.ts'
export type { Isolation } from './cluster/visible-records.ts'
export { type WaitOptions, WaitTimeoutError } from './cluster/wait.ts'
export { type FaultyStores, faultyLogs, type StoreFaultRule } from './log/faulty-store.ts'
export { memoryLogs } from './log/memory-store.ts'
export {
  disconnect,
  type InterceptedAnswer,
  type InterceptedRequest,
  type Interceptor,
} from './node/intercept.ts'
export { ConfigError, type ErrorName, IllegalStateError, KafkaError, SerializationError } from './wire/errors.ts'
