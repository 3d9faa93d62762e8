import { KafkaError } from './errors.ts'
import type { Reader } from './reader.ts'
import { Records } from './records.ts'
import { type AnyField, type Decoded, defaultOf, type Encodable, type Fields, isDefault, malformed } from './schema.ts'
import { uuidFromText, uuidToText } from './uuid.ts'
import type { Writer } from './writer.ts'

/** Reads and writes one version of one message. */
export interface Codec<Value, Input> {
  read(reader: Reader): Value
  write(writer: Writer, value: Input): void
}

/** How one field of one version is read and written. */
interface Step {
  read(reader: Reader): unknown
  write(writer: Writer, value: never): void
}

type Row = Record<string, unknown>

/** The codec of a message in one version; `flexible` is KIP-482's compact form with tagged sections. */
export function codecOf<F extends Fields>(
  message: string,
  fields: F,
  version: number,
  flexible: boolean,
): Codec<Decoded<F>, Encodable<F>> {
  return structStep(message, fields, version, flexible) as unknown as Codec<Decoded<F>, Encodable<F>>
}

interface Place {
  readonly name: string
  readonly step: Step
  readonly field: AnyField
  readonly constant: unknown
  /** Read in its turn; else it is absent from this version, or tagged, and a row begins with its default. */
  readonly isInline: boolean
  /** The default of a decoded value must be made anew: nobody shares arrays and structs. */
  readonly isObject: boolean
}

function structStep(path: string, fields: Fields, version: number, flexible: boolean): Step {
  const places: Place[] = []
  const inline: Place[] = []
  const tagged: (Place & { tag: number })[] = []
  const absent: Place[] = []
  for (const [name, field] of Object.entries(fields)) {
    const { since, until, tag } = field.spans
    const constant = defaultOf(field)
    const isObject = typeof constant === 'object' && constant !== null
    const isHere = version >= since && version <= until
    const isInline = isHere && (tag === undefined || !flexible)
    const step = isHere ? fieldStep(`${path}.${name}`, field, version, flexible) : NOWHERE
    const place = { name, step, field, constant, isInline, isObject }
    places.push(place)
    if (isInline) inline.push(place)
    else if (isHere) tagged.push({ ...place, tag: tag! })
    else absent.push(place)
  }
  tagged.sort((a, b) => a.tag - b.tag)

  return {
    /** All fields in declared order, so that every row of a message has one shape. */
    read(reader) {
      const row: Row = {}
      for (let i = 0; i < places.length; i++) {
        const place = places[i]!
        if (place.isInline) row[place.name] = place.step.read(reader)
        else row[place.name] = place.isObject ? defaultOf(place.field) : place.constant
      }
      if (flexible) readTags(path, reader, row, tagged)
      return row
    },
    write(writer, value: Row) {
      for (let i = 0; i < inline.length; i++) {
        const place = inline[i]!
        const given = value[place.name]
        place.step.write(writer, (given === undefined ? place.constant : given) as never)
      }
      for (let i = 0; i < absent.length; i++) {
        const { name, field } = absent[i]!
        if (!field.spans.ignorable && value[name] !== undefined && !isDefault(field, value[name])) {
          throw new UnsupportedFieldError(`${path}.${name} is set, but version ${version} has no such field`)
        }
      }
      if (flexible) writeTags(writer, value, tagged)
    },
  }
}

/** A value that the asked version cannot carry (W-33; Kafka's UnsupportedVersionException). */
export class UnsupportedFieldError extends Error {
  override readonly name = 'UnsupportedFieldError'
}

const NOWHERE: Step = { read: () => undefined, write: () => {} }

/**
 * Tags may come in any order and twice, and unknown ones are skipped. The size of a known one is not looked at: its value
 * says itself where it ends (W-31).
 */
function readTags(path: string, reader: Reader, row: Row, tagged: readonly (Place & { tag: number })[]): void {
  const count = reader.uvarint()
  if (count > reader.remaining) malformed(`${path}: ${count} tagged fields in ${reader.remaining} bytes`)
  for (let i = 0; i < count; i++) {
    const tag = reader.uvarint()
    const size = reader.uvarint()
    const place = tagged.find(candidate => candidate.tag === tag)
    if (place === undefined) reader.skip(size)
    else row[place.name] = place.step.read(reader)
  }
}

function writeTags(writer: Writer, value: Row, tagged: readonly (Place & { tag: number })[]): void {
  if (tagged.length === 0) {
    writer.int8(0)
    return
  }
  let present = 0
  for (let i = 0; i < tagged.length; i++) {
    if (!isDefault(tagged[i]!.field, value[tagged[i]!.name])) present++
  }
  writer.uvarint(present)
  if (present === 0) return
  for (const place of tagged) {
    if (isDefault(place.field, value[place.name])) continue
    writer.uvarint(place.tag)
    writer.sized(() => place.step.write(writer, value[place.name] as never))
  }
}

function fieldStep(path: string, field: AnyField, version: number, flexible: boolean): Step {
  const nullable = version >= field.spans.nullableSince
  switch (field.kind) {
    case 'boolean':
      return { read: r => r.boolean(), write: (w, v) => w.boolean(v) }
    case 'int8':
      return { read: r => r.int8(), write: (w, v) => w.int8(v) }
    case 'int16':
      return { read: r => r.int16(), write: (w, v) => w.int16(v) }
    case 'uint16':
      return { read: r => r.uint16(), write: (w, v) => w.int16(v) }
    case 'int32':
      return { read: r => r.int32(), write: (w, v) => w.int32(v) }
    case 'uint32':
      return { read: r => r.uint32(), write: (w, v) => w.int32(v) }
    case 'int64':
      return { read: r => r.int64(), write: (w, v) => w.int64(v) }
    case 'hash64':
      return { read: r => Buffer.from(r.bytes(8)).toString('hex'), write: (w, v) => w.bytes(hashBytes(v)) }
    case 'float64':
      return { read: r => r.float64(), write: (w, v) => w.float64(v) }
    case 'uuid':
      return { read: r => uuidToText(r.uuid()), write: (w, v) => w.bytes(uuidFromText(v)) }
    case 'string':
      return stringStep(path, nullable, flexible)
    case 'bytes':
    case 'records':
      return bytesStep(path, field.kind === 'records', nullable, flexible)
    case 'array':
      return arrayStep(path, field.element!, version, nullable, flexible)
    case 'struct': {
      const step = structStep(path, field.fields!, version, flexible)
      if (!nullable) return step
      return field.spans.tag === undefined ? nullableStruct(step) : taggedStruct(step)
    }
  }
}

/** int8: −1 null, 1 present (W-29). */
function nullableStruct(step: Step): Step {
  return {
    read: reader => (reader.int8() < 0 ? null : step.read(reader)),
    write(writer, value) {
      writer.int8(value === null ? -1 : 1)
      if (value !== null) step.write(writer, value)
    },
  }
}

/** Under a tag, an unsigned varint: 0 null, 1 present (as a 4.3.1 broker writes it). */
function taggedStruct(step: Step): Step {
  return {
    read: reader => (reader.uvarint() === 0 ? null : step.read(reader)),
    write(writer, value) {
      writer.uvarint(value === null ? 0 : 1)
      if (value !== null) step.write(writer, value)
    },
  }
}

function hashBytes(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'hex')
  if (bytes.length !== 8) throw new RangeError(`'${text}' is no hash: 16 hexadecimal digits are expected`)
  return bytes
}

/** The length in front of text, bytes and arrays: −1, and when reading any negative one, stands for null (W-32). */
interface Length {
  read(reader: Reader): number
  write(writer: Writer, length: number): void
}

/** An int32 in Java: what lies beyond is negative, and so null. */
const COMPACT: Length = { read: r => (r.uvarint() - 1) | 0, write: (w, length) => w.uvarint(length + 1) }
const SHORT: Length = { read: r => r.int16(), write: (w, length) => w.int16(length) }
const WIDE: Length = { read: r => r.int32(), write: (w, length) => w.int32(length) }

function checked(path: string, length: number, nullable: boolean, reader: Reader): number {
  if (length < 0) {
    if (nullable) return -1
    malformed(`${path} is null, which this version does not allow`)
  }
  if (length > reader.remaining) malformed(`${path} claims ${length}, ${reader.remaining} bytes are left`)
  return length
}

function refuseNull(path: string, nullable: boolean): void {
  if (!nullable) throw new UnsupportedFieldError(`${path} must not be null in this version`)
}

/** Both encodings end at 32767 bytes, though a compact one could count further (generated messages). */
const LONGEST_TEXT = 0x7fff

function stringStep(path: string, nullable: boolean, flexible: boolean): Step {
  const length = flexible ? COMPACT : SHORT
  const prefix = (writer: Writer, count: number) => {
    if (count > LONGEST_TEXT)
      throw new KafkaError('INVALID_REQUEST', `${path} has ${count} bytes, more than ${LONGEST_TEXT}`)
    length.write(writer, count)
  }
  return {
    read(reader) {
      const count = checked(path, length.read(reader), nullable, reader)
      if (count > LONGEST_TEXT) malformed(`${path} claims ${count} bytes, more than ${LONGEST_TEXT}`)
      return count < 0 ? null : reader.text(count)
    },
    write(writer, value: string | null) {
      if (value !== null) {
        writer.text(value, prefix)
        return
      }
      refuseNull(path, nullable)
      length.write(writer, -1)
    },
  }
}

function bytesStep(path: string, isRecords: boolean, nullable: boolean, flexible: boolean): Step {
  const length = flexible ? COMPACT : WIDE
  return {
    read(reader) {
      const count = checked(path, length.read(reader), nullable, reader)
      if (count < 0) return null
      return isRecords ? new Records(reader.slices(count)) : reader.bytes(count)
    },
    write(writer, value: Records | Uint8Array | null) {
      if (value === null) {
        refuseNull(path, nullable)
        length.write(writer, -1)
      } else if (value instanceof Uint8Array) {
        length.write(writer, value.length)
        writer.bytes(value)
      } else {
        length.write(writer, value.byteLength)
        writer.slices(value.slices)
      }
    },
  }
}

function arrayStep(path: string, element: AnyField, version: number, nullable: boolean, flexible: boolean): Step {
  const length = flexible ? COMPACT : WIDE
  const step = fieldStep(`${path}[]`, element, version, flexible)
  return {
    read(reader) {
      const count = checked(path, length.read(reader), nullable, reader)
      if (count < 0) return null
      const items = []
      for (let i = 0; i < count; i++) items.push(step.read(reader))
      return items
    },
    write(writer, value: readonly never[] | null) {
      if (value === null) {
        refuseNull(path, nullable)
        length.write(writer, -1)
        return
      }
      length.write(writer, value.length)
      for (let i = 0; i < value.length; i++) step.write(writer, value[i]!)
    },
  }
}
