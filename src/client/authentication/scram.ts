import { timingSafeEqual } from 'node:crypto'
import type { ScramMechanism } from '../../metadata/scram-credentials.ts'
import {
  clientKey,
  MIN_ITERATIONS,
  saltedPassword,
  scramFields,
  scramHmac,
  scramKeys,
  xor,
} from '../../metadata/scram-keys.ts'
import type { SaslExchange, SaslMechanismClient } from './sasl-mechanism.ts'

/** No channel binding. */
const GS2_HEADER = 'n,,'

export interface ScramCredentials {
  readonly username: string
  readonly password: string
  /** They are those of a delegation token (KIP-48). */
  readonly isToken?: boolean
}

/**
 * SCRAM (RFC 5802, RFC 7677; M-63): proves that one knows the password without saying it, and that the broker does. Names and
 * passwords are taken as UTF-8, as Kafka does, without SASLprep.
 */
export class ScramClient implements SaslMechanismClient {
  readonly name: ScramMechanism
  readonly #credentials: ScramCredentials
  readonly #nonce: () => string

  /** `nonce` answers another text at every call: printable, without commas. */
  constructor(name: ScramMechanism, credentials: ScramCredentials, nonce: () => string) {
    this.name = name
    this.#credentials = credentials
    this.#nonce = nonce
  }

  begin(): ScramExchange {
    return new ScramExchange(this.name, this.#credentials, this.#nonce())
  }
}

class ScramExchange implements SaslExchange {
  readonly #name: ScramMechanism
  readonly #password: string
  readonly #nonce: string
  readonly #firstBare: string
  #serverSignature: Buffer | undefined
  isComplete = false

  constructor(name: ScramMechanism, { username, password, isToken }: ScramCredentials, nonce: string) {
    this.#name = name
    this.#password = password
    this.#nonce = nonce
    const user = username.replaceAll('=', '=3D').replaceAll(',', '=2C')
    this.#firstBare = `n=${user},r=${nonce}${isToken === true ? ',tokenauth=true' : ''}`
  }

  first(): Buffer {
    return Buffer.from(GS2_HEADER + this.#firstBare)
  }

  next(challenge: Uint8Array): Buffer | undefined {
    const text = Buffer.from(challenge).toString('utf8')
    if (this.#serverSignature === undefined) return this.#final(text)
    this.#verify(text, this.#serverSignature)
    this.isComplete = true
    return undefined
  }

  /** The proof, for what the server says first: nonce, salt, iterations. */
  #final(serverFirst: string): Buffer {
    const fields = scramFields(serverFirst)
    const nonce = fields.get('r')
    const salt = fields.get('s')
    const iterations = Number(fields.get('i'))
    if (nonce === undefined || salt === undefined || !Number.isSafeInteger(iterations)) {
      throw new Error(this.#saying('the first answer of the broker has another form'))
    }
    if (!nonce.startsWith(this.#nonce) || nonce === this.#nonce) {
      throw new Error(this.#saying('the nonce of the broker does not begin with that of the client'))
    }
    if (iterations < MIN_ITERATIONS) {
      const least = `at least ${MIN_ITERATIONS} are needed`
      throw new Error(this.#saying(`the broker asks for ${iterations} iterations, ${least}`))
    }
    const name = this.#name
    const salted = saltedPassword(name, this.#password, Buffer.from(salt, 'base64'), iterations)
    const { storedKey, serverKey } = scramKeys(name, salted)
    const withoutProof = `c=${Buffer.from(GS2_HEADER).toString('base64')},r=${nonce}`
    const authMessage = `${this.#firstBare},${serverFirst},${withoutProof}`
    const proof = xor(clientKey(name, salted), scramHmac(name, storedKey, authMessage))
    this.#serverSignature = scramHmac(name, serverKey, authMessage)
    return Buffer.from(`${withoutProof},p=${proof.toString('base64')}`)
  }

  /** The broker shows that it knows the password, too. */
  #verify(serverFinal: string, expected: Buffer): void {
    const fields = scramFields(serverFinal)
    const error = fields.get('e')
    if (error !== undefined) throw new Error(this.#saying(`the broker says: ${error}`))
    const signature = Buffer.from(fields.get('v') ?? '', 'base64')
    if (signature.length === expected.length && timingSafeEqual(signature, expected)) return
    throw new Error(this.#saying('the signature of the broker is wrong: it does not know the password'))
  }

  #saying(what: string): string {
    return `${this.#name}: ${what}`
  }
}
