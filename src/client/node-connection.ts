import { apiVersions } from '../apis/api-versions.ts'
import type { Address, Channel } from '../network/channel.ts'
import { addressText, ConnectionError } from '../network/channel.ts'
import { Connection, type Outcome, type Traffic } from '../network/connection.ts'
import type { Deferred, Timer } from '../runtime/runtime.ts'
import type { AnyApi, RequestInput, ResponseOf } from '../wire/api.ts'
import { errorCodes, KafkaError } from '../wire/errors.ts'
import type { Versions } from '../wire/message.ts'
import type { SaslAuthentication, SaslChannel } from './authentication/sasl-authentication.ts'
import { SaslSession } from './authentication/sasl-session.ts'
import { Backoff } from './backoff.ts'
import type { ClientEnvironment } from './environment.ts'
import { waitsWhenThrottled } from './throttling.ts'

/** How our clients introduce themselves (KIP-511). */
export const SOFTWARE_NAME = 'mini-kafka'
export const SOFTWARE_VERSION = '0.1.0'

export interface ConnectionSettings {
  readonly clientId: string
  readonly requestTimeoutMs: number
  readonly reconnectBackoffMs: number
  readonly reconnectBackoffMaxMs: number
  readonly setupTimeoutMs: number
  readonly setupTimeoutMaxMs: number
  /** `connections.max.idle.ms`; negative: no connection is too idle. */
  readonly maxIdleMs: number
  /** Who this client says that it is (SASL); undefined: nobody asks. */
  readonly authentication: SaslAuthentication | undefined
}

/** Told of a connection's coming and going, and of what passes over it. */
export interface ConnectionTraffic extends Traffic {
  opened(): void
  closed(): void
}

/**
 * The connection to one node for one purpose, made when first needed and made again after it was lost, with a growing
 * pause between attempts. Before anything else it asks for the node's API versions (KIP-511). One that carried nothing for
 * `connections.max.idle.ms` is closed, unless an answer is still awaited; it is made again when it is needed (Kafka's
 * Selector closes the least recently used one at a time, whatever is awaited on it).
 */
export class NodeConnection {
  readonly nodeId: number
  readonly address: Address
  readonly #environment: ClientEnvironment
  readonly #settings: ConnectionSettings
  readonly #backoff: Backoff
  readonly #setupTimeout: Backoff
  readonly #changed: (node: NodeConnection, lost: Error | undefined) => void
  readonly #traffic: ConnectionTraffic | undefined
  #connection: Connection | undefined
  #features: ReadonlyMap<string, number> = new Map()
  #versions: ReadonlyMap<number, Versions> | undefined
  #attempt = 0
  #connecting = false
  /** The last attempt found nobody there. */
  #wasInVain = false
  #failure: Error | undefined
  #failures = 0
  #retryAt = 0
  #throttledUntil = 0
  #ready: Deferred<void> | undefined
  #setupTimer: Timer | undefined
  #session: SaslSession | undefined
  #idleTimer: Timer | undefined
  /** When something was last sent or received. */
  #usedAt = 0
  #closed: Error | undefined

  /** `changed` is told when the connection became usable, and when it was lost or not reached. */
  constructor(
    nodeId: number,
    address: Address,
    environment: ClientEnvironment,
    settings: ConnectionSettings,
    changed: (node: NodeConnection, lost: Error | undefined) => void,
    traffic?: ConnectionTraffic,
  ) {
    this.nodeId = nodeId
    this.address = address
    this.#environment = environment
    this.#settings = settings
    this.#changed = changed
    this.#traffic = traffic
    const { runtime } = environment
    const { reconnectBackoffMs, reconnectBackoffMaxMs, setupTimeoutMs, setupTimeoutMaxMs } = settings
    this.#backoff = new Backoff(runtime, 'client.reconnect', reconnectBackoffMs, reconnectBackoffMaxMs)
    this.#setupTimeout = new Backoff(runtime, 'client.setup-timeout', setupTimeoutMs, setupTimeoutMaxMs)
  }

  /** Requests may be sent now: to a broker that does not read what it was sent, as by SIGSTOP, no more is sent. */
  get isReady(): boolean {
    if (this.#versions === undefined || this.#connection?.isFull !== false) return false
    return this.#throttledUntil <= this.#environment.runtime.now()
  }

  get isConnecting(): boolean {
    return this.#connecting
  }

  /** Neither connected nor allowed to try again yet. */
  get isBackingOff(): boolean {
    return !this.#connecting && this.#connection === undefined && this.#retryAt > this.#environment.runtime.now()
  }

  /** Backing off because nobody was found there, not because a connection was lost. */
  get isUnreachable(): boolean {
    return this.#wasInVain && this.isBackingOff
  }

  /** When requests may be sent again, as its broker wishes; in the past where it wishes nothing. */
  get throttledUntil(): number {
    return this.#throttledUntil
  }

  /** When the next attempt is allowed. */
  get retryAt(): number {
    return this.#retryAt
  }

  get inFlight(): number {
    return this.#connection?.inFlight ?? 0
  }

  waiting(): string[] {
    if (this.#connecting) return [`a connection to ${addressText(this.address)}`]
    const throttledMs = this.#throttledUntil - this.#environment.runtime.now()
    const waiting = this.#connection?.waiting() ?? []
    if (throttledMs <= 0) return waiting
    return [...waiting, `${addressText(this.address)}, which throttles it for another ${throttledMs} ms`]
  }

  /** Begins to connect, unless it is connected, on the way, or has to wait before it tries again. */
  connect(): void {
    if (this.#closed !== undefined || this.#connecting || this.#connection !== undefined || this.isBackingOff) return
    const { runtime, carrier, clientName } = this.#environment
    const attempt = ++this.#attempt
    this.#connecting = true
    const timeoutMs = this.#setupTimeout.delay(this.#failures + 1)
    const where = addressText(this.address)
    this.#setupTimer = runtime.after(
      timeoutMs,
      () => this.#lose(attempt, new ConnectionError(`no connection to ${where} within ${timeoutMs} ms`)),
      { housekeeping: true },
    )
    carrier.connect(clientName, this.address).then(
      channel => this.#opened(attempt, channel),
      error => this.#lose(attempt, error as Error),
    )
  }

  /** Resolves once requests may be sent; rejects when this attempt fails. */
  ready(): Promise<void> {
    const { runtime } = this.#environment
    const throttledMs = this.#throttledUntil - runtime.now()
    if (this.#versions !== undefined && throttledMs > 0) return runtime.sleep(throttledMs).then(() => this.ready())
    if (this.#versions !== undefined || this.#closed !== undefined) {
      // Through the runtime, so that virtual time waits for whoever goes on at once.
      const now = runtime.deferred()
      if (this.#closed === undefined) now.resolve()
      else now.reject(this.#closed)
      return now.promise
    }
    this.#ready ??= runtime.deferred()
    const { promise } = this.#ready
    if (this.isBackingOff) runtime.after(this.#retryAt - runtime.now(), () => this.connect())
    else this.connect()
    return promise
  }

  /**
   * The highest version that both ends know, at most `max`.
   *
   * @throws {KafkaError} UNSUPPORTED_VERSION naming the API that the broker lacks.
   */
  /** Why the last attempt to connect was in vain; undefined: it was not. */
  get failure(): Error | undefined {
    return this.#failure
  }

  /** The level at which the cluster has finalized a feature, as the broker said last; 0: it has not. */
  finalizedLevel(name: string): number {
    return this.#features.get(name) ?? 0
  }

  versionOf(api: AnyApi, max = api.versions.max): number {
    return commonVersion(api, this.#versions, addressText(this.address), max)
  }

  send<A extends AnyApi>(api: A, version: number, body: RequestInput<A>, timeoutMs: number, outcome: Outcome<A>): void {
    this.#usedAt = this.#environment.runtime.now()
    const connection = this.#connection
    if (connection === undefined) {
      outcome.onLost(new ConnectionError(`no connection to ${addressText(this.address)}`))
      return
    }
    const held = this.#session?.holds(
      () => connection.send(api, version, body, timeoutMs, outcome),
      error => outcome.onLost(error),
    )
    if (held !== true) connection.send(api, version, body, timeoutMs, outcome)
  }

  /** For requests that are never answered. */
  sendOnly<A extends AnyApi>(api: A, version: number, body: RequestInput<A>): void {
    if (this.#connection === undefined) throw new ConnectionError(`no connection to ${addressText(this.address)}`)
    this.#usedAt = this.#environment.runtime.now()
    const connection = this.#connection
    const held = this.#session?.holds(
      () => connection.sendOnly(api, version, body),
      () => {},
    )
    if (held !== true) connection.sendOnly(api, version, body)
  }

  request<A extends AnyApi>(api: A, version: number, body: RequestInput<A>, timeoutMs: number): Promise<ResponseOf<A>> {
    if (this.#connection === undefined)
      return Promise.reject(new ConnectionError(`no connection to ${addressText(this.address)}`))
    const answered = this.#environment.runtime.deferred<ResponseOf<A>>()
    this.send(api, version, body, timeoutMs, {
      onResponse: response => answered.resolve(response),
      onLost: error => answered.reject(error),
    })
    return answered.promise
  }

  /** The broker asked for peace: nothing is sent for that long (C-37). */
  #throttle(ms: number): void {
    const { runtime } = this.#environment
    this.#throttledUntil = Math.max(this.#throttledUntil, runtime.now() + ms)
    runtime.after(ms, () => this.#changed(this, undefined))
  }

  /** Drops the connection, as if it were lost: it is made anew when it is needed. */
  disconnect(reason: string): void {
    if (this.#closed === undefined) this.#lose(this.#attempt, new ConnectionError(reason))
  }

  close(reason: Error): void {
    if (this.#closed !== undefined) return
    this.#closed = reason
    this.#connecting = false
    this.#drop(reason.message)
    this.#ready?.reject(reason)
    this.#ready = undefined
  }

  #opened(attempt: number, channel: Channel): void {
    if (attempt !== this.#attempt || !this.#connecting) {
      channel.close('nobody waits for it any more')
      return
    }
    const { runtime } = this.#environment
    this.#wasInVain = false
    this.#connection = new Connection(channel, {
      runtime,
      clientId: this.#settings.clientId,
      traffic: this.#traffic,
      onClose: error => this.#lose(attempt, error),
      onThrottle: (ms, api, version) => {
        if (waitsWhenThrottled(api.name, version)) this.#throttle(ms)
      },
      onDrain: () => this.#changed(this, undefined),
    })
    this.#traffic?.opened()
    this.#negotiate(attempt, apiVersions.versions.max)
  }

  #negotiate(attempt: number, version: number): void {
    const body = { clientSoftwareName: SOFTWARE_NAME, clientSoftwareVersion: SOFTWARE_VERSION }
    this.#connection?.send(apiVersions, version, body, this.#settings.requestTimeoutMs, {
      onResponse: response => {
        if (attempt !== this.#attempt) return
        if (response.errorCode === errorCodes.UNSUPPORTED_VERSION && version > 0) {
          const own = response.apiKeys.find(range => range.apiKey === apiVersions.key)
          this.#negotiate(attempt, Math.min(own?.maxVersion ?? 0, version - 1))
          return
        }
        if (response.errorCode !== 0) {
          this.#connection?.close(`ApiVersions was answered with ${KafkaError.of(response.errorCode).errorName}`)
          return
        }
        this.#features = new Map(response.finalizedFeatures.map(({ name, maxVersionLevel }) => [name, maxVersionLevel]))
        this.#negotiated(attempt, response.apiKeys)
      },
      onLost: () => {},
    })
  }

  #negotiated(attempt: number, ranges: readonly { apiKey: number; minVersion: number; maxVersion: number }[]): void {
    const versions = new Map(ranges.map(range => [range.apiKey, { min: range.minVersion, max: range.maxVersion }]))
    const { authentication, requestTimeoutMs } = this.#settings
    if (authentication === undefined) {
      this.#usable(versions)
      return
    }
    const connection = this.#connection!
    const where = addressText(this.address)
    const failed = (error: Error) => this.#lose(attempt, error)
    const ask: SaslChannel['ask'] = (api, version, body) =>
      connection.request(api, version ?? commonVersion(api, versions, where), body, requestTimeoutMs)
    const session = new SaslSession(authentication, { where, ask }, this.#environment.runtime, failed)
    session.begin().then(() => {
      if (attempt !== this.#attempt) return
      this.#session = session
      this.#usable(versions)
    }, failed)
  }

  #usable(versions: ReadonlyMap<number, Versions>): void {
    this.#versions = versions
    this.#setupTimer?.cancel()
    this.#connecting = false
    this.#failure = undefined
    this.#failures = 0
    this.#watchIdleness()
    this.#ready?.resolve()
    this.#ready = undefined
    this.#changed(this, undefined)
  }

  /** The connection is gone, or was never there. */
  #lose(attempt: number, error: Error): void {
    if (attempt !== this.#attempt || (!this.#connecting && this.#connection === undefined)) return
    this.#wasInVain = this.#connection === undefined
    // It was not usable yet.
    if (this.#connecting) this.#failure = error
    this.#connecting = false
    this.#drop(error.message)
    this.#failures++
    this.#retryAt = this.#environment.runtime.now() + this.#backoff.delay(this.#failures)
    this.#ready?.reject(error)
    this.#ready = undefined
    this.#changed(this, error)
  }

  /** Ends what there is; nothing that is under way for it counts any more. */
  #drop(reason: string): void {
    this.#attempt++
    this.#setupTimer?.cancel()
    this.#idleTimer?.cancel()
    this.#versions = undefined
    this.#session = undefined
    const connection = this.#connection
    this.#connection = undefined
    if (connection === undefined) return
    if (!connection.isClosed) connection.close(reason)
    this.#traffic?.closed()
  }

  #watchIdleness(): void {
    const { maxIdleMs } = this.#settings
    if (maxIdleMs < 0) return
    const { runtime } = this.#environment
    this.#usedAt = runtime.now()
    const look = (ms: number) => {
      this.#idleTimer = runtime.after(
        ms,
        () => {
          const left = this.#usedAt + maxIdleMs - runtime.now()
          if (this.inFlight > 0) look(maxIdleMs)
          else if (left > 0) look(left)
          else this.#drop('it was idle')
        },
        { idle: true },
      )
    }
    look(maxIdleMs)
  }
}

function commonVersion(
  api: AnyApi,
  versions: ReadonlyMap<number, Versions> | undefined,
  where: string,
  max = api.versions.max,
): number {
  const range = versions?.get(api.key)
  const highest = Math.min(range?.max ?? -1, api.versions.max, max)
  const lowest = Math.max(range?.min ?? 0, api.versions.min)
  if (highest >= lowest) return highest
  const has = range === undefined ? 'does not have it' : `has versions ${range.min} to ${range.max}`
  throw new KafkaError(
    'UNSUPPORTED_VERSION',
    `${api.name} is needed in a version of ${api.versions.min} to ${Math.min(max, api.versions.max)}, ` +
      `but the broker at ${where} ${has}`,
  )
}
