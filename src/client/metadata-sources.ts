import type { Runtime, Timer } from '../runtime/runtime.ts'
import type { Connections } from './connections.ts'
import type { ClientEnvironment } from './environment.ts'
import type { Recovery } from './metadata-settings.ts'
import type { NodeConnection } from './node-connection.ts'
import type { Node } from './topic-partition.ts'

/**
 * Whom a client asks what any broker can answer: the brokers that it knows, and the bootstrap servers before it knows any,
 * and again where those that it knows are gone, or take requests without answering them (C-82; KIP-899, KIP-1102).
 *
 * Bootstrap servers have ids of their own, from −1 down (C-81).
 */
export class MetadataSources {
  nodes: ReadonlyMap<number, Node> = new Map()
  readonly #runtime: Runtime
  readonly #environment: ClientEnvironment
  readonly #connections: Connections
  readonly #recovery: Recovery
  readonly #again: () => void
  /** Runs since the first attempt after the last answer: at its end the bootstrap servers are asked. */
  #patience: Timer | undefined
  /** Who is known is of no use. */
  #startsOver = false

  /** `again` is told that another attempt is due. */
  constructor(environment: ClientEnvironment, connections: Connections, recovery: Recovery, again: () => void) {
    this.#runtime = environment.runtime
    this.#environment = environment
    this.#connections = connections
    this.#recovery = recovery
    this.#again = again
  }

  /** The fewest requests in flight, the first by chance (C-83). Undefined: all that there are back off. */
  leastLoaded(): NodeConnection | undefined {
    const candidates = this.#candidates()
    if (candidates.length === 0) return undefined
    const start = this.#runtime.choose('client.least-loaded', candidates.length)
    let best: NodeConnection | undefined
    for (let i = 0; i < candidates.length; i++) {
      const node = candidates[(start + i) % candidates.length]!
      if (best === undefined || rank(node) < rank(best)) best = node
    }
    return best
  }

  /** When the first of them may be connected to again, in milliseconds since the epoch. */
  retryAt(): number {
    let at = Number.POSITIVE_INFINITY
    const all = this.#knowsAll ? this.#known() : [...this.#known(), ...this.#bootstrap()]
    for (const node of all) at = Math.min(at, node.retryAt)
    return at
  }

  /** Somebody is about to be asked for metadata. */
  attempted(): void {
    if (this.#patience !== undefined || this.nodes.size === 0 || this.#knowsAll) return
    const { triggerMs } = this.#recovery
    const giveUp = () => {
      this.#patience = undefined
      this.startOver(`no metadata for ${triggerMs} ms`)
    }
    this.#patience = this.#runtime.after(triggerMs, giveUp, { housekeeping: true })
  }

  /** Metadata has come. */
  answered(): void {
    this.#startsOver = false
    this.rest()
  }

  /** Asks the bootstrap servers next, until one has answered. */
  startOver(reason: string): void {
    if (this.#knowsAll) return
    this.#startsOver = true
    for (const node of this.#known()) node.disconnect(reason)
    this.#again()
  }

  /** No timer is left behind. */
  rest(): void {
    this.#patience?.cancel()
    this.#patience = undefined
  }

  /** With metadata.recovery.strategy=none the bootstrap servers are asked once. */
  get #knowsAll(): boolean {
    return this.nodes.size > 0 && this.#recovery.strategy === 'none'
  }

  /** Without those that back off. A broker that was lost a moment ago may be back: the bootstrap servers are for when it is not. */
  #candidates(): NodeConnection[] {
    const all = this.#startsOver ? [] : this.#known()
    const usable = (node: NodeConnection) => !node.isBackingOff
    if (this.#knowsAll || all.some(node => !node.isUnreachable)) return all.filter(usable)
    return this.#bootstrap().filter(usable)
  }

  #known(): NodeConnection[] {
    return [...this.nodes.values()].map(node => this.#connections.to(node.id, node, 'metadata'))
  }

  #bootstrap(): NodeConnection[] {
    return this.#environment.bootstrap.map((address, index) => this.#connections.to(-1 - index, address, 'metadata'))
  }
}

/** Connected ones first, by what is in flight; then those that would have to be connected. */
function rank(node: NodeConnection): number {
  if (node.isReady) return node.inFlight
  return node.isConnecting ? 1_000_000 : 2_000_000
}
