import { brokerHeartbeat } from '../apis/broker-heartbeat.ts'
import { brokerRegistration } from '../apis/broker-registration.ts'
import { supportedFeatures } from '../metadata/features.ts'
import type { Endpoint } from '../metadata/image.ts'
import type { Life } from '../node/life.ts'
import type { PeerLink } from '../node/peer-link.ts'
import type { ResponseOf } from '../wire/api.ts'
import { errorCodes, errorOf } from '../wire/errors.ts'

export interface BrokerLifecycleOptions {
  readonly life: Life
  readonly link: PeerLink
  readonly brokerId: number
  readonly name: string
  readonly clusterId: string
  readonly incarnationId: string
  readonly rack: string | null
  readonly endpoints: readonly Endpoint[]
  /** Of the life before, if it ended cleanly; −1 otherwise. */
  readonly previousBrokerEpoch: number
  readonly heartbeatIntervalMs: number
  readonly sessionTimeoutMs: number
  /** How far this broker has read the metadata log. */
  readonly metadataOffset: () => number
  readonly registered: (brokerEpoch: number) => void
  readonly unfenced: () => void
}

/**
 * How a broker lives with its controller (R-50…R-55; Kafka's BrokerLifecycleManager): it registers, heartbeats until it is
 * let in and ever after, and asks before it leaves.
 */
export class BrokerLifecycle {
  readonly #options: BrokerLifecycleOptions
  #brokerEpoch = -1
  #isFenced = true
  #inFlight = false
  /** The metadata offset that the last heartbeat told. */
  #told = -1
  #wantsShutdown: (() => void) | undefined
  #timer: { cancel(): void } | undefined

  constructor(options: BrokerLifecycleOptions) {
    this.#options = options
  }

  get brokerEpoch(): number {
    return this.#brokerEpoch
  }

  get isFenced(): boolean {
    return this.#isFenced
  }

  start(): void {
    this.#register()
  }

  /** Controlled shutdown: `done` is called when the controller lets the broker go. */
  shutDown(done: () => void): void {
    this.#wantsShutdown = done
    this.#heartbeatNow()
  }

  /** The metadata log was read further: while fenced, the controller waits for that. */
  metadataMoved(): void {
    if (this.#isFenced && this.#brokerEpoch >= 0) this.#heartbeatNow()
  }

  #register(): void {
    const { link, brokerId, clusterId, incarnationId, endpoints, rack, previousBrokerEpoch } = this.#options
    link.send(
      brokerRegistration,
      {
        brokerId,
        clusterId,
        incarnationId,
        listeners: [...endpoints],
        features: supportedFeatures,
        rack,
        logDirs: [],
        previousBrokerEpoch,
      },
      this.#options.sessionTimeoutMs,
      {
        onResponse: response => this.#registered(response),
        onLost: () => this.#again(() => this.#register()),
      },
    )
  }

  #registered(response: ResponseOf<typeof brokerRegistration>): void {
    if (response.errorCode !== errorCodes.NONE) {
      // The session of the life before is still open, say: try again until it is over.
      this.#again(() => this.#register())
      return
    }
    this.#brokerEpoch = response.brokerEpoch
    this.#options.registered(response.brokerEpoch)
    this.#heartbeatNow()
  }

  #again(run: () => void): void {
    this.#options.life.after(this.#options.heartbeatIntervalMs, run, { housekeeping: true })
  }

  #heartbeatNow(): void {
    if (this.#brokerEpoch < 0 || this.#inFlight) return
    this.#timer?.cancel()
    this.#heartbeat()
  }

  #heartbeat(): void {
    const { link, brokerId, sessionTimeoutMs, metadataOffset } = this.#options
    this.#timer = undefined
    this.#inFlight = true
    this.#told = metadataOffset()
    link.send(
      brokerHeartbeat,
      {
        brokerId,
        brokerEpoch: this.#brokerEpoch,
        currentMetadataOffset: this.#told,
        wantFence: false,
        wantShutDown: this.#wantsShutdown !== undefined,
      },
      sessionTimeoutMs,
      {
        onResponse: response => this.#answered(response),
        onLost: () => this.#scheduleNext(),
      },
    )
  }

  #answered(response: ResponseOf<typeof brokerHeartbeat>): void {
    const { life, name, unfenced } = this.#options
    if (response.errorCode !== errorCodes.NONE) {
      life.trace.add('node', name, { what: 'heartbeat refused', error: errorOf(response.errorCode).name })
      this.#scheduleNext()
      return
    }
    const wasFenced = this.#isFenced
    this.#isFenced = response.isFenced
    const done = this.#wantsShutdown
    if (done !== undefined && response.shouldShutDown) {
      this.#wantsShutdown = undefined
      this.#inFlight = false
      done()
      return
    }
    if (response.isFenced && this.#options.metadataOffset() > this.#told) {
      // It was read further meanwhile, which may be all that the controller waits for.
      this.#heartbeat()
      return
    }
    this.#scheduleNext()
    if (wasFenced && !response.isFenced) unfenced()
  }

  #scheduleNext(): void {
    const { life, heartbeatIntervalMs } = this.#options
    this.#inFlight = false
    this.#timer = life.after(heartbeatIntervalMs, () => this.#heartbeat(), { idle: true })
  }
}
