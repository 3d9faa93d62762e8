import { joined } from '../wire/frame.ts'
import { Message } from '../wire/message.ts'
import { MalformedError, Reader } from '../wire/reader.ts'
import type { LogRecord } from '../wire/record.ts'
import type { Decoded, Encodable, Fields } from '../wire/schema.ts'
import { Writer } from '../wire/writer.ts'

/** One kind of record of a coordinator's topic: what its key says, and what its value. */
export interface RecordKind<K extends Fields, V extends Fields> {
  /** The int16 that a key of this kind begins with. */
  readonly type: number
  readonly key: Message<K>
  readonly value: Message<V>
  /** In which version a value is written; all are read. */
  readonly write: (value: Encodable<V>) => number
}

export function defineCoordinatorRecord<const K extends Fields, const V extends Fields>(declaration: {
  readonly type: number
  readonly name: string
  /** Highest version of the value; all from 0 on are readable. */
  readonly version: number
  readonly flexibleFrom?: number
  readonly key: K
  readonly value: V
  /** In which version a value is written; the highest unless said. */
  readonly write?: (value: Encodable<V>) => number
}): RecordKind<K, V> {
  const { type, name, version, flexibleFrom = Number.POSITIVE_INFINITY, key, value } = declaration
  return {
    type,
    key: new Message(`${name}Key`, key, { min: 0, max: 0 }, Number.POSITIVE_INFINITY),
    value: new Message(`${name}Value`, value, { min: 0, max: version }, flexibleFrom),
    write: declaration.write ?? (() => version),
  }
}

// biome-ignore lint/suspicious/noExplicitAny: any kind of record
type Kinds = Readonly<Record<string, RecordKind<any, any>>>

/** A record as it is replayed; null is a tombstone. */
export type CoordinatorRecord<T extends Kinds> = {
  [N in keyof T & string]: T[N] extends RecordKind<infer K, infer V>
    ? { readonly type: N; readonly key: Decoded<K>; readonly value: Decoded<V> | null }
    : never
}[keyof T & string]

/** A record as it is written: what has a default may be left out. */
export type CoordinatorRecordInput<T extends Kinds> = {
  [N in keyof T & string]: T[N] extends RecordKind<infer K, infer V>
    ? { readonly type: N; readonly key: Encodable<K>; readonly value: Encodable<V> | null }
    : never
}[keyof T & string]

export interface EncodedRecord {
  readonly key: Uint8Array
  readonly value: Uint8Array | null
}

/** Between the records of one coordinator's topic and their bytes: key and value each begin with an int16. */
export class CoordinatorCodec<T extends Kinds> {
  readonly #kinds: T
  readonly #byType = new Map<number, keyof T & string>()

  constructor(kinds: T) {
    this.#kinds = kinds
    for (const name in kinds) this.#byType.set(kinds[name]!.type, name)
  }

  encode({ type, key, value }: CoordinatorRecordInput<T>): EncodedRecord {
    const kind = this.#kinds[type]!
    const version = value === null ? 0 : kind.write(value)
    return {
      key: encoded(kind.key, 0, kind.type, key),
      value: value === null ? null : encoded(kind.value, version, version, value),
    }
  }

  /**
   * Undefined for a kind that nobody here knows: a newer release wrote it, and it is passed over, as Kafka does.
   *
   * @throws {MalformedError} for bytes that are no such record, or a value of an unknown version.
   */
  decode(record: Pick<LogRecord, 'key' | 'value'>): CoordinatorRecord<T> | undefined {
    if (record.key === null) throw new MalformedError("a record of a coordinator's topic has no key")
    const keyReader = new Reader([record.key])
    const type = this.#byType.get(keyReader.int16())
    if (type === undefined) return undefined
    const kind = this.#kinds[type]!
    const key = kind.key.codec(0).read(keyReader)
    if (record.value === null) return { type, key, value: null } as CoordinatorRecord<T>
    const valueReader = new Reader([record.value])
    const version = valueReader.int16()
    if (version < 0 || version > kind.value.versions.max) {
      throw new MalformedError(`${kind.value.name} has versions 0 to ${kind.value.versions.max}, not ${version}`)
    }
    return { type, key, value: kind.value.codec(version).read(valueReader) } as CoordinatorRecord<T>
  }
}

function encoded<F extends Fields>(
  message: Message<F>,
  version: number,
  prefix: number,
  value: Encodable<F>,
): Uint8Array {
  const writer = new Writer()
  writer.int16(prefix)
  message.codec(version).write(writer, value)
  return joined(writer.finish().slices)
}
