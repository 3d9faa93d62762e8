import type { Principal } from '../../wire/principal.ts'

/** Who somebody turned out to be. */
export interface Identity {
  readonly principal: Principal
  /** By a delegation token (KIP-48), as its owner. */
  readonly byToken: boolean
  /** Milliseconds since the epoch until which what they showed is good; undefined: for ever. */
  readonly expiresAt: number | undefined
}

/** What the broker says to a token of the client. */
export interface Step {
  readonly token: Uint8Array
  /** The exchange is over, and this is who it was. */
  readonly identity?: Identity | undefined
}

/** The broker's side of one SASL exchange. */
export interface SaslServerExchange {
  /**
   * @throws {SaslRefusal} with what the client may know
   * @throws {SaslMisfit} for what the client is told nothing of, but that it failed
   */
  next(token: Uint8Array): Step | Promise<Step>
}

/** Why somebody is not let in; the client is told (Kafka's SaslAuthenticationException). */
export class SaslRefusal extends Error {
  override readonly name = 'SaslRefusal'
}

/** Why somebody is not let in; the client is told in general terms only, the trace in full (Java's SaslException). */
export class SaslMisfit extends Error {
  override readonly name = 'SaslMisfit'
}

/** What is so wrong that Kafka trips over it: the connection ends without an answer, at once. */
export class SaslNonsense extends Error {
  override readonly name = 'SaslNonsense'
}

export const NO_TOKEN: Uint8Array = new Uint8Array(0)
