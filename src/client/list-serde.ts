/**
 * Lists, as Kafka's ListSerializer writes them: one byte for the form, then how many, then the entries. Entries of one size
 * (form 0) come one after the other, behind the places of those that are null; others (form 1) have their length, −1 for null.
 */
import { SerializationError } from '../wire/errors.ts'
import { fixedSizes } from './built-in-serdes.ts'
import { bufferOf, type Deserializer, isAbsent, kindOf, type Serializer } from './serde.ts'
import type { Deserialized, DeserializerChoice, Serialized, SerializerChoice } from './serde-choice.ts'
import { builtInNamed, deserializerOf, serializerOf } from './serdes.ts'

const FIXED = 0
const VARIABLE = 1
const NULL_LENGTH = -1

function int32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeInt32BE(value)
  return bytes
}

/**
 * A serializer of lists: `'value.serializer': listSerializer('int32')` takes arrays of numbers.
 *
 * @param entries what serializes an entry; it has to answer at once
 * @throws {ConfigError} for a name that is not known
 */
export function listSerializer<const Choice extends SerializerChoice>(
  entries: Choice,
): Serializer<readonly (Serialized<Choice> | null)[] | null | undefined> {
  const serialize = serializerOf('listSerializer()', entries)
  const isFixed = fixedSizes.has(builtInNamed(entries, 'Serializer'))
  return {
    serialize(topic, list) {
      if (isAbsent(list)) return null
      if (!Array.isArray(list)) throw new SerializationError(`an array or null is expected, not ${kindOf(list)}`)
      const written = list.map(entry => (isAbsent(entry) ? null : serialize(topic, entry)))
      const parts: Uint8Array[] = [Buffer.of(isFixed ? FIXED : VARIABLE)]
      if (isFixed) {
        const absent = written.flatMap((bytes, index) => (bytes === null ? [index] : []))
        parts.push(int32(absent.length), ...absent.map(int32))
      }
      parts.push(int32(written.length))
      for (const bytes of written) {
        if (bytes !== null && !(bytes instanceof Uint8Array)) {
          throw new SerializationError('what serializes entries of a list answers at once, and not with a promise')
        }
        if (!isFixed) parts.push(int32(bytes?.length ?? NULL_LENGTH))
        if (bytes !== null) parts.push(bytes)
      }
      return Buffer.concat(parts)
    },
  }
}

/**
 * A deserializer of lists, made by `listSerializer` or by Kafka's ListSerializer: `'value.deserializer': listDeserializer('int32')`.
 *
 * @param entries what deserializes an entry
 * @throws {ConfigError} for a name that is not known
 */
export function listDeserializer<const Choice extends DeserializerChoice>(
  entries: Choice,
): Deserializer<Deserialized<Choice>[] | null> {
  const deserialize = deserializerOf('listDeserializer()', entries)
  const size = fixedSizes.get(builtInNamed(entries, 'Deserializer'))
  return {
    deserialize(topic, bytes) {
      if (bytes === null) return null
      const list = new ListReader(bufferOf(bytes))
      const form = list.byte()
      if (form !== FIXED && form !== VARIABLE) throw new SerializationError(`not a list: it begins with ${form}`)
      if (form === FIXED && size === undefined) {
        throw new SerializationError('the entries have one size, but not those that are expected here')
      }
      const absent = new Set(form === FIXED ? Array.from({ length: list.count() }, () => list.int32()) : [])
      return Array.from({ length: list.count() }, (_, index) => {
        const length = absent.has(index) ? NULL_LENGTH : form === FIXED ? size! : list.int32()
        const entry = length === NULL_LENGTH ? null : list.take(length)
        return (entry === null ? null : deserialize(topic, entry)) as Deserialized<Choice>
      })
    },
  }
}

class ListReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  byte(): number {
    return this.take(1)[0]!
  }

  int32(): number {
    return this.take(4).readInt32BE()
  }

  /** Of what is to come: never more than there are bytes, even where every entry is null. */
  count(): number {
    const count = this.int32()
    if (count < 0 || count > this.#bytes.length) throw new SerializationError(`not a list: it has ${count} entries`)
    return count
  }

  take(length: number): Buffer {
    const end = this.#at + length
    if (length < 0 || end > this.#bytes.length) throw new SerializationError('not a list: it ends too early')
    const taken = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return taken
  }
}
