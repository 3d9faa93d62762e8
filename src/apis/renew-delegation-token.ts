import type { Broker } from '../broker/broker.ts'
import type { Controller } from '../controller/controller.ts'
import { type Api, defineApi } from '../wire/api.ts'
import { errorCodes } from '../wire/errors.ts'
import { bytes, int16, int32, int64 } from '../wire/schema.ts'
import { mayAskForTokens, tokenChangeRefused } from './delegation-token-requests.ts'
import { forwarded } from './forwarding.ts'

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
 * Prolongs a delegation token (KIP-48): its owner and its renewers may. Needs somebody who authenticated, and not by a token: DELEGATION_TOKEN_REQUEST_NOT_ALLOWED. v2 is the first flexible
 * version.
 */
export const renewDelegationToken: Api<typeof request, typeof response> = defineApi({
  key: 39,
  name: 'RenewDelegationToken',
  versions: '1-2',
  flexibleFrom: 2,
  request,
  response,
  broker: (broker: Broker, request, context) => {
    if (!mayAskForTokens(context)) return tokenChangeRefused(errorCodes.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED)
    return forwarded(broker, renewDelegationToken, request, context, ({ code }) => tokenChangeRefused(code))
  },
  controller: (controller: Controller, request, context) => {
    if (!mayAskForTokens(context)) return tokenChangeRefused(errorCodes.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED)
    return controller.administration.renewDelegationToken(request, context.principal)
  },
})
