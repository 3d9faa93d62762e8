import type { MetadataRecordOf } from './records.ts'

/** Who a token is for, who asked for it, and until when it is good (KIP-48). Principals are written as in `User:alice`. */
export interface DelegationTokenImage {
  readonly tokenId: string
  readonly owner: string
  readonly requester: string
  readonly renewers: readonly string[]
  /** Milliseconds since the epoch, as the other two. */
  readonly issueTimestamp: number
  readonly maxTimestamp: number
  readonly expirationTimestamp: number
}

/**
 * Delegation tokens as the metadata log has them. The secret of a token, its HMAC, is not among what is kept: whoever has the
 * cluster's `delegation.token.secret.key` can make it from the token's id.
 */
export class DelegationTokens {
  readonly #tokens = new Map<string, DelegationTokenImage>()

  set(record: MetadataRecordOf<'DelegationTokenRecord'>): void {
    const { tokenId, owner, requester, renewers, issueTimestamp, maxTimestamp, expirationTimestamp } = record
    const token = { tokenId, owner, requester, renewers, issueTimestamp, maxTimestamp, expirationTimestamp }
    this.#tokens.set(tokenId, token)
  }

  remove({ tokenId }: MetadataRecordOf<'RemoveDelegationTokenRecord'>): void {
    this.#tokens.delete(tokenId)
  }

  of(tokenId: string): DelegationTokenImage | undefined {
    return this.#tokens.get(tokenId)
  }

  get size(): number {
    return this.#tokens.size
  }

  /** In the order of their creation. */
  get all(): IterableIterator<DelegationTokenImage> {
    return this.#tokens.values()
  }
}

/** They may prolong a token and end it. */
export function ownsOrRenews(token: DelegationTokenImage, principal: string): boolean {
  return token.owner === principal || token.renewers.includes(principal)
}

/** They may look at it; whoever asked for a token for somebody else can do no more than that (KIP-373). */
export function isConcerned(token: DelegationTokenImage, principal: string): boolean {
  return token.requester === principal || ownsOrRenews(token, principal)
}
