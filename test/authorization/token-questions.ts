import { createDelegationToken } from '../../src/apis/create-delegation-token.ts'
import { describeDelegationToken } from '../../src/apis/describe-delegation-token.ts'
import { expireDelegationToken } from '../../src/apis/expire-delegation-token.ts'
import { renewDelegationToken } from '../../src/apis/renew-delegation-token.ts'
import { OWNED, ROOT, subjects } from './grants.ts'
import type { Place } from './place.ts'
import { type Question, question } from './questions.ts'

const LONG_MS = 86_400_000
const self = { ownerPrincipalType: '', ownerPrincipalName: '', renewers: [], maxLifetimeMs: LONG_MS }
const owned = { principalType: 'User', principalName: OWNED }
const forOwned = { ...self, ownerPrincipalType: 'User', ownerPrincipalName: OWNED }
/** Those whom rights to tokens are about, and some who have none. */
const who = [...subjects.keys()].filter(
  name => name.startsWith('tokens-') || [ROOT, 'nobody', 'any-topic', 'cluster-all', 'cluster-describe'].includes(name),
)
const made = ['issueTimestampMs', 'expiryTimestampMs', 'maxTimestampMs', 'tokenId', 'hmac']
const shown = ['issueTimestamp', 'expiryTimestamp', 'maxTimestamp', 'tokenId', 'hmac']
const changed = ['expiryTimestampMs']

/** The secret of the token that root asked for, for itself, with a renewer. */
const secrets = new WeakMap<Place, Uint8Array>()

async function makeToken(place: Place): Promise<void> {
  const renewers = [{ principalType: 'User', principalName: 'tokens-renewer' }]
  const body = { ...self, renewers }
  const { errorCode, hmac } = await place.ask(ROOT, createDelegationToken, 3, body as never)
  if (errorCode !== 0) throw new Error(`root got no token: ${errorCode}`)
  secrets.set(place, hmac)
}

const seen = (count: number) => (place: Place) =>
  place.eventually('the tokens are known', async () => {
    const { tokens } = await place.ask(ROOT, describeDelegationToken, 3, { owners: null })
    return tokens.length >= count
  })

const hmacOf = (place: Place) => secrets.get(place)!
const unknown = new Uint8Array(64)
/** Root's own, which the first question follows; one of each subject; one for OWNED of each who may. */
const MADE = 1 + who.length + 4

export const tokenQuestions: readonly Question[] = [
  question('for oneself', createDelegationToken, 3, self as never, { who, blur: made, before: makeToken }),
  question('for another', createDelegationToken, 3, forOwned as never, { who, blur: made }),
  question(
    'renewed by a group',
    createDelegationToken,
    3,
    {
      ...self,
      renewers: [{ principalType: 'Group', principalName: 'staff' }],
    } as never,
    { who, blur: made },
  ),
  question('of everybody', describeDelegationToken, 3, { owners: null }, { who, blur: shown, before: seen(MADE) }),
  question('of everybody, old', describeDelegationToken, 1, { owners: null }, { who, blur: shown }),
  question('of one', describeDelegationToken, 3, { owners: [owned] }, { who, blur: shown }),
  question('of none', describeDelegationToken, 3, { owners: [] }, { who, blur: shown }),
  question('of another', renewDelegationToken, 2, (_, place) => ({ hmac: hmacOf(place), renewPeriodMs: -1 }), {
    who,
    blur: changed,
  }),
  question('of a stranger', renewDelegationToken, 2, (_, place) => ({ hmac: hmacOf(place), renewPeriodMs: -1 }), {
    who: ['nobody', 'tokens-any-user'],
  }),
  question('of nobody', renewDelegationToken, 2, { hmac: unknown, renewPeriodMs: -1 }, { who }),
  question('of nobody', expireDelegationToken, 2, { hmac: unknown, expiryTimePeriodMs: 1000 }, { who }),
  question('of a stranger', expireDelegationToken, 2, (_, place) => ({ hmac: hmacOf(place), expiryTimePeriodMs: 1 }), {
    who: ['nobody', 'tokens-any-user'],
  }),
  question(
    'of another',
    expireDelegationToken,
    2,
    (_, place) => ({ hmac: hmacOf(place), expiryTimePeriodMs: LONG_MS / 2 }),
    { who, blur: changed },
  ),
]
