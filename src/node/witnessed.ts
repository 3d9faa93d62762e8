import type { AnyApi, RequestContext, RequestOf } from '../wire/api.ts'
import { disconnect, type InterceptedAnswer, type ReceivedRequest, type RequestWitness } from './intercept.ts'
import type { Life } from './life.ts'

/** The request in hand of one connection, for a witness who wants to know how it ends. */
export class Witnessed {
  readonly #life: Life
  readonly #to: string
  #request: ReceivedRequest | undefined
  #witness: RequestWitness | undefined

  constructor(life: Life, to: string) {
    this.#life = life
    this.#to = to
  }

  begin(
    witness: RequestWitness,
    api: AnyApi,
    { version, clientId, from, principal }: RequestContext,
    peer: number | undefined,
    body: RequestOf<AnyApi>,
    bytes: number,
  ): void {
    const ending = { outcome: 'pending' as const, answer: undefined, answeredAt: undefined }
    const at = this.#life.now()
    this.#witness = witness
    this.#request = { api, version, clientId, from, to: this.#to, peer, principal, body, at, ...ending }
    witness.received(this.#request, bytes)
  }

  end(answer: InterceptedAnswer<AnyApi>, bytes: number): void {
    const request = this.#request
    if (request === undefined) return
    this.#request = undefined
    request.outcome = answer === disconnect ? 'disconnected' : answer === undefined ? 'unanswered' : 'answered'
    request.answer = answer === disconnect ? undefined : answer
    request.answeredAt = this.#life.now()
    this.#witness?.ended(request, bytes)
  }
}
