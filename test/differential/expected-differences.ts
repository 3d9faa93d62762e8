import type { Json } from './normal-form.ts'

/** What is not there at all, as its JSON is matched. */
const NOTHING = /^nothing$/

/** UNKNOWN_SERVER_ERROR: the broker fails within itself, and we say what is wrong with the request. */
const FAULT = { kafka: -1, reason: 'a fault of the broker' } as const

/** What is answered otherwise, and is meant to be: docs/deviations.md has the reasons at length. */
export interface ExpectedDifference {
  /** Steps that show it, by their names. */
  readonly step: RegExp
  /** Where in the answer: `topics.0.errorCode`. */
  readonly path: RegExp
  /** What is there, where it matters; a pattern is held against its JSON. `nothing`: the field or element is missing. */
  readonly kafka?: Json | RegExp
  readonly ours?: Json | RegExp
  readonly reason: string
}

/**
 * APIs that say why in words of our own: Kafka documents codes, not sentences. That there is a sentence, none, or an
 * empty one is compared, and so are the sentences of all other APIs.
 */
export const ownWords: readonly string[] = [
  'AlterClientQuotas',
  'AlterConfigs',
  'AlterPartitionReassignments',
  'AlterUserScramCredentials',
  'ConsumerGroupDescribe',
  'ConsumerGroupHeartbeat',
  'CreatePartitions',
  'CreateTopics',
  'DeleteTopics',
  'DescribeCluster',
  'DescribeConfigs',
  'DescribeProducers',
  'DescribeQuorum',
  'ElectLeaders',
  'FindCoordinator',
  'IncrementalAlterConfigs',
  'Produce',
]

/** APIs that Kafka tells of and we do not have: by whom, and which. */
function missingApis(asked: 'of a broker' | 'of the controller', keys: readonly number[], reason: string) {
  return keys.map(key => ({
    step: new RegExp(`^ApiVersions v\\d+ ${asked}$`),
    path: new RegExp(`^apiKeys\\.${key}$`),
    ours: NOTHING,
    reason,
  }))
}

function missingFeature(feature: string, reason: string): ExpectedDifference {
  return { step: /^ApiVersions v/, path: new RegExp(`^finalizedFeatures\\.${feature}$`), ours: NOTHING, reason }
}

/** Each of these must occur. */
export const expectedDifferences: readonly ExpectedDifference[] = [
  ...missingApis('of a broker', [76, 77, 78, 79, 90, 91, 92], 'there are no share groups'),
  ...missingApis('of a broker', [83, 84, 85, 86, 87], 'there is no state of share groups'),
  ...missingApis('of a broker', [88, 89], 'there are no streams groups'),
  ...missingApis('of a broker', [80, 81], 'the quorum has one voter, for ever'),
  ...missingApis('of the controller', [52, 53, 54, 59, 70, 80, 81, 82], 'the quorum has one voter, for ever'),
  ...missingApis('of the controller', [32], 'the controller is not asked by administrators'),
  ...missingApis('of the controller', [73], 'replicas have no log directories to be assigned to'),
  missingFeature('share.version', 'there are no share groups'),
  missingFeature('streams.version', 'there are no streams groups'),
  {
    step: /^DescribeCluster v\d+ by the controller$/,
    path: /^brokers\.0\.host$/,
    ours: 'controller',
    reason: 'the controller is reached within the process only',
  },
  {
    step: /^DescribeQuorum v\d+ by /,
    path: /^nodes\.0\.listeners\.0\.host$/,
    ours: 'controller',
    reason: 'the controller is reached within the process only',
  },
  {
    step: /^DescribeLogDirs v/,
    path: /^results\.0\.(?:totalBytes|usableBytes)$/,
    ours: -1,
    reason: 'memory has no volumes',
  },
  {
    step: /^Metadata v\d+ of neither name nor id$/,
    path: /rrorCode$/,
    ...FAULT,
    ours: 42,
  },
  {
    step: /^DescribeTopicPartitions v0 of a name that is empty$/,
    path: /^topics\.0\.errorCode$/,
    ...FAULT,
    ours: 17,
  },
  {
    step: /^DescribeTopicPartitions v0 of a name that is empty$/,
    path: /^topics\.0\.topicAuthorizedOperations$/,
    reason: FAULT.reason,
  },
  {
    step: /^Fetch v\d+ of (?:less than no bytes|an unknown isolation level)$/,
    path: /^responses\.0\.partitions\.0\.errorCode$/,
    ...FAULT,
    ours: 42,
  },
  {
    step: /^Fetch v\d+ of an unknown isolation level$/,
    path: /^errorCode$/,
    ...FAULT,
    ours: 0,
  },
  {
    step: /^Fetch v\d+ of an unknown isolation level$/,
    path: /^responses\.length$/,
    kafka: 0,
    ours: 1,
    reason: FAULT.reason,
  },
  {
    step: /^Fetch v\d+ of a little, while one is aborted, committed$/,
    path: /^responses\.0\.partitions\.0\.abortedTransactions\.length$/,
    kafka: 2,
    ours: 1,
    reason: 'a broker looks for aborts up to the next entry of its index, we up to the end of what is read',
  },
  {
    step: /^ListOffsets v\d+ of an unknown isolation level$/,
    path: /^topics\.0\.partitions\.0\.errorCode$/,
    ...FAULT,
    ours: 42,
  },
  {
    step: /^WriteTxnMarkers v\d+ (?:of a negative (?:epoch|producer)|by the rules -1)$/,
    path: /^markers\.0\.topics\.0\.partitions\.0\.errorCode$/,
    ...FAULT,
    ours: 42,
  },
  {
    step: /^AlterUserScramCredentials v\d+ without a password$/,
    path: /^results\.0\.errorCode$/,
    ...FAULT,
    ours: 93,
  },
  {
    step: /^IncrementalAlterConfigs v\d+ of a logger, an unknown level$/,
    path: /^responses\.0\.errorCode$/,
    kafka: 40,
    ours: 42,
    reason: 'there are no loggers',
  },
  {
    step: /^BrokerRegistration v\d+ (?:without features|that is too old)$/,
    path: /^(?:errorCode|brokerEpoch)$/,
    reason: 'all brokers of a cluster are of one release',
  },
  {
    step: /^BrokerRegistration v\d+ (?:without directories|with a directory twice)$/,
    path: /^errorCode$/,
    kafka: 119,
    ours: 0,
    reason: 'log directories have no ids',
  },
]
