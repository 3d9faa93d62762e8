import type { createDelegationToken } from '../apis/create-delegation-token.ts'
import { ownerOf, partiesOf, tokenChangeRefused, tokenRefused } from '../apis/delegation-token-requests.ts'
import type { expireDelegationToken } from '../apis/expire-delegation-token.ts'
import type { renewDelegationToken } from '../apis/renew-delegation-token.ts'
import { delegationTokenHmac } from '../metadata/delegation-token-hmac.ts'
import { type DelegationTokenImage, ownsOrRenews } from '../metadata/delegation-tokens.ts'
import type { MetadataRecordInput } from '../metadata/records.ts'
import type { RequestOf, ResponseInput } from '../wire/api.ts'
import { type ErrorName, errorCodes } from '../wire/errors.ts'
import { type Principal, principalText, USER } from '../wire/principal.ts'
import { drawUuid } from '../wire/uuid.ts'
import type { Decision, Situation } from './decision.ts'

type Created = ResponseInput<typeof createDelegationToken>
/** What a renewal and an expiry answer alike. */
type Changed = ResponseInput<typeof renewDelegationToken>

/**
 * Makes a delegation token (KIP-48): its id is drawn, its secret follows from the id and the cluster's
 * `delegation.token.secret.key`. It expires after `delegation.token.expiry.time.ms`, may be prolonged until
 * `delegation.token.max.lifetime.ms` (or less, if so asked) is over. Who may ask is decided by the broker (KafkaApis).
 */
export function decideDelegationToken(
  request: RequestOf<typeof createDelegationToken>,
  requester: Principal,
  situation: Situation,
): Decision<Created> {
  const { now, settings } = situation
  const owner = ownerOf(request, requester)
  const parties = partiesOf(owner, requester)
  const secretKey = settings.values['delegation.token.secret.key']
  if (secretKey === null)
    return { records: [], response: tokenRefused(errorCodes.DELEGATION_TOKEN_AUTH_DISABLED, parties) }
  if (request.renewers.some(each => each.principalType !== USER)) {
    return { records: [], response: tokenRefused(errorCodes.INVALID_PRINCIPAL_TYPE, parties) }
  }
  const longest = settings.values['delegation.token.max.lifetime.ms']
  const lifetime = request.maxLifetimeMs > 0 ? Math.min(longest, request.maxLifetimeMs) : longest
  const maxTimestamp = now + lifetime
  const expirationTimestamp = Math.min(maxTimestamp, now + settings.values['delegation.token.expiry.time.ms'])
  const tokenId = drawUuid(n => situation.choose('delegation token', n))
  const record: MetadataRecordInput = {
    type: 'DelegationTokenRecord',
    owner: principalText(owner),
    requester: principalText(requester),
    renewers: request.renewers.map(each => `${each.principalType}:${each.principalName}`),
    issueTimestamp: now,
    maxTimestamp,
    expirationTimestamp,
    tokenId,
  }
  const response = {
    ...parties,
    errorCode: errorCodes.NONE,
    issueTimestampMs: now,
    expiryTimestampMs: expirationTimestamp,
    maxTimestampMs: maxTimestamp,
    tokenId,
    hmac: delegationTokenHmac(tokenId, secretKey),
    throttleTimeMs: 0,
  }
  return { records: [record], response }
}

/** Prolongs a token from now on, as far as its longest lifetime goes; `renewPeriodMs` below 0: by the cluster's own period. */
export function decideTokenRenewal(
  { hmac, renewPeriodMs }: RequestOf<typeof renewDelegationToken>,
  requester: Principal,
  situation: Situation,
): Decision<Changed> {
  const token = tokenOf(hmac, situation)
  if (typeof token === 'string') return refused(token)
  if (isOver(token, situation.now)) return refused('DELEGATION_TOKEN_EXPIRED')
  if (!ownsOrRenews(token, principalText(requester))) return refused('DELEGATION_TOKEN_OWNER_MISMATCH')
  const period = renewPeriodMs < 0 ? situation.settings.values['delegation.token.expiry.time.ms'] : renewPeriodMs
  return changed(token, situation.now + period)
}

/** Ends a token after a period, or with one below 0 at once. */
export function decideTokenExpiry(
  { hmac, expiryTimePeriodMs }: RequestOf<typeof expireDelegationToken>,
  requester: Principal,
  situation: Situation,
): Decision<Changed> {
  const token = tokenOf(hmac, situation)
  if (typeof token === 'string') return refused(token)
  if (!ownsOrRenews(token, principalText(requester))) return refused('DELEGATION_TOKEN_OWNER_MISMATCH')
  if (expiryTimePeriodMs < 0) {
    return {
      records: [removalOf(token)],
      response: { errorCode: 0, expiryTimestampMs: situation.now, throttleTimeMs: 0 },
    }
  }
  if (isOver(token, situation.now)) return refused('DELEGATION_TOKEN_EXPIRED')
  return changed(token, situation.now + expiryTimePeriodMs)
}

/** Tokens that have expired are forgotten, every `delegation.token.expiry.check.interval.ms`. */
export function decideExpiredTokens({ image, now }: Situation): Decision<undefined> {
  const expired = [...image.delegationTokens.all].filter(token => isOver(token, now))
  return { records: expired.map(removalOf), response: undefined }
}

/** The token with this secret. */
function tokenOf(hmac: Uint8Array, { image, settings }: Situation): DelegationTokenImage | ErrorName {
  const secretKey = settings.values['delegation.token.secret.key']
  if (secretKey === null) return 'DELEGATION_TOKEN_AUTH_DISABLED'
  for (const token of image.delegationTokens.all) {
    if (delegationTokenHmac(token.tokenId, secretKey).equals(hmac)) return token
  }
  return 'DELEGATION_TOKEN_NOT_FOUND'
}

function isOver({ maxTimestamp, expirationTimestamp }: DelegationTokenImage, now: number): boolean {
  return maxTimestamp < now || expirationTimestamp < now
}

function changed(token: DelegationTokenImage, until: number): Decision<Changed> {
  const expirationTimestamp = Math.min(token.maxTimestamp, until)
  return {
    records: [{ type: 'DelegationTokenRecord', ...token, expirationTimestamp }],
    response: { errorCode: errorCodes.NONE, expiryTimestampMs: expirationTimestamp, throttleTimeMs: 0 },
  }
}

function removalOf({ tokenId }: DelegationTokenImage): MetadataRecordInput {
  return { type: 'RemoveDelegationTokenRecord', tokenId }
}

/** Kafka's controller leaves the time at its default, where a broker that refuses says -1. */
function refused(error: ErrorName): Decision<Changed> {
  return { records: [], response: { ...tokenChangeRefused(errorCodes[error]), expiryTimestampMs: 0 } }
}
