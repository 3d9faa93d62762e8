import type { Address } from '../network/channel.ts'
import { addressText } from '../network/channel.ts'
import { RequestTimeoutError } from '../network/connection.ts'
import type { AnyApi, RequestInput, ResponseOf } from '../wire/api.ts'
import { KafkaError } from '../wire/errors.ts'
import { authenticationOf, type SecurityConfigs } from './authentication/security.ts'
import type { ClientEnvironment } from './environment.ts'
import type { TrafficMetrics } from './metrics/traffic-metrics.ts'
import { type ConnectionSettings, NodeConnection } from './node-connection.ts'

/** What a connection is for: one request at a time is served on each (W-4), so a long poll gets one of its own. */
export type Purpose = 'metadata' | 'produce' | 'fetch' | 'control' | 'coordinator'

/** Configuration keys that every client has for its connections. */
export interface ConnectionConfigs extends SecurityConfigs {
  readonly 'client.id': string
  readonly 'request.timeout.ms': number
  readonly 'reconnect.backoff.ms': number
  readonly 'reconnect.backoff.max.ms': number
  readonly 'socket.connection.setup.timeout.ms': number
  readonly 'socket.connection.setup.timeout.max.ms': number
  readonly 'connections.max.idle.ms': number
}

/** All connections of one client: one for each node and purpose. */
export class Connections {
  readonly requestTimeoutMs: number
  readonly #environment: ClientEnvironment
  readonly #settings: ConnectionSettings
  readonly #byKey = new Map<string, NodeConnection>()
  readonly #traffic: TrafficMetrics | undefined
  readonly #listeners: ((node: NodeConnection, lost: Error | undefined) => void)[] = []
  #closed: Error | undefined

  /** `traffic` counts what passes over them. */
  constructor(environment: ClientEnvironment, configs: ConnectionConfigs, traffic?: TrafficMetrics) {
    this.#environment = environment
    this.#traffic = traffic
    this.requestTimeoutMs = configs['request.timeout.ms']
    this.#settings = {
      clientId: configs['client.id'],
      requestTimeoutMs: this.requestTimeoutMs,
      reconnectBackoffMs: configs['reconnect.backoff.ms'],
      reconnectBackoffMaxMs: configs['reconnect.backoff.max.ms'],
      setupTimeoutMs: configs['socket.connection.setup.timeout.ms'],
      setupTimeoutMaxMs: configs['socket.connection.setup.timeout.max.ms'],
      maxIdleMs: configs['connections.max.idle.ms'],
      authentication: authenticationOf(configs, environment),
    }
  }

  /** Told of every connection that became usable (`lost` undefined), was lost, or could not be made. */
  onChange(listener: (node: NodeConnection, lost: Error | undefined) => void): void {
    this.#listeners.push(listener)
  }

  /** The connection to a node; another one if the node has moved to another address. */
  to(nodeId: number, address: Address, purpose: Purpose): NodeConnection {
    const key = `${nodeId} ${purpose}`
    const known = this.#byKey.get(key)
    if (known !== undefined) {
      if (known.address.port === address.port && known.address.host === address.host) return known
      known.close(new Error(`node ${nodeId} has moved to ${addressText(address)}`))
    }
    const changed = (node: NodeConnection, lost: Error | undefined) => {
      for (const listener of this.#listeners) listener(node, lost)
    }
    const traffic = this.#traffic?.node(nodeId, purpose)
    const made = new NodeConnection(nodeId, address, this.#environment, this.#settings, changed, traffic)
    if (this.#closed !== undefined) made.close(this.#closed)
    this.#byKey.set(key, made)
    return made
  }

  /**
   * Connects if need be, sends in the highest common version, answers with the response. `body` may depend on the version.
   *
   * @throws {KafkaError} UNSUPPORTED_VERSION if the broker lacks the API, REQUEST_TIMED_OUT without an answer in time,
   * NETWORK_EXCEPTION if the connection could not be made or was lost: what was asked may have happened or not.
   */
  async request<A extends AnyApi>(
    node: NodeConnection,
    api: A,
    body: (version: number) => RequestInput<A>,
    options: { readonly timeoutMs?: number; readonly maxVersion?: number } = {},
  ): Promise<ResponseOf<A>> {
    try {
      await node.ready()
      const version = node.versionOf(api, options.maxVersion)
      return await node.request(api, version, body(version), options.timeoutMs ?? this.requestTimeoutMs)
    } catch (error) {
      throw this.#closed ?? networkError(error)
    }
  }

  /** What is being waited for, for errors. */
  waiting(): string[] {
    return [...this.#byKey.values()].flatMap(node => node.waiting())
  }

  /** Why a node could not be reached, if none can. */
  get failure(): Error | undefined {
    const failures = [...this.#byKey.values()].map(node => node.failure)
    return failures.includes(undefined) ? undefined : failures[0]
  }

  get inFlight(): number {
    let inFlight = 0
    for (const node of this.#byKey.values()) inFlight += node.inFlight
    return inFlight
  }

  close(reason: Error): void {
    this.#closed ??= reason
    for (const node of this.#byKey.values()) node.close(reason)
  }
}

/** How Kafka's clients call a lost connection or a missing answer (C-42). */
export function networkError(error: unknown): unknown {
  if (error instanceof KafkaError || !(error instanceof Error)) return error
  if (error instanceof RequestTimeoutError) return new KafkaError('REQUEST_TIMED_OUT', error.message)
  if (error.name === 'ConnectionError') return new KafkaError('NETWORK_EXCEPTION', error.message)
  return error
}
