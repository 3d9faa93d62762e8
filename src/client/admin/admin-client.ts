import type { AdminConfigs } from '../../metadata/admin-configs.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import type { AnyApi, RequestInput, ResponseOf } from '../../wire/api.ts'
import { errorCodes, IllegalStateError, KafkaError } from '../../wire/errors.ts'
import { Backoff } from '../backoff.ts'
import { Connections } from '../connections.ts'
import { Coordinators } from '../coordinators.ts'
import type { ClientEnvironment } from '../environment.ts'
import { ClientMetadata } from '../metadata.ts'
import { metadataSettings } from '../metadata-settings.ts'
import type { NodeConnection } from '../node-connection.ts'
import { partitionText, type TopicPartition } from '../topic-partition.ts'
import { within } from '../topic-wait.ts'

/** How often a topic that nobody knows is looked for: a broker may not have heard of it yet. */
const LOOKS = 5

/** One answer for each item: what came of it, or why nothing did. */
export type Answers<Item, Result> = Map<Item, Result | KafkaError>

/** What all areas of the admin client need: asking a node, any or a certain one, again where that may help. */
export class AdminClient {
  readonly runtime: Runtime
  readonly configs: AdminConfigs
  readonly connections: Connections
  readonly metadata: ClientMetadata
  readonly coordinators: Coordinators
  readonly backoff: Backoff
  readonly name: string
  readonly #asked = new Set<string>()
  readonly #unexplain: () => void
  readonly #ended: () => void | Promise<void>
  #isClosed = false

  constructor(configs: AdminConfigs, environment: ClientEnvironment) {
    this.runtime = environment.runtime
    this.configs = configs
    this.name = environment.clientName
    this.#ended = () => environment.closed?.()
    this.connections = new Connections(environment, configs)
    const retryBackoffMs = configs['retry.backoff.ms']
    const retryBackoffMaxMs = configs['retry.backoff.max.ms']
    this.backoff = new Backoff(this.runtime, 'admin.retry', retryBackoffMs, retryBackoffMaxMs)
    this.metadata = new ClientMetadata(environment, this.connections, {
      ...metadataSettings(configs),
      allowAutoTopicCreation: false,
      topics: () => [...this.#asked],
    })
    this.coordinators = new Coordinators(environment, this.connections, this.metadata, configs)
    this.#unexplain = this.runtime.explain(() => this.connections.waiting().map(what => `${this.name}: ${what}`))
  }

  /** A public call: time runs until it settles. */
  async call<T>(what: string, run: () => Promise<T>): Promise<T> {
    if (this.#isClosed) throw new IllegalStateError(`${what}: this admin client (${this.name}) has been closed`)
    return this.runtime.drive(`${what} of ${this.name}`, run)
  }

  /** Asks any node. An answer that `errorOf` finds retriable is asked for again, and so is one that did not come. */
  async ask<A extends AnyApi>(
    api: A,
    body: RequestInput<A>,
    errorOf: (response: ResponseOf<A>) => number = () => errorCodes.NONE,
  ): Promise<ResponseOf<A>> {
    return this.#retried(api.name, async () => {
      const node = this.metadata.leastLoaded()
      if (node === undefined) throw new KafkaError('NETWORK_EXCEPTION', 'no broker can be reached at the moment')
      return this.#answer(node, api, body, errorOf)
    })
  }

  /** Asks one certain broker. */
  async askBroker<A extends AnyApi>(
    nodeId: number,
    api: A,
    body: RequestInput<A>,
    errorOf: (response: ResponseOf<A>) => number = () => errorCodes.NONE,
  ): Promise<ResponseOf<A>> {
    return this.#retried(`${api.name} at broker ${nodeId}`, async () => {
      if (!this.metadata.nodes.has(nodeId)) await this.#refreshed()
      const address = this.metadata.nodes.get(nodeId)
      if (address === undefined) throw new KafkaError('BROKER_NOT_AVAILABLE', `there is no live broker ${nodeId}`)
      return this.#answer(this.connections.to(nodeId, address, 'control'), api, body, errorOf)
    })
  }

  /**
   * Asks every live broker. Where one fails in a way that may pass, all are asked again: what it had may have gone to
   * others by then.
   */
  async askEveryBroker<A extends AnyApi>(
    api: A,
    body: RequestInput<A>,
    errorOf: (response: ResponseOf<A>) => number = () => errorCodes.NONE,
  ): Promise<ResponseOf<A>[]> {
    return this.#retried(`${api.name} at every broker`, async () => {
      await this.#refreshed()
      const nodes = [...this.metadata.nodes.values()]
      if (nodes.length === 0) throw new KafkaError('NETWORK_EXCEPTION', 'no broker can be reached at the moment')
      const connections = nodes.map(node => this.connections.to(node.id, node, 'control'))
      return Promise.all(connections.map(node => this.#answer(node, api, body, errorOf)))
    })
  }

  async #answer<A extends AnyApi>(
    node: NodeConnection,
    api: A,
    body: RequestInput<A>,
    errorOf: (response: ResponseOf<A>) => number,
  ): Promise<ResponseOf<A>> {
    const response = await this.connections.request(node, api, () => body)
    const code = errorOf(response)
    if (code !== errorCodes.NONE) {
      const { errorMessage } = response as { errorMessage?: string | null }
      throw KafkaError.of(code, errorMessage || undefined)
    }
    return response
  }

  async #retried<T>(what: string, attempt: () => Promise<T>): Promise<T> {
    const timeoutMs = this.configs['default.api.timeout.ms']
    const deadline = this.runtime.now() + timeoutMs
    for (let failures = 1; ; failures++) {
      try {
        return await attempt()
      } catch (error) {
        if (!(error instanceof KafkaError) || !error.retriable || this.#isClosed) throw error
        const pauseMs = this.backoff.delay(failures)
        if (failures > this.configs.retries || this.runtime.now() + pauseMs >= deadline) {
          const text = `${what} was not answered within ${timeoutMs} ms: ${error.message}`
          throw new KafkaError('REQUEST_TIMED_OUT', text, { cause: error })
        }
        await this.runtime.sleep(pauseMs)
      }
    }
  }

  async #refreshed(): Promise<void> {
    await within(this.runtime, this.metadata.refreshed(), this.configs['default.api.timeout.ms'])
  }

  /** A node to ask about partitions, for each the broker that leads it; partitions without one get an error. */
  async leaders<P extends TopicPartition>(
    partitions: readonly P[],
  ): Promise<{ led: Map<number, P[]>; not: Map<P, KafkaError> }> {
    for (const { topic } of partitions) this.#asked.add(topic)
    for (let look = 1; ; look++) {
      await this.#refreshed()
      const led = new Map<number, P[]>()
      const not = new Map<P, KafkaError>()
      for (const partition of partitions) {
        const leader = this.metadata.leaderOf(partition.topic, partition.partition)
        if (leader === undefined) not.set(partition, this.#absence(partition))
        else if (led.has(leader.id)) led.get(leader.id)!.push(partition)
        else led.set(leader.id, [partition])
      }
      if (not.size === 0 || look === LOOKS) return { led, not }
    }
  }

  #absence(partition: TopicPartition): KafkaError {
    const { topic } = partition
    if (this.metadata.partition(topic, partition.partition) !== undefined) {
      return new KafkaError('LEADER_NOT_AVAILABLE', `${partitionText(partition)} has no leader at the moment`)
    }
    const refusal = this.metadata.errorOf(topic)
    const view = this.metadata.topic(topic)
    if (view === undefined)
      return new KafkaError(refusal ?? 'UNKNOWN_TOPIC_OR_PARTITION', `there is no topic '${topic}'`)
    const has = `topic '${topic}' has ${view.partitions.length} partition(s)`
    return new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `${has}, so there is no partition ${partition.partition}`)
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#unexplain()
    const reason = new IllegalStateError(`${this.name} is closed`)
    this.metadata.close(reason)
    this.connections.close(reason)
    await this.#ended()
  }
}

/**
 * The results, if every item succeeded.
 *
 * @throws {KafkaError} of the first item that failed, with its name in the message; `details` is the map of all answers
 */
export function allOf<Item, Result>(answers: Answers<Item, Result>, nameOf: (item: Item) => string): Map<Item, Result> {
  for (const [item, answer] of answers) {
    if (answer instanceof KafkaError) throw KafkaError.of(answer.code, `${nameOf(item)}: ${answer.message}`, answers)
  }
  return answers as Map<Item, Result>
}

/** Undefined for no error; the empty text of some answers stands for none. */
export function errorOfItem(code: number, message?: string | null): KafkaError | undefined {
  return code === errorCodes.NONE ? undefined : KafkaError.of(code, message || undefined)
}
