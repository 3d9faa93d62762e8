/** The client's side of one SASL exchange: a token to begin with, then one for each that the broker answers. */
export interface SaslExchange {
  /** The first token. */
  first(): Uint8Array | Promise<Uint8Array>
  /**
   * The answer to the broker's token; undefined: there is nothing more to say.
   *
   * @throws {Error} for what no honest broker says, with what was wrong
   */
  next(challenge: Uint8Array): Uint8Array | undefined
  /** The broker need not say anything more. */
  readonly isComplete: boolean
}

/** A mechanism with the credentials of one client: each connection has an exchange of its own. */
export interface SaslMechanismClient {
  readonly name: string
  begin(): SaslExchange
}
