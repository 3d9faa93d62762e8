import type { FrameLabel } from './channel.ts'
import { isMeantBy } from './external-name.ts'

/** What is about to travel from one node to another. */
export interface Passage {
  /** Names of the nodes: `broker-1`, `controller`, a client's name; of another process `checkout@127.0.0.1:51234`. */
  readonly from: string
  readonly to: string
  readonly what: 'connect' | 'frame' | 'close'
  /** Of a frame. */
  readonly label: FrameLabel | undefined
  readonly bytes: number
}

/**
 * - `pass`: as if there were no rule; the next rule is asked.
 * - `{ afterMs }`: delivered that much later; what follows on the same connection stays behind it.
 * - `hold`: kept, with everything behind it on the same connection, until no rule holds it any more.
 * - `reset`: the connection breaks, both ends learn of it.
 */
export type Verdict = 'pass' | 'hold' | 'reset' | { readonly afterMs: number }

/**
 * A fault on the network is a function; the first verdict that is not `pass` wins. It is asked once about a passage: what
 * it holds stays held until it is lifted, and is then put to the others.
 */
export type Rule = (passage: Passage) => Verdict

export interface InstalledRule {
  readonly name: string
  /** How many passages the rule gave a verdict other than `pass`. */
  readonly hits: number
  /** Lifts the rule; what only it held travels on. */
  dispose(): void
  [Symbol.dispose](): void
}

interface Entry {
  readonly name: string
  readonly rule: Rule
  hits: number
  lifted: boolean
}

/** Keeps something back for as long as the rule is in force. */
export interface Hold {
  readonly name: string
  readonly lifted: boolean
}

/** The rules in force, in the order of their installation. */
export class Rules {
  #rules: readonly Entry[] = []
  /** A rule was lifted. */
  readonly #lifted: () => void
  readonly #fired: (name: string, passage: Passage, verdict: Verdict) => void

  constructor(lifted: () => void, fired: (name: string, passage: Passage, verdict: Verdict) => void) {
    this.#lifted = lifted
    this.#fired = fired
  }

  get size(): number {
    return this.#rules.length
  }

  install(name: string, rule: Rule): InstalledRule {
    const entry: Entry = { name, rule, hits: 0, lifted: false }
    this.#rules = [...this.#rules, entry]
    const dispose = () => {
      if (entry.lifted) return
      entry.lifted = true
      this.#rules = this.#rules.filter(other => other !== entry)
      this.#lifted()
    }
    return {
      name,
      get hits() {
        return entry.hits
      },
      dispose,
      [Symbol.dispose]: dispose,
    }
  }

  clear(): void {
    if (this.#rules.length === 0) return
    for (const entry of this.#rules) entry.lifted = true
    this.#rules = []
    this.#lifted()
  }

  /** What becomes of a passage: a `hold` comes with what tells when it is over. */
  judge(passage: Passage): Exclude<Verdict, 'hold'> | Hold {
    for (const entry of this.#rules) {
      const verdict = entry.rule(passage)
      if (verdict === 'pass') continue
      entry.hits++
      this.#fired(entry.name, passage, verdict)
      if (verdict !== 'hold') return verdict
      // A rule that lifts itself while it judges holds nothing.
      if (!entry.lifted) return entry
    }
    return 'pass'
  }
}

export function isHold(verdict: Verdict | Hold): verdict is Hold {
  return typeof verdict === 'object' && 'lifted' in verdict
}

/** Whether a passage goes from the one to the other; who is meant by a name, `isMeantBy` says. */
export function isFromTo({ from, to }: Passage, a: string, b: string): boolean {
  return isMeantBy(from, a) && isMeantBy(to, b)
}

/** Whether a passage goes between the two, in either direction. */
export function isBetween(passage: Passage, a: string, b: string): boolean {
  return isFromTo(passage, a, b) || isFromTo(passage, b, a)
}
