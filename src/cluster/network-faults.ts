import { isMeantBy } from '../network/external-name.ts'
import type { LinkNetwork } from '../network/link.ts'
import { type InstalledRule, isBetween, isFromTo, type Passage, type Rule } from '../network/rules.ts'
import type { AnyApi } from '../wire/api.ts'
import { ConfigError } from '../wire/errors.ts'
import { apiNamed } from './api-name.ts'
import type { FaultOptions, Faults } from './faults.ts'
import { refuseUnknown } from './options.ts'
import { brokerIdOf, brokerName, CONTROLLER_ID, CONTROLLER_NAME } from './plant.ts'

/**
 * A node or a client: its handle, its id (1000 is the controller), or its name. A client of another process, that came in
 * by a socket, answers to its client id, to the address of its end (`'127.0.0.1:51234'`), and `'external'` means all such.
 */
export type NodeReference = number | string | { readonly name: string }

/** A rule with a name that the trace can say. */
export interface NamedRule {
  readonly name: string
  /** Names of the nodes that it is about: a broker that is not there is refused. */
  readonly nodes?: readonly string[]
  readonly judge: Rule
}

/** Which passages a rule is about; what is left out does not matter. */
export interface PassageFilter {
  readonly from?: NodeReference
  readonly to?: NodeReference
  /** Both directions between the two. */
  readonly between?: readonly [NodeReference, NodeReference]
  /** One of the exported APIs, or its name. */
  readonly api?: AnyApi | string
  readonly kind?: 'request' | 'response'
  /** Only so many, then the rule passes everything. */
  readonly times?: number
}

export function nameOf(node: NodeReference): string {
  if (typeof node === 'string') return node
  if (typeof node === 'number') return node === CONTROLLER_ID ? CONTROLLER_NAME : brokerName(node)
  return node.name
}

/** Nothing travels between the two: frames, connections and their ends are held until the rule is lifted. */
export function cut(a: NodeReference, b: NodeReference, options: { readonly oneWay?: boolean } = {}): NamedRule {
  const from = nameOf(a)
  const to = nameOf(b)
  refuseUnknown('option of cut', options, ['oneWay'])
  if (from === to) throw new ConfigError(`cut() takes two nodes, not ${from} twice; isolate() cuts one off from all`)
  const { oneWay = false } = options
  return {
    name: oneWay ? `cut ${from} → ${to}` : `cut ${from} – ${to}`,
    nodes: [from, to],
    judge: passage => {
      const concerned = oneWay ? isFromTo(passage, from, to) : isBetween(passage, from, to)
      return concerned ? 'hold' : 'pass'
    },
  }
}

/** Cut from everybody: brokers, controller and clients; `from` names those it is cut from instead. */
export function isolate(node: NodeReference, options: { readonly from?: readonly NodeReference[] } = {}): NamedRule {
  const name = nameOf(node)
  refuseUnknown('option of isolate', options, ['from'])
  const others = options.from?.map(nameOf)
  const concerns = (other: string) => others === undefined || others.some(each => isMeantBy(other, each))
  return {
    name: others === undefined ? `isolate ${name}` : `isolate ${name} from ${others.join(', ')}`,
    nodes: [name, ...(others ?? [])],
    judge: ({ from, to }) => {
      const concerned = (isMeantBy(from, name) && concerns(to)) || (isMeantBy(to, name) && concerns(from))
      return concerned ? 'hold' : 'pass'
    },
  }
}

/** Later by `ms` milliseconds; what follows on the same connection stays behind. */
export function delay(ms: number, filter: PassageFilter = {}): NamedRule {
  if (!(ms >= 0)) throw new RangeError(`a delay takes milliseconds, 0 or more, not ${ms}`)
  const matches = matcher(filter)
  return {
    name: nameWith(`delay ${ms} ms`, filter),
    nodes: nodesOf(filter),
    judge: passage => (matches(passage) ? { afterMs: ms } : 'pass'),
  }
}

/** Kept back, with everything behind it on the same connection, until the rule is lifted. */
export function hold(filter: PassageFilter = {}): NamedRule {
  const matches = matcher(filter)
  return {
    name: nameWith('hold', filter),
    nodes: nodesOf(filter),
    judge: passage => (matches(passage) ? 'hold' : 'pass'),
  }
}

/** The connection breaks at the frame; both ends learn of it. */
export function reset(filter: PassageFilter = {}): NamedRule {
  const matches = matcher(filter)
  const judge: Rule = passage => (passage.what === 'frame' && matches(passage) ? 'reset' : 'pass')
  return { name: nameWith('reset', filter), nodes: nodesOf(filter), judge }
}

function nodesOf({ from, to, between }: PassageFilter): string[] {
  return [from, to, ...(between ?? [])].flatMap(node => (node === undefined ? [] : [nameOf(node)]))
}

/** `hold Fetch request broker-2 → broker-1`. */
function nameWith(what: string, { from, to, between, api, kind }: PassageFilter): string {
  const way = between?.map(nameOf).join(' – ')
  const ends = [from === undefined ? '' : `${nameOf(from)} →`, to === undefined ? '' : `→ ${nameOf(to)}`].join(' ')
  const parts = [what, api === undefined ? undefined : apiNamed(api).name, kind, way, ends.trim().replace('→ →', '→')]
  return parts.filter(part => part !== undefined && part !== '').join(' ')
}

function matcher(filter: PassageFilter): (passage: Passage) => boolean {
  refuseUnknown('part of a filter', filter, ['from', 'to', 'between', 'api', 'kind', 'times'])
  const { kind, times = Number.POSITIVE_INFINITY } = filter
  const api = filter.api === undefined ? undefined : apiNamed(filter.api).name
  const from = filter.from === undefined ? undefined : nameOf(filter.from)
  const to = filter.to === undefined ? undefined : nameOf(filter.to)
  const between = filter.between?.map(nameOf)
  let left = times
  return passage => {
    if (from !== undefined && !isMeantBy(passage.from, from)) return false
    if (to !== undefined && !isMeantBy(passage.to, to)) return false
    if (between !== undefined && !isBetween(passage, between[0]!, between[1]!)) return false
    if (api !== undefined && passage.label?.api !== api) return false
    if (kind !== undefined && passage.label?.kind !== kind) return false
    return left-- > 0
  }
}

/** The network of a cluster as a test holds it. */
export class NetworkFaults {
  readonly #network: LinkNetwork
  readonly #brokerIds: readonly number[]
  readonly #faults: Faults

  constructor(network: LinkNetwork, brokerIds: readonly number[], faults: Faults) {
    this.#network = network
    this.#brokerIds = brokerIds
    this.#faults = faults
  }

  /**
   * Installs a rule, one of ours or any function of a passage; lifted by `dispose()`, `using`, or `cluster.heal()`.
   *
   * @throws {RangeError} for a broker that is not there.
   */
  rule(rule: NamedRule | Rule, options: FaultOptions = {}): InstalledRule {
    refuseUnknown('option of network.rule', options, ['optional'])
    const named: NamedRule = typeof rule === 'function' ? { name: rule.name || 'a rule', judge: rule } : rule
    if (typeof named?.judge !== 'function') {
      throw new ConfigError('network.rule() takes a rule such as cut(a, b), or a function of a passage')
    }
    for (const node of named.nodes ?? []) this.#check(node)
    const installed = this.#network.rules.install(named.name, named.judge)
    this.#faults.rule(installed, options)
    return installed
  }

  #check(node: string): void {
    const id = brokerIdOf(node)
    if (id === undefined || this.#brokerIds.includes(id)) return
    throw new RangeError(`there is no ${node}; there are brokers ${this.#brokerIds.join(', ')}`)
  }
}
