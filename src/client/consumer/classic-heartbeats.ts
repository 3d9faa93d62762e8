import type { ConsumerConfigs } from '../../metadata/consumer-configs.ts'
import type { Runtime, Timer } from '../../runtime/runtime.ts'
import { KafkaError } from '../../wire/errors.ts'
import type { Coordinators } from '../coordinators.ts'
import type { NodeConnection } from '../node-connection.ts'
import type { ClassicExchange } from './classic-exchange.ts'
import type { GroupMetrics } from './group-metrics.ts'
import type { MemberIdentity } from './membership.ts'

export interface HeartbeatOptions {
  readonly runtime: Runtime
  readonly groupId: string
  readonly configs: ConsumerConfigs
  readonly coordinators: Coordinators
  readonly exchange: ClassicExchange
  readonly metrics: GroupMetrics
  readonly identity: () => MemberIdentity
  /** What the coordinator answered instead of NONE, to the member that it was then. */
  readonly refused: (error: KafkaError, sentAs: MemberIdentity) => void
}

/** Refusals that do not say that the coordinator is lost: it spoke. */
const heard: ReadonlySet<string> = new Set(['REBALANCE_IN_PROGRESS'])

/**
 * Every `heartbeat.interval.ms` a sign of life, whether or not the application polls (AbstractCoordinator's heartbeat
 * thread). Not while a join is under way: until it is answered, the coordinator does not expect any.
 */
export class ClassicHeartbeats {
  readonly #options: HeartbeatOptions
  #timer: Timer | undefined
  #isRunning = false
  /** A beat that is under way. */
  #beat: object | undefined
  #heardAt = 0
  /** The last beat was not answered, or refused. */
  #isUneasy = false
  #unlisten: () => void = () => {}

  constructor(options: HeartbeatOptions) {
    this.#options = options
  }

  /** From now on; the coordinator was heard of just now. */
  start(): void {
    const { runtime, metrics, configs } = this.#options
    if (!this.#isRunning) {
      this.#unlisten = runtime.onLeap(ms => {
        this.#heardAt += ms
        metrics.leapt(ms)
      })
    }
    this.#isRunning = true
    this.#heardAt = runtime.now()
    this.#schedule(configs['heartbeat.interval.ms'])
  }

  stop(): void {
    this.#isRunning = false
    this.#unlisten()
    this.#timer?.cancel()
    this.#timer = undefined
    this.#beat = undefined
  }

  #schedule(ms: number): void {
    this.#timer?.cancel()
    this.#timer = this.#options.runtime.after(ms, () => this.#due(), { idle: true })
  }

  #due(): void {
    const { runtime, configs, coordinators, groupId } = this.#options
    this.#schedule(configs['heartbeat.interval.ms'])
    if (runtime.now() - this.#heardAt > configs['session.timeout.ms']) {
      // Nothing was heard for the whole session: whether that one still is the coordinator, another broker knows better.
      this.#heardAt = runtime.now()
      const node = coordinators.known('group', groupId)
      if (node !== undefined) coordinators.connectionTo(node).disconnect('session timed out without a heartbeat')
      coordinators.forget('group', groupId)
      this.#beat = undefined
    }
    if (this.#beat === undefined) void this.#send()
  }

  async #send(): Promise<void> {
    const { runtime, coordinators, groupId, exchange, configs, metrics } = this.#options
    const beat = {}
    this.#beat = beat
    const sentAs = this.#options.identity()
    let node: NodeConnection | undefined
    try {
      const timeoutMs = configs['session.timeout.ms']
      node = await coordinators.find('group', groupId, { deadline: runtime.now() + timeoutMs, timeoutMs })
      if (this.#beat !== beat) return
      const sentAt = runtime.now()
      metrics.heartbeatSent()
      await exchange.heartbeat(node, sentAs).catch((error: unknown) => {
        if (isAnswer(error)) metrics.heartbeatAnswered(runtime.now() - sentAt)
        throw error
      })
      this.#heardAt = runtime.now()
      this.#isUneasy = false
      metrics.heartbeatAnswered(runtime.now() - sentAt)
    } catch (error) {
      if (this.#beat === beat && error instanceof KafkaError) this.#failed(error, sentAs, node)
    } finally {
      if (this.#beat === beat) this.#beat = undefined
    }
  }

  #failed(error: KafkaError, sentAs: MemberIdentity, node: NodeConnection | undefined): void {
    this.#isUneasy = true
    const { runtime, coordinators, groupId, configs } = this.#options
    if (heard.has(error.errorName)) this.#heardAt = runtime.now()
    if (error.retriable || error.errorName === 'NOT_COORDINATOR') {
      if (node !== undefined) coordinators.forget('group', groupId, { id: node.nodeId })
      this.#schedule(configs['retry.backoff.ms'])
      return
    }
    this.#options.refused(error, sentAs)
  }

  get isRunning(): boolean {
    return this.#isRunning
  }

  /** It beats, and the last beat was answered well: so would be the next ones. */
  get isSteady(): boolean {
    return this.#isRunning && !this.#isUneasy && this.#beat === undefined
  }
}

/** The coordinator said so, and not the network. */
function isAnswer(error: unknown): boolean {
  if (!(error instanceof KafkaError)) return false
  return error.errorName !== 'NETWORK_EXCEPTION' && error.errorName !== 'REQUEST_TIMED_OUT'
}
