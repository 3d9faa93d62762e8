import type { ClientQuotas, QuotaEntity } from './client-quotas.ts'

/** What can be limited of clients, by the keys of their quotas (M-30). */
export type ClientQuotaKey =
  | 'producer_byte_rate'
  | 'consumer_byte_rate'
  | 'request_percentage'
  | 'controller_mutation_rate'

/** Those who share one limit: all clients of a user, all users of a client id, or one client of one user. */
export interface QuotaShare {
  readonly name: string
  /** Per second; Infinity: they are counted, and may do what they like. */
  readonly limit: number
}

type Level = 'user and client' | 'user' | 'client'

/** Stands for every one without a quota of its own. */
const DEFAULT = null

/**
 * One key's limits: of two that meet a client the more specific one holds (M-30; Kafka's DefaultQuotaCallback). While there
 * is any quota of the key, everybody is counted, so that a limit that comes later finds a past.
 */
export class QuotaLimits {
  readonly #quotas: ClientQuotas
  readonly #key: string
  readonly #limits = new Map<string, number>()
  readonly #levels = new Set<Level>()
  readonly #shares = new Map<string, QuotaShare>()
  #changes = -1

  constructor(quotas: ClientQuotas, key: ClientQuotaKey) {
    this.#quotas = quotas
    this.#key = key
  }

  /** Anybody has a quota of this key. */
  get isInForce(): boolean {
    this.#update()
    return this.#levels.size > 0
  }

  of(user: string, clientId: string | null): QuotaShare {
    this.#update()
    const client = clientId ?? ''
    const who = nameOf(user, client)
    let share = this.#shares.get(who)
    if (share === undefined) {
      share = this.#find(user, client)
      this.#shares.set(who, share)
    }
    return share
  }

  #find(user: string, client: string): QuotaShare {
    const level = this.#levelOf(user, client)
    if (level === 'client' || user === '') {
      const limit = client === '' ? undefined : this.#first([undefined, client], [undefined, DEFAULT])
      return { name: nameOf('', client), limit: limit ?? Number.POSITIVE_INFINITY }
    }
    if (level === 'user' || client === '') {
      const limit = this.#first([user, undefined], [DEFAULT, undefined])
      return { name: nameOf(user, ''), limit: limit ?? Number.POSITIVE_INFINITY }
    }
    const limit = this.#first([user, client], [user, DEFAULT], [DEFAULT, client], [DEFAULT, DEFAULT])
    return { name: nameOf(user, client), limit: limit ?? Number.POSITIVE_INFINITY }
  }

  /** Whom they share with. Where all quotas are of one level, that; else that of the most specific quota that they meet. */
  #levelOf(user: string, client: string): Level {
    const [only] = this.#levels
    if (this.#levels.size === 1) return only!
    if (this.#first([user, client], [user, DEFAULT]) !== undefined) return 'user and client'
    if (this.#first([user, undefined]) !== undefined) return 'user'
    if (this.#first([DEFAULT, client], [DEFAULT, DEFAULT]) !== undefined) return 'user and client'
    return this.#first([DEFAULT, undefined]) === undefined ? 'client' : 'user'
  }

  #first(...entities: readonly (readonly [user: Name, client: Name])[]): number | undefined {
    for (const [user, client] of entities) {
      const limit = this.#limits.get(entityName(user, client))
      if (limit !== undefined) return limit
    }
    return undefined
  }

  #update(): void {
    if (this.#changes === this.#quotas.changes) return
    this.#changes = this.#quotas.changes
    this.#limits.clear()
    this.#levels.clear()
    this.#shares.clear()
    for (const { entity, values } of this.#quotas) {
      const limit = values.get(this.#key)
      if (limit === undefined || entity.has('ip')) continue
      this.#limits.set(entityName(entity.get('user'), entity.get('client-id')), limit)
      this.#levels.add(levelOf(entity))
    }
  }
}

type Name = string | null | undefined

function levelOf(entity: QuotaEntity): Level {
  if (!entity.has('user')) return 'client'
  return entity.has('client-id') ? 'user and client' : 'user'
}

function entityName(user: Name, client: Name): string {
  return JSON.stringify([user ?? user === DEFAULT, client ?? client === DEFAULT])
}

function nameOf(user: string, client: string): string {
  return `${user}\u0000${client}`
}
