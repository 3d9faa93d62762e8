import { IllegalStateError } from '../../wire/errors.ts'
import type { ClientEnvironment } from '../environment.ts'
import { type ConsumerCloseOptions, checkCloseOptions } from './consumer-arguments.ts'
import { type ConsumerParts, endParts } from './consumer-parts.ts'

/**
 * The end of a consumer, which comes once: whoever closes it again waits for that. Except those whom it tells (the rebalance
 * listener, callbacks of commits): they are answered at once, or each would wait for the other. In Kafka's client a nested
 * close finds it closed, too.
 */
export class ConsumerClosing {
  readonly #environment: ClientEnvironment
  readonly #parts: ConsumerParts<unknown, unknown>
  readonly #ended: () => void
  #promise: Promise<void> | undefined
  #isOver = false

  /** `ended` is told when nothing can be called any more. */
  constructor(environment: ClientEnvironment, parts: ConsumerParts<unknown, unknown>, ended: () => void) {
    this.#environment = environment
    this.#parts = parts
    this.#ended = ended
  }

  get hasBegun(): boolean {
    return this.#promise !== undefined
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** A second call with a timeout of 0 ends the patience of the first. @throws {ClientError} if the listener threw */
  async close(options: ConsumerCloseOptions): Promise<void> {
    const checked = checkCloseOptions(options)
    const { group } = this.#parts
    if (this.#promise !== undefined) {
      if (checked.timeoutMs === 0) group?.hurry()
      else if (group?.isCalling) return
      return this.#promise.catch(() => {})
    }
    this.#promise = this.#close(checked)
    return this.#promise
  }

  async #close({ timeoutMs, groupMembership }: Required<ConsumerCloseOptions>): Promise<void> {
    const { runtime, clientName, closed } = this.#environment
    const { group, rounds, subscription } = this.#parts
    rounds.changed()
    try {
      if (group !== undefined && !subscription.isIdle) {
        const leave = () => group.close(groupMembership, timeoutMs)
        await runtime.drive(`close of ${clientName}`, leave, { patient: true })
      }
    } finally {
      this.#isOver = true
      this.#ended()
      endParts(this.#parts, new IllegalStateError(`${clientName} is closed`))
      await closed?.()
    }
  }
}
