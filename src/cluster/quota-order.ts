import { alterClientQuotas } from '../apis/alter-client-quotas.ts'
import { unknownField } from '../metadata/nearest-name.ts'
import { ConfigError, KafkaError } from '../wire/errors.ts'
import { order } from './own-hand.ts'
import type { Plant } from './plant.ts'

/**
 * Whom quotas are for: a user, a client id, a client id of a user, or an address. Null stands for every one that has no quota
 * of its own. Without SASL and TLS every client is the user `ANONYMOUS`.
 */
export interface QuotaEntity {
  readonly user?: string | null
  readonly clientId?: string | null
  readonly ip?: string | null
}

/** What a broker grants (the controller, where changes are meant). Null removes; what is left out stays as it is. */
export interface QuotaLimits {
  /** Bytes of Produce requests per second. */
  readonly producerByteRate?: number | null
  /** Bytes of Fetch answers per second. */
  readonly consumerByteRate?: number | null
  /** Of the time of a thread: 100 is one thread's. On virtual time every request takes a millisecond. */
  readonly requestPercentage?: number | null
  /** Partitions that are made and deleted, per second. */
  readonly controllerMutationRate?: number | null
  /** Connections per second; of addresses only. */
  readonly connectionCreationRate?: number | null
}

/** One of `createCluster`'s quotas, as in `{ user: 'alice', producerByteRate: 1024 }`. */
export type QuotaSpec = QuotaEntity & QuotaLimits

const entityTypes = { user: 'user', clientId: 'client-id', ip: 'ip' } as const

const keys = {
  producerByteRate: 'producer_byte_rate',
  consumerByteRate: 'consumer_byte_rate',
  requestPercentage: 'request_percentage',
  controllerMutationRate: 'controller_mutation_rate',
  connectionCreationRate: 'connection_creation_rate',
} as const

/**
 * Has the controller set quotas; they hold when it has answered.
 *
 * @throws {ConfigError} for a name that there is not, with the nearest one
 * @throws {KafkaError} INVALID_REQUEST, as of a negative quota
 */
export async function orderQuotas(plant: Plant, quotas: readonly QuotaSpec[]): Promise<void> {
  const entries = quotas.map(entryOf)
  const body = { entries, validateOnly: false }
  const response = await order(plant, alterClientQuotas, body)
  for (const { entity, errorCode, errorMessage } of response.entries) {
    if (errorCode === 0) continue
    const whom = entity.map(({ entityType, entityName }) => `${entityType} ${entityName ?? '<default>'}`).join(', ')
    throw KafkaError.of(errorCode, `quota of ${whom}: ${errorMessage ?? KafkaError.of(errorCode).message}`)
  }
}

function entryOf(quota: QuotaSpec) {
  const known = [...Object.keys(entityTypes), ...Object.keys(keys)]
  const unknown = unknownField(quota, known)
  if (unknown !== undefined) {
    throw new ConfigError(
      `unknown field of a quota ${unknown}${unknown.endsWith('?') ? '' : `: there are ${known.join(', ')}`}`,
    )
  }
  const entity = []
  for (const [field, entityType] of Object.entries(entityTypes)) {
    const name = quota[field as keyof QuotaEntity]
    if (name !== undefined) entity.push({ entityType, entityName: name })
  }
  const ops = []
  for (const [field, key] of Object.entries(keys)) {
    const value = quota[field as keyof QuotaLimits]
    if (value === undefined) continue
    if (value !== null && typeof value !== 'number') {
      throw new ConfigError(`${field} is a number, or null for none, not ${JSON.stringify(value)}`)
    }
    ops.push({ key, value: value ?? 0, remove: value === null })
  }
  return { entity, ops }
}
