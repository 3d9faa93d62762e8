/** What configurations may name as serializers, and which types of keys and values that comes to. */
import type { SerdeName } from './built-in-serdes.ts'
import type { RecordData } from './producer/producer-record.ts'
import type { Deserialize, Deserializer, Serializer } from './serde.ts'

/** A function of any parameter: as with methods, its type may be narrower than what it is handed. */
type AnySerialize = { of(topic: string, data: unknown): ReturnType<Serializer['serialize']> }['of']

/** What `key.serializer` and `value.serializer` take. Java's names may be written out: `…LongSerializer`. */
export type SerializerChoice = SerdeName | `${string}Serializer` | AnySerialize | Serializer | (new () => Serializer)

/** What `key.deserializer` and `value.deserializer` take. Java's names may be written out: `…LongDeserializer`. */
export type DeserializerChoice =
  | SerdeName
  | `${string}Deserializer`
  | Deserialize
  | Deserializer
  | (new () => Deserializer)

/** What `key.serializer` and `value.serializer` may hold. */
export type Serializing = SerializerChoice | undefined
/** What `key.deserializer` and `value.deserializer` may hold. */
export type Deserializing = DeserializerChoice | undefined

/** JavaScript's type for what the built-in serdes read, by their names and the endings of Java's. */
type Read<Choice, Suffix extends string> = Choice extends 'string' | 'uuid' | 'String' | 'UUID'
  ? string
  : Choice extends Named<'String' | 'UUID', Suffix>
    ? string
    : Choice extends 'int16' | 'int32' | 'int64' | 'float' | 'double' | JavaNumber | Named<JavaNumber, Suffix>
      ? number
      : Choice extends 'bigint'
        ? bigint
        : Choice extends 'boolean' | 'Boolean' | Named<'Boolean', Suffix>
          ? boolean
          : Choice extends 'null' | 'Void' | Named<'Void', Suffix>
            ? null
            : never
type JavaNumber = 'Short' | 'Integer' | 'Long' | 'Float' | 'Double'
type Named<Name extends string, Suffix extends string> = `${string}${Name}${Suffix}`
type BytesName<Suffix extends string> =
  | 'default'
  | 'bytes'
  | 'ByteArray'
  | 'ByteBuffer'
  | 'Bytes'
  | Named<'ByteArray' | 'ByteBuffer' | 'Bytes', Suffix>

/** What a deserializer makes: of the built-in ones by their names, else what it says itself. Left out: a Buffer. */
export type Deserialized<Choice> = [DeserializerChoice] extends [Choice]
  ? Buffer | null
  : Choice extends undefined | BytesName<'Deserializer'>
    ? Buffer | null
    : Choice extends string
      ? [Read<Choice, 'Deserializer'>] extends [never]
        ? unknown
        : Read<Choice, 'Deserializer'> | null
      : Choice extends new () => { deserialize(topic: string, bytes: Uint8Array | null): infer Made }
        ? Made
        : Choice extends (topic: string, bytes: Uint8Array | null) => infer Made
          ? Made
          : Choice extends { deserialize(topic: string, bytes: Uint8Array | null): infer Made }
            ? Made
            : // JSON, and whatever nobody can tell: to be looked at first.
              unknown

/** What a serializer takes: the built-in ones by their names, else what it says itself. Left out: text, bytes, null. */
export type Serialized<Choice> = [SerializerChoice] extends [Choice]
  ? RecordData
  : Choice extends undefined | 'default'
    ? RecordData
    : Choice extends BytesName<'Serializer'>
      ? Uint8Array | null | undefined
      : Choice extends 'int64' | 'bigint' | 'Long' | Named<'Long', 'Serializer'>
        ? number | bigint | null | undefined
        : Choice extends string
          ? [Read<Choice, 'Serializer'>] extends [never]
            ? unknown
            : Read<Choice, 'Serializer'> | null | undefined
          : Choice extends new () => { serialize(topic: string, data: infer Data): unknown }
            ? Data
            : Choice extends (topic: string, data: infer Data) => unknown
              ? Data
              : Choice extends { serialize(topic: string, data: infer Data): unknown }
                ? Data
                : unknown
