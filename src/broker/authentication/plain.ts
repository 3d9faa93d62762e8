import { createHash, timingSafeEqual } from 'node:crypto'
import { USER } from '../../wire/principal.ts'
import type { Authority } from './authority.ts'
import { NO_TOKEN, SaslRefusal, type SaslServerExchange, type Step } from './sasl-mechanism.ts'

/** More parts than there can be are not counted further. */
const MOST_PARTS = 4

/** PLAIN (RFC 4616; M-62): `authzid NUL authcid NUL password`, in Kafka's order of checks (PlainSaslServer). */
export class PlainServer implements SaslServerExchange {
  readonly #authority: Authority

  constructor(authority: Authority) {
    this.#authority = authority
  }

  next(token: Uint8Array): Step {
    const parts = Buffer.from(token).toString('utf8').split('\0', MOST_PARTS)
    if (parts.length !== 3) {
      throw new SaslRefusal(`Invalid SASL/PLAIN response: expected 3 tokens, got ${parts.length}`)
    }
    const [authorizationId, name, password] = parts as [string, string, string]
    if (name === '') throw new SaslRefusal('Authentication failed: username not specified')
    if (password === '') throw new SaslRefusal('Authentication failed: password not specified')
    const expected = this.#authority.password(name)
    if (expected === undefined || !isSame(expected, password)) {
      throw new SaslRefusal('Authentication failed: Invalid username or password')
    }
    if (authorizationId !== '' && authorizationId !== name) {
      throw new SaslRefusal(
        'Authentication failed: Client requested an authorization id that is different from username',
      )
    }
    const principal = { type: USER, name }
    return { token: NO_TOKEN, identity: { principal, byToken: false, expiresAt: undefined } }
  }
}

function isSame(one: string, other: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(one), digest(other))
}
