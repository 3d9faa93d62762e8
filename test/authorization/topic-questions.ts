import { createPartitions } from '../../src/apis/create-partitions.ts'
import { createTopics } from '../../src/apis/create-topics.ts'
import { deleteRecords } from '../../src/apis/delete-records.ts'
import { deleteTopics } from '../../src/apis/delete-topics.ts'
import { describeProducers } from '../../src/apis/describe-producers.ts'
import { describeTopicPartitions } from '../../src/apis/describe-topic-partitions.ts'
import { fetch } from '../../src/apis/fetch.ts'
import { listOffsets } from '../../src/apis/list-offsets.ts'
import { metadata } from '../../src/apis/metadata.ts'
import { offsetForLeaderEpoch } from '../../src/apis/offset-for-leader-epoch.ts'
import { produce } from '../../src/apis/produce.ts'
import { batchOf } from '../../src/wire/batch-builder.ts'
import { Records } from '../../src/wire/records.ts'
import { zeroUuid } from '../../src/wire/uuid.ts'
import { subjects } from './grants.ts'
import type { Place } from './place.ts'
import { type Question, question } from './questions.ts'
import { makeTopics } from './setting.ts'

export const topics = ['t-open', 'u-closed', 'p-public', 't-none', 'u-none'] as const
const NOWHERE = 'AAAAAAAAAAAAAAAAAAAABA'
const idOf = (place: Place, name: string) => place.topicIds.get(name) ?? NOWHERE
/** What moves with every record that somebody may write. */
const moving = [
  'baseOffset',
  'logStartOffset',
  'logAppendTimeMs',
  'records',
  'highWatermark',
  'lastStableOffset',
  'sessionId',
  'currentLeader',
  'nodeEndpoints',
  'snapshotId',
  'divergingEpoch',
]

/** What says nothing of who may what. */
const surroundings = ['brokers', 'clusterId', 'controllerId', 'partitions']

const records = (options: object = {}) =>
  Records.of([batchOf([{ timestamp: 1, key: 'k', value: new Uint8Array(3) }], options)])
const partitions = (options: object = {}) => [{ index: 0, records: records(options) }]
const written = (options: object = {}) => ({
  acks: 1,
  timeoutMs: 5000,
  topicData: topics.map(name => ({ name, partitionData: partitions(options) })),
})
const fetched = { partition: 0, fetchOffset: 0, partitionMaxBytes: 1 }
const fetching = { maxWaitMs: 0, minBytes: 0, forgottenTopicsData: [] }
const names = topics.map(name => ({ name }))
const unnamed = (name: string, place: Place) => ({ name: null, topicId: idOf(place, name) })
const named = topics.map(name => ({ name, topicId: zeroUuid }))

const newTopic = (name: string) => ({ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] })
const doom = (prefix: string) => (place: Place) =>
  makeTopics(
    place,
    [...subjects.keys()].flatMap(subject => [`t-${prefix}-${subject}`, `u-${prefix}-${subject}`]),
  )

export const topicQuestions: readonly Question[] = [
  question('of records', produce, 12, () => written(), { blur: moving }),
  question(
    'of records by id',
    produce,
    13,
    (_, place) => ({
      ...written(),
      topicData: [...topics, 'nothing'].map(name => ({ topicId: idOf(place, name), partitionData: partitions() })),
    }),
    { blur: moving },
  ),
  question(
    'of an idempotent producer',
    produce,
    9,
    () => written({ producerId: 777, producerEpoch: 0, baseSequence: 0 }),
    { blur: moving },
  ),
  question(
    'in a transaction of one’s own',
    produce,
    11,
    () => ({
      ...written({ producerId: 999_999, producerEpoch: 0, baseSequence: 0, transactional: true }),
      transactionalId: 'x-open',
    }),
    { blur: moving },
  ),
  question(
    'in a transaction of another',
    produce,
    11,
    () => ({
      ...written({ producerId: 999_999, producerEpoch: 0, baseSequence: 0, transactional: true }),
      transactionalId: 'y-closed',
    }),
    { blur: moving },
  ),
  question(
    'in a transaction of nobody',
    produce,
    11,
    () => written({ producerId: 999_999, producerEpoch: 0, baseSequence: 0, transactional: true }),
    { blur: moving },
  ),
  question(
    'that names a transactional id, for plain records',
    produce,
    11,
    () => ({ ...written(), transactionalId: 'y-closed' }),
    { blur: moving },
  ),
  question(
    'by name',
    fetch,
    12,
    { ...fetching, topics: topics.map(topic => ({ topic, partitions: [fetched] })) },
    { blur: moving },
  ),
  question(
    'by id',
    fetch,
    17,
    (_, place) => ({
      ...fetching,
      topics: [...topics, 'nothing'].map(name => ({ topicId: idOf(place, name), partitions: [fetched] })),
    }),
    { blur: moving },
  ),
  question(
    'of a follower',
    fetch,
    12,
    { ...fetching, replicaId: 7, topics: topics.map(topic => ({ topic, partitions: [fetched] })) },
    { blur: moving },
  ),
  question('of the end', listOffsets, 8, {
    replicaId: -1,
    isolationLevel: 0,
    topics: topics.map(name => ({ name, partitions: [{ partitionIndex: 0, timestamp: -2 }] })),
  }),
  question('of the end, old', listOffsets, 1, {
    replicaId: -1,
    topics: topics.map(name => ({ name, partitions: [{ partitionIndex: 0, timestamp: -2 }] })),
  } as never),
  question(
    'of all',
    metadata,
    12,
    { topics: null, allowAutoTopicCreation: false, includeTopicAuthorizedOperations: true },
    { blur: surroundings },
  ),
  question('of all, old', metadata, 0, { topics: [], allowAutoTopicCreation: false }, { blur: surroundings }),
  question(
    'by name',
    metadata,
    9,
    {
      topics: names,
      allowAutoTopicCreation: false,
      includeTopicAuthorizedOperations: true,
      includeClusterAuthorizedOperations: true,
    },
    { blur: surroundings },
  ),
  question(
    'by id',
    metadata,
    12,
    (_, place) => ({
      topics: [...topics, 'nothing'].map(name => unnamed(name, place)),
      allowAutoTopicCreation: false,
      includeTopicAuthorizedOperations: true,
    }),
    { blur: surroundings },
  ),
  question('of some', describeTopicPartitions, 0, { topics: names }),
  question('of all', describeTopicPartitions, 0, { topics: [] }),
  question('from a cursor on', describeTopicPartitions, 0, {
    topics: names,
    cursor: { topicName: 'u-closed', partitionIndex: 0 },
  }),
  question(
    'of epochs',
    offsetForLeaderEpoch,
    4,
    {
      replicaId: -1,
      topics: topics.map(topic => ({ topic, partitions: [{ partition: 0, leaderEpoch: 0 }] })),
    },
    { blur: ['endOffset'] },
  ),
  question(
    'of a follower',
    offsetForLeaderEpoch,
    3,
    {
      replicaId: 7,
      topics: topics.map(topic => ({ topic, partitions: [{ partition: 0, leaderEpoch: 0 }] })),
    },
    { blur: ['endOffset'] },
  ),
  question(
    'of producers',
    describeProducers,
    0,
    {
      topics: topics.map(name => ({ name, partitionIndexes: [0] })),
    },
    { blur: ['activeProducers'] },
  ),
  question('of nothing', deleteRecords, 2, {
    topics: topics.map(name => ({ name, partitions: [{ partitionIndex: 0, offset: 0 }] })),
    timeoutMs: 5000,
  }),
  question(
    'to try',
    createTopics,
    7,
    {
      topics: [...topics, 't-new', 'u-new'].map(newTopic),
      timeoutMs: 5000,
      validateOnly: true,
    },
    { blur: ['configs', 'topicId'] },
  ),
  question('to try, old', createTopics, 4, {
    topics: [...topics, 't-new', 'u-new'].map(newTopic),
    timeoutMs: 5000,
    validateOnly: true,
  }),
  question(
    'twice the same',
    createTopics,
    7,
    {
      topics: ['t-twin', 't-twin', 'u-twin', 'u-twin'].map(newTopic),
      timeoutMs: 5000,
      validateOnly: true,
    },
    { blur: ['configs', 'topicId'] },
  ),
  question(
    'for the brokers only',
    createTopics,
    7,
    {
      topics: [newTopic('__cluster_metadata')],
      timeoutMs: 5000,
      validateOnly: true,
    },
    { blur: ['configs', 'topicId'] },
  ),
  question('to try', createPartitions, 3, {
    topics: topics.map(name => ({ name, count: 2, assignments: null })),
    timeoutMs: 5000,
    validateOnly: true,
  }),
  question('twice the same', createPartitions, 3, {
    topics: ['t-open', 't-open', 'u-closed', 'u-closed'].map(name => ({ name, count: 2, assignments: null })),
    timeoutMs: 5000,
    validateOnly: true,
  }),
  question('that are not there', deleteTopics, 6, {
    topics: [...named.slice(3), { name: null, topicId: NOWHERE }],
    timeoutMs: 5000,
  }),
]

/** They change what the others see. */
export const lastTopicQuestions: readonly Question[] = [
  question(
    'by name',
    deleteTopics,
    6,
    subject => ({
      topics: ['t', 'u'].map(prefix => ({ name: `${prefix}-doomed-${subject}`, topicId: zeroUuid })),
      timeoutMs: 5000,
    }),
    { before: doom('doomed') },
  ),
  question(
    'by name, old',
    deleteTopics,
    3,
    subject =>
      ({
        topicNames: ['t', 'u'].map(prefix => `${prefix}-dated-${subject}`),
        timeoutMs: 5000,
      }) as never,
    { before: doom('dated') },
  ),
  question(
    'by id',
    deleteTopics,
    6,
    (subject, place) => ({
      topics: ['t', 'u'].map(prefix => ({ name: null, topicId: idOf(place, `${prefix}-lost-${subject}`) })),
      timeoutMs: 5000,
    }),
    { before: doom('lost') },
  ),
  question(
    'for good',
    createTopics,
    7,
    subject => ({
      topics: ['t', 'u'].map(prefix => newTopic(`${prefix}-made-${subject}`)),
      timeoutMs: 5000,
    }),
    { blur: ['configs', 'topicId'] },
  ),
  question(
    'that makes topics',
    metadata,
    12,
    subject => ({
      topics: [...['t', 'u', 'p'].map(prefix => ({ name: `${prefix}-wanted-${subject}` })), { name: 'a b' }],
      allowAutoTopicCreation: true,
      includeTopicAuthorizedOperations: true,
    }),
    { blur: surroundings },
  ),
]
