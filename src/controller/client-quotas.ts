import { isIP } from 'node:net'
import type { alterClientQuotas } from '../apis/alter-client-quotas.ts'
import {
  type QuotaEntity,
  quotaEntityKey,
  quotaEntityOf,
  quotaEntityParts,
  quotaEntityTypes,
} from '../metadata/client-quotas.ts'
import type { MetadataRecordInput } from '../metadata/records.ts'
import type { RequestOf, ResponseInput } from '../wire/api.ts'
import { KafkaError } from '../wire/errors.ts'
import type { Decision, Situation } from './decision.ts'
import { attempt, errorFields } from './refusal.ts'

type Request = RequestOf<typeof alterClientQuotas>
type Response = ResponseInput<typeof alterClientQuotas>
type Operation = Request['entries'][number]['ops'][number]

const EMPTY_ENTITY = 'Invalid empty client quota entity'
const LONG_LIMIT = 2 ** 63
const INT_MAX = 0x7fffffff
/** A value counts as whole when it is that near to a whole one (ClientQuotaControlManager). */
const NEARLY = 1e-6

/** Whether it must be whole, and the largest that it may be. */
interface QuotaKey {
  readonly isWhole: boolean
  readonly limit: number
  readonly type: string
}

const bytes: QuotaKey = { isWhole: true, limit: LONG_LIMIT, type: 'a LONG' }
const rate: QuotaKey = { isWhole: false, limit: Number.POSITIVE_INFINITY, type: 'a DOUBLE' }

/** M-30. */
const clientKeys: Readonly<Record<string, QuotaKey>> = {
  producer_byte_rate: bytes,
  consumer_byte_rate: bytes,
  request_percentage: rate,
  controller_mutation_rate: rate,
}
const addressKeys: Readonly<Record<string, QuotaKey>> = {
  connection_creation_rate: { isWhole: true, limit: INT_MAX, type: 'an INT' },
}

/**
 * Sets and removes quotas (KIP-546): each entity as a whole, or not at all. An entity that is named twice is refused, and
 * so is one whose operations name a key twice.
 *
 * Simplification: no name is resolved; of hosts only `localhost` is taken beside addresses.
 */
export function decideClientQuotas(request: Request, situation: Situation): Decision<Response> {
  const entities = new Map<string, { entity: QuotaEntity; operations: readonly Operation[]; isRepeated: boolean }>()
  for (const { entity: parts, ops: operations } of request.entries) {
    const entity = quotaEntityOf(parts)
    const key = quotaEntityKey(entity)
    const isRepeated = entities.has(key) || new Set(operations.map(each => each.key)).size < operations.length
    entities.set(key, { entity, operations, isRepeated })
  }
  const records: MetadataRecordInput[] = []
  const entries = [...entities.values()].map(({ entity, operations, isRepeated }) => {
    const error = attempt(() => {
      if (isRepeated) throw new KafkaError('INVALID_REQUEST', `Ignoring duplicate entity ${textOf(entity)}`)
      records.push(...alterations(entity, operations, situation))
    })
    return { ...errorFields(error), entity: quotaEntityParts(entity) }
  })
  return { records: request.validateOnly ? [] : records, response: { throttleTimeMs: 0, entries } }
}

function textOf(entity: QuotaEntity): string {
  return `ClientQuotaEntity(entries={${[...entity].map(([type, name]) => `${type}=${name}`).join(', ')}})`
}

function alterations(
  entity: QuotaEntity,
  operations: readonly Operation[],
  { image }: Situation,
): MetadataRecordInput[] {
  const keys = keysFor(entity)
  const before = image.clientQuotas.of(entity)
  const parts = quotaEntityParts(entity)
  const records: MetadataRecordInput[] = []
  for (const { key, value, remove } of operations) {
    if (!remove) checkValue(key, value, keys)
    // What is so already needs no record.
    if (remove ? !before?.has(key) : before?.get(key) === value) continue
    records.push({ type: 'ClientQuotaRecord', entity: parts, key, value: remove ? 0 : value, remove })
  }
  return records
}

/** The keys that this entity can have. */
function keysFor(entity: QuotaEntity): Readonly<Record<string, QuotaKey>> {
  if (entity.size === 0) throw new KafkaError('INVALID_REQUEST', EMPTY_ENTITY)
  for (const [type, name] of entity) {
    if (!(quotaEntityTypes as readonly string[]).includes(type)) {
      throw new KafkaError('INVALID_REQUEST', `Unhandled client quota entity type: ${type}`)
    }
    if (name === '') throw new KafkaError('INVALID_REQUEST', `Empty ${type} not supported`)
  }
  const address = entity.get('ip')
  if (address === undefined) return clientKeys
  if (entity.size > 1) {
    const rule = 'IP entity should not be combined with User or ClientId'
    throw new KafkaError('INVALID_REQUEST', `Invalid quota entity combination, ${rule}`)
  }
  if (address !== null && address !== 'localhost' && isIP(address) === 0) {
    throw new KafkaError('INVALID_REQUEST', `${address} is not a valid IP or resolvable host.`)
  }
  return addressKeys
}

function checkValue(key: string, value: number, keys: Readonly<Record<string, QuotaKey>>): void {
  const rules = Object.hasOwn(keys, key) ? keys[key] : undefined
  if (rules === undefined) throw new KafkaError('INVALID_REQUEST', `Invalid configuration key ${key}`)
  if (value <= 0) throw new KafkaError('INVALID_REQUEST', `Quota ${key} must be greater than 0`)
  if (!rules.isWhole) return
  if (value > rules.limit) {
    throw new KafkaError('INVALID_REQUEST', `Proposed value for ${key} is too large for ${rules.type}.`)
  }
  if (Math.abs(value - Math.round(value)) > NEARLY) {
    throw new KafkaError('INVALID_REQUEST', `${key} cannot be a fractional value.`)
  }
}
