import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  decodeMetadataRecord,
  encodeMetadataRecord,
  type MetadataRecordInput,
  type MetadataRecordType,
  metadataRecords,
} from '../../src/metadata/records.ts'
import { MalformedError } from '../../src/wire/reader.ts'
import { arbitraryOf } from '../wire/arbitrary.ts'

const hexOf = (record: MetadataRecordInput) => Buffer.from(encodeMetadataRecord(record)).toString('hex')
const decode = (hex: string) => decodeMetadataRecord(Buffer.from(hex, 'hex'))
const joined = (...parts: string[]) => parts.join('')
const topicId = 'AAAAAAAAAAAAAAAAAAAAAQ'
const topicIdHex = '00000000000000000000000000000001'

test('a record is framed by frame version 1, its key and its version, as unsigned varints', () => {
  expect(hexOf({ type: 'TopicRecord', name: 'orders', topicId })).toBe(
    joined('01', '02', '00', '07', '6f7264657273', topicIdHex, '00'),
  )
  expect(hexOf({ type: 'NoOpRecord' })).toBe('01' + '14' + '00' + '00')
})

test('a partition change carries only what changes; the rest is read as unchanged', () => {
  const change = joined(
    '01',
    '05',
    '02',
    '00000003',
    topicIdHex,
    '02',
    '00',
    '05',
    '0200000002',
    '01',
    '04',
    '00000002',
  )
  expect(hexOf({ type: 'PartitionChangeRecord', partitionId: 3, topicId, leader: 2, isr: [2] })).toBe(change)
  expect(decode(change)).toEqual({
    type: 'PartitionChangeRecord',
    partitionId: 3,
    topicId,
    isr: [2],
    leader: 2,
    replicas: null,
    removingReplicas: null,
    addingReplicas: null,
    leaderRecoveryState: -1,
    directories: null,
    eligibleLeaderReplicas: null,
    lastKnownElr: null,
  })
})

test('a record of an older version is read, with defaults for what it lacks', () => {
  const registered = joined('01', '00', '00', '00000001', topicIdHex, '0000000000000005', '01', '01', '00', '01', '00')
  expect(decode(registered)).toEqual({
    type: 'RegisterBrokerRecord',
    brokerId: 1,
    isMigratingZkBroker: false,
    incarnationId: topicId,
    brokerEpoch: 5,
    endPoints: [],
    features: [],
    rack: null,
    fenced: true,
    inControlledShutdown: false,
    logDirs: [],
    cordonedLogDirs: null,
  })
})

test.each(Object.keys(metadataRecords) as MetadataRecordType[])('a %s that is written is read again', type => {
  const { fields, versions } = metadataRecords[type]
  fc.assert(
    fc.property(arbitraryOf(fields, versions.max), value => {
      const record = { type, ...value } as MetadataRecordInput
      expect(decodeMetadataRecord(encodeMetadataRecord(record))).toEqual(record)
    }),
    { numRuns: 30 },
  )
})

test('what is no metadata record of this release is malformed', () => {
  expect(() => decode('')).toThrow(MalformedError)
  expect(() => decode('02' + '14' + '00' + '00')).toThrow('a metadata record has frame version 2')
  expect(() => decode('01' + '63' + '00' + '00')).toThrow('a metadata record has the unknown key 99')
  expect(() => decode('01' + '14' + '01' + '00')).toThrow('NoOpRecord has the unknown version 1')
  expect(() => decode('01' + '14' + '00' + '00' + 'ee')).toThrow('1 bytes are left over after a NoOpRecord')
  expect(() => decode('01' + '02' + '00' + '07' + '6f72')).toThrow(MalformedError)
})
