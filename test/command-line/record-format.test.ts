import { expect, test } from 'vitest'
import type { ConsumerRecord } from '../../src/client/consumer/consumer-record.ts'
import { formatPrinter, jsonPrinter } from '../../src/command-line/record-format.ts'

const record: ConsumerRecord = {
  topic: 'orders',
  partition: 2,
  offset: 12,
  timestamp: 1_767_225_600_000,
  timestampType: 'LogAppendTime',
  key: Buffer.from('ORDER-1'),
  value: Buffer.from('paid €'),
  headers: [
    { key: 'source', value: Buffer.from('shop') },
    { key: 'empty', value: null },
  ],
  leaderEpoch: 0,
  serializedKeySize: 7,
  serializedValueSize: 8,
}
const tombstone: ConsumerRecord = { ...record, value: null, key: null, headers: [], serializedValueSize: -1 }

const print = (format: string, of = record, nullText = 'null') => formatPrinter(format, nullText)(of).toString()

test('a format has parts, escapes and text, as kcat has them', () => {
  expect(print(String.raw`%t-%p@%o %k: %v\n`)).toBe('orders-2@12 ORDER-1: paid €\n')
  expect(print('%t[%p] %T %K+%S %h 100%% %s')).toBe('orders[2] 1767225600000 7+8 source=shop,empty=null 100% paid €')
  expect(print(String.raw`a\tb\\n\0\x1F–`)).toBe('a\tb\\n\0\x1f–')
})

test('null is printed as null, or as what was asked for', () => {
  expect([print('%k=%v %S', tombstone), print('%k=%v %h', tombstone, ''), print('%v', tombstone, '-')]).toEqual([
    'null=null -1',
    '= ',
    '-',
  ])
})

test('bytes that are no text are printed as they are', () => {
  const bytes = Buffer.from([0xff, 0x00, 0xc3])
  expect(formatPrinter('<%v>', '')({ ...record, value: bytes })).toEqual(Buffer.from([0x3c, 0xff, 0x00, 0xc3, 0x3e]))
})

test.each([
  ['%z', "--format has no '%z'; there are %t topic, %p partition, %o offset"],
  ['%v%', "--format has no '%'; there are %t"],
  ['%v\\q', "--format: '\\q' is no escape; there are \\n, \\r, \\t, \\0, \\x00 to \\x7F and \\\\"],
  ['%v\\', "--format: '\\' is no escape"],
  ['%v\\xff', "--format: '\\x' is no escape"],
])('%j is refused', (format, line) => {
  expect(() => formatPrinter(format, '')).toThrow(line)
})

test('JSON is a line for each record: text, null, and bytes that are no UTF-8 in base64', () => {
  const of = (each: ConsumerRecord) => jsonPrinter(each).toString()
  expect(of(record)).toBe(
    '{"topic":"orders","partition":2,"offset":12,"timestamp":1767225600000,"timestampType":"LogAppendTime",' +
      '"key":"ORDER-1","value":"paid €","headers":[{"key":"source","value":"shop"},{"key":"empty","value":null}]}\n',
  )
  expect(JSON.parse(of({ ...tombstone, key: Buffer.from([0xff]) }))).toMatchObject({
    key: { base64: '/w==' },
    value: null,
  })
})
