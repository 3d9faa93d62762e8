import { saslAuthenticate } from '../apis/sasl-authenticate.ts'
import type { Channel } from '../network/channel.ts'
import { isPromise } from '../runtime/deferred.ts'
import type { AnyApi, ResponseInput, SaslDialogue } from '../wire/api.ts'
import { type Frame, frameOf, joined } from '../wire/frame.ts'
import type { Principal } from '../wire/principal.ts'

/** What becomes of a request: it passes, is answered with ILLEGAL_SASL_STATE before the end, or is not answered. */
export type Verdict = 'pass' | { readonly close: string; readonly answers?: boolean }

/** That authentication has failed: what is being answered, if anything, is the last answer, and comes late. */
export interface Failure {
  readonly reason: string
  /** `connection.failed.authentication.delay.ms` */
  readonly afterMs: number
}

/** Stands before the handlers of one connection: nothing passes until whoever is there has said who they are. */
export interface Gate extends SaslDialogue {
  /** Undefined: nobody has said it. */
  readonly principal: Principal | undefined
  readonly byToken: boolean
  /** The next frame is a token as it is, no request: after a handshake of version 0 (M-60). */
  readonly takesTokens: boolean
  readonly failure: Failure | undefined
  /** Looks at a request before it is decoded. `bytes`: of its frame. */
  judge(api: AnyApi, bytes: number): Verdict
  /** A request has passed, and this is its answer. */
  answered(api: AnyApi, answer: ResponseInput<AnyApi>): void
  /** A token as it is: answers the broker's, if there is one. */
  token(bytes: Uint8Array): Uint8Array | undefined | Promise<Uint8Array | undefined>
  /** Whoever is there spoke nonsense. */
  fail(reason: string): void
}

/** A token of SASL as it is. Answers a promise while somebody looks at it. */
export function takeToken(
  gate: Gate,
  frame: Frame,
  channel: Channel,
  turnAway: (reason: string) => void,
): Promise<void> | undefined {
  const answer = (token: Uint8Array | undefined) => {
    if (gate.failure !== undefined) turnAway(gate.failure.reason)
    else if (token !== undefined) channel.send(frameOf([token]), { kind: 'response', api: saslAuthenticate.name })
  }
  const token = gate.token(joined(frame.slices))
  if (isPromise(token)) return token.then(answer)
  answer(token)
  return undefined
}
