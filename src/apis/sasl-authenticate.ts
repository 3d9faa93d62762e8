import type { Broker } from '../broker/broker.ts'
import { type Api, defineApi } from '../wire/api.ts'
import { errorCodes } from '../wire/errors.ts'
import type { Encodable } from '../wire/schema.ts'
import { bytes, int16, int64, string } from '../wire/schema.ts'

const request = {
  authBytes: bytes,
}

const response = {
  errorCode: int16,
  errorMessage: string.nullable(),
  authBytes: bytes,
  sessionLifetimeMs: int64.since(1).default(0).ignorable(),
}

/**
 * A token of the mechanism that SaslHandshake chose (M-60). v1 tells how long the session lasts (M-64), v2 is the first flexible
 * version. Where everybody is authenticated already: ILLEGAL_SASL_STATE, and the connection goes on.
 */
export const saslAuthenticate: Api<typeof request, typeof response> = defineApi({
  key: 36,
  name: 'SaslAuthenticate',
  versions: '0-2',
  flexibleFrom: 2,
  request,
  response,
  broker: (_: Broker, { authBytes }, { sasl }) => sasl?.authenticate(authBytes) ?? refused,
  controller: () => refused,
})

const refused: Encodable<typeof response> = {
  errorCode: errorCodes.ILLEGAL_SASL_STATE,
  errorMessage: 'SaslAuthenticate request received after successful authentication',
  authBytes: new Uint8Array(0),
}
