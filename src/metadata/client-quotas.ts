import type { MetadataRecordOf } from './records.ts'

/** Types of entities that a quota can be for (M-30). */
export const quotaEntityTypes = ['user', 'client-id', 'ip'] as const
export type QuotaEntityType = (typeof quotaEntityTypes)[number]

/** Type → name; null stands for every one of that type that has no quota of its own. Sorted by type. */
export type QuotaEntity = ReadonlyMap<string, string | null>

/** What has quotas, and which. */
export interface ClientQuota {
  readonly entity: QuotaEntity
  readonly values: ReadonlyMap<string, number>
}

/** The same for the same entity, in whatever order its parts are named; the last mention of a type counts. */
export function quotaEntityOf(
  parts: readonly { readonly entityType: string; readonly entityName: string | null }[],
): QuotaEntity {
  const entity = new Map(parts.map(({ entityType, entityName }) => [entityType, entityName]))
  return new Map([...entity].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
}

export function quotaEntityParts(entity: QuotaEntity): { entityType: string; entityName: string | null }[] {
  return [...entity].map(([entityType, entityName]) => ({ entityType, entityName }))
}

export function quotaEntityKey(entity: QuotaEntity): string {
  return JSON.stringify([...entity])
}

/** Client quotas as the metadata log has them (KIP-546). */
export class ClientQuotas {
  readonly #quotas = new Map<string, { readonly entity: QuotaEntity; readonly values: Map<string, number> }>()
  #changes = 0

  /** How many entities have any. */
  get size(): number {
    return this.#quotas.size
  }

  /** Grows with every change, for whoever keeps what follows from quotas. */
  get changes(): number {
    return this.#changes
  }

  apply(record: MetadataRecordOf<'ClientQuotaRecord'>): void {
    this.#changes++
    const entity = quotaEntityOf(record.entity)
    const key = quotaEntityKey(entity)
    const quota = this.#quotas.get(key) ?? { entity, values: new Map<string, number>() }
    if (record.remove) quota.values.delete(record.key)
    else quota.values.set(record.key, record.value)
    if (quota.values.size === 0) this.#quotas.delete(key)
    else this.#quotas.set(key, quota)
  }

  /** Undefined for an entity without any. */
  of(entity: QuotaEntity): ReadonlyMap<string, number> | undefined {
    return this.#quotas.get(quotaEntityKey(entity))?.values
  }

  /** In the order in which the entities got their first quota. */
  [Symbol.iterator](): IterableIterator<ClientQuota> {
    return this.#quotas.values()
  }
}
