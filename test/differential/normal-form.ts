import type { Address } from '../../src/network/channel.ts'
import { recordsOf } from '../../src/wire/record.ts'
import { Records } from '../../src/wire/records.ts'
import type { AnyField, Fields } from '../../src/wire/schema.ts'
import { zeroUuid } from '../../src/wire/uuid.ts'
import { isIn } from './version-fit.ts'

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

/** Step → its answer, in normal form. */
export type Transcript = Readonly<Record<string, Json>>

/** In records of Kafka's answers: there is a text, in its words. */
export const SOME_TEXT = '…'

/** Fields that say why in a sentence. */
export function isTextField(name: string): boolean {
  return name.endsWith('Message')
}

export function bytesToHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

/** An answer as data: fields that the version has, bytes as hexadecimal digits, batches with what is in them. */
export function jsonOf(fields: Fields, value: object, version: number): Json {
  const json: Record<string, Json> = {}
  for (const [name, field] of Object.entries(fields)) {
    if (isIn(field, version)) json[name] = fieldOf(field, (value as Record<string, unknown>)[name], version)
  }
  return json
}

function fieldOf(field: AnyField, value: unknown, version: number): Json {
  if (value === null || value === undefined) return null
  if (field.kind === 'struct') return jsonOf(field.fields!, value as object, version)
  if (field.kind === 'array') return (value as unknown[]).map(each => fieldOf(field.element!, each, version))
  if (value instanceof Records) return batchesOf(value)
  if (value instanceof Uint8Array) return bytesToHex(value)
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
  return value as Json
}

function batchesOf(records: Records): Json {
  return records.batches().map(batch => ({
    baseOffset: batch.baseOffset,
    leaderEpoch: batch.leaderEpoch,
    attributes: batch.attributes,
    lastOffsetDelta: batch.lastOffsetDelta,
    baseTimestamp: batch.baseTimestamp,
    maxTimestamp: batch.maxTimestamp,
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    baseSequence: batch.baseSequence,
    size: batch.size,
    records: recordsOf(batch).map(
      ({ offset, key, value }) => `${offset}: ${key && bytesToHex(key)} = ${value && bytesToHex(value)}`,
    ),
  }))
}

/** Lists whose order means nothing in Kafka: `Api.field`, by what their elements are told apart. */
const UNORDERED: Readonly<Record<string, string>> = {
  'ApiVersions.apiKeys': 'apiKey',
  'ApiVersions.supportedFeatures': 'name',
  'ApiVersions.finalizedFeatures': 'name',
  'DescribeQuorum.observers': 'replicaId',
  'DescribeConfigs.configs': 'name',
  'DescribeGroups.groups': 'groupId',
  'AlterClientQuotas.entity': 'entityType',
  'DescribeClientQuotas.entries': 'entity',
  'DescribeClientQuotas.entity': 'entityType',
  'DescribeClientQuotas.values': 'key',
  'DescribeUserScramCredentials.results': 'user',
  'DescribeUserScramCredentials.credentialInfos': 'mechanism',
  'ListOffsets.partitions': 'partitionIndex',
  'ConsumerGroupDescribe.members': 'memberId',
}
/** The same where that is chance itself: they are brought in its order, and stay lists. */
const SORTED: Readonly<Record<string, string>> = {
  'DescribeProducers.activeProducers': 'producerId',
  'DescribeGroups.members': 'memberMetadata',
  'JoinGroup.members': 'metadata',
  'AddPartitionsToTxn.resultsByPartition': 'partitionIndex',
  'AddPartitionsToTxn.resultsByTopicV3AndBelow': 'name',
  'AddPartitionsToTxn.resultsByTransaction': 'transactionalId',
  'AddPartitionsToTxn.topicResults': 'name',
  'WriteTxnMarkers.markers': 'producerId',
  'WriteTxnMarkers.partitions': 'partitionIndex',
  'DescribeTransactions.topics': 'topic',
  'ListTransactions.transactionStates': 'transactionalId',
  'TxnOffsetCommit.topics': 'name',
}

/** Fields that hold an id of 16 random bytes. */
const RANDOM_IDS: ReadonlySet<string> = new Set(['topicId', 'replicaDirectoryId'])
/** Fields that hold the id of a producer: blocks of them go to brokers as they come. */
const PRODUCER_IDS: ReadonlySet<string> = new Set(['producerId', 'producerIdStart'])
const UUID = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/g
const BROKERS: readonly number[] = [1, 2, 3]
/** How far the clocks of a world's processes may lie from what the test reads. */
const CLOCK_MS = 60_000
/** What a step dates back goes by how far. */
const RECENT_MS = 3_600_000

export interface NormalFormOptions {
  /** Of the brokers, in the order of their ids. */
  readonly addresses: readonly Address[]
  readonly startedAt: number
  readonly endedAt: number
}

/**
 * Answers without what is chance: ids by their first appearance, times that lie within the play as `now`, ports by whose
 * they are, lists without an order by what is in them. All else is compared as it is.
 */
export class NormalForm {
  readonly #options: NormalFormOptions
  readonly #names = new Map<string, string>()
  readonly #counts = new Map<string, number>()
  #api = ''
  #blur: readonly string[] = []

  constructor(options: NormalFormOptions) {
    this.#options = options
  }

  of(step: string, raw: Json, blur: readonly string[]): Json {
    this.#api = step.split(' ')[0]!
    this.#blur = blur
    return this.#any('', raw, {})
  }

  /** A topic is called by its name, wherever its id stands. */
  known(topicId: string, name: string): void {
    if (topicId === zeroUuid || name === '' || this.#names.has(topicId)) return
    const count = (this.#counts.get(name) ?? 0) + 1
    this.#counts.set(name, count)
    this.#names.set(topicId, count === 1 ? `<id of ${name}>` : `<id ${count} of ${name}>`)
  }

  #any(name: string, value: Json, parent: { readonly [name: string]: Json }): Json {
    if (this.#blur.includes(name)) return '~'
    if (Array.isArray(value)) return this.#list(name, value)
    if (name === 'host' && typeof value === 'string') return this.#addressPart(name, value, parent)
    if (typeof value === 'string') return this.#text(name, value)
    if (typeof value === 'number') return this.#number(name, value, parent)
    if (typeof value !== 'object' || value === null) return value
    const struct = value as { readonly [name: string]: Json }
    const topic = struct.name ?? struct.topic ?? struct.topicName
    if (typeof topic === 'string' && typeof struct.topicId === 'string') this.known(struct.topicId, topic)
    return Object.fromEntries(Object.entries(struct).map(([key, inner]) => [key, this.#any(key, inner, struct)]))
  }

  #list(name: string, list: readonly Json[]): Json {
    const place = `${this.#api}.${name}`
    const key = UNORDERED[place]
    if (key !== undefined) return this.#keyed(name, sorted(list, key), key)
    const order = SORTED[place]
    return (order === undefined ? list : this.#sorted(list, order)).map(each => this.#any(name, each, {}))
  }

  /** Producers that have been told of before come first, as they were told of: how their ids compare is chance. */
  #sorted(list: readonly Json[], order: string): readonly Json[] {
    if (!PRODUCER_IDS.has(order)) return sorted(list, order)
    const known = [...this.#names.keys()]
    const rank = (each: Json) => {
      const index = known.indexOf(`producer ${part(each, order)}`)
      return index < 0 ? known.length : index
    }
    return [...sorted(list, order)].sort((a, b) => rank(a) - rank(b))
  }

  /** By what its elements are told apart: one that is missing is one difference then. */
  #keyed(name: string, list: readonly Json[], key: string): Json {
    const keyed: Record<string, Json> = {}
    for (const each of list) {
      let found = String(part(each, key))
      while (found in keyed) found += ' again'
      keyed[found] = this.#any(name, each, {})
    }
    return keyed
  }

  #text(name: string, text: string): Json {
    if (RANDOM_IDS.has(name)) return text === zeroUuid ? 'zero' : this.#name(text, 'id')
    if (name === 'clusterId') return 'the cluster'
    let plain = text.replaceAll(UUID, uuid => this.#name(uuid, 'uuid'))
    for (const [index, { host, port }] of this.#options.addresses.entries()) {
      plain = plain.replaceAll(`${host}:${port}`, `<broker ${index + 1}>`)
    }
    return isTextField(name) ? plain.replaceAll(/-?\b\d{13,}\b/g, '<time>') : plain
  }

  #number(name: string, value: number, parent: { readonly [name: string]: Json }): Json {
    if (name === 'port') return this.#addressPart(name, value, parent)
    if (name === 'controllerId' || (name === 'nodeId' && this.#api === 'FindCoordinator')) {
      return BROKERS.includes(value) ? 'a broker' : value
    }
    if (name === 'sessionId' && this.#api === 'Fetch')
      return value === 0 ? 0 : this.#name(`session ${value}`, 'session')
    if (PRODUCER_IDS.has(name)) return value < 0 ? value : this.#name(`producer ${value}`, 'producer')
    const { startedAt, endedAt } = this.#options
    if (value >= startedAt && value < endedAt + CLOCK_MS) return 'now'
    return value < startedAt && value > startedAt - RECENT_MS ? `${startedAt - value} ms ago` : value
  }

  /** Host and port are told of brokers by whose they are. */
  #addressPart(name: 'host' | 'port', value: string | number, owner: { readonly [name: string]: Json }): Json {
    const address = this.#options.addresses[Number(owner.nodeId ?? owner.brokerId) - 1]
    return address?.[name] === value ? `its ${name}` : value
  }

  #name(value: string, kind: string): string {
    const known = this.#names.get(value)
    if (known !== undefined) return known
    const count = (this.#counts.get(kind) ?? 0) + 1
    this.#counts.set(kind, count)
    const name = `<${kind} ${count}>`
    this.#names.set(value, name)
    return name
  }
}

function part(struct: Json, name: string): string | number {
  const found = (struct as { readonly [name: string]: Json })[name]!
  if (typeof found === 'string' || typeof found === 'number') return found
  // The parts of an entity of quotas: in no order either.
  return (found as readonly Json[])
    .map(each => Object.values(each as object).join('='))
    .sort()
    .join(' ')
}

function sorted(list: readonly Json[], name: string): readonly Json[] {
  return [...list].sort((a, b) => (part(a, name) < part(b, name) ? -1 : part(a, name) > part(b, name) ? 1 : 0))
}
