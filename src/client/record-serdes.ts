/** What makes bytes of keys and values for one client, and back: configured with it, closed with it. */
import type { ClassValue } from '../metadata/config-definition.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { ConfigError, KafkaError, SerializationError } from '../wire/errors.ts'
import { type Deserialize, isThenable, kindOf, type Serialize } from './serde.ts'
import { deserialized, deserializerObjectOf, serializerObjectOf } from './serdes.ts'

type Bytes = Uint8Array | null

/** Calls `configure` of whatever a configuration names, if it has one. @throws {ConfigError} for what that throws */
export function configure(key: string, part: object, ...given: readonly unknown[]): void {
  if (!('configure' in part) || typeof part.configure !== 'function') return
  try {
    part.configure(...given)
  } catch (error) {
    throw new ConfigError(`${key}: configure() threw: ${textOf(error)}`, { cause: error })
  }
}

function close(part: object, what: string, runtime: Runtime, who: string): void {
  try {
    if ('close' in part && typeof part.close === 'function') part.close()
  } catch (error) {
    runtime.trace.add('client', who, { what: `${what} close threw ${textOf(error)}` })
  }
}

export class RecordSerializers {
  readonly key: Serialize
  readonly value: Serialize
  readonly #parts: readonly (readonly [key: string, part: object])[]

  /** @throws {ConfigError} for a name that is not known, something that cannot serialize, or a `configure` that throws. */
  constructor(configs: { readonly 'key.serializer': ClassValue; readonly 'value.serializer': ClassValue }) {
    const key = serializerObjectOf('key.serializer', configs['key.serializer'])
    configure('key.serializer', key, configs, true)
    const value = serializerObjectOf('value.serializer', configs['value.serializer'])
    configure('value.serializer', value, configs, false)
    this.key = serializing('key', key)
    this.value = serializing('value', value)
    this.#parts = [
      ['key.serializer', key],
      ['value.serializer', value],
    ]
  }

  close(runtime: Runtime, who: string): void {
    for (const [key, part] of this.#parts) close(part, key, runtime, who)
  }
}

/** Whatever a serializer throws, and an answer that is no bytes, is a SerializationError that says where. */
function serializing(which: 'key' | 'value', part: ReturnType<typeof serializerObjectOf>): Serialize {
  const serialize: Serialize = typeof part === 'function' ? part : (part.serialize.bind(part) as Serialize)
  const checked = (topic: string, bytes: Bytes): Bytes => {
    if (bytes instanceof Uint8Array) return bytes
    if (bytes === null || bytes === undefined) return null
    const wanted = 'bytes (a Uint8Array) or null'
    throw refused(which, topic, new SerializationError(`${which}.serializer answered ${kindOf(bytes)}, not ${wanted}`))
  }
  return (topic, data) => {
    let bytes: Bytes | Promise<Bytes>
    try {
      bytes = serialize(topic, data)
    } catch (error) {
      throw refused(which, topic, error)
    }
    if (bytes instanceof Uint8Array || bytes === null) return bytes
    if (!isThenable(bytes)) return checked(topic, bytes)
    return bytes.then(
      later => checked(topic, later),
      error => {
        throw refused(which, topic, error)
      },
    )
  }
}

/** An error of Kafka's stays what it is, as in Kafka's clients. */
function refused(which: 'key' | 'value', topic: string, error: unknown): Error {
  if (error instanceof KafkaError) return error
  const cause = error instanceof SerializationError ? error.cause : error
  const text = `Can't serialize the ${which} of a record for ${topic}: ${textOf(error)}`
  return new SerializationError(text, cause === undefined ? undefined : { cause })
}

export class RecordDeserializers {
  readonly #key: Deserialize
  readonly #value: Deserialize
  readonly #parts: readonly (readonly [key: string, part: object])[]

  /** @throws {ConfigError} for a name that is not known, something that cannot deserialize, or a `configure` that throws. */
  constructor(configs: { readonly 'key.deserializer': ClassValue; readonly 'value.deserializer': ClassValue }) {
    const key = deserializerObjectOf('key.deserializer', configs['key.deserializer'])
    configure('key.deserializer', key, configs, true)
    const value = deserializerObjectOf('value.deserializer', configs['value.deserializer'])
    configure('value.deserializer', value, configs, false)
    this.#key = typeof key === 'function' ? key : key.deserialize.bind(key)
    this.#value = typeof value === 'function' ? value : value.deserialize.bind(value)
    this.#parts = [
      ['key.deserializer', key],
      ['value.deserializer', value],
    ]
  }

  /** @throws {SerializationError} for what a deserializer refuses; `where` says which record it is. */
  read(topic: string, key: Bytes, value: Bytes, where: () => string): { key: unknown; value: unknown } {
    return { key: deserialized(this.#key, topic, key, where), value: deserialized(this.#value, topic, value, where) }
  }

  close(runtime: Runtime, who: string): void {
    for (const [key, part] of this.#parts) close(part, key, runtime, who)
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
