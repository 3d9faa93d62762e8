import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { apis } from '../../src/apis/registry.ts'
import { metadataRecords } from '../../src/metadata/records.ts'
import { UnsupportedFieldError } from '../../src/wire/codec.ts'
import { joined } from '../../src/wire/frame.ts'
import { Message } from '../../src/wire/message.ts'
import { MalformedError, Reader } from '../../src/wire/reader.ts'
import { Records } from '../../src/wire/records.ts'
import { array, bytes, type Fields, int8, int32, int64, records, string, struct, uuid } from '../../src/wire/schema.ts'
import { Writer } from '../../src/wire/writer.ts'
import { arbitraryOf } from './arbitrary.ts'

const messages: Message<Fields>[] = [
  ...apis.flatMap(api => [api.request, api.response]),
  ...(Object.values(metadataRecords) as Message<Fields>[]),
]

function encode<F extends Fields>(message: Message<F>, version: number, value: unknown): Uint8Array {
  const writer = new Writer()
  message.codec(version).write(writer, value as never)
  return joined(writer.finish().slices)
}

const hex = <F extends Fields>(message: Message<F>, version: number, value: unknown) =>
  Buffer.from(encode(message, version, value)).toString('hex')

const decode = <F extends Fields>(message: Message<F>, version: number, text: string) =>
  message.codec(version).read(new Reader([Buffer.from(text, 'hex')]))

/** Records hold slices, and which ones is nobody's business here. */
const plain = (value: unknown): unknown => {
  if (value instanceof Records) return Buffer.from(joined(value.slices)).toString('hex')
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]))
}

function sliced(whole: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const ends = [...cuts.map(cut => cut % (whole.length + 1)), whole.length].sort((a, b) => a - b)
  return ends.map((end, index) => whole.subarray(ends[index - 1] ?? 0, end))
}

describe.each(messages.map(message => [message.name, message] as const))('%s', (_, message) => {
  const { min, max } = message.versions
  const versions = Array.from({ length: max - min + 1 }, (_, index) => min + index)
  const numRuns = Math.max(4, Math.ceil(40 / versions.length))

  test.each(versions)('what is written in version %i is read again, however a socket cuts it', version => {
    const property = fc.property(
      arbitraryOf(message.fields, version),
      fc.array(fc.nat(), { maxLength: 6 }),
      (value, cuts) => {
        const whole = encode(message, version, value)
        const reader = new Reader(sliced(whole, cuts))
        expect(plain(message.codec(version).read(reader))).toEqual(plain(value))
        expect(reader.remaining).toBe(0)
      },
    )
    fc.assert(property, { numRuns })
  })

  test.each(versions)('bytes of version %i that end too early are malformed, and never anything else', version => {
    const property = fc.property(arbitraryOf(message.fields, version), fc.nat(), fc.nat(), (value, end, cut) => {
      const whole = encode(message, version, value)
      if (whole.length === 0) return
      const short = whole.subarray(0, end % whole.length)
      expect(() => message.codec(version).read(new Reader(sliced(short, [cut])))).toThrow(MalformedError)
    })
    fc.assert(property, { numRuns })
  })

  test.each(versions)('damaged bytes of version %i are read or malformed, and never anything else (W-5)', version => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(0xff)), { minLength: 1, maxLength: 4 })
    const property = fc.property(arbitraryOf(message.fields, version), damage, (value, changes) => {
      const whole = encode(message, version, value)
      for (const [at, byte] of changes) whole[at % whole.length] = byte
      try {
        message.codec(version).read(new Reader([whole]))
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedError)
      }
    })
    fc.assert(property, { numRuns })
  })
})

describe('tags (W-30, W-31)', () => {
  const tagged = new Message(
    'Tagged',
    {
      first: int32,
      place: struct({ host: string, port: int32.default(9092) }).tagged(3),
      name: string.nullable().default(null).tagged(0),
      count: int64.default(-1).tagged(1),
      ids: array(int32).since(1).tagged(2),
    },
    { min: 0, max: 1 },
    0,
  )
  const place = { host: '', port: 9092 }

  test('a tagged field that equals its default is not written', () => {
    expect(hex(tagged, 1, { first: 1 })).toBe('0000000100')
    expect(hex(tagged, 1, { first: 1, name: null, count: -1, ids: [], place })).toBe('0000000100')
    expect(hex(tagged, 1, { first: 1, place: { host: '' } })).toBe('0000000100')
  })

  test('tagged fields are written in the order of their tags, each with its size', () => {
    const value = { first: 1, place: { host: 'b', port: 1 }, ids: [7], name: 'a', count: 2 }
    expect(hex(tagged, 1, value)).toBe(
      '00000001' +
        '04' +
        '00' +
        '02' +
        '0261' +
        '01' +
        '08' +
        '0000000000000002' +
        '02' +
        '05' +
        '0200000007' +
        '03' +
        '07' +
        '0262' +
        '00000001' +
        '00',
    )
    expect(decode(tagged, 1, hex(tagged, 1, value))).toEqual(value)
  })

  test('a tagged value longer than 127 bytes has a size of two bytes', () => {
    const name = 'n'.repeat(200)
    const bytes = hex(tagged, 1, { first: 1, name })
    expect(bytes.slice(0, 18)).toBe('00000001' + '01' + '00' + 'ca01' + 'c9')
    expect(decode(tagged, 1, bytes).name).toBe(name)
  })

  test('unknown tags are skipped; tags out of order, and the same one twice, are read', () => {
    expect(decode(tagged, 1, '00000001' + '01' + '0902abcd')).toEqual({
      first: 1,
      name: null,
      count: -1,
      ids: [],
      place,
    })
    expect(decode(tagged, 1, '00000001' + '03' + '0501ff' + '0401ff' + '0401ff').first).toBe(1)
    expect(decode(tagged, 1, '00000001' + '02' + '0900' + '00020261').name).toBe('a')
    expect(decode(tagged, 1, '00000001' + '02' + '00020261' + '00020262').name).toBe('b')
  })

  test('the size of a known tag does not matter: its value says where it ends', () => {
    expect(decode(tagged, 1, '00000001' + '01' + '00030261').name).toBe('a')
    expect(decode(tagged, 1, '00000001' + '02' + '00000261' + '01080000000000000005')).toMatchObject({
      name: 'a',
      count: 5,
    })
  })

  test('a default that is written all the same is read', () => {
    expect(decode(tagged, 1, '00000001' + '01' + '000100').name).toBeNull()
  })

  test('an unknown tag that reaches beyond the frame is malformed', () => {
    expect(() => decode(tagged, 1, '00000001' + '01' + '0905abcd')).toThrow(MalformedError)
    expect(() => decode(tagged, 1, '00000001' + 'ffffffff0f')).toThrow(MalformedError)
  })

  test('a tag that the version does not know yet is skipped, and refused when writing', () => {
    expect(decode(tagged, 0, '00000001' + '01' + '02050200000007').ids).toEqual([])
    expect(() => encode(tagged, 0, { first: 1, ids: [7] })).toThrow(
      'Tagged.ids is set, but version 0 has no such field',
    )
  })
})

describe('lengths (W-24 to W-29, W-32)', () => {
  const lists = new Message('Lists', { topics: array(string).nullable(1) }, { min: 0, max: 2 }, 2)

  test('an array that claims more elements than there are bytes is malformed, without making room for them', () => {
    expect(() => decode(lists, 1, '7fffffff')).toThrow('Lists.topics claims 2147483647, 0 bytes are left')
    expect(() => decode(lists, 1, '0000000500016100')).toThrow(MalformedError)
    expect(() => decode(lists, 2, 'ffffffff0700')).toThrow(MalformedError)
  })

  test('any negative count is null, in versions that allow null', () => {
    expect(decode(lists, 1, 'ffffffff').topics).toBeNull()
    expect(decode(lists, 1, 'fffffffe').topics).toBeNull()
    expect(decode(lists, 2, '0000').topics).toBeNull()
    expect(decode(lists, 2, 'ffffffff0f00').topics).toBeNull()
    expect(() => decode(lists, 0, 'ffffffff')).toThrow('Lists.topics is null, which this version does not allow')
  })

  test('null is refused when writing a version that does not allow it', () => {
    expect(hex(lists, 1, { topics: null })).toBe('ffffffff')
    expect(hex(lists, 2, { topics: null })).toBe('0000')
    expect(() => encode(lists, 0, { topics: null })).toThrow('Lists.topics must not be null in this version')
  })

  test('text that is null, or longer than the frame, is malformed', () => {
    expect(() => decode(lists, 1, '00000001ffff')).toThrow(MalformedError)
    expect(() => decode(lists, 1, '00000001fffe')).toThrow(MalformedError)
    expect(() => decode(lists, 1, '00000001000561')).toThrow('Lists.topics[] claims 5, 1 bytes are left')
    expect(() => decode(lists, 2, '020000')).toThrow(MalformedError)
  })

  test('text that is not UTF-8 is read with U+FFFD in its place', () => {
    expect(decode(lists, 1, '000000010002fffe').topics).toEqual(['\ufffd\ufffd'])
    expect(decode(lists, 1, '00000001000461ff62c3').topics).toEqual(['a\ufffdb\ufffd'])
  })

  test('an unsigned varint of more than five bytes is malformed', () => {
    expect(() => decode(lists, 2, '80808080800100')).toThrow('an unsigned varint is longer than 32 bits')
  })

  test('text of 32767 bytes is carried, one byte more is refused on both sides', () => {
    const longest = 'x'.repeat(0x7fff)
    for (const version of [1, 2]) {
      expect(decode(lists, version, hex(lists, version, { topics: [longest] })).topics).toEqual([longest])
      expect(() => encode(lists, version, { topics: [`${longest}x`] })).toThrow(/more than 32767/)
    }
    const tooLong = Buffer.concat([Buffer.from('02818002', 'hex'), Buffer.alloc(0x8000, 'x'), Buffer.from('00', 'hex')])
    expect(() => lists.codec(2).read(new Reader([tooLong]))).toThrow('Lists.topics[] claims 32768 bytes')
  })

  test('a nullable struct has a byte in front: −1 for null, 1 for present', () => {
    const cursor = new Message('Page', { cursor: struct({ at: int8 }).nullable().default(null) }, { min: 0, max: 1 }, 1)
    expect(hex(cursor, 0, {})).toBe('ff')
    expect(hex(cursor, 1, { cursor: { at: 5 } })).toBe('01' + '05' + '00' + '00')
    expect(decode(cursor, 0, 'ff').cursor).toBeNull()
    expect(decode(cursor, 0, '0105').cursor).toEqual({ at: 5 })
  })
})

describe('fields outside their versions (W-33)', () => {
  const spans = new Message(
    'Spans',
    {
      name: string.until(1).ignorable(),
      id: uuid.since(2),
      timeoutMs: int32.since(1).default(-1),
      topics: array({ index: int32, epoch: int32.since(2).default(-1) }),
    },
    { min: 0, max: 2 },
    Number.POSITIVE_INFINITY,
  )
  const id = 'AAAAAAAAAAAAAAAAAAAAAQ'

  test('a value that is not the default is refused, one that is the default or undefined is not', () => {
    expect(() => encode(spans, 1, { name: 'a', id, topics: [] })).toThrow(UnsupportedFieldError)
    expect(() => encode(spans, 0, { name: 'a', timeoutMs: 5, topics: [] })).toThrow(
      'Spans.timeoutMs is set, but version 0 has no such field',
    )
    expect(() => encode(spans, 1, { name: 'a', topics: [{ index: 1, epoch: 7 }] })).toThrow(
      'Spans.topics[].epoch is set',
    )
    const written = hex(spans, 0, { name: 'a', timeoutMs: -1, id: 'A'.repeat(22), topics: [{ index: 1, epoch: -1 }] })
    expect(written).toBe('000161' + '00000001' + '00000001')
    expect(hex(spans, 0, { name: 'a', timeoutMs: undefined, topics: [{ index: 1 }] })).toBe(written)
  })

  test('an ignorable value is dropped', () => {
    expect(hex(spans, 2, { name: 'dropped', id, topics: [] })).toBe(
      '00000000000000000000000000000001' + 'ffffffff' + '00000000',
    )
  })

  test('a field that the version lacks is read as its default, and no two values share a list', () => {
    const list = new Message('List', { ids: array(int32).since(1) }, { min: 0, max: 1 }, Number.POSITIVE_INFINITY)
    const [one, other] = [decode(list, 0, ''), decode(list, 0, '')]
    expect(one).toEqual({ ids: [] })
    expect(one.ids).not.toBe(other.ids)
    expect(decode(spans, 0, '000161' + '00000000')).toEqual({
      name: 'a',
      id: 'A'.repeat(22),
      timeoutMs: -1,
      topics: [],
    })
  })

  test('a version that the message does not have is refused', () => {
    expect(() => spans.codec(3)).toThrow('Spans has versions 0 to 2, not 3')
    expect(() => spans.codec(-1)).toThrow(RangeError)
  })
})

describe('records and bytes (W-26, W-28)', () => {
  const carrier = new Message(
    'Carrier',
    { before: string, records: records.nullable(), after: int32, data: bytes },
    { min: 0, max: 1 },
    1,
  )

  test('slices of records go into a frame and come out of it as the very same memory', () => {
    const slices = [new Uint8Array(61).fill(1), new Uint8Array(3000).fill(2)]
    const writer = new Writer()
    carrier.codec(1).write(writer, { before: 'b', records: new Records(slices), after: 5, data: new Uint8Array([1]) })
    const frame = writer.finish()
    expect(frame.slices[1]).toBe(slices[0])
    expect(frame.slices[2]).toBe(slices[1])
    const read = carrier.codec(1).read(new Reader(frame.slices))
    expect(read.records!.slices[0]).toBe(slices[0])
    expect(read.records!.slices[1]).toBe(slices[1])
    expect(read.after).toBe(5)
    expect([...read.data]).toEqual([1])
  })

  test('null records and empty ones are different', () => {
    expect(hex(carrier, 0, { before: '', records: null, after: 0, data: new Uint8Array(0) })).toBe(
      '0000' + 'ffffffff' + '00000000' + '00000000',
    )
    expect(hex(carrier, 0, { before: '', records: Records.empty, after: 0, data: new Uint8Array(0) })).toBe(
      '0000' + '00000000' + '00000000' + '00000000',
    )
  })

  test('a frame that outgrows its slab is whole, and frames that follow each other do not touch', () => {
    const value = (fill: number) => ({
      before: 'x'.repeat(30_000),
      records: null,
      after: fill,
      data: new Uint8Array(100_000).fill(fill),
    })
    const writers = [1, 2, 3].map(fill => {
      const writer = new Writer()
      carrier.codec(1).write(writer, value(fill))
      return writer.finish()
    })
    const small = Array.from({ length: 3000 }, (_, index) => {
      const writer = new Writer()
      carrier.codec(1).write(writer, { before: `${index}`, records: null, after: index, data: new Uint8Array(40) })
      return writer.finish()
    })
    for (const [index, frame] of writers.entries()) {
      expect(carrier.codec(1).read(new Reader(frame.slices))).toEqual(value(index + 1))
    }
    for (const [index, frame] of small.entries()) {
      expect(carrier.codec(1).read(new Reader(frame.slices))).toMatchObject({ before: `${index}`, after: index })
    }
  })
})

describe('int64', () => {
  const one = new Message('One', { value: int64 }, { min: 0, max: 0 }, Number.POSITIVE_INFINITY)

  test('±2^53 − 1 are exact, Long.MAX and Long.MIN are ±Infinity, what lies between is refused on both sides', () => {
    expect(hex(one, 0, { value: Number.MAX_SAFE_INTEGER })).toBe('001fffffffffffff')
    expect(hex(one, 0, { value: Number.MIN_SAFE_INTEGER })).toBe('ffe0000000000001')
    expect(hex(one, 0, { value: Number.POSITIVE_INFINITY })).toBe('7fffffffffffffff')
    expect(hex(one, 0, { value: Number.NEGATIVE_INFINITY })).toBe('8000000000000000')
    expect(decode(one, 0, 'ffffffffffffffff').value).toBe(-1)
    expect(decode(one, 0, '7fffffffffffffff').value).toBe(Number.POSITIVE_INFINITY)
    expect(() => decode(one, 0, '0020000000000000')).toThrow('the int64 9007199254740992 lies outside ±2^53')
    expect(() => decode(one, 0, '8000000000000001')).toThrow('the int64 -9223372036854775807 lies outside ±2^53')
    for (const value of [2 ** 53, -(2 ** 53), 0.5, Number.NaN])
      expect(() => encode(one, 0, { value })).toThrow(RangeError)
  })
})
