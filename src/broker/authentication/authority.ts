import { delegationTokenHmac, delegationTokenPassword } from '../../metadata/delegation-token-hmac.ts'
import type { ClusterImage } from '../../metadata/image.ts'
import { type ScramCredential, type ScramMechanism, scramMechanisms } from '../../metadata/scram-credentials.ts'
import { scramCredential, scramLetters } from '../../metadata/scram-keys.ts'
import { type Principal, parsePrincipal, USER } from '../../wire/principal.ts'

/** What a token of OAUTHBEARER says, as whoever checks it has found. */
export interface VerifiedToken {
  /** Name of the user: `User:` is put before it. */
  readonly name: string
  /** Milliseconds since the epoch; then the client has to authenticate again. Left out: it does not. */
  readonly expiresAt?: number | undefined
}

/** Undefined: it is refused. What it throws is not told to the client. */
export type TokenVerifier = (
  token: string,
) => string | VerifiedToken | undefined | Promise<string | VerifiedToken | undefined>

/** Whom a cluster knows from its options. */
export interface KnownUsers {
  /** Password of each name, for PLAIN; for SCRAM they are in the metadata log. */
  readonly passwords: ReadonlyMap<string, string>
  /** Undefined: tokens that nobody has signed are taken. */
  readonly verifyToken: TokenVerifier | undefined
}

/** What SCRAM has to know of a name. */
export interface ScramLookup {
  readonly credential: ScramCredential
  readonly principal: Principal
  readonly expiresAt: number | undefined
}

/** Whom a broker can know: by its options, and by the metadata log. */
export class Authority {
  readonly #users: KnownUsers
  readonly #image: ClusterImage
  readonly #tokenKey: () => string | null
  readonly #choose: (n: number) => number

  constructor(
    users: KnownUsers,
    image: ClusterImage,
    /** `delegation.token.secret.key` */
    tokenKey: () => string | null,
    choose: (n: number) => number,
  ) {
    this.#users = users
    this.#image = image
    this.#tokenKey = tokenKey
    this.#choose = choose
  }

  get verifyToken(): TokenVerifier | undefined {
    return this.#users.verifyToken
  }

  password(name: string): string | undefined {
    return this.#users.passwords.get(name)
  }

  /** `isToken`: the name is the id of a delegation token, and the user its owner (`tokenauth=true`). */
  scram(name: string, mechanism: ScramMechanism, isToken: boolean): ScramLookup | undefined {
    if (isToken) return this.#delegationToken(name, mechanism)
    const credential = this.#image.scramCredentials.of(name).get(scramMechanisms[mechanism])
    if (credential === undefined) return undefined
    return { credential, principal: { type: USER, name }, expiresAt: undefined }
  }

  /** KIP-48: the password is the token's HMAC. One that has expired, and was not forgotten yet, is good until it is. */
  #delegationToken(tokenId: string, mechanism: ScramMechanism): ScramLookup | undefined {
    const token = this.#image.delegationTokens.of(tokenId)
    const key = this.#tokenKey()
    const principal = token && parsePrincipal(token.owner)
    if (token === undefined || key === null || principal === undefined) return undefined
    const password = delegationTokenPassword(delegationTokenHmac(tokenId, key))
    const credential = scramCredential(mechanism, password, Buffer.from(scramLetters(this.#choose)))
    return { credential, principal, expiresAt: token.expirationTimestamp }
  }
}
