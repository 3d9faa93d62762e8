import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { recordOf, transactionOf } from '../../src/coordinators/transactions/transaction.ts'
import {
  type TransactionRecord,
  transactionCodec,
  transactionRecords,
} from '../../src/coordinators/transactions/transaction-records.ts'
import { MalformedError } from '../../src/wire/reader.ts'
import { differences, protocol } from '../apis/protocol.ts'
import { arbitraryOf } from '../wire/arbitrary.ts'

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(/\s+/g, ''), 'hex'))
const hex = (value: Uint8Array | null) => (value === null ? null : Buffer.from(value).toString('hex'))

test('a record of __transaction_state is declared as Kafka has it, in every version (T-6)', () => {
  const of = (part: 'Key' | 'Value') => {
    const message = protocol.__transaction_state.find(({ name }) => name === `TransactionLog${part}`)!
    // Tagged fields say only since when they are tagged.
    return {
      ...message,
      fields: message.fields.map(field => ({ ...field, versions: field.versions ?? field.taggedVersions! })),
    }
  }
  expect(differences(transactionRecords.Transaction.key, of('Key'))).toEqual([])
  expect(differences(transactionRecords.Transaction.value, of('Value'))).toEqual([])
})

/** Of transactional-1, which wrote to story-1, as Apache Kafka 4.3.1 wrote them: two transactions of version 2, one of version 1. */
const KEY = '0000 000f 7472616e73616374696f6e616c2d31'
const TOPIC = '08 73746f72792d31'
const written: readonly (readonly [string, string, Partial<NonNullable<TransactionRecord['value']>>])[] = [
  [
    'Ongoing, in one partition',
    `0001 0000000000000000 0000 0000ea60 01 02 ${TOPIC} 02 00000000 00
     000001a2002715d2 000001a2002715d2 02 00 08 0000000000000000 02 02 0002`,
    {
      producerEpoch: 0,
      transactionStatus: 1,
      transactionPartitions: [{ topic: 'story-1', partitionIds: [0] }],
      clientTransactionVersion: 2,
    },
  ],
  [
    'PrepareCommit, in two',
    `0001 0000000000000000 0001 0000ea60 02 02 ${TOPIC} 03 00000001 00000000 00
     000001a2002716fa 000001a2002715d2 02 00 08 0000000000000000 02 02 0002`,
    {
      producerEpoch: 1,
      transactionStatus: 2,
      transactionPartitions: [{ topic: 'story-1', partitionIds: [1, 0] }],
      transactionLastUpdateTimestampMs: 0x1a2002716fa,
      transactionStartTimestampMs: 0x1a2002715d2,
    },
  ],
  [
    'CompleteAbort',
    '0001 0000000000000000 0002 0000ea60 05 01 000001a200271857 000001a200271833 02 00 08 0000000000000000 02 02 0002',
    { producerEpoch: 2, transactionStatus: 5, transactionPartitions: [] },
  ],
  [
    'Empty, after a producer of version 2',
    '0001 0000000000000000 0003 0000ea60 00 00 000001a2002718d4 ffffffffffffffff 02 00 08 0000000000000000 02 02 0002',
    { producerEpoch: 3, transactionStatus: 0, transactionPartitions: null, transactionStartTimestampMs: -1 },
  ],
  [
    'CompleteCommit of version 1, which nothing is said of',
    '0001 0000000000000000 0003 0000ea60 04 01 000001a200271a0e 000001a20027190b 01 00 08 0000000000000000',
    { producerEpoch: 3, transactionStatus: 4, transactionPartitions: [], clientTransactionVersion: 0 },
  ],
]

describe('what a running Kafka wrote (T-6)', () => {
  test.each(written)('%s: it is read, and written again byte by byte', (_name, value, expected) => {
    const record = transactionCodec.decode({ key: bytes(KEY), value: bytes(value) })!
    expect(record.key).toEqual({ transactionalId: 'transactional-1' })
    expect(record.value).toMatchObject({
      producerId: 0,
      previousProducerId: 0,
      nextProducerId: -1,
      nextProducerEpoch: -1,
      transactionTimeoutMs: 60_000,
      ...expected,
    })
    const again = transactionCodec.encode(recordOf(transactionOf({ ...record, value: record.value! }), 2))
    expect([hex(again.key), hex(again.value)]).toEqual([hex(bytes(KEY)), hex(bytes(value))])
  })

  test('an id that nobody used for a week is a tombstone (T-27)', () => {
    const record = { type: 'Transaction', key: { transactionalId: 'transactional-1' }, value: null } as const
    expect(transactionCodec.decode({ key: bytes(KEY), value: null })).toEqual(record)
    expect(transactionCodec.encode(record)).toEqual({ key: bytes(KEY), value: null })
  })
})

test('where transaction.version is 0 a record is of version 0, and tells no other producer ids (T-6)', () => {
  const [, value] = written[0]!
  const known = transactionCodec.decode({ key: bytes(KEY), value: bytes(value) })!
  const again = transactionCodec.encode(recordOf(transactionOf({ ...known, value: known.value! }), 0))
  expect(hex(again.value)).toBe(
    hex(
      bytes(`0000 0000000000000000 0000 0000ea60 01 00000001 0007 73746f72792d31 00000001 00000000
             000001a2002715d2 000001a2002715d2`),
    ),
  )
})

test('every record is read as it was written', () => {
  const { key, value } = transactionRecords.Transaction
  const anyValue = arbitraryOf(value.fields, 1).filter(({ previousProducerId }) => previousProducerId !== -1)
  fc.assert(
    fc.property(arbitraryOf(key.fields, 0), fc.option(anyValue), (key, value) => {
      const record = { type: 'Transaction', key, value } as TransactionRecord
      expect(transactionCodec.decode(transactionCodec.encode(record))).toEqual(record)
    }),
  )
})

test('a state that nobody knows is no transaction', () => {
  const [, value] = written[2]!
  const record = transactionCodec.decode({ key: bytes(KEY), value: bytes(value.replace('05 01', '09 01')) })!
  expect(() => transactionOf({ ...record, value: record.value! })).toThrow(MalformedError)
})
