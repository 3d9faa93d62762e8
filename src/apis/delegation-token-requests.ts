import type { RequestContext, RequestOf, ResponseInput } from '../wire/api.ts'
import { ANONYMOUS, type Principal, USER } from '../wire/principal.ts'
import type { createDelegationToken } from './create-delegation-token.ts'
import type { renewDelegationToken } from './renew-delegation-token.ts'

type Created = ResponseInput<typeof createDelegationToken>
/** What a renewal and an expiry answer alike. */
type Changed = ResponseInput<typeof renewDelegationToken>

/** For whom a token was asked, and by whom. */
export type TokenParties = Pick<
  Created,
  'principalType' | 'principalName' | 'tokenRequesterPrincipalType' | 'tokenRequesterPrincipalName'
>

/**
 * Only who said who they are gets tokens, and not by a token of theirs (KafkaApis.allowTokenRequests): by SASL, by a certificate,
 * or in this process through the test.
 */
export function mayAskForTokens({ principal, byToken, securityProtocol }: RequestContext): boolean {
  if (byToken) return false
  const isAnonymous = principal.type === ANONYMOUS.type && principal.name === ANONYMOUS.name
  return !isAnonymous || securityProtocol === 'SASL_PLAINTEXT' || securityProtocol === 'SASL_SSL'
}

/** Whoever asks, unless the request names another (KIP-373). */
export function ownerOf(
  { ownerPrincipalType, ownerPrincipalName }: RequestOf<typeof createDelegationToken>,
  requester: Principal,
): Principal {
  return ownerPrincipalName ? { type: ownerPrincipalType ?? USER, name: ownerPrincipalName } : requester
}

export function partiesOf(owner: Principal, requester: Principal): TokenParties {
  return {
    principalType: owner.type,
    principalName: owner.name,
    tokenRequesterPrincipalType: requester.type,
    tokenRequesterPrincipalName: requester.name,
  }
}

/** The answer to who gets no token: who asked for whom, and nothing else. */
export function tokenRefused(errorCode: number, parties: TokenParties): Created {
  return {
    ...parties,
    errorCode,
    issueTimestampMs: -1,
    expiryTimestampMs: -1,
    maxTimestampMs: -1,
    tokenId: '',
    hmac: new Uint8Array(0),
    throttleTimeMs: 0,
  }
}

/** The answer to who can neither prolong a token nor end it. */
export function tokenChangeRefused(errorCode: number): Changed {
  return { errorCode, expiryTimestampMs: -1, throttleTimeMs: 0 }
}
