import { SYSTEM } from '../metadata/authorizer.ts'
import type { ClusterImage } from '../metadata/image.ts'
import { QuotaLimits } from '../metadata/quota-limits.ts'
import { Recent } from '../runtime/recent.ts'
import { TokenBucket } from '../runtime/token-bucket.ts'
import type { RequestContext } from '../wire/api.ts'
import { KafkaError } from '../wire/errors.ts'
import type { Settings } from './configs.ts'

/** What one request may change. */
export interface MutationQuota {
  /** So many partitions are made or deleted. @throws {KafkaError} THROTTLING_QUOTA_EXCEEDED: not now */
  take(partitions: number): void
  /** For how many milliseconds the client should not ask again. */
  readonly throttleTimeMs: number
}

/** Who asks. `peer`: of brokers, for themselves. */
export type MutationRequester = Pick<RequestContext, 'principal' | 'clientId' | 'peer' | 'version'>

/** Of whoever has no quota. */
export const unlimited: MutationQuota = { take() {}, throttleTimeMs: 0 }

/**
 * `controller_mutation_rate` (KIP-599; M-32): partitions per second that a client may make and delete. A request that finds
 * any tokens is carried out, however many it needs; while tokens are owed, what is asked in newer versions is refused, what
 * is asked in older ones is carried out, and throttled. Brokers that act for themselves are not limited.
 */
export class MutationQuotas {
  readonly #limits: QuotaLimits
  /** One that nobody has used for long is full again. */
  readonly #buckets: Recent<TokenBucket>

  constructor(image: ClusterImage, settings: Settings) {
    this.#limits = new QuotaLimits(image.clientQuotas, 'controller_mutation_rate')
    this.#buckets = new Recent(() => {
      const windowMs = settings.values['controller.quota.window.size.seconds'] * 1000
      return new TokenBucket({ samples: settings.values['controller.quota.window.num'], windowMs })
    })
  }

  /** `strictSince`: the first version that is refused. */
  of(requester: MutationRequester | undefined, strictSince: number, now: number): MutationQuota {
    if (requester === undefined || isOwn(requester) || !this.#limits.isInForce) return unlimited
    const { principal, clientId, version } = requester
    const { name, limit } = this.#limits.of(principal.name, clientId)
    if (limit === Number.POSITIVE_INFINITY) return unlimited
    const bucket = this.#buckets.of(name, now)
    return version >= strictSince ? new StrictQuota(bucket, limit, now) : new PermissiveQuota(bucket, limit, now)
  }
}

/** Brokers for themselves, and the test that has the cluster make topics. */
function isOwn({ peer, principal }: MutationRequester): boolean {
  return peer !== undefined || principal === SYSTEM
}

abstract class BucketQuota implements MutationQuota {
  throttleTimeMs = 0
  protected readonly bucket: TokenBucket
  protected readonly limit: number
  protected readonly now: number

  constructor(bucket: TokenBucket, limit: number, now: number) {
    this.bucket = bucket
    this.limit = limit
    this.now = now
  }

  abstract take(partitions: number): void

  protected throttle(): void {
    this.throttleTimeMs = this.bucket.debtMs(this.limit, this.now)
  }
}

class StrictQuota extends BucketQuota {
  override take(partitions: number): void {
    if (this.bucket.tokens(this.limit, this.now) < 0) {
      this.throttle()
      throw new KafkaError('THROTTLING_QUOTA_EXCEEDED')
    }
    this.bucket.take(partitions, this.limit, this.now)
  }
}

class PermissiveQuota extends BucketQuota {
  override take(partitions: number): void {
    this.bucket.take(partitions, this.limit, this.now)
    this.throttle()
  }
}
