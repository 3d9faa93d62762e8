import type { Producer } from '../client/clients.ts'
import type { ProducerRecord } from '../client/producer/producer-record.ts'
import { partitionText } from '../client/topic-partition.ts'
import { deferred } from '../runtime/deferred.ts'
import type { Deferred } from '../runtime/runtime.ts'
import type { Terminal } from './terminal.ts'

/** As many records as are on their way before the next line is read. */
const MOST_PENDING = 10_000
/** ` (orders-0, after 2 attempts)` */
const PLACE = / \([^()]+, after \d+ attempts?\)$/

/** Records on their way, and what came of them. */
export class Sending {
  readonly #terminal: Terminal
  readonly #producer: Producer
  readonly #name: string
  readonly #verbose: boolean
  /** Why records failed: each reason is told once. */
  readonly #reasons = new Set<string>()
  #total = 0
  #failed = 0
  #pending = 0
  #room: Deferred<void> | undefined

  constructor(terminal: Terminal, producer: Producer, options: { readonly name: string; readonly verbose: boolean }) {
    this.#terminal = terminal
    this.#producer = producer
    this.#name = options.name
    this.#verbose = options.verbose
  }

  /** Resolves when there is room for the next one, not when it was acknowledged. */
  async send(record: ProducerRecord): Promise<void> {
    this.#total++
    this.#pending++
    this.#producer.send(record).then(
      metadata => {
        this.#settled()
        if (!this.#verbose) return
        // acks=0: nobody says at which offset.
        const at = metadata.offset < 0 ? '' : `@${metadata.offset}`
        void this.#terminal.output.write(`${partitionText(metadata)}${at}\n`)
      },
      (error: Error) => {
        this.#settled()
        this.#fail(error.message)
      },
    )
    if (this.#pending < MOST_PENDING) return
    this.#room ??= deferred()
    await this.#room.promise
  }

  /** Counts a record that is not even sent. */
  refuse(reason: string): void {
    this.#total++
    this.#fail(reason)
  }

  /** The exit code, and a line about the records that failed. */
  conclude(): number {
    if (this.#failed === 0) return 0
    this.#terminal.say(`${this.#name}: ${this.#failed} of ${this.#total} records failed`)
    return 1
  }

  #settled(): void {
    this.#pending--
    if (this.#pending >= MOST_PENDING) return
    this.#room?.resolve()
    this.#room = undefined
  }

  #fail(reason: string): void {
    this.#failed++
    // Where and after how many attempts makes no other reason of it.
    const key = reason.replace(PLACE, '')
    if (this.#reasons.has(key)) return
    this.#reasons.add(key)
    this.#terminal.say(`${this.#name}: ${reason.replaceAll(/\s+/g, ' ')}`)
  }
}
