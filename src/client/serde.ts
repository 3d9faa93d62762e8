/** What serializers and deserializers are: of a user's own, or built in. */

/** Makes bytes of a key or value; null stands for null. May answer with a promise: time stands still meanwhile. */
export type Serialize<Data = unknown> = (topic: string, data: Data) => Uint8Array | null | Promise<Uint8Array | null>
/** Makes a key or value of bytes. The bytes are a view of the batch: to be read, not written. */
export type Deserialize = (topic: string, bytes: Uint8Array | null) => unknown

/** What both may have beside their work (Kafka's Serializer and Deserializer). */
interface Configurable {
  /** Called once, before anything else, with all that the client was configured with. */
  configure?(configs: Readonly<Record<string, unknown>>, isKey: boolean): void
  /** Called when the client has closed. What it throws is noted in the trace. */
  close?(): void
}

/** `key.serializer`, `value.serializer`: an object with `serialize`, a class of such, a function, or one of the known names. */
export interface Serializer<Data = unknown> extends Configurable {
  serialize(topic: string, data: Data): Uint8Array | null | Promise<Uint8Array | null>
}

/** `key.deserializer`, `value.deserializer`: an object with `deserialize`, a class of such, a function, or one of the known names. */
export interface Deserializer<Data = unknown> extends Configurable {
  deserialize(topic: string, bytes: Uint8Array | null): Data
}

/** Both ways. */
export type Serde = Serializer & Deserializer

export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

export function isAbsent(data: unknown): data is null | undefined {
  return data === null || data === undefined
}

/** What a value is, as an error says it: `a number`, `an Order`. */
export function kindOf(data: unknown): string {
  if (data === null || data === undefined) return String(data)
  const what = typeof data === 'object' ? (data.constructor?.name ?? 'object') : typeof data
  return `${/^[aeio]/i.test(what) ? 'an' : 'a'} ${what}`
}

export function isThenable<Bytes>(value: Bytes | Promise<Bytes>): value is Promise<Bytes> {
  return typeof value === 'object' && value !== null && 'then' in value
}
