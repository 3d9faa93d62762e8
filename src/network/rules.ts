import type { FrameLabel } from './channel.ts'

/** What is about to travel from one node to another. */
export interface Passage {
  /** Names of the nodes: `broker-1`, `controller`, a client's name. */
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

/** A fault on the network is a function; the first verdict that is not `pass` wins. */
export type Rule = (passage: Passage) => Verdict

export interface InstalledRule {
  readonly name: string
  /** How often the rule gave a verdict other than `pass`. */
  readonly hits: number
  /** Lifts the rule; what only it held travels on. */
  dispose(): void
  [Symbol.dispose](): void
}

/** The rules in force, in the order of their installation. */
export class Rules {
  #rules: { name: string; rule: Rule; hits: number }[] = []
  readonly #changed: () => void
  readonly #fired: (name: string, passage: Passage, verdict: Verdict) => void

  constructor(changed: () => void, fired: (name: string, passage: Passage, verdict: Verdict) => void) {
    this.#changed = changed
    this.#fired = fired
  }

  get size(): number {
    return this.#rules.length
  }

  install(name: string, rule: Rule): InstalledRule {
    const entry = { name, rule, hits: 0 }
    this.#rules = [...this.#rules, entry]
    this.#changed()
    const dispose = () => {
      if (!this.#rules.includes(entry)) return
      this.#rules = this.#rules.filter(other => other !== entry)
      this.#changed()
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
    this.#rules = []
    this.#changed()
  }

  judge(passage: Passage): Verdict {
    for (const entry of this.#rules) {
      const verdict = entry.rule(passage)
      if (verdict === 'pass') continue
      entry.hits++
      this.#fired(entry.name, passage, verdict)
      return verdict
    }
    return 'pass'
  }
}

/** Whether a passage goes between the two, in either direction. */
export function isBetween(passage: Passage, a: string, b: string): boolean {
  return (passage.from === a && passage.to === b) || (passage.from === b && passage.to === a)
}
