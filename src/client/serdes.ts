import type { ClassValue } from '../metadata/config-definition.ts'
import { nearestName } from '../metadata/nearest-name.ts'
import { ConfigError, SerializationError } from '../wire/errors.ts'

/** Makes bytes of a key or value; null stands for null. May answer with a promise: time stands still meanwhile. */
export type Serialize = (topic: string, data: unknown) => Uint8Array | null | Promise<Uint8Array | null>
/** Makes a key or value of bytes. The bytes are a view of the batch: to be read, not written. */
export type Deserialize = (topic: string, bytes: Uint8Array | null) => unknown

/** `key.serializer`, `value.serializer`: an object with `serialize`, a function, or one of the known names. */
export interface Serializer {
  serialize(topic: string, data: unknown): Uint8Array | null | Promise<Uint8Array | null>
}

/** `key.deserializer`, `value.deserializer`: an object with `deserialize`, a function, or one of the known names. */
export interface Deserializer {
  deserialize(topic: string, bytes: Uint8Array | null): unknown
}

/** The built-in ones: `default`, three short names, and Java's. `Long` and `Double` are 8 bytes, `Integer` and `Float` 4. */
export type SerdeName =
  | 'default'
  | 'string'
  | 'json'
  | 'bytes'
  | 'String'
  | 'ByteArray'
  | 'Bytes'
  | 'Integer'
  | 'Long'
  | 'Float'
  | 'Double'

/** What `key.serializer` and `value.serializer` take. Java's names may be written out: `…LongSerializer`. */
export type SerializerChoice = SerdeName | `${string}Serializer` | Serialize | Serializer | object

/** What `key.deserializer` and `value.deserializer` take. Java's names may be written out: `…LongDeserializer`. */
export type DeserializerChoice = SerdeName | `${string}Deserializer` | Deserialize | Deserializer

/** What a deserializer makes: of the built-in ones by their names, else what it says itself. Left out: a Buffer. */
export type Deserialized<Choice> = [DeserializerChoice] extends [Choice]
  ? Buffer | null
  : Choice extends undefined | 'default' | 'bytes' | 'ByteArray' | 'Bytes' | `${string}Byte${'s' | 'Array'}Deserializer`
    ? Buffer | null
    : Choice extends 'string' | 'String' | `${string}StringDeserializer`
      ? string | null
      : Choice extends NumberName | `${string}${NumberName}Deserializer`
        ? number | null
        : Choice extends (topic: string, bytes: Uint8Array | null) => infer Made
          ? Made
          : Choice extends { deserialize(topic: string, bytes: Uint8Array | null): infer Made }
            ? Made
            : // JSON, and whatever nobody can tell: to be looked at first.
              unknown

type NumberName = 'Integer' | 'Long' | 'Float' | 'Double'
function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

function absent(data: unknown): data is null | undefined {
  return data === null || data === undefined
}

function wrong(wanted: string, data: unknown): SerializationError {
  const what = typeof data === 'object' ? (data?.constructor?.name ?? 'object') : typeof data
  return new SerializationError(`${wanted} is expected, not ${/^[aeio]/i.test(what) ? 'an' : 'a'} ${what}`)
}

/** Text is written as UTF-8, bytes as they are; read, everything is a Buffer, whose `toString()` is the text. */
export const defaultSerde: Serializer & Deserializer = {
  serialize(_topic, data) {
    if (typeof data === 'string') return Buffer.from(data)
    if (absent(data)) return null
    if (data instanceof Uint8Array) return data
    throw wrong("a string, a Uint8Array or null (for objects: 'value.serializer': 'json')", data)
  },
  deserialize: (_topic, bytes) => (bytes === null ? null : bufferOf(bytes)),
}

const bytesSerde: Serializer & Deserializer = {
  serialize(_topic, data) {
    if (absent(data)) return null
    if (data instanceof Uint8Array) return data
    throw wrong('a Uint8Array or null', data)
  },
  deserialize: (_topic, bytes) => (bytes === null ? null : bufferOf(bytes)),
}

const stringSerde: Serializer & Deserializer = {
  serialize(_topic, data) {
    if (absent(data)) return null
    if (typeof data === 'string') return Buffer.from(data)
    throw wrong('a string or null', data)
  },
  deserialize: (_topic, bytes) => (bytes === null ? null : bufferOf(bytes).toString('utf8')),
}

const jsonSerde: Serializer & Deserializer = {
  serialize(_topic, data) {
    if (absent(data)) return null
    const text = JSON.stringify(data)
    if (text === undefined) throw wrong('something that JSON can say', data)
    return Buffer.from(text)
  },
  deserialize(_topic, bytes) {
    if (bytes === null) return null
    try {
      return JSON.parse(bufferOf(bytes).toString('utf8'))
    } catch (error) {
      throw new SerializationError(`not JSON: ${(error as Error).message}`, { cause: error })
    }
  },
}

/** Java's numbers are big-endian; a LONG beyond ±2^53 is refused, never rounded. */
const numberSerde = (size: 4 | 8, isFloat: boolean): Serializer & Deserializer => ({
  serialize(_topic, data) {
    if (absent(data)) return null
    const bytes = Buffer.alloc(size)
    if (typeof data !== 'number' || (!isFloat && !Number.isSafeInteger(data))) throw wrong('a number', data)
    if (isFloat && size === 8) bytes.writeDoubleBE(data)
    else if (isFloat) bytes.writeFloatBE(data)
    else if (size === 8) bytes.writeBigInt64BE(BigInt(data))
    else if (data < -0x80000000 || data > 0x7fffffff) throw new SerializationError(`${data} does not fit 32 bits`)
    else bytes.writeInt32BE(data)
    return bytes
  },
  deserialize(_topic, bytes) {
    if (bytes === null) return null
    if (bytes.length !== size)
      throw new SerializationError(`a number of ${size} bytes is expected, not ${bytes.length}`)
    const buffer = bufferOf(bytes)
    if (isFloat) return size === 8 ? buffer.readDoubleBE() : buffer.readFloatBE()
    if (size === 4) return buffer.readInt32BE()
    const value = Number(buffer.readBigInt64BE())
    if (!Number.isSafeInteger(value)) throw new SerializationError('a number lies outside ±2^53')
    return value
  },
})

const known: Readonly<Record<SerdeName, Serializer & Deserializer>> = {
  default: defaultSerde,
  bytes: bytesSerde,
  string: stringSerde,
  json: jsonSerde,
  ByteArray: bytesSerde,
  Bytes: bytesSerde,
  String: stringSerde,
  Integer: numberSerde(4, false),
  Long: numberSerde(8, false),
  Float: numberSerde(4, true),
  Double: numberSerde(8, true),
}

const SHORT_NAMES = ['string', 'json', 'bytes']

/** @throws {ConfigError} for a name that is not known, or something that cannot serialize. */
export function serializerOf(key: string, value: ClassValue): Serialize {
  const found = typeof value === 'string' ? named(key, value, 'Serializer') : value
  if ('serialize' in found && typeof found.serialize === 'function') return found.serialize.bind(found)
  if (typeof found === 'function') return found as Serialize
  throw new ConfigError(`${key} must be a function (topic, data) => bytes, an object with serialize, or a known name`)
}

/** @throws {ConfigError} for a name that is not known, or something that cannot deserialize. */
export function deserializerOf(key: string, value: ClassValue): Deserialize {
  const found = typeof value === 'string' ? named(key, value, 'Deserializer') : value
  if ('deserialize' in found && typeof found.deserialize === 'function') return found.deserialize.bind(found)
  if (typeof found === 'function') return found as Deserialize
  throw new ConfigError(`${key} must be a function (topic, bytes) => data, an object with deserialize, or a known name`)
}

function named(key: string, name: string, suffix: string): Serializer & Deserializer {
  const short = name.slice(name.lastIndexOf('.') + 1)
  const plain = short.endsWith(suffix) ? short.slice(0, -suffix.length) : short
  if (Object.hasOwn(known, plain)) return known[plain as SerdeName]
  const nearest = nearestName(plain, Object.keys(known))
  const hint = nearest === undefined ? `known are ${SHORT_NAMES.join(', ')}` : `did you mean '${nearest}'?`
  throw new ConfigError(`${key} '${name}' is not known: ${hint}`)
}

/** @throws {SerializationError} for what the deserializer refuses; the record stays where it is. */
export function deserialized(by: Deserialize, topic: string, bytes: Uint8Array | null, where: () => string): unknown {
  let cause: unknown
  try {
    const data = by(topic, bytes)
    if (!(data instanceof Promise)) return data
    cause = new Error("a deserializer answers at once, as Kafka's do, and not with a promise")
  } catch (error) {
    cause = error
  }
  const text = `Error deserializing key/value for partition ${where()}: ${(cause as Error).message}`
  const advice = 'If needed, please seek past the record to continue consumption.'
  throw new SerializationError(`${text}. ${advice}`, { cause })
}
