/** What happened, in order: one line for each event. */
export type TraceKind =
  | 'request'
  | 'response'
  | 'append'
  | 'high-watermark'
  | 'truncate'
  | 'leader'
  | 'follower'
  | 'isr-change'
  | 'coordinator'
  | 'group'
  | 'election'
  | 'registered'
  | 'fenced'
  | 'unfenced'
  | 'topic'
  | 'config'
  | 'reassignment'
  | 'metadata'
  | 'retention'
  | 'compaction'
  | 'node'
  | 'fault'
  | 'connection'
  | 'client'
  | 'bug'

export type TraceValue = string | number | boolean | null | undefined | readonly number[]
export type TraceFields = Readonly<Record<string, TraceValue>>

export interface TraceEvent {
  /** Counts from 1; never reused, also when the ring has forgotten the first ones. */
  readonly number: number
  /** Milliseconds since the start of the cluster. */
  readonly at: number
  readonly kind: TraceKind
  /** Whose event it is: `broker-1`, `controller`, `producer-1`, `network`. */
  readonly who: string
  readonly fields: TraceFields
}

/** Every event, typed once and read by many: the log, the diagram, the invariants, the tests. */
export class Trace {
  readonly limit: number
  readonly #now: () => number
  readonly #startedAt: number
  #ring: TraceEvent[] = []
  #count = 0
  #listeners: ((event: TraceEvent) => void)[] = []

  /** `limit`: how many events are kept, the newest; 0 keeps none. */
  constructor(now: () => number, limit = 10_000) {
    this.#now = now
    this.#startedAt = now()
    this.limit = limit
  }

  add(kind: TraceKind, who: string, fields: TraceFields): void {
    this.#count++
    if (this.limit === 0 && this.#listeners.length === 0) return
    const event = { number: this.#count, at: this.#now() - this.#startedAt, kind, who, fields }
    if (this.limit > 0) {
      if (this.#ring.length < this.limit) this.#ring.push(event)
      else this.#ring[(event.number - 1) % this.limit] = event
    }
    for (const listener of this.#listeners) listener(event)
  }

  /** Sees every later event, at once, while it happens. The answer ends it. */
  listen(listener: (event: TraceEvent) => void): () => void {
    this.#listeners = [...this.#listeners, listener]
    return () => {
      this.#listeners = this.#listeners.filter(other => other !== listener)
    }
  }

  /** How many there ever were. */
  get count(): number {
    return this.#count
  }

  /** The events that are still kept, oldest first. */
  events(): TraceEvent[] {
    if (this.#count <= this.limit) return this.#ring.slice()
    const cut = this.#count % this.limit
    return [...this.#ring.slice(cut), ...this.#ring.slice(0, cut)]
  }

  /** One line for each event. */
  text(): string {
    return this.events().map(lineOf).join('\n')
  }

  /** One JSON object a line. */
  json(): string {
    return this.events()
      .map(event => JSON.stringify(event))
      .join('\n')
  }

  /** Requests, responses and what moved in between, as a Mermaid sequence diagram. */
  diagram(select: (event: TraceEvent) => boolean = () => true): string {
    const lines = ['sequenceDiagram']
    for (const event of this.events().filter(select)) {
      const { to, from, api, ...rest } = event.fields
      const name = (who: TraceValue) => String(who).replace(/[^A-Za-z0-9_]/g, '_')
      const text = clean(`${api ?? event.kind} ${fieldsOf(rest)}`)
      if (event.kind === 'request' && to !== undefined) lines.push(`  ${name(event.who)}->>${name(to)}: ${text}`)
      else if (event.kind === 'response' && to !== undefined) lines.push(`  ${name(event.who)}-->>${name(to)}: ${text}`)
      else lines.push(`  Note over ${name(event.who)}: ${text}`)
    }
    return lines.join('\n')
  }
}

/** `   412 ms  broker-1     append          orders-0 base=0 last=4`. */
export function lineOf(event: TraceEvent): string {
  const at = `${event.at}`.padStart(7)
  return `${at} ms  ${event.who.padEnd(12)} ${event.kind.padEnd(14)} ${fieldsOf(event.fields)}`.trimEnd()
}

function fieldsOf(fields: TraceFields): string {
  const parts: string[] = []
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue
    const text = Array.isArray(value) ? `[${value.join(',')}]` : String(value)
    parts.push(name === 'what' ? text : `${name}=${text}`)
  }
  return parts.join(' ')
}

/** Mermaid takes `;` and line breaks for its own. */
function clean(text: string): string {
  return text.replace(/[;\n#]/g, ' ').trim()
}
