import { saslAuthenticate } from '../../apis/sasl-authenticate.ts'
import { saslHandshake } from '../../apis/sasl-handshake.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import type { AnyApi, RequestInput, ResponseOf } from '../../wire/api.ts'
import { errorCodes, KafkaError } from '../../wire/errors.ts'
import type { SaslMechanismClient } from './sasl-mechanism.ts'

/** Tokens travel in SaslAuthenticate after a handshake of this version (M-60). */
const HANDSHAKE_VERSION = 1

/** A connection that is not for anything else yet. */
export interface SaslChannel {
  /** `host:port` of the broker. */
  readonly where: string
  /** Version undefined: the highest that both ends know. */
  ask<A extends AnyApi>(api: A, version: number | undefined, body: RequestInput<A>): Promise<ResponseOf<A>>
}

/** Says to brokers who this client is (Kafka's SaslClientAuthenticator; KIP-43, KIP-152). */
export class SaslAuthentication {
  readonly #mechanism: SaslMechanismClient
  readonly #runtime: Runtime

  constructor(mechanism: SaslMechanismClient, runtime: Runtime) {
    this.#mechanism = mechanism
    this.#runtime = runtime
  }

  /**
   * Answers how long the broker takes the connection for authenticated, in milliseconds; 0: for ever (KIP-368).
   *
   * @throws {KafkaError} UNSUPPORTED_SASL_MECHANISM, ILLEGAL_SASL_STATE, SASL_AUTHENTICATION_FAILED: all fatal; whatever the
   * connection is lost by
   */
  async authenticate(channel: SaslChannel): Promise<number> {
    await this.#handshake(channel)
    const exchange = this.#mechanism.begin()
    let token: Uint8Array | undefined = await this.#first(channel.where, exchange.first())
    for (;;) {
      const body = { authBytes: token }
      const answer: ResponseOf<typeof saslAuthenticate> = await channel.ask(saslAuthenticate, undefined, body)
      if (answer.errorCode !== errorCodes.NONE) {
        throw this.#refused(channel.where, answer.errorMessage ?? KafkaError.of(answer.errorCode).message)
      }
      try {
        token = exchange.next(answer.authBytes)
      } catch (error) {
        throw this.#refused(channel.where, (error as Error).message, error)
      }
      if (token === undefined && exchange.isComplete) return answer.sessionLifetimeMs
      token ??= new Uint8Array(0)
    }
  }

  async #handshake({ ask, where }: SaslChannel): Promise<void> {
    const { name } = this.#mechanism
    const { errorCode, mechanisms } = await ask(saslHandshake, HANDSHAKE_VERSION, { mechanism: name })
    if (errorCode === errorCodes.NONE) return
    const enabled = `enabled mechanisms are [${mechanisms.join(', ')}] (broker at ${where})`
    if (errorCode === errorCodes.UNSUPPORTED_SASL_MECHANISM) {
      const text = `Client SASL mechanism '${name}' not enabled in the server, ${enabled}`
      throw new KafkaError('UNSUPPORTED_SASL_MECHANISM', text)
    }
    if (errorCode === errorCodes.ILLEGAL_SASL_STATE) {
      const text = `the broker does not expect a client to authenticate: is its listener one with SASL? ${enabled}`
      throw new KafkaError('ILLEGAL_SASL_STATE', text)
    }
    throw KafkaError.of(errorCode)
  }

  /** A token may have to be fetched: that is the user's time. */
  async #first(where: string, token: Uint8Array | Promise<Uint8Array>): Promise<Uint8Array> {
    try {
      if (!(token instanceof Promise)) return token
      return await this.#runtime.outside(`a token for ${this.#mechanism.name}`, token)
    } catch (error) {
      throw this.#refused(where, `there is no token: ${(error as Error).message}`, error)
    }
  }

  #refused(where: string, reason: string, cause?: unknown): KafkaError {
    const text = `${reason} (${this.#mechanism.name}, broker at ${where})`
    return new KafkaError('SASL_AUTHENTICATION_FAILED', text, { cause })
  }
}
