import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { createDelegationToken } from '../../src/apis/create-delegation-token.ts'
import { expireDelegationToken } from '../../src/apis/expire-delegation-token.ts'
import { renewDelegationToken } from '../../src/apis/renew-delegation-token.ts'
import { brokerOverrides } from '../../src/metadata/config-options.ts'
import { errorOf } from '../../src/wire/errors.ts'
import { DrivenController } from './driven-controller.ts'

const SECRET = 'sesame'
const DAY_MS = 86_400_000
const alice = { principal: { type: 'User', name: 'alice' } }
const bob = { principal: { type: 'User', name: 'bob' } }

/** A controller whose tokens live for a day and at most for three, looked after every hour, and what can be asked of it. */
async function tokens(configs: object = { 'delegation.token.secret.key': SECRET }) {
  const driven = new DrivenController({
    configs: brokerOverrides({ 'delegation.token.max.lifetime.ms': 3 * DAY_MS, ...configs }),
  })
  await driven.advance(1000)
  const begun = driven.runtime.now()
  const told = async ({ errorCode, expiryTimestampMs }: { errorCode: number; expiryTimestampMs: number }) =>
    errorCode === 0 ? expiryTimestampMs - begun : errorOf(errorCode).name
  return {
    driven,
    begun,
    create: async (options: { maxLifetimeMs?: number } = {}) => {
      const request = {
        ownerPrincipalType: null,
        ownerPrincipalName: null,
        renewers: [{ principalType: 'User', principalName: 'bob' }],
        maxLifetimeMs: options.maxLifetimeMs ?? -1,
      }
      return driven.begin(createDelegationToken, request, undefined, alice)
    },
    renew: async (hmac: Uint8Array, renewPeriodMs: number, who = alice) =>
      told(await driven.begin(renewDelegationToken, { hmac, renewPeriodMs }, undefined, who)),
    expire: async (hmac: Uint8Array, expiryTimePeriodMs: number, who = alice) =>
      told(await driven.begin(expireDelegationToken, { hmac, expiryTimePeriodMs }, undefined, who)),
    ids: () => [...driven.image.delegationTokens.all].map(({ tokenId }) => tokenId),
  }
}

test('the secret of a token is the HMAC-SHA-512 of its id, and no record holds it (KIP-48)', async () => {
  const { create, driven } = await tokens()
  const { tokenId, hmac } = await create()
  expect(Buffer.from(hmac)).toEqual(createHmac('sha512', SECRET).update(tokenId).digest())
  expect(driven.image.delegationTokens.of(tokenId)).toEqual({
    tokenId,
    owner: 'User:alice',
    requester: 'User:alice',
    renewers: ['User:bob'],
    issueTimestamp: expect.any(Number),
    expirationTimestamp: expect.any(Number),
    maxTimestamp: expect.any(Number),
  })
})

test('a token expires a day after it was made or renewed, and never after its longest lifetime', async () => {
  const { create, renew, driven, begun } = await tokens()
  const token = await create()
  expect(token.expiryTimestampMs - begun).toBe(DAY_MS)
  expect(token.maxTimestampMs - begun).toBe(3 * DAY_MS)
  await driven.advance(1000)
  expect(await renew(token.hmac, -1, bob)).toBe(DAY_MS + 1000)
  expect(await renew(token.hmac, 0)).toBe(1000)
  expect(await renew(token.hmac, 10 * DAY_MS)).toBe(3 * DAY_MS)
  const short = await create({ maxLifetimeMs: 5000 })
  expect(short.expiryTimestampMs - begun).toBe(6000)
  expect(await renew(short.hmac, -1)).toBe(6000)
})

test('a token is good to its last millisecond, and forgotten at the next full hour', async () => {
  const { create, renew, expire, driven, ids } = await tokens()
  const { hmac, tokenId } = await create()
  expect(await expire(hmac, 500)).toBe(500)
  await driven.advance(500)
  expect(await expire(hmac, 0)).toBe(500)
  await driven.advance(1)
  expect(await renew(hmac, 1000)).toBe('DELEGATION_TOKEN_EXPIRED')
  expect(await expire(hmac, 1000)).toBe('DELEGATION_TOKEN_EXPIRED')
  await driven.advance(3_600_000 - 1000 - 502)
  expect(ids()).toEqual([tokenId])
  await driven.advance(1)
  expect(ids()).toEqual([])
  expect(await renew(hmac, 1000)).toBe('DELEGATION_TOKEN_NOT_FOUND')
})

test('expiry below 0 ends a token at once', async () => {
  const { create, renew, expire, ids, driven } = await tokens()
  const { hmac } = await create()
  await driven.advance(7)
  expect(await expire(hmac, -1, bob)).toBe(7)
  expect(ids()).toEqual([])
  expect(await renew(hmac, -1)).toBe('DELEGATION_TOKEN_NOT_FOUND')
})

test('tokens outlive a controller, and are still looked after', async () => {
  const { create, renew, ids, driven } = await tokens()
  const { hmac, tokenId } = await create()
  driven.restartController()
  expect(ids()).toEqual([tokenId])
  expect(await renew(hmac, 2 * DAY_MS)).toBe(2 * DAY_MS)
  await driven.advance(2 * DAY_MS + 3_600_001)
  expect(ids()).toEqual([])
})

test('without a secret key there are no tokens', async () => {
  const { create, renew } = await tokens({})
  expect(errorOf((await create()).errorCode).name).toBe('DELEGATION_TOKEN_AUTH_DISABLED')
  expect(await renew(new Uint8Array(64), -1)).toBe('DELEGATION_TOKEN_AUTH_DISABLED')
})
