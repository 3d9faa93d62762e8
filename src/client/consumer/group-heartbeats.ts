import { consumerGroupHeartbeat } from '../../apis/consumer-group-heartbeat.ts'
import type { ConsumerConfigs } from '../../metadata/consumer-configs.ts'
import type { Runtime, Timer } from '../../runtime/runtime.ts'
import type { ResponseOf } from '../../wire/api.ts'
import { errorCodes, KafkaError } from '../../wire/errors.ts'
import { Backoff } from '../backoff.ts'
import type { Connections } from '../connections.ts'
import type { Coordinators } from '../coordinators.ts'
import type { Node } from '../topic-partition.ts'
import { within } from '../topic-wait.ts'
import type { GroupMetrics } from './group-metrics.ts'
import { type Verdict, verdictOn } from './heartbeat-refusals.ts'
import type { Heartbeater, HeartbeatRequest } from './heartbeat-request.ts'

export type HeartbeatAnswer = ResponseOf<typeof consumerGroupHeartbeat>

export interface GroupHeartbeatOptions {
  readonly runtime: Runtime
  readonly groupId: string
  readonly configs: ConsumerConfigs
  readonly connections: Connections
  readonly coordinators: Coordinators
  readonly metrics: GroupMetrics
  readonly request: HeartbeatRequest
  /** Whether it is to be heard of at all. */
  readonly isBeating: () => boolean
  /** As whom the next one goes; asked as it goes. */
  readonly sender: () => Heartbeater
  /** Answers whether there is something to say at once. */
  readonly answered: (answer: HeartbeatAnswer) => boolean
  /** A refusal for the application to hear of; the heartbeat is tried again. */
  readonly told: (error: KafkaError) => void
  /** What ends it for now: {@link Verdict} `fenced` or `fatal`. */
  readonly ended: (verdict: Verdict, error: KafkaError) => void
}

/**
 * A member's heartbeats to its coordinator, one at a time: when there is something to say at once, otherwise as often as the
 * last answer said. What fails is tried again, with a pause, and says everything once more.
 */
export class GroupHeartbeats {
  readonly #options: GroupHeartbeatOptions
  readonly #backoff: Backoff
  #timer: Timer | undefined
  /** The one that is under way; what an older one brings is nobody's. */
  #beat: object | undefined
  /** The coordinator is to hear of something as soon as the one that is under way has been answered. */
  #isUrgent = false
  #failures = 0
  /** The timer that runs is that of a regular beat. */
  #isSteady = false

  constructor(options: GroupHeartbeatOptions) {
    const { runtime, configs } = options
    this.#options = options
    const [initialMs, maxMs] = [configs['retry.backoff.ms'], configs['retry.backoff.max.ms']]
    this.#backoff = new Backoff(runtime, 'client.group-heartbeat', initialMs, maxMs)
  }

  get isUnderWay(): boolean {
    return this.#beat !== undefined
  }

  /** There is something to say. */
  now(): void {
    if (this.#beat === undefined) this.#schedule(0, 'urgent')
    else this.#isUrgent = true
  }

  /** No more, and whatever is under way is not waited for. */
  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#beat = undefined
    this.#isUrgent = false
    this.#failures = 0
    this.#options.request.reset()
  }

  /** Says that the member goes. Settles when that has been answered, whatever it says, or `deadline` has come. */
  async leave(memberId: string, memberEpoch: -1 | -2, deadline: number): Promise<void> {
    const { runtime, connections, coordinators, groupId, request } = this.#options
    this.stop()
    const left = () => Math.max(0, deadline - runtime.now())
    const ask = async () => {
      try {
        const node = await coordinators.find('group', groupId, { deadline, timeoutMs: left() })
        await connections.request(node, consumerGroupHeartbeat, () => request.leave(memberId, memberEpoch))
      } catch {
        // The session ends by itself.
      }
    }
    await within(runtime, ask(), left())
  }

  #schedule(ms: number, kind: 'urgent' | 'again' | 'regular'): void {
    this.#timer?.cancel()
    this.#isSteady = kind === 'regular'
    const options = { urgent: { housekeeping: false }, again: { housekeeping: true }, regular: { idle: true } }[kind]
    this.#timer = this.#options.runtime.after(ms, () => this.#send(), options)
  }

  /** It beats, and the last beat was answered well: so would be the next ones. */
  get isSteady(): boolean {
    return this.#isSteady && this.#timer !== undefined
  }

  async #send(): Promise<void> {
    const { runtime, coordinators, connections, groupId, request, isBeating, sender, metrics } = this.#options
    this.#timer = undefined
    if (this.#beat !== undefined || !isBeating()) return
    const beat = {}
    this.#beat = beat
    this.#isUrgent = false
    let node: Node | KafkaError | undefined
    try {
      node = coordinators.known('group', groupId) ?? (await coordinators.lookUp('group', [groupId])).get(groupId)!
      if (this.#beat !== beat) return
      if (node instanceof KafkaError) throw node
      let sentAt = runtime.now()
      const answer = await connections.request(coordinators.connectionTo(node), consumerGroupHeartbeat, version => {
        if (this.#beat !== beat) throw new KafkaError('REQUEST_TIMED_OUT', 'no member any more')
        sentAt = runtime.now()
        metrics.heartbeatSent()
        return request.next(version, sender())
      })
      if (this.#beat !== beat) return
      if (answer.errorCode !== errorCodes.NONE) throw KafkaError.of(answer.errorCode, answer.errorMessage)
      this.#beat = undefined
      this.#failures = 0
      metrics.heartbeatAnswered(runtime.now() - sentAt)
      const isUrgent = this.#options.answered(answer) || this.#isUrgent
      if (this.#beat === undefined)
        this.#schedule(isUrgent ? 0 : answer.heartbeatIntervalMs, isUrgent ? 'urgent' : 'regular')
    } catch (error) {
      if (this.#beat !== beat) return
      this.#beat = undefined
      this.#failed(error, node instanceof KafkaError ? undefined : node)
    }
  }

  #failed(error: unknown, node: Node | undefined): void {
    const { coordinators, groupId, request } = this.#options
    if (!(error instanceof KafkaError)) throw error
    request.reset()
    const verdict = verdictOn(error)
    const isLost =
      verdict === 'coordinator' || error.errorName === 'NETWORK_EXCEPTION' || error.errorName === 'REQUEST_TIMED_OUT'
    if (isLost && node !== undefined) coordinators.forget('group', groupId, node)
    if (verdict === 'fenced' || verdict === 'fatal') {
      this.#failures = 0
      this.#options.ended(verdict, error)
      return
    }
    if (verdict === 'told') this.#options.told(error)
    // Whoever else it is may be asked at once; the second time round there is a pause.
    this.#failures++
    const pauseMs = verdict === 'coordinator' && this.#failures === 1 ? 0 : this.#backoff.delay(this.#failures)
    this.#schedule(pauseMs, 'again')
  }
}
