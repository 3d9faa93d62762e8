export * from './apis/kafka-names.ts'
export type { TokenVerifier, VerifiedToken } from './broker/authentication/authority.ts'
export type { SaslMechanism } from './broker/authentication/sasl-gate.ts'
export type { AclBinding, AclFilter } from './client/admin/acls.ts'
export type {
  ClientQuotaAlteration,
  ClientQuotaComponent,
  ClientQuotaDescription,
  ClientQuotaEntity,
  ClientQuotaFilter,
} from './client/admin/client-quotas.ts'
export type { ClusterDescription, FeatureDescription, FeatureVersions } from './client/admin/cluster-description.ts'
export type {
  ConfigAlteration,
  ConfigEntry,
  ConfigResource,
  ConfigSynonym,
  DescribeConfigsOptions,
} from './client/admin/configs.ts'
export type { DelegationToken, NewDelegationToken, Principal } from './client/admin/delegation-tokens.ts'
export type { FeatureUpdate } from './client/admin/features.ts'
export type {
  ClassicGroupDescription,
  ConsumerGroupDescription,
  ConsumerGroupMemberDescription,
  GroupMemberDescription,
} from './client/admin/group-descriptions.ts'
export type { RemoveMembersOptions } from './client/admin/group-members.ts'
export type { GroupOffset, GroupPartitions, NewGroupOffset, NewGroupOffsets } from './client/admin/group-offsets.ts'
export type {
  GroupListing,
  GroupState,
  GroupType,
  ListConsumerGroupsOptions,
  ListGroupsOptions,
} from './client/admin/groups.ts'
export type { LogDirDescription, LogDirReplica, ReplicaLogDir } from './client/admin/log-dirs.ts'
export type {
  ListedOffset,
  OffsetRequest,
  OffsetSpec,
  ProducerState,
  RecordsToDelete,
} from './client/admin/partition-queries.ts'
export type { QuorumDescription, QuorumReplica } from './client/admin/quorum.ts'
export type { ElectionResult, NewReassignment, Reassignment } from './client/admin/replicas.ts'
export type {
  ScramCredentialAlteration,
  ScramCredentialDeletion,
  ScramCredentialInfo,
  ScramCredentialUpsertion,
} from './client/admin/scram-credentials.ts'
export type {
  CreatedTopic,
  NewPartitions,
  NewTopic as AdminNewTopic,
  TopicDescription,
  TopicListing,
  TopicPartitionDescription,
} from './client/admin/topics.ts'
export type {
  AbortTransactionSpec,
  FencedProducer,
  ListTransactionsOptions,
  TransactionDescription,
  TransactionListing,
  TransactionState,
} from './client/admin/transactions.ts'
export type { OAuthToken, TokenProvider } from './client/authentication/oauth-bearer.ts'
export type { SerdeName } from './client/built-in-serdes.ts'
export { ClientError } from './client/client-error.ts'
export { Admin, Consumer, MockProducer, Producer } from './client/clients.ts'
export type { ConsumerOptions, ProducerOptions } from './client/configuration.ts'
export type {
  AssignmentContext,
  Assignor,
  MemberSubscription,
  RebalanceProtocol,
  TopicPartitions,
} from './client/consumer/assignors/assignor.ts'
export type { AssignorChoice, AssignorName } from './client/consumer/assignors/strategies.ts'
export type {
  CommittedOffset,
  OffsetsToCommit,
  PartitionOffset,
  SeekTarget,
} from './client/consumer/commit-arguments.ts'
export type { CommitCallback } from './client/consumer/commits.ts'
export type { ConsumerCloseOptions, GroupMetadata, SubscribeOptions } from './client/consumer/consumer-arguments.ts'
export type { ConsumerInterceptor } from './client/consumer/consumer-interceptors.ts'
export type { ConsumerHeader, ConsumerRecord, ConsumerRecords } from './client/consumer/consumer-record.ts'
export type { GroupMembershipOperation } from './client/consumer/membership.ts'
export { LogTruncationError } from './client/consumer/positions.ts'
export type { RebalanceListener } from './client/consumer/rebalance-callbacks.ts'
export type { SubscriptionPattern, Topics } from './client/consumer/topic-choice.ts'
export { listDeserializer, listSerializer } from './client/list-serde.ts'
export type { GroupOffsets } from './client/mock/mock-producer.ts'
export type { MockProducerOptions } from './client/mock/mock-producer-options.ts'
export type { DeliveryDetails } from './client/producer/delivery-errors.ts'
export type { Partitioner, PartitionerInput } from './client/producer/partitioner.ts'
export type { ProducerInterceptor } from './client/producer/producer-interceptors.ts'
export type {
  HeadersInput,
  HeaderValue,
  ProducerRecord,
  RecordData,
  RecordMetadata,
  SendCallback,
} from './client/producer/producer-record.ts'
export type { Deserialize, Deserializer, Serialize, Serializer } from './client/serde.ts'
export type { Deserialized, DeserializerChoice, Serialized, SerializerChoice } from './client/serde-choice.ts'
export type {
  Node,
  OffsetAndMetadata,
  OffsetAndTimestamp,
  PartitionInfo,
  TopicPartition,
} from './client/topic-partition.ts'
export type { Access, AccessOperation, AccessOptions, AccessResource } from './cluster/acl-order.ts'
export type { AuthorizerOptions } from './cluster/authorizer-options.ts'
export type { BrokerHandle } from './cluster/broker-handle.ts'
export type { Certificate } from './cluster/certificates/certificate.ts'
export type { Cluster } from './cluster/cluster.ts'
export type { InProcessOptions } from './cluster/connected-clients.ts'
export type { ControllerHandle } from './cluster/controller-handle.ts'
export type { Coordinated } from './cluster/coordinator-lookup.ts'
export { createCluster } from './cluster/create-cluster.ts'
export type { FaultOptions, InstalledInterceptor } from './cluster/faults.ts'
export type { Consumption } from './cluster/group-consumption.ts'
export type {
  ConsumedOptions,
  ConsumedWaitOptions,
  GroupHandle,
  GroupWaitOptions,
  StableWaitOptions,
} from './cluster/group-handle.ts'
export type { GroupPartitionView } from './cluster/group-lag.ts'
export type { GroupMemberView } from './cluster/group-membership.ts'
export type { ListenOptions } from './cluster/listening.ts'
export type { Named } from './cluster/named-client.ts'
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
export type { BrokerSpec, ClusterOptions, NewTopic, TopicSpec } from './cluster/options.ts'
export type { PartitionView, ReplicaView } from './cluster/partition-view.ts'
export type { QuotaEntity, QuotaLimits, QuotaSpec } from './cluster/quota-order.ts'
export type { FailNextOptions, RequestFault } from './cluster/request-faults.ts'
export type { RequestFilter, SeenRequest } from './cluster/request-journal.ts'
export type { SaslOptions } from './cluster/sasl-options.ts'
export { FaultsNeverFiredError } from './cluster/scripted-faults.ts'
export type { TlsOptions } from './cluster/tls-options.ts'
export type {
  BytesRecord,
  JsonRecord,
  MarkerFacts,
  RecordsOptions,
  RecordsWaitOptions,
  TextRecord,
  TopicHandle,
  TopicRecord,
} from './cluster/topic-handle.ts'
export type { HeldTransaction, TransactionHandle, TransactionStateName } from './cluster/transaction-handle.ts'
export type { Isolation } from './cluster/visible-records.ts'
export { type WaitOptions, WaitTimeoutError } from './cluster/wait.ts'
export type { TransactionStep } from './coordinators/transactions/transaction-stops.ts'
export { type FaultyStores, faultyLogs, type StoreFaultRule } from './log/faulty-store.ts'
export { memoryLogs } from './log/memory-store.ts'
export type { AdminOptions } from './metadata/admin-configs.ts'
export {
  disconnect,
  type InterceptedAnswer,
  type InterceptedRequest,
  type Interceptor,
} from './node/intercept.ts'
export { OutsideError } from './runtime/outside.ts'
export { PatienceError } from './runtime/virtual.ts'
export {
  ApplicationRecoverableError,
  AuthenticationError,
  AuthorizationError,
  InvalidConfigurationError,
  InvalidMetadataError,
  OutOfOrderSequenceError,
  ProducerFencedError,
  RecordTooLargeError,
  RefreshRetriableError,
  RetriableError,
  TimeoutError,
  TransactionAbortableError,
  UnsupportedVersionError,
} from './wire/error-families.ts'
export {
  BufferExhaustedError,
  CommitFailedError,
  ConfigError,
  type ErrorName,
  IllegalArgumentError,
  IllegalStateError,
  InvalidGroupIdError,
  KafkaError,
  NoOffsetForPartitionError,
  RebalanceInProgressError,
  RetriableCommitFailedError,
  SerializationError,
  SslAuthenticationError,
  TransactionAbortedError,
  WakeupError,
} from './wire/errors.ts'
