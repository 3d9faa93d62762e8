import type { TokenVerifier } from '../broker/authentication/authority.ts'
import { type SaslMechanism, saslMechanisms } from '../broker/authentication/sasl-gate.ts'
import type { MetadataRecordInput } from '../metadata/records.ts'
import { scramMechanisms } from '../metadata/scram-credentials.ts'
import { scramCredential, scramLetters } from '../metadata/scram-keys.ts'
import { ConfigError } from '../wire/errors.ts'
import { refuseUnknown } from './options.ts'

/** Who may authenticate, and how. */
export interface SaslOptions {
  /** Password of each user, by name: for PLAIN, and for SCRAM, where `alterUserScramCredentials` adds more. */
  readonly users?: Readonly<Record<string, string>>
  /** Default: PLAIN and both of SCRAM; with `verifyToken` OAUTHBEARER, too. */
  readonly mechanisms?: readonly SaslMechanism[]
  /**
   * Checks a token of OAUTHBEARER: answers the user's name, or `{ name, expiresAt }` in milliseconds since the epoch, or
   * undefined to refuse it. Without: tokens that nobody has signed are taken, as Kafka does by default (only for tests).
   */
  readonly verifyToken?: TokenVerifier
  /** Clients in this process have to authenticate, too, unless they say `principal`. Default: false. */
  readonly required?: boolean
}

export interface SaslPlan {
  readonly passwords: ReadonlyMap<string, string>
  readonly verifyToken: TokenVerifier | undefined
  /** Undefined: nobody can authenticate. */
  readonly mechanisms: readonly SaslMechanism[] | undefined
  readonly required: boolean
}

const OPTIONS: readonly (keyof SaslOptions)[] = ['users', 'mechanisms', 'verifyToken', 'required']
/** RFC 5802 as Kafka reads it: other names cannot be said in SCRAM. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is meant
const SCRAM_NAME = /^[\x01-\x7f]+$/

/** @throws {ConfigError} that never holds a password */
export function checkSasl(where: string, options: SaslOptions): void {
  if (typeof options !== 'object' || options === null) {
    throw new ConfigError(`${where} takes options, as in { users: { alice: 'secret' } }`)
  }
  refuseUnknown(`option of ${where}`, options, OPTIONS)
  const { users = {}, mechanisms, verifyToken } = options
  for (const [name, password] of Object.entries(users)) {
    if (name === '' || name.includes('\0')) throw new ConfigError(`${where}: a user has a name, without NUL`)
    if (typeof password !== 'string' || password === '' || password.includes('\0')) {
      throw new ConfigError(`${where}: the user '${name}' needs a password: a text, not empty, without NUL`)
    }
  }
  if (verifyToken !== undefined && typeof verifyToken !== 'function') {
    throw new ConfigError(`${where}: verifyToken takes a function, token => name`)
  }
  if (mechanisms === undefined) return
  if (!Array.isArray(mechanisms) || mechanisms.length === 0) {
    throw new ConfigError(`${where}: mechanisms takes a list of ${saslMechanisms.join(', ')}`)
  }
  for (const each of mechanisms) {
    if (saslMechanisms.includes(each)) continue
    throw new ConfigError(
      `${where}: the mechanism ${JSON.stringify(each)} is not spoken here: ${saslMechanisms.join(', ')}`,
    )
  }
}

/** Those that an option enables. */
export function mechanismsOf({ mechanisms, verifyToken }: SaslOptions): readonly SaslMechanism[] {
  if (mechanisms !== undefined) return [...new Set(mechanisms)]
  return saslMechanisms.filter(each => each !== 'OAUTHBEARER' || verifyToken !== undefined)
}

/**
 * The users of a cluster are those of its option and of all of its listeners.
 *
 * @throws {ConfigError} for a user with two passwords, and for two checks of tokens
 */
export function planSasl(own: SaslOptions | undefined, ofListeners: readonly SaslOptions[]): SaslPlan {
  const all = [...(own === undefined ? [] : [own]), ...ofListeners]
  const passwords = new Map<string, string>()
  let verifyToken: TokenVerifier | undefined
  for (const { users = {}, verifyToken: verify } of all) {
    for (const [name, password] of Object.entries(users)) {
      if ((passwords.get(name) ?? password) !== password) throw new ConfigError(`sasl: '${name}' has two passwords`)
      passwords.set(name, password)
    }
    if (verify !== undefined && (verifyToken ?? verify) !== verify)
      throw new ConfigError('sasl: there are two verifyToken')
    verifyToken = verify ?? verifyToken
  }
  const mechanisms =
    all.length === 0 ? undefined : saslMechanisms.filter(name => all.some(each => mechanismsOf(each).includes(name)))
  return { passwords, verifyToken, mechanisms, required: own?.required ?? false }
}

/** What a new cluster knows of its users for SCRAM, as `kafka-storage format --add-scram` writes it. */
export function scramRecords(
  { passwords, mechanisms = [] }: SaslPlan,
  choose: (n: number) => number,
): MetadataRecordInput[] {
  const records: MetadataRecordInput[] = []
  for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const) {
    if (!mechanisms.includes(mechanism)) continue
    for (const [name, password] of passwords) {
      if (!SCRAM_NAME.test(name)) continue
      const credential = scramCredential(mechanism, password, Buffer.from(scramLetters(choose)))
      records.push({ type: 'UserScramCredentialRecord', name, mechanism: scramMechanisms[mechanism], ...credential })
    }
  }
  return records
}
