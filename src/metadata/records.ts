import { joined } from '../wire/frame.ts'
import { defineRecord, type RecordSchema } from '../wire/message.ts'
import { MalformedError, Reader } from '../wire/reader.ts'
import {
  array,
  boolean,
  bytes,
  type Decoded,
  type Encodable,
  float64,
  int8,
  int16,
  int32,
  int64,
  string,
  uint16,
  uuid,
} from '../wire/schema.ts'
import { Writer } from '../wire/writer.ts'

/**
 * The records of the metadata log (KIP-500): the only way in which a cluster changes what it knows of itself. The active
 * controller appends them, every broker replays them. Written in the highest version of Kafka 4.3, read in every version.
 * Field names are Kafka's (`isr`, `elr`), since these are its schemas.
 */
export const metadataRecords = {
  /** A broker has started a life: it is known from here on, fenced until it has caught up. */
  RegisterBrokerRecord: defineRecord({
    key: 0,
    name: 'RegisterBrokerRecord',
    version: 4,
    fields: {
      brokerId: int32,
      isMigratingZkBroker: boolean.since(2).default(false),
      incarnationId: uuid,
      brokerEpoch: int64,
      endPoints: array({
        name: string,
        host: string,
        port: uint16,
        securityProtocol: int16,
      }),
      features: array({
        name: string,
        minSupportedVersion: int16,
        maxSupportedVersion: int16,
      }),
      rack: string.nullable(),
      fenced: boolean.default(true),
      inControlledShutdown: boolean.since(1).default(false),
      logDirs: array(uuid).since(3).tagged(0),
      cordonedLogDirs: array(uuid).nullable().since(4).default(null).tagged(1),
    },
  }),
  /** A broker is forgotten. */
  UnregisterBrokerRecord: defineRecord({
    key: 1,
    name: 'UnregisterBrokerRecord',
    version: 0,
    fields: {
      brokerId: int32,
      brokerEpoch: int64,
    },
  }),
  /** A topic is there; its partitions follow. */
  TopicRecord: defineRecord({
    key: 2,
    name: 'TopicRecord',
    version: 0,
    fields: {
      name: string,
      topicId: uuid,
    },
  }),
  /** The whole state of a new partition. */
  PartitionRecord: defineRecord({
    key: 3,
    name: 'PartitionRecord',
    version: 2,
    fields: {
      partitionId: int32.default(-1),
      topicId: uuid,
      replicas: array(int32),
      isr: array(int32),
      removingReplicas: array(int32),
      addingReplicas: array(int32),
      leader: int32.default(-1),
      leaderRecoveryState: int8.default(0).tagged(0),
      leaderEpoch: int32.default(-1),
      partitionEpoch: int32.default(-1),
      directories: array(uuid).since(1),
      eligibleLeaderReplicas: array(int32).nullable().since(2).default(null).tagged(1),
      lastKnownElr: array(int32).nullable().since(2).default(null).tagged(2),
    },
  }),
  /** One key of one resource is set, or with a null value unset. */
  ConfigRecord: defineRecord({
    key: 4,
    name: 'ConfigRecord',
    version: 0,
    fields: {
      resourceType: int8,
      resourceName: string,
      name: string,
      value: string.nullable(),
    },
  }),
  /**
   * What changes in a partition: null, for the leader −2, for the recovery state −1 mean that it stays as it was. Every
   * record raises the partition epoch, one that names a leader (−1: none) the leader epoch too.
   */
  PartitionChangeRecord: defineRecord({
    key: 5,
    name: 'PartitionChangeRecord',
    version: 2,
    fields: {
      partitionId: int32.default(-1),
      topicId: uuid,
      isr: array(int32).nullable().default(null).tagged(0),
      leader: int32.default(-2).tagged(1),
      replicas: array(int32).nullable().default(null).tagged(2),
      removingReplicas: array(int32).nullable().default(null).tagged(3),
      addingReplicas: array(int32).nullable().default(null).tagged(4),
      leaderRecoveryState: int8.default(-1).tagged(5),
      directories: array(uuid).nullable().since(1).default(null).tagged(8),
      eligibleLeaderReplicas: array(int32).nullable().since(2).default(null).tagged(6),
      lastKnownElr: array(int32).nullable().since(2).default(null).tagged(7),
    },
  }),
  /** Fences a broker, in logs of the first KRaft releases; then comes BrokerRegistrationChangeRecord. */
  FenceBrokerRecord: defineRecord({
    key: 7,
    name: 'FenceBrokerRecord',
    version: 0,
    fields: {
      id: int32,
      epoch: int64,
    },
  }),
  /** Unfences a broker, in the same logs. */
  UnfenceBrokerRecord: defineRecord({
    key: 8,
    name: 'UnfenceBrokerRecord',
    version: 0,
    fields: {
      id: int32,
      epoch: int64,
    },
  }),
  /** A topic is gone, with all its partitions. */
  RemoveTopicRecord: defineRecord({
    key: 9,
    name: 'RemoveTopicRecord',
    version: 0,
    fields: {
      topicId: uuid,
    },
  }),
  /** A delegation token is there, or prolonged (KIP-48); principals are written as in `User:alice`. */
  DelegationTokenRecord: defineRecord({
    key: 10,
    name: 'DelegationTokenRecord',
    version: 0,
    fields: {
      owner: string,
      requester: string,
      renewers: array(string),
      issueTimestamp: int64,
      maxTimestamp: int64,
      expirationTimestamp: int64,
      tokenId: string,
    },
  }),
  /** A user may authenticate with this mechanism (KIP-554): what SCRAM keeps instead of a password (RFC 5802). */
  UserScramCredentialRecord: defineRecord({
    key: 11,
    name: 'UserScramCredentialRecord',
    version: 0,
    fields: {
      name: string,
      mechanism: int8,
      salt: bytes,
      storedKey: bytes,
      serverKey: bytes,
      iterations: int32,
    },
  }),
  /** A feature is finalized at a level; 0 removes it. */
  FeatureLevelRecord: defineRecord({
    key: 12,
    name: 'FeatureLevelRecord',
    version: 0,
    fields: {
      name: string,
      featureLevel: int16,
    },
  }),
  /** One quota of one entity is set, or removed (KIP-546); a null name stands for all of that type without one. */
  ClientQuotaRecord: defineRecord({
    key: 14,
    name: 'ClientQuotaRecord',
    version: 0,
    fields: {
      entity: array({
        entityType: string,
        entityName: string.nullable(),
      }),
      key: string,
      value: float64,
      remove: boolean,
    },
  }),
  /** Producer ids below the next one are given away (KIP-730). */
  ProducerIdsRecord: defineRecord({
    key: 15,
    name: 'ProducerIdsRecord',
    version: 0,
    fields: {
      brokerId: int32,
      brokerEpoch: int64.default(-1),
      nextProducerId: int64,
    },
  }),
  /** What changes in a broker: `fenced` 1 fences, −1 unfences, 0 changes nothing; `inControlledShutdown` 1: it leaves. */
  BrokerRegistrationChangeRecord: defineRecord({
    key: 17,
    name: 'BrokerRegistrationChangeRecord',
    version: 3,
    fields: {
      brokerId: int32,
      brokerEpoch: int64,
      fenced: int8.tagged(0),
      inControlledShutdown: int8.since(1).tagged(1),
      logDirs: array(uuid).since(2).tagged(2),
      cordonedLogDirs: array(uuid).nullable().since(3).default(null).tagged(3),
    },
  }),
  /** Somebody may, or may not, do something with something (KIP-801). */
  AccessControlEntryRecord: defineRecord({
    key: 18,
    name: 'AccessControlEntryRecord',
    version: 0,
    fields: {
      id: uuid,
      resourceType: int8,
      resourceName: string,
      patternType: int8,
      principal: string,
      host: string,
      operation: int8,
      permissionType: int8,
    },
  }),
  /** An ACL is gone. */
  RemoveAccessControlEntryRecord: defineRecord({
    key: 19,
    name: 'RemoveAccessControlEntryRecord',
    version: 0,
    fields: {
      id: uuid,
    },
  }),
  /** Keeps the log moving when nothing else does (KIP-835). */
  NoOpRecord: defineRecord({
    key: 20,
    name: 'NoOpRecord',
    version: 0,
    fields: {},
  }),
  /** A user may no longer authenticate with this mechanism. */
  RemoveUserScramCredentialRecord: defineRecord({
    key: 22,
    name: 'RemoveUserScramCredentialRecord',
    version: 0,
    fields: {
      name: string,
      mechanism: int8,
    },
  }),
  /** A delegation token has expired, or was ended. */
  RemoveDelegationTokenRecord: defineRecord({
    key: 26,
    name: 'RemoveDelegationTokenRecord',
    version: 0,
    fields: {
      tokenId: string,
    },
  }),
  /** Forgets the eligible leader replicas of a topic, or of all topics where the name is empty (KIP-966). */
  ClearElrRecord: defineRecord({
    key: 28,
    name: 'ClearElrRecord',
    version: 0,
    fields: {
      topicName: string,
    },
  }),
}

type Schemas = typeof metadataRecords
export type MetadataRecordType = keyof Schemas

/** A record as replay sees it: `type` tells which, all fields are there. */
export type MetadataRecord = {
  [T in MetadataRecordType]: { readonly type: T } & Decoded<Schemas[T]['fields']>
}[MetadataRecordType]

/** A record as the controller writes it: fields with a default may be left out. */
export type MetadataRecordInput = {
  [T in MetadataRecordType]: { readonly type: T } & Encodable<Schemas[T]['fields']>
}[MetadataRecordType]

/** One type of record: `MetadataRecordOf<'TopicRecord'>`. */
export type MetadataRecordOf<T extends MetadataRecordType> = Extract<MetadataRecord, { readonly type: T }>

const FRAME_VERSION = 1

// biome-ignore lint/suspicious/noExplicitAny: any of the schemas
type AnySchema = RecordSchema<any>

const byKey = new Map<number, [type: MetadataRecordType, schema: AnySchema]>()
for (const type of Object.keys(metadataRecords) as MetadataRecordType[]) {
  byKey.set(metadataRecords[type].apiKey, [type, metadataRecords[type]])
}

/** The value of a log record: frame version, key and version as unsigned varints, then the body (MetadataRecordSerde). */
export function encodeMetadataRecord(record: MetadataRecordInput): Uint8Array {
  const schema: AnySchema = metadataRecords[record.type]
  const version = schema.versions.max
  const writer = new Writer()
  writer.uvarint(FRAME_VERSION)
  writer.uvarint(schema.apiKey)
  writer.uvarint(version)
  schema.codec(version).write(writer, record)
  return joined(writer.finish().slices)
}

/** Throws MalformedError for bytes that are no metadata record which this release knows. */
export function decodeMetadataRecord(bytes: Uint8Array): MetadataRecord {
  const reader = new Reader([bytes])
  const frameVersion = reader.uvarint()
  if (frameVersion !== FRAME_VERSION) throw new MalformedError(`a metadata record has frame version ${frameVersion}`)
  const key = reader.uvarint()
  const version = reader.uvarint()
  const [type, schema] = byKey.get(key) ?? []
  if (type === undefined || schema === undefined)
    throw new MalformedError(`a metadata record has the unknown key ${key}`)
  if (version > schema.versions.max) throw new MalformedError(`${type} has the unknown version ${version}`)
  const fields = schema.codec(version).read(reader)
  if (reader.remaining > 0) throw new MalformedError(`${reader.remaining} bytes are left over after a ${type}`)
  return { type, ...fields } as MetadataRecord
}
