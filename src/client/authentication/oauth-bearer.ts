import type { SaslExchange, SaslMechanismClient } from './sasl-mechanism.ts'

/** A token as a provider hands it out. */
export interface OAuthToken {
  /** The text that the broker checks: a JWT, most likely. */
  readonly value: string
  /** Milliseconds from now on in which it may be used. Left out: another one is asked for at every connection. */
  readonly lifetimeMs?: number | undefined
  /** What else the broker should know (KIP-342). */
  readonly extensions?: Readonly<Record<string, string>> | undefined
}

/** Where tokens come from: `sasl.login.callback.handler.class`. */
export type TokenProvider =
  | (() => string | OAuthToken | Promise<string | OAuthToken>)
  | { token(): string | OAuthToken | Promise<string | OAuthToken> }

/** U+0001 ends every part. */
const SEPARATOR = '\x01'
const EXTENSION_NAME = /^[A-Za-z]+$/
const EXTENSION_VALUE = /^[\x20-\x7e\t\r\n]+$/

/**
 * OAUTHBEARER (RFC 7628; KIP-255): the token as it is. A broker that takes it answers with an empty token; one that does not
 * says why in JSON, and closes after an empty confirmation of that.
 */
export class OAuthBearerClient implements SaslMechanismClient {
  readonly name = 'OAUTHBEARER'
  readonly #token: () => Promise<OAuthToken>

  constructor(token: () => Promise<OAuthToken>) {
    this.#token = token
  }

  begin(): SaslExchange {
    let isComplete = false
    return {
      first: async () => firstToken(await this.#token()),
      next(challenge) {
        if (challenge.length > 0) return Buffer.from(SEPARATOR)
        isComplete = true
        return undefined
      },
      get isComplete() {
        return isComplete
      },
    }
  }
}

/** @throws {Error} for extensions that cannot be sent */
function firstToken({ value, extensions }: OAuthToken): Buffer {
  let text = `n,,${SEPARATOR}auth=Bearer ${value}${SEPARATOR}`
  for (const [name, content] of Object.entries(extensions ?? {})) {
    if (name === 'auth' || !EXTENSION_NAME.test(name) || !EXTENSION_VALUE.test(content)) {
      throw new Error(
        `OAUTHBEARER: an extension has a name of letters, which is not auth, and printable text: '${name}'`,
      )
    }
    text += `${name}=${content}${SEPARATOR}`
  }
  return Buffer.from(text + SEPARATOR)
}
