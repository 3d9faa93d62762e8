import { apiVersions } from '../../apis/api-versions.ts'
import { saslAuthenticate } from '../../apis/sasl-authenticate.ts'
import { saslHandshake } from '../../apis/sasl-handshake.ts'
import type { ScramMechanism } from '../../metadata/scram-credentials.ts'
import { scramLetters } from '../../metadata/scram-keys.ts'
import type { Failure, Gate, Verdict } from '../../node/gate.ts'
import { isPromise } from '../../runtime/deferred.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import type { AnyApi, ResponseInput, SaslAnswer } from '../../wire/api.ts'
import { errorCodes, KafkaError } from '../../wire/errors.ts'
import { type Principal, principalText } from '../../wire/principal.ts'
import type { Authority } from './authority.ts'
import { OAuthBearerServer } from './oauth-bearer.ts'
import { PlainServer } from './plain.ts'
import {
  type Identity,
  NO_TOKEN,
  SaslMisfit,
  SaslNonsense,
  SaslRefusal,
  type SaslServerExchange,
  type Step,
} from './sasl-mechanism.ts'
import { ScramServer } from './scram.ts'

export const saslMechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'] as const
export type SaslMechanism = (typeof saslMechanisms)[number]

export interface SaslGateOptions {
  readonly runtime: Runtime
  readonly authority: Authority
  /** Those that are enabled here. */
  readonly mechanisms: readonly SaslMechanism[]
  /** Somebody in this process: they may authenticate, and need not. */
  readonly isOptional: boolean
  /** `connections.max.reauth.ms`; 0: nobody has to authenticate again (KIP-368). */
  readonly maxReauthMs: number
  /** `connection.failed.authentication.delay.ms` */
  readonly failureDelayMs: number
  /** `sasl.server.max.receive.size` */
  readonly maxBytes: number
  /** Told who it is, as often as they say it. */
  readonly authenticated: (principal: Principal, mechanism: string) => void
}

/**
 * Where a connection stands (M-60; Kafka's SaslServerAuthenticator). `open`: whoever is in this process need not say anything.
 * `strange`: a mechanism was chosen that is not the one of the first time, which the next token learns.
 */
type State = 'open' | 'initial' | 'handshake' | 'authenticate' | 'strange' | 'complete' | 'failed'

/** Nobody authenticates again sooner than so many milliseconds after the last time they began to. */
const MIN_REAUTHENTICATION_MS = 1000

/** Lets nobody through who has not said who they are, and nobody whose session is over (M-60…M-64). */
export class SaslGate implements Gate {
  readonly #options: SaslGateOptions
  #state: State
  #mechanism = ''
  #exchange: SaslServerExchange | undefined
  #identity: Identity | undefined
  /** Tokens travel in SaslAuthenticate: after a handshake of version 1. */
  #isWrapped = false
  /** Milliseconds since the epoch. */
  #expiresAt: number | undefined
  #renewedAt = Number.NEGATIVE_INFINITY
  failure: Failure | undefined

  constructor(options: SaslGateOptions) {
    this.#options = options
    this.#state = options.isOptional ? 'open' : 'initial'
  }

  get principal(): Principal | undefined {
    return this.#identity?.principal
  }

  get byToken(): boolean {
    return this.#identity?.byToken ?? false
  }

  get takesTokens(): boolean {
    return this.#state === 'authenticate' && !this.#isWrapped
  }

  judge(api: AnyApi, bytes: number): Verdict {
    if (this.#state === 'open' || this.#state === 'complete') {
      if (api === saslHandshake && this.#mayBegin()) this.#state = 'handshake'
      else if (this.#isOver) return { close: `${this.#who}'s session was over, and not renewed` }
      return 'pass'
    }
    if (this.#state === 'failed') return { close: 'authentication has failed' }
    const { maxBytes } = this.#options
    if (bytes > maxBytes) return this.#failing(`a frame of ${bytes} bytes before authentication, more than ${maxBytes}`)
    if (this.#state === 'strange') return this.#failing('another mechanism than the first time was chosen')
    if (this.#state === 'authenticate') {
      if (api === saslAuthenticate) return 'pass'
      return { ...this.#failing(`unexpected ${api.name} during SASL authentication`), answers: true }
    }
    if (api === saslHandshake) return 'pass'
    if (api !== apiVersions) return this.#failing(`unexpected ${api.name} during SASL handshake`)
    if (this.#state === 'initial') return 'pass'
    this.#state = 'failed'
    return { close: 'ApiVersions came twice before SaslHandshake' }
  }

  answered(api: AnyApi, answer: ResponseInput<AnyApi>): void {
    // One that was answered with an error does not count.
    if (api === apiVersions && this.#state === 'initial' && answer.errorCode === 0) this.#state = 'handshake'
  }

  handshake(mechanism: string, version: number): { errorCode: number; mechanisms: readonly string[] } | undefined {
    if (this.#state !== 'initial' && this.#state !== 'handshake') return undefined
    const { mechanisms } = this.#options
    if (!(mechanisms as readonly string[]).includes(mechanism)) {
      // What is not known is not repeated: it may be anything.
      this.fail('a mechanism that is not enabled here')
      return { errorCode: errorCodes.UNSUPPORTED_SASL_MECHANISM, mechanisms }
    }
    this.#isWrapped = version >= 1
    if (this.#identity !== undefined && mechanism !== this.#mechanism) this.#state = 'strange'
    else {
      this.#mechanism = mechanism
      this.#exchange = this.#begin(mechanism as SaslMechanism)
      this.#state = 'authenticate'
    }
    return { errorCode: errorCodes.NONE, mechanisms }
  }

  authenticate(token: Uint8Array): SaslAnswer | Promise<SaslAnswer> | undefined {
    if (this.#state !== 'authenticate' || !this.#isWrapped) return undefined
    return this.#step<SaslAnswer>(
      token,
      step => ({
        errorCode: errorCodes.NONE,
        errorMessage: null,
        authBytes: step.token,
        sessionLifetimeMs: step.lifetimeMs,
      }),
      errorMessage => ({
        errorCode: errorCodes.SASL_AUTHENTICATION_FAILED,
        errorMessage,
        authBytes: NO_TOKEN,
        sessionLifetimeMs: 0,
      }),
    )
  }

  token(bytes: Uint8Array): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    const { maxBytes } = this.#options
    if (bytes.length > maxBytes) {
      this.fail(`a token of ${bytes.length} bytes, more than ${maxBytes}`)
      return undefined
    }
    try {
      return this.#step<Uint8Array | undefined>(
        bytes,
        step => step.token,
        () => undefined,
      )
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      this.failure = { reason: error.message, afterMs: 0 }
      return undefined
    }
  }

  fail(reason: string): void {
    this.#state = 'failed'
    this.failure = { reason: `authentication failed: ${reason}`, afterMs: this.#options.failureDelayMs }
  }

  #failing(reason: string): { close: string } {
    this.fail(reason)
    return { close: this.failure!.reason }
  }

  /** Authentication may begin: for the first time in this process, or again where sessions end (KIP-368). */
  #mayBegin(): boolean {
    if (this.#state === 'open') return true
    const now = this.#options.runtime.now()
    if (this.#expiresAt === undefined || now - this.#renewedAt < MIN_REAUTHENTICATION_MS) return false
    this.#renewedAt = now
    return true
  }

  get #isOver(): boolean {
    return this.#expiresAt !== undefined && this.#options.runtime.now() >= this.#expiresAt
  }

  get #who(): string {
    return this.#identity === undefined ? 'nobody' : principalText(this.#identity.principal)
  }

  #begin(mechanism: SaslMechanism): SaslServerExchange {
    const { runtime, authority } = this.#options
    switch (mechanism) {
      case 'PLAIN':
        return new PlainServer(authority)
      case 'OAUTHBEARER':
        return new OAuthBearerServer(runtime, authority.verifyToken)
      default:
        return new ScramServer(mechanism satisfies ScramMechanism, authority, () =>
          scramLetters(n => runtime.choose('broker.scram-nonce', n)),
        )
    }
  }

  #step<A>(
    token: Uint8Array,
    taken: (step: { readonly token: Uint8Array; readonly lifetimeMs: number }) => A,
    refused: (message: string) => A,
  ): A | Promise<A> {
    const go = (step: Step) => taken({ token: step.token, lifetimeMs: this.#proceed(step.identity) })
    const stop = (error: unknown) => refused(this.#refusal(error))
    try {
      const step = this.#exchange!.next(token)
      if (isPromise(step)) return step.then(go).catch(stop)
      return go(step)
    } catch (error) {
      return stop(error)
    }
  }

  /** Answers how long the session lasts, in milliseconds; 0: for ever, or there is none yet. */
  #proceed(identity: Identity | undefined): number {
    if (identity === undefined) return 0
    const before = this.#identity
    if (before !== undefined && principalText(before.principal) !== principalText(identity.principal)) {
      const name = ({ type, name }: Principal) => `${type}.${name}`
      const change = `${name(before.principal)}: ${name(identity.principal)}`
      throw new SaslRefusal(`Cannot change principals during re-authentication from ${change}`)
    }
    const { maxReauthMs, runtime, authenticated } = this.#options
    this.#identity = identity
    this.#exchange = undefined
    this.#state = 'complete'
    const lifetimes = maxReauthMs > 0 ? [maxReauthMs] : []
    if (identity.expiresAt !== undefined) lifetimes.push(identity.expiresAt - runtime.now())
    const lifetimeMs = lifetimes.length === 0 ? undefined : Math.max(0, Math.min(...lifetimes))
    this.#expiresAt = lifetimeMs === undefined ? undefined : runtime.now() + lifetimeMs
    authenticated(identity.principal, this.#mechanism)
    return lifetimeMs ?? 0
  }

  /** What the client is told: of what may be a secret nothing. */
  #refusal(error: unknown): string {
    const { message } = error as Error
    if (error instanceof SaslNonsense) {
      this.#state = 'failed'
      throw new KafkaError('SASL_AUTHENTICATION_FAILED', `${this.#mechanism}: ${message}`)
    }
    if (!(error instanceof SaslRefusal) && !(error instanceof SaslMisfit)) throw error
    this.fail(`${this.#mechanism}: ${message}`)
    if (error instanceof SaslRefusal) return error.message
    const what = this.#identity === undefined ? 'authentication' : 're-authentication'
    return `Authentication failed during ${what} due to invalid credentials with SASL mechanism ${this.#mechanism}`
  }
}
