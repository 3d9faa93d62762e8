import { isPromise } from '../../runtime/deferred.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { USER } from '../../wire/principal.ts'
import type { TokenVerifier, VerifiedToken } from './authority.ts'
import {
  NO_TOKEN,
  SaslMisfit,
  SaslNonsense,
  SaslRefusal,
  type SaslServerExchange,
  type Step,
} from './sasl-mechanism.ts'

/** RFC 7628; U+0001 ends every part. */
const NAME = String.raw`(?:[\x01-\x2b\x2d-\x3c\x3e-\x7f]|=2C|=3D)+`
const PAIR = String.raw`[A-Za-z]+=[\x21-\x7e \t\r\n]+\x01`
const FIRST = new RegExp(String.raw`^n,(?:a=(${NAME}))?,\x01((?:${PAIR})*)\x01$`)
const AUTH = /^(\w+) +([-_.~+/a-zA-Z\d]+=*)$/
/** What a client says that has understood its refusal. */
const CONFIRMATION = 0x01
const REFUSED = '{"status":"invalid_token"}'

/** OAUTHBEARER (RFC 7628; KIP-255; Kafka's OAuthBearerSaslServer): a token is refused in JSON, and once more after the client has confirmed. */
export class OAuthBearerServer implements SaslServerExchange {
  readonly #runtime: Runtime
  readonly #verify: TokenVerifier
  #isRefused = false

  /** Without `verify`: tokens that nobody has signed. */
  constructor(runtime: Runtime, verify: TokenVerifier | undefined) {
    this.#runtime = runtime
    this.#verify = verify ?? (token => unsecured(token, runtime.now()))
  }

  next(token: Uint8Array): Step | Promise<Step> {
    if (this.#isRefused && token.length === 1 && token[0] === CONFIRMATION) throw new SaslRefusal(REFUSED)
    this.#isRefused = false
    const [, authorizationId = '', pairs] = FIRST.exec(Buffer.from(token).toString('utf8')) ?? []
    if (pairs === undefined) throw new SaslMisfit('the first message of OAUTHBEARER has another form')
    const auth = pairs.split('\x01').find(pair => pair.startsWith('auth='))
    if (auth === undefined) throw new SaslMisfit("the first message of OAUTHBEARER has no 'auth'")
    const [, scheme = '', value] = AUTH.exec(auth.slice('auth='.length)) ?? []
    if (value === undefined) throw new SaslMisfit("'auth' is no scheme with a token")
    if (scheme.toLowerCase() !== 'bearer') throw new SaslNonsense(`'auth' is of the scheme ${scheme}`)
    const found = this.#ask(value)
    return isPromise(found) ? found.then(each => this.#end(each, authorizationId)) : this.#end(found, authorizationId)
  }

  /** The verifier is the test's own code: time stands still for it. */
  #ask(value: string): string | VerifiedToken | undefined | Promise<string | VerifiedToken | undefined> {
    let answer: ReturnType<TokenVerifier>
    try {
      answer = this.#verify(value)
    } catch (error) {
      throw unchecked(error, value)
    }
    if (!isPromise(answer)) return answer
    return this.#runtime.outside('a check of a token', answer).catch(error => {
      throw unchecked(error, value)
    })
  }

  #end(found: string | VerifiedToken | undefined, authorizationId: string): Step {
    if (found === undefined) {
      this.#isRefused = true
      return { token: Buffer.from(REFUSED) }
    }
    const { name, expiresAt } = typeof found === 'string' ? { name: found, expiresAt: undefined } : found
    if (authorizationId !== '' && authorizationId !== name) {
      throw new SaslRefusal(
        `Authentication failed: Client requested an authorization id (${authorizationId}) that is different from the ` +
          `token's principal name (${name})`,
      )
    }
    return { token: NO_TOKEN, identity: { principal: { type: USER, name }, byToken: false, expiresAt } }
  }
}

/** What the test's own code throws may quote the token. */
function unchecked(error: unknown, token: string): SaslMisfit {
  return new SaslMisfit(`the token could not be checked: ${String(error).replaceAll(token, '…')}`)
}

/**
 * What a token says that nobody has signed (Kafka's OAuthBearerUnsecuredValidatorCallbackHandler): `alg` is none, `sub` who it
 * is, `exp` is to come and `iat` is not, in seconds. Undefined: it is none of those.
 */
export function unsecured(token: string, now: number): VerifiedToken | undefined {
  const [header, claims, signature, ...more] = token.split('.')
  if (more.length > 0 || signature !== '' || jsonOf(header)?.alg !== 'none') return undefined
  const { sub, exp, iat } = jsonOf(claims) ?? {}
  if (typeof sub !== 'string' || sub.trim() === '' || typeof exp !== 'number') return undefined
  if (iat !== undefined && (typeof iat !== 'number' || iat * 1000 > now || exp <= iat)) return undefined
  return exp * 1000 <= now ? undefined : { name: sub, expiresAt: Math.floor(exp * 1000) }
}

function jsonOf(part: string | undefined): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part ?? '', 'base64url').toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
