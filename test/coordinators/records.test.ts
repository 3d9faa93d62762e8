import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type GroupRecordInput, groupCodec, groupRecords } from '../../src/coordinators/groups/group-records.ts'
import { MalformedError } from '../../src/wire/reader.ts'
import { differences, protocol } from '../apis/protocol.ts'
import { arbitraryOf } from '../wire/arbitrary.ts'

const kinds = Object.entries(groupRecords)
/** Of share and streams groups: 10 to 15 and 17 to 23 without 18. */
const OTHERS = [10, 11, 12, 13, 14, 15, 17, 19, 20, 21, 22, 23]

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(/\s+/g, ''), 'hex'))
}

function hex(value: Uint8Array | null): string | null {
  return value === null ? null : Buffer.from(value).toString('hex')
}

/** Where a running 4.3.1 writes something else than its definition has: there, the null is written out. */
const seenOtherwise: Readonly<Record<string, readonly string[]>> = {
  ConsumerGroupMemberMetadata: [
    'ConsumerGroupMemberMetadataValue.classicMemberMetadata: declared {"default":"of its fields","ignorable":false}, Kafka has {"default":null,"ignorable":false}',
  ],
}

describe('records of __consumer_offsets (G-42)', () => {
  const known = protocol.__consumer_offsets
  test.each(kinds)('%s is declared as Kafka has it, in every version', (name, kind) => {
    const of = (part: 'Key' | 'Value') => known.find(message => message.name === name + part)!
    expect(differences(kind.key, of('Key'))).toEqual([])
    expect(differences(kind.value, of('Value'))).toEqual(seenOtherwise[name] ?? [])
    expect([of('Key').apiKey, of('Value').apiKey]).toEqual([kind.type, kind.type])
  })

  test('every kind of Kafka is either declared, or one of a group that there is none of here', () => {
    const declared = new Set<number>(kinds.map(([, { type }]) => type))
    const kafka = new Set(known.map(({ apiKey }) => apiKey))
    expect([...kafka].filter(type => !declared.has(type)).sort((a, b) => a - b)).toEqual(OTHERS)
  })
})

describe('what is written', () => {
  const key = { group: 'g', topic: 't', partition: 1 }
  // commitTimestamp 1767225600000 is 0x19b76daa800.
  test.each<[string, GroupRecordInput, string, string | null]>([
    [
      'an offset, as value v4 with the topic id in a tagged field',
      {
        type: 'OffsetCommit',
        key,
        value: {
          offset: 5,
          leaderEpoch: 2,
          metadata: 'm',
          commitTimestamp: 1_767_225_600_000,
          topicId: 'AAAAAAAAAAAAAAAAAAAAAQ',
        },
      },
      '0001 0001 67 0001 74 00000001',
      '0004 0000000000000005 00000002 02 6d 0000019b76daa800 01 00 10 00000000000000000000000000000001',
    ],
    [
      'an offset of a transaction, without it',
      { type: 'OffsetCommit', key, value: { offset: 5, metadata: '', commitTimestamp: 1_767_225_600_000 } },
      '0001 0001 67 0001 74 00000001',
      '0004 0000000000000005 ffffffff 01 0000019b76daa800 00',
    ],
    [
      'an offset with an expiry, as value v1',
      {
        type: 'OffsetCommit',
        key,
        value: {
          offset: -1,
          leaderEpoch: 2,
          metadata: '',
          commitTimestamp: 1_767_225_600_000,
          expireTimestamp: 1_767_225_600_001,
          topicId: 'AAAAAAAAAAAAAAAAAAAAAQ',
        },
      },
      '0001 0001 67 0001 74 00000001',
      '0001 ffffffffffffffff 0000 0000019b76daa800 0000019b76daa801',
    ],
    ['a tombstone', { type: 'OffsetCommit', key, value: null }, '0001 0001 67 0001 74 00000001', null],
    [
      'a classic group, as value v3',
      {
        type: 'GroupMetadata',
        key: { group: 'g' },
        value: {
          protocolType: 'consumer',
          generation: 1,
          protocol: 'range',
          leader: 'a',
          currentStateTimestamp: 1_767_225_600_000,
          members: [
            {
              memberId: 'a',
              groupInstanceId: null,
              clientId: 'c',
              clientHost: '/h',
              rebalanceTimeout: 60_000,
              sessionTimeout: 45_000,
              subscription: Uint8Array.of(1),
              assignment: Uint8Array.of(2, 3),
            },
          ],
        },
      },
      '0002 0001 67',
      `0003 0008 636f6e73756d6572 00000001 0005 72616e6765 0001 61 0000019b76daa800 00000001
       0001 61 ffff 0001 63 0002 2f68 0000ea60 0000afc8 00000001 01 00000002 0203`,
    ],
    [
      "a consumer group's epoch",
      { type: 'ConsumerGroupMetadata', key: { groupId: 'g' }, value: { epoch: 3, metadataHash: 'f302fe9892ae75fc' } },
      '0003 0001 67',
      '0000 00000003 01 00 08 f302fe9892ae75fc',
    ],
    [
      'a member of a consumer group, with the null of a member that is not classic written out',
      {
        type: 'ConsumerGroupMemberMetadata',
        key: { groupId: 'g', memberId: 'm' },
        value: {
          instanceId: null,
          rackId: null,
          clientId: 'c',
          clientHost: '/h',
          subscribedTopicNames: ['t'],
          subscribedTopicRegex: null,
          rebalanceTimeoutMs: 1,
          serverAssignor: null,
          classicMemberMetadata: null,
        },
      },
      '0005 0001 67 0001 6d',
      '0000 00 00 02 63 03 2f68 02 02 74 00 00000001 00 01 00 01 00',
    ],
  ])('%s', (_, record, keyBytes, valueBytes) => {
    const encoded = groupCodec.encode(record)
    expect(hex(encoded.key)).toBe(hex(bytes(keyBytes)))
    expect(hex(encoded.value)).toBe(valueBytes === null ? null : hex(bytes(valueBytes)))
  })

  test.each(kinds)('%s is read as it was written, whatever it says', (type, kind) => {
    const value = fc.option(arbitraryOf(kind.value.fields, kind.value.versions.max), { freq: 5 })
    fc.assert(
      fc.property(arbitraryOf(kind.key.fields, 0), value, (key, value) => {
        const record = { type, key, value }
        expect(groupCodec.decode(groupCodec.encode(record as GroupRecordInput))).toEqual(record)
      }),
    )
  })
})

describe('what is read', () => {
  const key = bytes('0001 0001 67 0001 74 00000001')

  test.each([
    [0, '0000 0000000000000005 0001 6d 0000019b76daa800', {}],
    [1, '0001 0000000000000005 0001 6d 0000019b76daa800 0000000000000009', { expireTimestamp: 9 }],
    [2, '0002 0000000000000005 0001 6d 0000019b76daa800', {}],
    [3, '0003 0000000000000005 00000007 0001 6d 0000019b76daa800', { leaderEpoch: 7 }],
    [4, '0004 0000000000000005 00000007 02 6d 0000019b76daa800 00', { leaderEpoch: 7 }],
  ])('an offset that an older release wrote as value v%i', (_, value, own) => {
    expect(groupCodec.decode({ key, value: bytes(value) })).toEqual({
      type: 'OffsetCommit',
      key: { group: 'g', topic: 't', partition: 1 },
      value: {
        offset: 5,
        leaderEpoch: -1,
        metadata: 'm',
        commitTimestamp: 1_767_225_600_000,
        expireTimestamp: -1,
        topicId: 'AAAAAAAAAAAAAAAAAAAAAA',
        ...own,
      },
    })
  })

  test('kinds of other groups, and those of later days, are passed over', () => {
    for (const type of [...OTHERS, 24, 99]) {
      const key = Uint8Array.of(0, type, 0, 1, 103)
      expect(groupCodec.decode({ key, value: bytes('0000 00') })).toBeUndefined()
      expect(groupCodec.decode({ key, value: null })).toBeUndefined()
    }
  })

  test('what is no such record is refused', () => {
    const refused = (key: Uint8Array | null, value: Uint8Array | null) =>
      expect(() => groupCodec.decode({ key, value })).toThrow(MalformedError)
    refused(null, null)
    refused(bytes('00'), null)
    refused(bytes('0001 0001'), null)
    refused(key, bytes('0005 00'))
    refused(key, bytes('ffff 00'))
    refused(key, bytes('0004 00'))
  })
})
