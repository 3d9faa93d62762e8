/** Where kafka-ts 1.5.0 says it differently than Kafka's message definitions, and than we. */
import { encodeAssignment, encodeSubscription } from '../../src/wire/consumer-protocol.ts'
import { everywhere, type Row } from './kafka-ts-apis.ts'

export interface Shape {
  /** Fields of ours that kafka-ts has no say in: it always writes the default. */
  readonly fixed?: readonly string[]
  /** Of values that kafka-ts cannot say, one that it can. */
  readonly sayable?: (value: Row, version: number) => Row
  /** Ours → theirs, on every level. */
  readonly names?: Readonly<Record<string, string>>
  /** After all that. */
  readonly remade?: (data: Row, version: number) => Row
}

/** The one group of versions that know one only. */
const GROUPS_SINCE = 8
const COORDINATORS_SINCE = 4
const MEMBERS_SINCE = 3
const TOPICS_BY_ID_SINCE = 6

/** What Kafka's protocol leaves to the members is read and written by kafka-ts, too: text in place of any bytes. */
const textsOf = (bytes: Uint8Array): string[] => [...new Set([...bytes].map(byte => `topic-${byte}`))]
const partitionsOf = (bytes: Uint8Array) =>
  textsOf(bytes).map(topic => ({ topic, partitions: [topic.length, bytes.length] }))

const subscription = (bytes: Uint8Array) =>
  encodeSubscription({ topics: textsOf(bytes), userData: new Uint8Array(0) }, 0)
const assignment = (bytes: Uint8Array) =>
  encodeAssignment({ assignedPartitions: partitionsOf(bytes), userData: new Uint8Array(0) }, 0)

/** As kafka-ts holds them, read by hand. */
function topicsIn(bytes: Buffer): string[] {
  let at = 6
  return Array.from({ length: bytes.readInt32BE(2) }, () => {
    const length = bytes.readInt16BE(at)
    at += 2 + length
    return bytes.toString('utf8', at - length, at)
  })
}

function assignedIn(bytes: Buffer): Record<string, number[]> {
  let at = 6
  const entries = Array.from({ length: bytes.readInt32BE(2) }, () => {
    const length = bytes.readInt16BE(at)
    const topic = bytes.toString('utf8', at + 2, at + 2 + length)
    at += 2 + length + 4
    const partitions = Array.from({ length: bytes.readInt32BE(at - 4) }, (_, i) => bytes.readInt32BE(at + 4 * i))
    at += 4 * partitions.length
    return [topic, partitions]
  })
  return Object.fromEntries(entries)
}

const each = (rows: readonly Row[], change: (row: Row) => Row): Row[] => rows.map(row => ({ ...row, ...change(row) }))

export const requestShapes: Readonly<Record<string, Shape>> = {
  Produce: {
    remade: data => ({
      ...data,
      topicData: each(data.topicData, topic => ({
        partitionData: topic.partitionData.map(({ index, records }: Row) => ({ index, ...records[0] })),
      })),
    }),
  },
  Fetch: {
    fixed: ['clusterId', 'replicaId', 'replicaState', 'replicaDirectoryId', 'highWatermark'],
    names: { topic: 'topicName' },
  },
  Metadata: { names: { topicId: 'id', allowAutoTopicCreation: 'allowTopicAutoCreation' } },
  OffsetCommit: { fixed: ['retentionTimeMs'] },
  OffsetFetch: {
    remade: ({ groupId, topics, ...data }, version) =>
      version < GROUPS_SINCE ? { ...data, groups: [{ groupId, topics }] } : data,
  },
  FindCoordinator: {
    names: { coordinatorKeys: 'keys' },
    remade: (data, version) => (version < COORDINATORS_SINCE ? { ...data, keys: [data.key] } : data),
  },
  JoinGroup: {
    sayable: value => ({ ...value, protocols: each(value.protocols, p => ({ metadata: subscription(p.metadata) })) }),
    remade: data => ({
      ...data,
      protocols: each(data.protocols, ({ metadata }) => ({ metadata: { version: 0, topics: topicsIn(metadata) } })),
    }),
  },
  SyncGroup: {
    sayable: value => ({
      ...value,
      assignments: each(value.assignments, a => ({ assignment: assignment(a.assignment) })),
    }),
    remade: data => ({
      ...data,
      assignments: each(data.assignments, a => ({ assignment: assignedIn(a.assignment) })),
    }),
  },
  LeaveGroup: {
    remade: (data, version) => (version < MEMBERS_SINCE ? { ...data, members: [{ memberId: data.memberId }] } : data),
  },
  DeleteTopics: {
    remade: (data, version) =>
      version < TOPICS_BY_ID_SINCE
        ? { ...data, topics: data.topicNames.map((name: string) => ({ name, topicId: null })) }
        : data,
  },
  // To be its own owner it writes "" where Kafka's clients write null: brokers take either.
  CreateDelegationToken: {
    sayable: value => ({
      ...value,
      ownerPrincipalType: value.ownerPrincipalType ?? '',
      ownerPrincipalName: value.ownerPrincipalName ?? '',
    }),
  },
}

const UNSUPPORTED_VERSION = 35

export const responseShapes: Readonly<Record<string, Shape>> = {
  Produce: { names: { logAppendTimeMs: 'logAppendTime' } },
  Fetch: { names: { topic: 'topicName' } },
  OffsetFetch: {
    names: { metadata: 'committedMetadata' },
    remade: ({ topics, errorCode = 0, ...data }, version) =>
      version < GROUPS_SINCE ? { ...data, groups: [{ groupId: '', topics, errorCode }] } : data,
  },
  FindCoordinator: {
    remade: ({ throttleTimeMs, coordinators, ...one }, version) =>
      version < COORDINATORS_SINCE
        ? { ...(version > 0 && { throttleTimeMs }), coordinators: [{ key: '', errorMessage: null, ...one }] }
        : { throttleTimeMs, coordinators, ...one },
  },
  SyncGroup: {
    sayable: value => ({ ...value, assignment: assignment(value.assignment) }),
    remade: data => ({ ...data, assignment: assignedIn(data.assignment) }),
  },
  // An answer with this code is one of v0, whatever was asked (W-11): kafka-ts knows it.
  ApiVersions: {
    sayable: value => (value.errorCode === UNSUPPORTED_VERSION ? { ...value, errorCode: 0 } : value),
    names: { apiKeys: 'versions' },
  },
  CreateTopics: {
    names: { topicId: '_topicId', numPartitions: '_numPartitions', replicationFactor: '_replicationFactor' },
  },
  DeleteTopics: { names: { topicId: '_topicId' } },
}

/** What kafka-ts calls it. */
export function shaped(data: Row, version: number, shape: Shape = {}): Row {
  const { names = {}, remade = data => data } = shape
  const renamed = everywhere(data, row =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [names[name] ?? name, value])),
  ) as Row
  return remade(renamed, version)
}
