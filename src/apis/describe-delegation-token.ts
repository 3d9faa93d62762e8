import { type Api, defineApi } from '../wire/api.ts'
import { errorCodes } from '../wire/errors.ts'
import type { Encodable } from '../wire/schema.ts'
import { array, bytes, int16, int32, int64, string } from '../wire/schema.ts'

const request = {
  owners: array({
    principalType: string,
    principalName: string,
  }).nullable(),
}

const response = {
  errorCode: int16,
  tokens: array({
    principalType: string,
    principalName: string,
    tokenRequesterPrincipalType: string.since(3),
    tokenRequesterPrincipalName: string.since(3),
    issueTimestamp: int64,
    expiryTimestamp: int64,
    maxTimestamp: int64,
    tokenId: string,
    hmac: bytes,
    renewers: array({
      principalType: string,
      principalName: string,
    }),
  }),
  throttleTimeMs: int32,
}

/**
 * The delegation tokens of some owners, null for all (KIP-48): told to those who authenticated, so that here the answer is
 * DELEGATION_TOKEN_REQUEST_NOT_ALLOWED. v3 tells who asked for each (KIP-373). Kafka's controller fails over it.
 */
export const describeDelegationToken: Api<typeof request, typeof response> = defineApi({
  key: 41,
  name: 'DescribeDelegationToken',
  versions: '1-3',
  flexibleFrom: 2,
  request,
  response,
  broker: () => refused,
  controller: () => refused,
})

const refused: Encodable<typeof response> = {
  errorCode: errorCodes.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED,
  tokens: [],
  throttleTimeMs: 0,
}
