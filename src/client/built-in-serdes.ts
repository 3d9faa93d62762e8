/**
 * The serializers that are known by name: those of org.apache.kafka.common.serialization, byte for byte, and JSON.
 */
import { SerializationError } from '../wire/errors.ts'
import { bufferOf, isAbsent, kindOf, type Serde } from './serde.ts'

function wrong(wanted: string, data: unknown): SerializationError {
  return new SerializationError(`${wanted} is expected, not ${kindOf(data)}`)
}

/** Null stays null both ways; the rest is for `write` and `read`. */
function nullable(write: (data: NonNullable<unknown>) => Uint8Array, read: (bytes: Buffer) => unknown): Serde {
  return {
    serialize: (_topic, data) => (isAbsent(data) ? null : write(data)),
    deserialize: (_topic, bytes) => (bytes === null ? null : read(bufferOf(bytes))),
  }
}

/** Text is written as UTF-8, bytes as they are; read, everything is a Buffer, whose `toString()` is the text. */
export const defaultSerde: Serde = nullable(
  data => {
    if (typeof data === 'string') return Buffer.from(data)
    if (data instanceof Uint8Array) return data
    throw wrong("a string, a Uint8Array or null (for objects: 'value.serializer': 'json')", data)
  },
  bytes => bytes,
)

const bytesSerde = nullable(
  data => {
    if (data instanceof Uint8Array) return data
    throw wrong('a Uint8Array or null', data)
  },
  bytes => bytes,
)

const stringSerde = nullable(
  data => {
    if (typeof data === 'string') return Buffer.from(data)
    throw wrong('a string or null', data)
  },
  bytes => bytes.toString('utf8'),
)

const jsonSerde = nullable(
  data => {
    const text = JSON.stringify(data)
    if (text === undefined) throw wrong('something that JSON can say', data)
    return Buffer.from(text)
  },
  bytes => {
    try {
      return JSON.parse(bytes.toString('utf8'))
    } catch (error) {
      throw new SerializationError(`not JSON: ${(error as Error).message}`, { cause: error })
    }
  },
)

/** Numbers of Java: big-endian, of so many bytes. */
function fixed(size: number, write: (bytes: Buffer, data: unknown) => void, read: (bytes: Buffer) => unknown): Serde {
  return nullable(
    data => {
      const bytes = Buffer.allocUnsafe(size)
      write(bytes, data)
      return bytes
    },
    bytes => {
      if (bytes.length === size) return read(bytes)
      throw new SerializationError(`a number of ${size} bytes is expected, not ${bytes.length}`)
    },
  )
}

function integer(data: unknown, bits: number): number {
  if (typeof data !== 'number' || !Number.isSafeInteger(data)) throw wrong('a whole number', data)
  const limit = 2 ** (bits - 1)
  if (data >= -limit && data < limit) return data
  throw new SerializationError(`${data} does not fit ${bits} bits`)
}

function float(data: unknown): number {
  if (typeof data === 'number') return data
  throw wrong('a number', data)
}

function long(data: unknown): bigint {
  if (typeof data === 'number' && Number.isSafeInteger(data)) return BigInt(data)
  if (typeof data !== 'bigint') throw wrong('a whole number within ±2^53, or a bigint,', data)
  if (BigInt.asIntN(64, data) === data) return data
  throw new SerializationError(`${data} does not fit 64 bits`)
}

const shortSerde = fixed(
  2,
  (bytes, data) => bytes.writeInt16BE(integer(data, 16)),
  bytes => bytes.readInt16BE(),
)
const integerSerde = fixed(
  4,
  (bytes, data) => bytes.writeInt32BE(integer(data, 32)),
  bytes => bytes.readInt32BE(),
)
/** A LONG beyond ±2^53 is refused, never rounded: `bigint` reads it. */
const longSerde = fixed(
  8,
  (bytes, data) => bytes.writeBigInt64BE(long(data)),
  bytes => {
    const value = Number(bytes.readBigInt64BE())
    if (Number.isSafeInteger(value)) return value
    throw new SerializationError("a number lies outside ±2^53: 'bigint' reads it")
  },
)
const bigintSerde = fixed(
  8,
  (bytes, data) => bytes.writeBigInt64BE(long(data)),
  bytes => bytes.readBigInt64BE(),
)
const floatSerde = fixed(
  4,
  (bytes, data) => bytes.writeFloatBE(float(data)),
  bytes => bytes.readFloatBE(),
)
const doubleSerde = fixed(
  8,
  (bytes, data) => bytes.writeDoubleBE(float(data)),
  bytes => bytes.readDoubleBE(),
)

const booleanSerde = nullable(
  data => {
    if (typeof data === 'boolean') return Buffer.of(data ? 1 : 0)
    throw wrong('true, false or null', data)
  },
  bytes => {
    if (bytes.length === 1 && bytes[0]! <= 1) return bytes[0] === 1
    throw new SerializationError(`one byte, 0 or 1, is expected, not ${bytes.toString('hex')}`)
  },
)

const UUID_FORM = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

function uuidText(text: string): string {
  if (UUID_FORM.test(text)) return text.toLowerCase()
  throw new SerializationError(`a UUID is expected, as in 41ab71ba-90fe-4c3d-8a2d-0ea4e4b0b3a8, not '${text}'`)
}

/** As text, of 36 bytes: Java's class writes no more compact form. */
const uuidSerde = nullable(
  data => {
    if (typeof data !== 'string') throw wrong('the text of a UUID, or null,', data)
    return Buffer.from(uuidText(data))
  },
  bytes => uuidText(bytes.toString('utf8')),
)

/** Nothing but null. */
const voidSerde = nullable(
  data => {
    throw wrong('null', data)
  },
  bytes => {
    throw new SerializationError(`null is expected, not ${bytes.length} bytes`)
  },
)

/** Short names, and those of Java's classes without `Serializer` and `Deserializer`. */
export const builtInSerdes = {
  default: defaultSerde,
  string: stringSerde,
  json: jsonSerde,
  bytes: bytesSerde,
  int16: shortSerde,
  int32: integerSerde,
  int64: longSerde,
  bigint: bigintSerde,
  float: floatSerde,
  double: doubleSerde,
  boolean: booleanSerde,
  uuid: uuidSerde,
  null: voidSerde,
  Boolean: booleanSerde,
  ByteArray: bytesSerde,
  ByteBuffer: bytesSerde,
  Bytes: bytesSerde,
  Double: doubleSerde,
  Float: floatSerde,
  Integer: integerSerde,
  Long: longSerde,
  Short: shortSerde,
  String: stringSerde,
  UUID: uuidSerde,
  Void: voidSerde,
} as const satisfies Readonly<Record<string, Serde>>

/** The built-in ones: `default`, short names, and Java's. */
export type SerdeName = keyof typeof builtInSerdes

/** Those whose bytes are as many for every value: lists of them say no lengths. */
export const fixedSizes: ReadonlyMap<unknown, number> = new Map([
  [shortSerde, 2],
  [integerSerde, 4],
  [longSerde, 8],
  [bigintSerde, 8],
  [floatSerde, 4],
  [doubleSerde, 8],
  [uuidSerde, 36],
])
