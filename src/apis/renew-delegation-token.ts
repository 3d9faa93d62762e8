import { type Api, defineApi } from '../wire/api.ts'
import { errorCodes } from '../wire/errors.ts'
import type { Encodable } from '../wire/schema.ts'
import { bytes, int16, int32, int64 } from '../wire/schema.ts'

const request = {
  hmac: bytes,
  renewPeriodMs: int64,
}

const response = {
  errorCode: int16,
  expiryTimestampMs: int64,
  throttleTimeMs: int32,
}

/**
 * Prolongs a delegation token (KIP-48), which needs somebody who authenticated: DELEGATION_TOKEN_REQUEST_NOT_ALLOWED.
 * v2 is the first flexible version.
 */
export const renewDelegationToken: Api<typeof request, typeof response> = defineApi({
  key: 39,
  name: 'RenewDelegationToken',
  versions: '1-2',
  flexibleFrom: 2,
  request,
  response,
  broker: () => refused,
  controller: () => refused,
})

const refused: Encodable<typeof response> = {
  errorCode: errorCodes.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED,
  expiryTimestampMs: -1,
  throttleTimeMs: 0,
}
