/** From what a configuration says to what serializes. */
import type { ClassValue } from '../metadata/config-definition.ts'
import { nearestName } from '../metadata/nearest-name.ts'
import { ConfigError, SerializationError } from '../wire/errors.ts'
import { builtInSerdes } from './built-in-serdes.ts'
import type { Deserialize, Deserializer, Serde, Serialize, Serializer } from './serde.ts'

const KAFKAS = 'org.apache.kafka.common.serialization.'
type Kind = 'Serializer' | 'Deserializer'

/** @throws {ConfigError} for a name that is not known, or something that cannot serialize. */
export function serializerOf(key: string, value: ClassValue): Serialize {
  const found = serializerObjectOf(key, value)
  return 'serialize' in found ? (found.serialize.bind(found) as Serialize) : found
}

/** @throws {ConfigError} for a name that is not known, or something that cannot deserialize. */
export function deserializerOf(key: string, value: ClassValue): Deserialize {
  const found = deserializerObjectOf(key, value)
  return 'deserialize' in found ? found.deserialize.bind(found) : found
}

/** The object itself, which may have to be configured and closed; or the function. @throws {ConfigError} */
export function serializerObjectOf(key: string, value: ClassValue): Serializer | Serialize {
  const found = instanceOf(key, value, 'Serializer', 'serialize')
  if ('serialize' in found && typeof found.serialize === 'function') return found as Serializer
  if (typeof found === 'function') return found as Serialize
  throw new ConfigError(`${key} must be a function (topic, data) => bytes, an object with serialize, or a known name`)
}

/** The object itself, which may have to be configured and closed; or the function. @throws {ConfigError} */
export function deserializerObjectOf(key: string, value: ClassValue): Deserializer | Deserialize {
  const found = instanceOf(key, value, 'Deserializer', 'deserialize')
  if ('deserialize' in found && typeof found.deserialize === 'function') return found as Deserializer
  if (typeof found === 'function') return found as Deserialize
  throw new ConfigError(`${key} must be a function (topic, bytes) => data, an object with deserialize, or a known name`)
}

function instanceOf(key: string, value: ClassValue, kind: Kind, method: string): object {
  if (typeof value === 'string') return named(key, value, kind)
  const isClass = typeof value === 'function' && typeof value.prototype?.[method] === 'function'
  return isClass ? new (value as new () => object)() : value
}

/** What a name stands for; undefined for what is no name, or none that is known. */
export function builtInNamed(value: unknown, kind: Kind): Serde | undefined {
  if (typeof value !== 'string') return undefined
  const plain = plainName(value, kind)
  return Object.hasOwn(builtInSerdes, plain) ? builtInSerdes[plain as keyof typeof builtInSerdes] : undefined
}

function plainName(name: string, kind: Kind): string {
  const short = name.startsWith(KAFKAS) ? name.slice(KAFKAS.length) : name
  return short.endsWith(kind) ? short.slice(0, -kind.length) : short
}

function named(key: string, name: string, kind: Kind): Serde {
  const found = builtInNamed(name, kind)
  if (found !== undefined) return found
  const plain = plainName(name, kind)
  if (plain === 'List') {
    const make = `list${kind}('int32')`
    throw new ConfigError(`${key} '${name}' does not say what the lists hold: use ${make} or its like`)
  }
  const known = Object.keys(builtInSerdes)
  const nearest = nearestName(plain.slice(plain.lastIndexOf('.') + 1), known)
  const hint = nearest === undefined ? `known are ${known.join(', ')}` : `did you mean '${nearest}'?`
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
