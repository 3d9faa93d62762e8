/**
 * Appends to one stream, in order. Two groups of them are on their way at a time, and what comes meanwhile forms the next: so one
 * command that compares stands for many that append, and nobody waits who need not.
 *
 * When it is unknown what became of a group (its connection broke, its server failed over, it was sent twice), nothing more is
 * sent until that is known: the group is sent again, which is refused where it was there already, and then it is looked for. A
 * group that failed takes all behind it with it: nobody may stand behind a hole.
 */
import { nextTurn } from '../runtime/real.ts'
import type { Deferred, Runtime } from '../runtime/runtime.ts'
import { KafkaError } from '../wire/errors.ts'
import type { NewEntry, Slab } from './batch-entries.ts'
import { kafkaErrorOf, passes } from './failures.ts'
import { type AppendOutcome, fenced, refusedFor, type StreamLog, stale } from './stream-log.ts'

const GROUPS_AT_ONCE = 2
const GROUP_BYTES = 1 << 20
const GROUP_ENTRIES = 128
/** So few are not worth parting. */
const LEAST_ENTRIES = 4

interface Append {
  readonly expectedEnd: number
  readonly entry: NewEntry
  readonly done: Deferred<void>
}

export interface AppendQueueOptions {
  readonly log: StreamLog
  readonly token: string
  readonly runtime: Runtime
  readonly waitReplicas: number
  /** Where the log begins: up to there the stream may be missing. */
  readonly startOffset: () => number
  /** Again and again until it answers, or fails for good. */
  readonly persist: <T>(run: () => Promise<T>) => Promise<T>
  /** Where the entries' values come from: they go back there when they have been appended. */
  readonly slab: Slab | undefined
}

export class AppendQueue {
  readonly #options: AppendQueueOptions
  #waiting: Append[] = []
  /** Sent, and not answered well yet, in order. */
  #unsettled: Append[][] = []
  readonly #outcomes = new WeakMap<Append[], AppendOutcome>()
  readonly #failures = new WeakMap<Append[], unknown>()
  #inFlight = 0
  /** Entries of groups in flight. */
  #sent = 0
  #repairing = false
  #idle: Deferred<void> | undefined
  #isSending = false

  constructor(options: AppendQueueOptions) {
    this.#options = options
  }

  add(expectedEnd: number, entry: NewEntry): Promise<void> {
    const done = this.#options.runtime.deferred()
    this.#waiting.push({ expectedEnd, entry, done })
    this.#sendSoon()
    return done.promise
  }

  /** When nothing is on its way any more, well or not. */
  drained(): Promise<void> | undefined {
    if (this.#waiting.length === 0 && this.#unsettled.length === 0) return undefined
    this.#idle ??= this.#options.runtime.deferred()
    return this.#idle.promise
  }

  /** What is appended in one breath goes together: to send the first of many by itself would keep the others waiting. */
  #sendSoon(): void {
    // The mock answers by itself, and virtual time had better not wait.
    if (this.#options.slab === undefined) this.#send()
    else if (!this.#isSending && !this.#repairing && this.#inFlight < GROUPS_AT_ONCE) {
      this.#isSending = true
      // Not a timer: it goes on when the cluster's time has ended, until all is drained.
      nextTurn(this.#sendNow)
    }
  }

  readonly #sendNow = () => {
    this.#isSending = false
    this.#send()
  }

  #send(): void {
    while (!this.#repairing && this.#inFlight < GROUPS_AT_ONCE && this.#waiting.length > 0) {
      const group = this.#nextGroup()
      this.#unsettled.push(group)
      this.#sent += group.length
      this.#inFlight++
      this.#append(group).then(
        outcome => this.#answered(group, outcome),
        failure => this.#answered(group, undefined, failure),
      )
    }
    if (this.#unsettled.length > 0 || this.#waiting.length > 0) return
    this.#idle?.resolve()
    this.#idle = undefined
  }

  /** Neighbours that follow upon each other: half of all, so that the server has one group while we make the next. */
  #nextGroup(): Append[] {
    const waiting = this.#waiting
    let bytes = waiting[0]!.entry.value.length
    let count = 1
    const most = Math.max(LEAST_ENTRIES, Math.min(GROUP_ENTRIES, Math.ceil((waiting.length + this.#sent) / 2)))
    while (count < waiting.length && count < most) {
      const { expectedEnd, entry } = waiting[count]!
      bytes += entry.value.length
      if (bytes > GROUP_BYTES || expectedEnd !== waiting[count - 1]!.entry.id) break
      count++
    }
    if (count === waiting.length) {
      this.#waiting = []
      return waiting
    }
    return waiting.splice(0, count)
  }

  #append(group: readonly Append[]): Promise<AppendOutcome> {
    const { log, token, startOffset } = this.#options
    const { expectedEnd } = group[0]!
    const entries = group.map(({ entry }) => entry)
    return log.append(token, expectedEnd, entries, { isFirst: expectedEnd <= startOffset() })
  }

  #answered(group: Append[], outcome: AppendOutcome | undefined, failure?: unknown): void {
    this.#inFlight--
    this.#sent -= group.length
    if (outcome?.is === 'appended' && this.#unsettled[0] === group && !this.#repairing) {
      // After a failure the client may have its bytes still.
      for (const { entry } of group) this.#options.slab?.giveBack(entry.value)
      this.#settle(group)
    } else this.#repairing = true
    if (outcome !== undefined) this.#outcomes.set(group, outcome)
    else this.#failures.set(group, failure)
    if (this.#repairing && this.#inFlight === 0) void this.#repair()
    else if (!this.#isSending) this.#send()
  }

  #settle(group: Append[]): void {
    this.#unsettled.shift()
    for (const { done } of group) done.resolve()
  }

  async #repair(): Promise<void> {
    try {
      while (this.#unsettled.length > 0) {
        const group = this.#unsettled[0]!
        await this.#conclude(group)
        this.#settle(group)
      }
    } catch (error) {
      const failed = [...this.#unsettled.flat(), ...this.#waiting]
      this.#unsettled = []
      this.#waiting = []
      for (const { done } of failed) done.reject(error)
    }
    this.#repairing = false
    this.#send()
  }

  /** Resolves once the group is there. @throws {KafkaError} when it is not, and will not be */
  async #conclude(group: Append[]): Promise<void> {
    const failure = this.#failures.get(group)
    if (failure !== undefined && !passes(failure)) throw kafkaErrorOf(failure, `append to ${this.#stream}`)
    let outcome = this.#outcomes.get(group)
    // A group behind one that had to be sent again was refused for its sake.
    if (outcome === undefined || (outcome.is === 'stale' && outcome.endOffset < group[0]!.expectedEnd)) {
      outcome = await this.#options.persist(() => this.#append(group))
    }
    await this.#judge(group, outcome)
  }

  async #judge(group: readonly Append[], outcome: AppendOutcome): Promise<void> {
    const { log, token, waitReplicas, persist } = this.#options
    switch (outcome.is) {
      case 'appended':
        return
      case 'fenced':
        throw fenced(this.#stream)
      case 'damaged':
        // Of a transaction a part may have been added, and others behind it: all of that goes.
        await persist(() => log.truncateTo(token, group[0]!.expectedEnd))
        throw refusedFor(log.keys, 'DAMAGED', outcome.why)
      case 'too few replicas':
        throw this.#tooFew(outcome.replicas)
      case 'stale': {
        const { entry } = group.at(-1)!
        const [found] = outcome.endOffset < entry.id ? [] : await persist(() => log.range(entry.id, 1))
        if (!found?.[1][1]?.equals(entry.value)) throw stale(this.#stream, outcome.endOffset, group[0]!.expectedEnd)
        if (waitReplicas === 0) return
        const replicas = await persist(() => log.confirm(token))
        if (replicas < waitReplicas) throw this.#tooFew(replicas)
      }
    }
  }

  #tooFew(replicas: number): KafkaError {
    const { waitReplicas } = this.#options
    const what = `${replicas} Redis replicas have what was appended to ${this.#stream}, ${waitReplicas} were to have it`
    return new KafkaError('NOT_ENOUGH_REPLICAS_AFTER_APPEND', what)
  }

  get #stream(): string {
    return this.#options.log.keys.stream
  }
}
