import { createDelegationToken as createDelegationTokenApi } from '../../apis/create-delegation-token.ts'
import { describeDelegationToken as describeDelegationTokenApi } from '../../apis/describe-delegation-token.ts'
import { expireDelegationToken as expireDelegationTokenApi } from '../../apis/expire-delegation-token.ts'
import { renewDelegationToken as renewDelegationTokenApi } from '../../apis/renew-delegation-token.ts'
import { IllegalArgumentError } from '../../wire/errors.ts'
import { parsePrincipal } from '../../wire/principal.ts'
import { refuseUnknown } from '../arguments.ts'
import type { AdminClient } from './admin-client.ts'

/** `User:alice`. */
export type Principal = `${string}:${string}`

/** A delegation token (KIP-48). Times are milliseconds since the epoch. */
export interface DelegationToken {
  readonly tokenId: string
  readonly hmac: Uint8Array
  readonly owner: Principal
  readonly requester: Principal
  readonly renewers: readonly Principal[]
  readonly issueTimestamp: number
  readonly expiryTimestamp: number
  readonly maxTimestamp: number
}

export interface NewDelegationToken {
  /** Who it is for; who asks, unless said. */
  readonly owner?: Principal
  readonly renewers?: readonly Principal[]
  /** `delegation.token.max.lifetime.ms` of the broker unless said. */
  readonly maxLifetimeMs?: number
}

const BROKERS_OWN = -1

export async function createDelegationToken(client: AdminClient, token: NewDelegationToken): Promise<DelegationToken> {
  refuseUnknown('the options of createDelegationToken', token, ['owner', 'renewers', 'maxLifetimeMs'])
  const { owner, renewers = [], maxLifetimeMs = BROKERS_OWN } = token
  const named = owner === undefined ? undefined : partsOf(owner)
  const body = {
    ownerPrincipalType: named?.principalType ?? null,
    ownerPrincipalName: named?.principalName ?? null,
    renewers: renewers.map(partsOf),
    maxLifetimeMs,
  }
  const made = await client.ask(createDelegationTokenApi, body, first => first.errorCode)
  return {
    tokenId: made.tokenId,
    hmac: made.hmac,
    owner: `${made.principalType}:${made.principalName}`,
    requester: `${made.tokenRequesterPrincipalType}:${made.tokenRequesterPrincipalName}`,
    renewers,
    issueTimestamp: made.issueTimestampMs,
    expiryTimestamp: made.expiryTimestampMs,
    maxTimestamp: made.maxTimestampMs,
  }
}

/** Answers when it expires now. */
export async function renewDelegationToken(client: AdminClient, hmac: Uint8Array, periodMs?: number): Promise<number> {
  const body = { hmac, renewPeriodMs: periodMs ?? BROKERS_OWN }
  return (await client.ask(renewDelegationTokenApi, body, first => first.errorCode)).expiryTimestampMs
}

/** Answers when it expires now: at once (−1) unless a period is given. */
export async function expireDelegationToken(client: AdminClient, hmac: Uint8Array, periodMs?: number): Promise<number> {
  const body = { hmac, expiryTimePeriodMs: periodMs ?? BROKERS_OWN }
  return (await client.ask(expireDelegationTokenApi, body, first => first.errorCode)).expiryTimestampMs
}

/** Of these owners; of all whose tokens one may see unless given. */
export async function describeDelegationToken(
  client: AdminClient,
  owners: readonly Principal[] | undefined,
): Promise<DelegationToken[]> {
  const body = { owners: owners?.map(partsOf) ?? null }
  const { tokens } = await client.ask(describeDelegationTokenApi, body, first => first.errorCode)
  return tokens.map(token => ({
    tokenId: token.tokenId,
    hmac: token.hmac,
    owner: `${token.principalType}:${token.principalName}`,
    requester: `${token.tokenRequesterPrincipalType}:${token.tokenRequesterPrincipalName}`,
    renewers: token.renewers.map(({ principalType, principalName }): Principal => `${principalType}:${principalName}`),
    issueTimestamp: token.issueTimestamp,
    expiryTimestamp: token.expiryTimestamp,
    maxTimestamp: token.maxTimestamp,
  }))
}

function partsOf(principal: Principal) {
  const parsed = parsePrincipal(principal)
  if (parsed !== undefined) return { principalType: parsed.type, principalName: parsed.name }
  throw new IllegalArgumentError(`a principal is written as in User:alice, not '${principal}'`)
}
