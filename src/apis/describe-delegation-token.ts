import type { Broker } from '../broker/broker.ts'
import { delegationTokenHmac } from '../metadata/delegation-token-hmac.ts'
import { type DelegationTokenImage, isConcerned } from '../metadata/delegation-tokens.ts'
import type { RequestContext } from '../wire/api.ts'
import { type Api, defineApi } from '../wire/api.ts'
import { errorCodes } from '../wire/errors.ts'
import { parsePrincipal, principalText, USER } from '../wire/principal.ts'
import type { Encodable } from '../wire/schema.ts'
import { array, bytes, int16, int32, int64, string } from '../wire/schema.ts'
import { allows } from './authorization.ts'
import { mayAskForTokens } from './delegation-token-requests.ts'

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

type Token = Encodable<typeof response>['tokens'][number]

/**
 * The delegation tokens of some owners, null for all, with their secrets (KIP-48): each broker answers from its own image.
 * Told to those who authenticated, and not by a token: DELEGATION_TOKEN_REQUEST_NOT_ALLOWED. One sees one's own tokens, those
 * that one may renew, and those that one asked for; others by Describe on the token or DescribeTokens on its owner (KIP-373):
 * all, where there is no authorizer. v3 tells who asked for each. Kafka's controller fails over it.
 */
export const describeDelegationToken: Api<typeof request, typeof response> = defineApi({
  key: 41,
  name: 'DescribeDelegationToken',
  versions: '1-3',
  flexibleFrom: 2,
  request,
  response,
  broker: (broker: Broker, { owners }, context) => {
    if (!mayAskForTokens(context)) return refused(errorCodes.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED)
    const secretKey = broker.config['delegation.token.secret.key']
    if (secretKey === null) return refused(errorCodes.DELEGATION_TOKEN_AUTH_DISABLED)
    const asked = owners?.map(({ principalType: type, principalName: name }) => principalText({ type, name }))
    const tokens = []
    for (const token of broker.image.delegationTokens.all) {
      const isAsked = asked === undefined || asked.some(owner => isConcerned(token, owner))
      if (!isAsked || !maySee(broker, token, context)) continue
      tokens.push(described(token, secretKey, context.version))
    }
    return { errorCode: errorCodes.NONE, tokens, throttleTimeMs: 0 }
  },
  controller: () => refused(errorCodes.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED),
})

/** First version that tells who asked for a token. */
const REQUESTER_VERSION = 3

/** DelegationTokenManager.filterToken. */
function maySee(broker: Broker, token: DelegationTokenImage, context: RequestContext): boolean {
  return (
    isConcerned(token, principalText(context.principal)) ||
    allows(broker, context, 'describe', 'delegationToken', token.tokenId) ||
    allows(broker, context, 'describeTokens', 'user', token.owner)
  )
}

function described(token: DelegationTokenImage, secretKey: string, version: number): Token {
  const owner = dataOf(token.owner)
  const requester = dataOf(token.requester)
  return {
    ...owner,
    ...(version < REQUESTER_VERSION
      ? {}
      : {
          tokenRequesterPrincipalType: requester.principalType,
          tokenRequesterPrincipalName: requester.principalName,
        }),
    issueTimestamp: token.issueTimestamp,
    expiryTimestamp: token.expirationTimestamp,
    maxTimestamp: token.maxTimestamp,
    tokenId: token.tokenId,
    hmac: delegationTokenHmac(token.tokenId, secretKey),
    renewers: token.renewers.map(dataOf),
  }
}

/** The metadata log has principals as text. */
function dataOf(principal: string) {
  const { type, name } = parsePrincipal(principal) ?? { type: USER, name: principal }
  return { principalType: type, principalName: name }
}

function refused(errorCode: number): Encodable<typeof response> {
  return { errorCode, tokens: [], throttleTimeMs: 0 }
}
