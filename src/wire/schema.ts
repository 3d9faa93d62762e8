import { MalformedError } from './reader.ts'
import type { Records } from './records.ts'
import { zeroUuid } from './uuid.ts'

/**
 * The schema language. A value has no version; the codec does. Field spans are said on the field:
 *
 *     { acks: int16, transactionalId: string.nullable().since(3).default(null), topics: array({ … }) }
 *
 * From one such declaration come the codec of every version, the TypeScript types of both directions, the rows of the
 * documentation and the generator for round-trip properties. Mirrors Kafka's message definitions (KIP-482).
 */
export type Kind =
  | 'boolean'
  | 'int8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'hash64'
  | 'float64'
  | 'uuid'
  | 'string'
  | 'bytes'
  | 'records'
  | 'array'
  | 'struct'

export interface Spans {
  /** First and last version that has the field. */
  readonly since: number
  readonly until: number
  /** First version in which null is allowed; Infinity: never. */
  readonly nullableSince: number
  /** The tag under which flexible versions carry it. */
  readonly tag: number | undefined
  /** In a version that lacks the field, a value that is not the default is dropped instead of refused (W-33). */
  readonly ignorable: boolean
  readonly default: unknown
}

const EVERYWHERE: Spans = {
  since: 0,
  until: Number.POSITIVE_INFINITY,
  nullableSince: Number.POSITIVE_INFINITY,
  tag: undefined,
  ignorable: false,
  default: undefined,
}

// biome-ignore lint/suspicious/noExplicitAny: a field of whatever types
export type AnyField = Field<any, any, boolean>
export type Fields = Readonly<Record<string, AnyField>>

/** `Value`: what decoding gives; `Input`: what encoding takes; `Optional`: may be left out when encoding. */
export class Field<Value, Input = Value, Optional extends boolean = false> {
  declare readonly value: Value
  declare readonly input: Input
  declare readonly optional: Optional
  readonly kind: Kind
  readonly element: AnyField | undefined
  readonly fields: Fields | undefined
  readonly spans: Spans

  constructor(
    kind: Kind,
    inside: { element?: AnyField | undefined; fields?: Fields | undefined } = {},
    spans: Spans = EVERYWHERE,
  ) {
    this.kind = kind
    this.element = inside.element
    this.fields = inside.fields
    this.spans = spans
  }

  #with<V, I, O extends boolean>(spans: Partial<Spans>): Field<V, I, O> {
    return new Field<V, I, O>(this.kind, this, { ...this.spans, ...spans })
  }

  since(version: number): Field<Value, Input, true> {
    return this.#with({ since: version })
  }

  until(version: number): Field<Value, Input, true> {
    return this.#with({ until: version })
  }

  nullable(since = 0): Field<Value | null, Input | null, Optional> {
    return this.#with({ nullableSince: since })
  }

  default(value: Value): Field<Value, Input, true> {
    return this.#with({ default: value })
  }

  /** A tagged field of flexible versions, absent while it has its default (W-30, W-31). */
  tagged(tag: number): Field<Value, Input, true> {
    return this.#with({ tag })
  }

  ignorable(): Field<Value, Input, Optional> {
    return this.#with({ ignorable: true })
  }
}

export type Decoded<F extends Fields> = { readonly [K in keyof F]: F[K]['value'] }
type OptionalKeys<F extends Fields> = { [K in keyof F]: F[K]['optional'] extends true ? K : never }[keyof F]
export type Encodable<F extends Fields> = { readonly [K in Exclude<keyof F, OptionalKeys<F>>]: F[K]['input'] } & {
  readonly [K in OptionalKeys<F>]?: F[K]['input'] | undefined
}

export const boolean = new Field<boolean>('boolean')
export const int8 = new Field<number>('int8')
export const int16 = new Field<number>('int16')
export const uint16 = new Field<number>('uint16')
export const int32 = new Field<number>('int32')
export const uint32 = new Field<number>('uint32')
/** A safe integer, or ±Infinity for Long.MAX and Long.MIN. */
export const int64 = new Field<number>('int64')
/** 64 bits that count nothing, as 16 hexadecimal digits: an int64 on the wire of any value. */
export const hash64 = new Field<string>('hash64')
export const float64 = new Field<number>('float64')
/** By a name of ours: compilers before 5.7 cannot read what later ones write for an inferred Uint8Array. */
export interface Bytes extends Uint8Array {}
/** In Kafka's text form: 22 characters of URL-safe base64 (W-23). */
export const uuid = new Field<string>('uuid')
export const string = new Field<string>('string')
export const bytes: Field<Bytes> = new Field('bytes')
export const records = new Field<Records>('records')

export function struct<const F extends Fields>(fields: F): Field<Decoded<F>, Encodable<F>> {
  return new Field('struct', { fields })
}

export function array<V, I, O extends boolean>(element: Field<V, I, O>): Field<readonly V[], readonly I[]>
export function array<const F extends Fields>(fields: F): Field<readonly Decoded<F>[], readonly Encodable<F>[]>
export function array(inside: AnyField | Fields): AnyField {
  return new Field('array', { element: inside instanceof Field ? inside : new Field('struct', { fields: inside }) })
}

/** Kafka's implicit defaults: zero, false, empty, the zero uuid. */
export function defaultOf(field: AnyField): unknown {
  if (field.spans.default !== undefined) return field.spans.default
  switch (field.kind) {
    case 'boolean':
      return false
    case 'string':
      return ''
    case 'hash64':
      return '0000000000000000'
    case 'uuid':
      return zeroUuid
    case 'bytes':
      return NO_BYTES
    case 'records':
      return null
    case 'array':
      return []
    case 'struct': {
      const value: Record<string, unknown> = {}
      const fields = field.fields!
      for (const name in fields) value[name] = defaultOf(fields[name]!)
      return value
    }
    default:
      return 0
  }
}

const NO_BYTES = new Uint8Array(0)

/** Equal as far as a default is concerned: deep for arrays and structs. */
export function isDefault(field: AnyField, value: unknown): boolean {
  if (value === undefined) return true
  if (field.kind === 'array' || field.kind === 'struct') {
    const byDefault = field.spans.default
    if (value === null || byDefault === null) return value === byDefault
    return field.kind === 'array' ? (value as unknown[]).length === 0 : areDefaults(field.fields!, value as Row)
  }
  const byDefault = defaultOf(field)
  if (value === byDefault) return true
  if (value === null || byDefault === null) return false
  return field.kind === 'bytes' && (value as Uint8Array).length === 0
}

type Row = Readonly<Record<string, unknown>>

function areDefaults(fields: Fields, values: Row): boolean {
  for (const name in fields) if (!isDefault(fields[name]!, values[name])) return false
  return true
}

export function malformed(text: string): never {
  throw new MalformedError(text)
}
