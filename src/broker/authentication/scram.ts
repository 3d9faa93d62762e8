import { timingSafeEqual } from 'node:crypto'
import type { ScramMechanism } from '../../metadata/scram-credentials.ts'
import { MIN_ITERATIONS, scramFields, scramHash, scramHmac, xor } from '../../metadata/scram-keys.ts'
import type { Authority, ScramLookup } from './authority.ts'
import { SaslMisfit, SaslNonsense, SaslRefusal, type SaslServerExchange, type Step } from './sasl-mechanism.ts'

/** RFC 5802, as far as Kafka reads it (ScramMessages): names are ASCII with `=2C` and `=3D`, extensions come last. */
const NAME = String.raw`(?:[\x01-\x2b\x2d-\x3c\x3e-\x7f]|=2C|=3D)+`
const VALUE = String.raw`[\x01-\x2b\x2d-\x7f]+`
const NONCE = String.raw`[\x21-\x2b\x2d-\x7e]+`
const EXTENSIONS = `(?:,[A-Za-z]+=${VALUE})*`
const BASE64 = String.raw`[A-Za-z\d/+]+=*`
const FIRST = new RegExp(`^n,(?:a=(${NAME}))?,((?:m=${VALUE},)?n=(${NAME}),r=(${NONCE})(${EXTENSIONS}))$`)
const FINAL = new RegExp(`^(c=${BASE64},r=(${NONCE})${EXTENSIONS}),p=((?:${BASE64})?)$`)

interface Begun {
  readonly lookup: ScramLookup
  readonly nonce: string
  /** What was said so far, as both ends sign it. */
  readonly said: string
}

/**
 * SCRAM (M-63; Kafka's ScramSaslServer): the client proves that it knows the password, and the broker that it was told of it.
 * The channel binding is not compared, as Kafka does not.
 */
export class ScramServer implements SaslServerExchange {
  readonly #mechanism: ScramMechanism
  readonly #authority: Authority
  readonly #nonce: () => string
  #begun: Begun | undefined

  constructor(mechanism: ScramMechanism, authority: Authority, nonce: () => string) {
    this.#mechanism = mechanism
    this.#authority = authority
    this.#nonce = nonce
  }

  next(token: Uint8Array): Step {
    const text = Buffer.from(token).toString('utf8')
    return this.#begun === undefined ? this.#first(text) : this.#final(text, this.#begun)
  }

  #first(text: string): Step {
    const [, authorizationId = '', bare = '', saslName, nonce, extensions = ''] = FIRST.exec(text) ?? []
    if (saslName === undefined) throw new SaslMisfit('the first message of SCRAM has another form')
    const name = saslName.replaceAll('=2C', ',').replaceAll('=3D', '=')
    const isToken = scramFields(extensions.slice(1)).get('tokenauth')?.toLowerCase() === 'true'
    const lookup = this.#authority.scram(name, this.#mechanism, isToken)
    if (lookup === undefined) {
      throw new SaslMisfit(
        isToken ? 'there is no such delegation token' : 'there is no such user, or without credential',
      )
    }
    if (authorizationId !== '' && authorizationId !== name) {
      throw new SaslRefusal(
        'Authentication failed: Client requested an authorization id that is different from username',
      )
    }
    const { salt, iterations } = lookup.credential
    if (iterations < MIN_ITERATIONS) throw new SaslMisfit(`the credential has only ${iterations} iterations`)
    const joint = `${nonce}${this.#nonce()}`
    const answer = `r=${joint},s=${Buffer.from(salt).toString('base64')},i=${iterations}`
    this.#begun = { lookup, nonce: joint, said: `${bare},${answer}` }
    return { token: Buffer.from(answer) }
  }

  #final(text: string, { lookup, nonce, said }: Begun): Step {
    const [, withoutProof, answered, proofText = ''] = FINAL.exec(text) ?? []
    if (withoutProof === undefined) throw new SaslMisfit('the last message of SCRAM has another form')
    if (answered !== nonce) throw new SaslMisfit('the last message of SCRAM has another nonce')
    const { storedKey, serverKey } = lookup.credential
    const message = `${said},${withoutProof}`
    const proof = Buffer.from(proofText, 'base64')
    const signature = scramHmac(this.#mechanism, storedKey, message)
    if (proof.length !== signature.length) throw new SaslNonsense('the proof has another length')
    if (!timingSafeEqual(scramHash(this.#mechanism, xor(proof, signature)), storedKey)) {
      throw new SaslMisfit('the proof is wrong: another password')
    }
    const token = Buffer.from(`v=${scramHmac(this.#mechanism, serverKey, message).toString('base64')}`)
    const { principal, expiresAt } = lookup
    return { token, identity: { principal, byToken: expiresAt !== undefined, expiresAt } }
  }
}
