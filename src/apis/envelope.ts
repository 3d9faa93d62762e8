import { type Api, defineApi } from '../wire/api.ts'
import { errorCodes } from '../wire/errors.ts'
import { bytes, int16 } from '../wire/schema.ts'

const request = {
  requestData: bytes,
  requestPrincipal: bytes.nullable(),
  clientHostAddress: bytes,
}

const response = {
  responseData: bytes.nullable().default(null),
  errorCode: int16,
}

/**
 * A client's request as its broker hands it on to the active controller (KIP-590): header and body of the request in one
 * piece, on whose behalf, and from which address. The answer holds the response, its header too. An error is only of the
 * envelope itself: that the sender is no broker, or that nobody can read what is in it.
 *
 * The receiver opens what comes from brokers, and goes on with what is inside: only the envelopes of those who may do no
 * CLUSTER_ACTION reach this handler.
 */
export const envelope: Api<typeof request, typeof response> = defineApi({
  key: 58,
  name: 'Envelope',
  versions: '0',
  flexibleFrom: 0,
  request,
  response,
  controller: () => ({ errorCode: errorCodes.CLUSTER_AUTHORIZATION_FAILED }),
})
