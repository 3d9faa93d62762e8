import type { SaslExchange, SaslMechanismClient } from './sasl-mechanism.ts'

/** PLAIN (RFC 4616; M-62): name and password in one token, as they are. The broker answers with an empty one. */
export class PlainClient implements SaslMechanismClient {
  readonly name = 'PLAIN'
  readonly #token: Buffer

  constructor(username: string, password: string) {
    this.#token = Buffer.from(`\0${username}\0${password}`)
  }

  begin(): SaslExchange {
    let isComplete = false
    return {
      first: () => this.#token,
      next(challenge) {
        if (challenge.length > 0) throw new Error('PLAIN ends with an empty token, but the broker sent more')
        isComplete = true
        return undefined
      },
      get isComplete() {
        return isComplete
      },
    }
  }
}
