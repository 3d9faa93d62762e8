import type { Broker } from '../broker/broker.ts'
import { type Api, defineApi } from '../wire/api.ts'
import { errorCodes } from '../wire/errors.ts'
import type { Encodable } from '../wire/schema.ts'
import { array, int16, string } from '../wire/schema.ts'

const request = {
  mechanism: string,
}

const response = {
  errorCode: int16,
  mechanisms: array(string),
}

/**
 * Chooses a mechanism to authenticate with; after v1 the tokens travel in SaslAuthenticate, after v0 as they are (M-60). Where
 * there is nothing to authenticate, or not now: ILLEGAL_SASL_STATE, and the connection goes on.
 */
export const saslHandshake: Api<typeof request, typeof response> = defineApi({
  key: 17,
  name: 'SaslHandshake',
  versions: '0-1',
  request,
  response,
  broker: (_: Broker, { mechanism }, { sasl, version }) => sasl?.handshake(mechanism, version) ?? refused,
  controller: () => refused,
})

const refused: Encodable<typeof response> = { errorCode: errorCodes.ILLEGAL_SASL_STATE, mechanisms: [] }
