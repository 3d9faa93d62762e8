import { ConfigError } from '../../wire/errors.ts'
import type { OAuthToken } from './oauth-bearer.ts'

const CLAIM = /^unsecuredLogin(String|Number|List)Claim_(.+)$/
const EXTENSION = 'unsecuredLoginExtension_'
const DEFAULT_LIFETIME_SECONDS = 3600

/**
 * A token that nobody has signed, of what the options of the login module say (Kafka's OAuthBearerUnsecuredLoginCallbackHandler):
 * `unsecuredLoginStringClaim_sub="alice"`. For tests: anybody can make one.
 *
 * @param now milliseconds since the epoch
 * @throws {ConfigError} for a number that is none, and without the claim that names the principal
 */
export function unsecuredToken(options: ReadonlyMap<string, string>, now: number): OAuthToken {
  const seconds = numberOf(options, 'unsecuredLoginLifetimeSeconds') ?? DEFAULT_LIFETIME_SECONDS
  const claims: Record<string, unknown> = { iat: now / 1000, exp: now / 1000 + seconds }
  const extensions: Record<string, string> = {}
  for (const [name, value] of options) {
    const claim = CLAIM.exec(name)
    if (claim !== null) claims[claim[2]!] = claimOf(claim[1]!, name, value, options)
    else if (name.startsWith(EXTENSION)) extensions[name.slice(EXTENSION.length)] = value
  }
  const principal = options.get('unsecuredLoginPrincipalClaimName') ?? 'sub'
  if (typeof claims[principal] !== 'string') {
    const option = `unsecuredLoginStringClaim_${principal}`
    const otherwise = 'or sasl.login.callback.handler.class a function that answers a token'
    throw new ConfigError(`sasl.jaas.config: OAUTHBEARER needs ${option}="alice", ${otherwise}`)
  }
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  return { value: `${encode({ alg: 'none' })}.${encode(claims)}.`, lifetimeMs: seconds * 1000, extensions }
}

function claimOf(kind: string, name: string, value: string, options: ReadonlyMap<string, string>): unknown {
  if (kind === 'String') return value
  if (kind === 'Number') return numberOf(options, name)
  // The first character separates the others: `,read,write`, or `|a|b`.
  const [separator = ''] = value
  return value === '' ? [] : value.slice(1).split(separator)
}

function numberOf(options: ReadonlyMap<string, string>, name: string): number | undefined {
  const text = options.get(name)
  if (text === undefined) return undefined
  const value = Number(text)
  if (text.trim() !== '' && Number.isFinite(value)) return value
  throw new ConfigError(`sasl.jaas.config: ${name} is a number, not '${text}'`)
}
