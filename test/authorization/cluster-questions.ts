import { alterClientQuotas } from '../../src/apis/alter-client-quotas.ts'
import { alterConfigs } from '../../src/apis/alter-configs.ts'
import { alterPartitionReassignments } from '../../src/apis/alter-partition-reassignments.ts'
import { alterReplicaLogDirs } from '../../src/apis/alter-replica-log-dirs.ts'
import { alterUserScramCredentials } from '../../src/apis/alter-user-scram-credentials.ts'
import { describeClientQuotas } from '../../src/apis/describe-client-quotas.ts'
import { describeCluster } from '../../src/apis/describe-cluster.ts'
import { describeConfigs } from '../../src/apis/describe-configs.ts'
import { describeLogDirs } from '../../src/apis/describe-log-dirs.ts'
import { describeQuorum } from '../../src/apis/describe-quorum.ts'
import { describeUserScramCredentials } from '../../src/apis/describe-user-scram-credentials.ts'
import { electLeaders } from '../../src/apis/elect-leaders.ts'
import { incrementalAlterConfigs } from '../../src/apis/incremental-alter-configs.ts'
import { listConfigResources } from '../../src/apis/list-config-resources.ts'
import { listPartitionReassignments } from '../../src/apis/list-partition-reassignments.ts'
import { unregisterBroker } from '../../src/apis/unregister-broker.ts'
import { updateFeatures } from '../../src/apis/update-features.ts'
import { type Question, question } from './questions.ts'
import { topics } from './topic-questions.ts'

const resources: readonly (readonly [type: number, name: string, key: string, value: string])[] = [
  ...topics.map(name => [2, name, 'cleanup.policy', 'delete'] as const),
  [4, '1', 'log.retention.ms', '100000'],
  [4, '', 'log.retention.ms', '100000'],
  [32, 'g-open', 'consumer.session.timeout.ms', '50000'],
  [32, 'h-closed', 'consumer.session.timeout.ms', '50000'],
  [16, 'metrics', 'interval.ms', '1000'],
]
const everyPartition = topics.map(name => ({ topic: name, partitions: [0] }))

export const clusterQuestions: readonly Question[] = [
  question('of many kinds', describeConfigs, 4, {
    resources: resources.map(([resourceType, resourceName, key]) => ({
      resourceType,
      resourceName,
      configurationKeys: [key],
    })),
  }),
  question(
    'of a logger',
    describeConfigs,
    4,
    { resources: [{ resourceType: 8, resourceName: '1', configurationKeys: ['root'] }] },
    { blur: ['configs'] },
  ),
  question('to try', incrementalAlterConfigs, 1, {
    resources: resources.map(([resourceType, resourceName, name, value]) => ({
      resourceType,
      resourceName,
      configs: [{ name, configOperation: 0, value }],
    })),
    validateOnly: true,
  }),
  question('twice the same', incrementalAlterConfigs, 1, {
    resources: ['t-open', 't-open', 'u-closed', 'u-closed'].map(resourceName => ({
      resourceType: 2,
      resourceName,
      configs: [{ name: 'cleanup.policy', configOperation: 0, value: 'delete' }],
    })),
    validateOnly: true,
  }),
  question('to try', alterConfigs, 2, {
    resources: resources
      .filter(([type]) => type !== 16)
      .map(([resourceType, resourceName, name, value]) => ({ resourceType, resourceName, configs: [{ name, value }] })),
    validateOnly: true,
  }),
  question('of all kinds', listConfigResources, 1, { resourceTypes: [16, 32] }),
  question('of metrics', listConfigResources, 0, {} as never),
  question('to nowhere', alterReplicaLogDirs, 2, {
    dirs: [{ path: '/nowhere', topics: topics.map(name => ({ name, partitions: [0] })) }],
  }),
  question('of none', describeLogDirs, 4, { topics: [] }, { blur: ['logDir', 'totalBytes', 'usableBytes'] }),
  question('of none, old', describeLogDirs, 1, { topics: [] }, { blur: ['logDir'] }),
  question('of what needs none', electLeaders, 2, {
    electionType: 0,
    topicPartitions: everyPartition,
    timeoutMs: 5000,
  }),
  question('of what needs none, old', electLeaders, 0, { topicPartitions: everyPartition, timeoutMs: 5000 } as never),
  question('of none', alterPartitionReassignments, 0, {
    topics: topics.map(name => ({ name, partitions: [{ partitionIndex: 0, replicas: null }] })),
    timeoutMs: 5000,
  }),
  question('of some', listPartitionReassignments, 0, {
    topics: topics.map(name => ({ name, partitionIndexes: [0] })),
    timeoutMs: 5000,
  }),
  question('of nobody', describeClientQuotas, 1, {
    components: [{ entityType: 'user', matchType: 0, match: 'zz' }],
    strict: true,
  }),
  question('to try', alterClientQuotas, 1, {
    entries: [
      {
        entity: [{ entityType: 'user', entityName: 'zz' }],
        ops: [{ key: 'producer_byte_rate', value: 1000, remove: false }],
      },
    ],
    validateOnly: true,
  }),
  question('of nobody', describeUserScramCredentials, 0, { users: [{ name: 'zz' }] }),
  question('of nobody', alterUserScramCredentials, 0, { deletions: [{ name: 'zz', mechanism: 1 }], upsertions: [] }),
  question(
    'of the metadata log',
    describeQuorum,
    2,
    {
      topics: [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }],
    },
    { blur: ['topics', 'nodes'] },
  ),
  question('to try', updateFeatures, 1, {
    timeoutMs: 5000,
    featureUpdates: [{ feature: 'nosuch', maxVersionLevel: 1, upgradeType: 1 }],
    validateOnly: true,
  }),
  question('that is not there', unregisterBroker, 0, { brokerId: 99 }),
  question(
    'with operations',
    describeCluster,
    1,
    { includeClusterAuthorizedOperations: true },
    { blur: ['brokers', 'controllerId'] },
  ),
  question(
    'without operations',
    describeCluster,
    0,
    { includeClusterAuthorizedOperations: false },
    { blur: ['brokers', 'controllerId'] },
  ),
]
