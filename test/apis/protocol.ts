import { readFileSync } from 'node:fs'
import type { Message, Versions } from '../../src/wire/message.ts'
import { type AnyField, defaultOf, type Fields } from '../../src/wire/schema.ts'
import { zeroUuid } from '../../src/wire/uuid.ts'

/** Kafka's own message definitions, as its 4.3.1 jars have them. */
export interface KafkaField {
  readonly name: string
  readonly type: string
  readonly versions: string
  readonly nullableVersions?: string
  readonly taggedVersions?: string
  readonly tag?: number
  readonly default?: string | number
  readonly ignorable?: boolean
  readonly fields?: readonly KafkaField[]
}

export interface KafkaMessage {
  readonly name: string
  readonly apiKey: number
  readonly validVersions: string
  readonly flexibleVersions: string
  readonly latestVersionUnstable?: boolean
  readonly fields: readonly KafkaField[]
}

interface Protocol {
  readonly requests: readonly KafkaMessage[]
  readonly responses: readonly KafkaMessage[]
  readonly data: readonly KafkaMessage[]
  readonly metadata: readonly KafkaMessage[]
  readonly __consumer_offsets: readonly KafkaMessage[]
  readonly __transaction_state: readonly KafkaMessage[]
}

export const protocol: Protocol = JSON.parse(
  readFileSync(new URL('../data/kafka/protocol.json', import.meta.url), 'utf8'),
  (_, value) => (isMessage(value) ? { ...value, fields: inlined(value.fields, value.commonStructs ?? []) } : value),
)

type CommonStructs = readonly { readonly name: string; readonly fields: readonly KafkaField[] }[]

function isMessage(value: unknown): value is KafkaMessage & { readonly commonStructs?: CommonStructs } {
  return typeof value === 'object' && value !== null && 'validVersions' in value
}

/** Structs that a message names once and uses in several places, put where they are used. */
function inlined(fields: readonly KafkaField[], common: CommonStructs): readonly KafkaField[] {
  return fields.map(field => {
    const inside = field.fields ?? common.find(({ name }) => name === field.type.replace('[]', ''))?.fields
    return inside === undefined ? field : { ...field, fields: inlined(inside, common) }
  })
}

export function span(text: string | undefined): Versions {
  if (text === undefined || text === 'none') return { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY }
  if (text.endsWith('+')) return { min: Number(text.slice(0, -1)), max: Number.POSITIVE_INFINITY }
  const [min, max = min] = text.split('-').map(Number)
  return { min: min!, max: max! }
}

const within = (version: number, { min, max }: Versions) => version >= min && version <= max

export function camelCase(name: string): string {
  return name[0]!.toLowerCase() + name.slice(1)
}

/** What one version of a message says of one field; compared as a whole. */
interface Row {
  readonly type: string
  readonly nullable: boolean
  readonly tag: number | undefined
}

/** What is true of a field in all versions. */
interface Character {
  readonly default: unknown
  readonly ignorable: boolean
}

/**
 * Every difference between a declaration and Kafka's definition, each as a line with message, field and version: presence,
 * order on the wire, type, nullability and tag version by version; defaults and ignorability once.
 */
export function differences(declared: Message<Fields>, kafka: KafkaMessage): string[] {
  const lines: string[] = []
  const check = (where: string, ours: unknown, theirs: unknown) => {
    const [a, b] = [print(ours), print(theirs)]
    if (a !== b) lines.push(`${where}: declared ${a}, Kafka has ${b}`)
  }
  const versions = span(kafka.validVersions)
  check(`${kafka.name} name`, declared.name, kafka.name)
  check(`${kafka.name} versions`, declared.versions, versions)
  check(`${kafka.name} flexible from`, declared.flexibleFrom, span(kafka.flexibleVersions).min)
  for (let version = versions.min; version <= versions.max; version++) {
    const ours = [...declaredRows(declared.fields, version)]
    const theirs = [...kafkaRows(kafka.fields, version)]
    const where = `${kafka.name} v${version}`
    check(`${where} fields`, ours.map(([path]) => path).join(' '), theirs.map(([path]) => path).join(' '))
    const known = new Map(theirs)
    for (const [path, row] of ours) check(`${kafka.name}.${path} v${version}`, row, known.get(path))
  }
  const characters = new Map(kafkaCharacters(kafka.fields))
  for (const [path, character] of declaredCharacters(declared.fields)) {
    check(`${kafka.name}.${path}`, character, characters.get(path))
    characters.delete(path)
  }
  for (const path of characters.keys()) lines.push(`${kafka.name}.${path}: not declared`)
  return lines
}

function print(value: unknown): string {
  return (
    JSON.stringify(value, (_, inner) => (typeof inner === 'number' && !Number.isFinite(inner) ? `${inner}` : inner)) ??
    'nothing'
  )
}

function* declaredRows(fields: Fields, version: number, path = ''): Generator<[string, Row]> {
  for (const [name, field] of Object.entries(fields)) {
    const { since, until, nullableSince, tag } = field.spans
    if (version < since || version > until) continue
    yield [path + name, { type: typeOf(field), nullable: version >= nullableSince, tag }]
    const inside = field.fields ?? field.element?.fields
    if (inside !== undefined) yield* declaredRows(inside, version, `${path}${name}.`)
  }
}

function* kafkaRows(fields: readonly KafkaField[], version: number, path = ''): Generator<[string, Row]> {
  for (const field of fields) {
    if (!within(version, span(field.versions))) continue
    const name = path + camelCase(field.name)
    const nullable = within(version, span(field.nullableVersions))
    const tag = within(version, span(field.taggedVersions)) ? field.tag : undefined
    yield [name, { type: typeOfKafka(field), nullable, tag }]
    yield* kafkaRows(field.fields ?? [], version, `${name}.`)
  }
}

function* declaredCharacters(fields: Fields, path = ''): Generator<[string, Character]> {
  for (const [name, field] of Object.entries(fields)) {
    const { ignorable } = field.spans
    const inside = field.fields ?? field.element?.fields
    const isStruct = field.kind === 'struct' && field.spans.default === undefined
    yield [
      path + name,
      { default: isStruct ? 'of its fields' : field.kind === 'hash64' ? 0 : defaultOf(field), ignorable },
    ]
    if (inside !== undefined) yield* declaredCharacters(inside, `${path}${name}.`)
  }
}

function* kafkaCharacters(fields: readonly KafkaField[], path = ''): Generator<[string, Character]> {
  for (const field of fields) {
    const name = path + camelCase(field.name)
    yield [name, { default: defaultOfKafka(field), ignorable: field.ignorable ?? false }]
    yield* kafkaCharacters(field.fields ?? [], `${name}.`)
  }
}

function typeOf(field: AnyField): string {
  if (field.kind === 'array') return `[]${typeOf(field.element!)}`
  return field.kind === 'hash64' ? 'int64' : field.kind
}

function typeOfKafka({ type, fields }: KafkaField): string {
  const element = type.replace('[]', '')
  const name = fields !== undefined ? 'struct' : element === 'bool' ? 'boolean' : element
  return type.startsWith('[]') ? `[]${name}` : name
}

function defaultOfKafka({ type, fields, default: said }: KafkaField): unknown {
  if (said !== undefined && String(said) === 'null') return null
  if (type.startsWith('[]')) return []
  if (fields !== undefined) return 'of its fields'
  switch (type) {
    case 'string':
      return said ?? ''
    case 'bool':
      return said === 'true'
    case 'uuid':
      return zeroUuid
    case 'bytes':
      return new Uint8Array(0)
    case 'records':
      return null
    default:
      return String(said) === '9223372036854775807' ? Number.POSITIVE_INFINITY : Number(said ?? 0)
  }
}
