import type { Broker } from '../broker/broker.ts'
import type { Controller } from '../controller/controller.ts'
import type { RequestContext } from '../wire/api.ts'
import { type Api, defineApi } from '../wire/api.ts'
import { errorCodes } from '../wire/errors.ts'
import { principalText, USER } from '../wire/principal.ts'
import type { Encodable } from '../wire/schema.ts'
import { array, bytes, int16, int32, int64, string } from '../wire/schema.ts'
import { allows } from './authorization.ts'
import { mayAskForTokens, ownerOf, partiesOf, tokenRefused } from './delegation-token-requests.ts'
import { forwarded } from './forwarding.ts'

const request = {
  ownerPrincipalType: string.nullable().since(3),
  ownerPrincipalName: string.nullable().since(3),
  renewers: array({
    principalType: string,
    principalName: string,
  }),
  maxLifetimeMs: int64,
}

const response = {
  errorCode: int16,
  principalType: string,
  principalName: string,
  tokenRequesterPrincipalType: string.since(3),
  tokenRequesterPrincipalName: string.since(3),
  issueTimestampMs: int64,
  expiryTimestampMs: int64,
  maxTimestampMs: int64,
  tokenId: string,
  hmac: bytes,
  throttleTimeMs: int32,
}

/**
 * Asks for a delegation token (KIP-48). Nobody who came without authentication gets one, nor who came by a token:
 * DELEGATION_TOKEN_REQUEST_NOT_ALLOWED. v3 can name another owner, and tells who asked (KIP-373): for another one must be
 * allowed to CreateTokens on that user.
 */
export const createDelegationToken: Api<typeof request, typeof response> = defineApi({
  key: 38,
  name: 'CreateDelegationToken',
  versions: '1-3',
  flexibleFrom: 2,
  request,
  response,
  broker: (broker: Broker, request, context) => {
    const owner = ownerOf(request, context.principal)
    const refusal = (errorCode: number) =>
      forVersion(tokenRefused(errorCode, partiesOf(owner, context.principal)), context)
    if (!mayAskForTokens(context)) return refusal(errorCodes.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED)
    const isForAnother = principalText(owner) !== principalText(context.principal)
    if (isForAnother && !allows(broker, context, 'createTokens', 'user', principalText(owner))) {
      return refusal(errorCodes.DELEGATION_TOKEN_AUTHORIZATION_FAILED)
    }
    if (request.renewers.some(({ principalType }) => principalType !== USER)) {
      return refusal(errorCodes.INVALID_PRINCIPAL_TYPE)
    }
    const made = forwarded(broker, createDelegationToken, request, context, ({ code }) => refusal(code))
    return made.then(answer => forVersion(answer, context))
  },
  controller: (controller: Controller, request, context) => {
    if (!mayAskForTokens(context)) {
      const parties = partiesOf(ownerOf(request, context.principal), context.principal)
      return forVersion(tokenRefused(errorCodes.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED, parties), context)
    }
    return controller.administration.createDelegationToken(request, context.principal)
  },
})

/** First version with an owner and a requester. */
const OWNER_VERSION = 3

function forVersion(answer: Encodable<typeof response>, { version }: RequestContext): Encodable<typeof response> {
  if (version >= OWNER_VERSION) return answer
  const { tokenRequesterPrincipalType: _, tokenRequesterPrincipalName: __, ...rest } = answer
  return rest
}
