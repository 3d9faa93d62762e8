import type { RequestContext } from '../wire/api.ts'
import { type Api, defineApi } from '../wire/api.ts'
import { errorCodes } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, bytes, int16, int32, int64, string } from '../wire/schema.ts'
import { anonymous } from './anonymous.ts'

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
 * Asks for a delegation token (KIP-48). Nobody who came without authentication gets one, and here nobody authenticates:
 * DELEGATION_TOKEN_REQUEST_NOT_ALLOWED. v3 can name another owner, and tells who asked (KIP-373).
 */
export const createDelegationToken: Api<typeof request, typeof response> = defineApi({
  key: 38,
  name: 'CreateDelegationToken',
  versions: '1-3',
  flexibleFrom: 2,
  request,
  response,
  broker: (_, request, context) => refused(request, context),
  controller: (_, request, context) => refused(request, context),
})

/** First version with an owner and a requester. */
const OWNER_VERSION = 3

function refused(
  { ownerPrincipalType, ownerPrincipalName }: Decoded<typeof request>,
  { version }: RequestContext,
): Encodable<typeof response> {
  return {
    errorCode: errorCodes.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED,
    principalType: ownerPrincipalName ? (ownerPrincipalType ?? anonymous.type) : anonymous.type,
    principalName: ownerPrincipalName || anonymous.name,
    ...(version < OWNER_VERSION
      ? {}
      : { tokenRequesterPrincipalType: anonymous.type, tokenRequesterPrincipalName: anonymous.name }),
    issueTimestampMs: -1,
    expiryTimestampMs: -1,
    maxTimestampMs: -1,
    tokenId: '',
    hmac: new Uint8Array(0),
    throttleTimeMs: 0,
  }
}
