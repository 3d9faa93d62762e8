import { metadata } from '../apis/metadata.ts'
import type { Deferred, Timer } from '../runtime/runtime.ts'
import type { ResponseOf } from '../wire/api.ts'
import { AuthenticationError } from '../wire/error-families.ts'
import { type ErrorName, errorCodes, errorOf } from '../wire/errors.ts'
import { zeroUuid } from '../wire/uuid.ts'
import { Backoff } from './backoff.ts'
import type { Connections } from './connections.ts'
import type { ClientEnvironment } from './environment.ts'
import type { Recovery } from './metadata-settings.ts'
import { MetadataSources } from './metadata-sources.ts'
import { hasNews, mergedTopic, nodeOf, type PartitionView, type TopicView } from './metadata-view.ts'
import type { NodeConnection } from './node-connection.ts'
import type { Node } from './topic-partition.ts'

export interface MetadataOptions {
  readonly maxAgeMs: number
  readonly retryBackoffMs: number
  readonly retryBackoffMaxMs: number
  readonly allowAutoTopicCreation: boolean
  /** The topics to ask for, whenever asked; null: all that there are. */
  readonly topics: () => readonly string[] | null
  /** Beside them, topics that are known by their ids only. */
  readonly topicIds?: () => Iterable<string>
  /** What to do when no known broker answers (C-82). */
  readonly recovery: Recovery
  /** Refreshes by itself at that age, used or not (C-80); otherwise at its next use. */
  readonly refreshesUnused?: boolean
}

/** From this version of Metadata on, topics may be asked for by id. */
const BY_ID_SINCE = 12

/** A new leader as a response hints at it (C-43). */
export interface LeaderHint {
  readonly leaderId: number
  readonly leaderEpoch: number
}

/**
 * What a client knows of the cluster: brokers, leaders, epochs, topic ids. Refreshed when it is too old at its next use,
 * and when somebody who was told that it is wrong asks for it (C-80). One request at a time, to the node with the least in
 * flight (C-83); a growing pause between refreshes that bring nothing new.
 */
export class ClientMetadata {
  clusterId: string | undefined
  controllerId = -1
  readonly #environment: ClientEnvironment
  readonly #connections: Connections
  readonly #options: MetadataOptions
  readonly #backoff: Backoff
  readonly #sources: MetadataSources
  readonly #topics = new Map<string, TopicView>()
  readonly #names = new Map<string, string>()
  readonly #errors = new Map<string, ErrorName>()
  readonly #listeners: (() => void)[] = []
  #updated: Deferred<void> | undefined
  #refusal: Error | undefined
  /** Topics of the last answer that had errors, of which nobody was told. */
  readonly #refused = new Set<string>()
  #version = 0
  /** The last request was one by ids. */
  #asksById = false
  #hasAllTopics = false
  #refreshedAt = Number.NEGATIVE_INFINITY
  #attemptedAt = Number.NEGATIVE_INFINITY
  /** Refreshes in a row that brought nothing new. */
  #vain = 0
  #needed = false
  #inFlight = false
  #timer: Timer | undefined
  #ageing: Timer | undefined
  #closed: Error | undefined

  constructor(environment: ClientEnvironment, connections: Connections, options: MetadataOptions) {
    this.#environment = environment
    this.#connections = connections
    this.#options = options
    this.#backoff = new Backoff(
      environment.runtime,
      'client.metadata',
      options.retryBackoffMs,
      options.retryBackoffMaxMs,
    )
    this.#sources = new MetadataSources(environment, connections, options.recovery, () => this.requestUpdate())
    connections.onChange((_, lost) => {
      // A broker that is gone may have taken its leaderships with it.
      if (lost !== undefined && this.#topics.size > 0) this.requestUpdate()
    })
  }

  /** The brokers, by id. */
  get nodes(): ReadonlyMap<number, Node> {
    return this.#sources.nodes
  }

  /** A node to ask what any node can answer (C-83). Undefined: wait. */
  leastLoaded(): NodeConnection | undefined {
    return this.#sources.leastLoaded()
  }

  topic(name: string): TopicView | undefined {
    return this.#topics.get(name)
  }

  /** The name of a topic id. */
  nameOf(topicId: string): string | undefined {
    return this.#names.get(topicId)
  }

  partition(topic: string, partition: number): PartitionView | undefined {
    return this.#topics.get(topic)?.partitions[partition]
  }

  /** The topics that are known. */
  topics(): IterableIterator<TopicView> {
    return this.#topics.values()
  }

  /** The last refresh was one of all topics. */
  get hasAllTopics(): boolean {
    return this.#hasAllTopics
  }

  /** What the last answer refused the topic with. */
  errorOf(topic: string): ErrorName | undefined {
    return this.#errors.get(topic)
  }

  /** The broker that leads the partition, if both are known. */
  leaderOf(topic: string, partition: number): Node | undefined {
    const view = this.partition(topic, partition)
    return view === undefined ? undefined : this.nodes.get(view.leaderId)
  }

  /** Why no broker can be reached; undefined while one can. */
  get failure(): Error | undefined {
    return this.#connections.failure
  }

  get isStale(): boolean {
    return this.#environment.runtime.now() >= this.expiresAt
  }

  /** When it will be too old, in milliseconds since the epoch. */
  get expiresAt(): number {
    return this.#refreshedAt + this.#options.maxAgeMs
  }

  /** Counts the refreshes and hints: the same number, the same metadata. */
  get version(): number {
    return this.#version
  }

  /** When it was last refreshed, in milliseconds since the epoch; −Infinity before the first time. */
  get refreshedAt(): number {
    return this.#refreshedAt
  }

  /** Told after every refresh and every hint that changed something. */
  onUpdate(listener: () => void): void {
    this.#listeners.push(listener)
  }

  /** What is known is wrong or too little. */
  requestUpdate(): void {
    this.#needed = true
    this.#schedule()
  }

  /** Asks for a refresh and settles when one has come or failed; rejects after `close`, and if brokers do not trust this client. */
  refreshed(): Promise<void> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed)
    this.#updated ??= this.#environment.runtime.deferred()
    const { promise } = this.#updated
    this.requestUpdate()
    return promise
  }

  /** That brokers do not trust this client: for whoever asks first, since nobody may have waited for that refresh. */
  takeRefusal(): Error | undefined {
    const refusal = this.#refusal
    this.#refusal = undefined
    return refusal
  }

  /** The topics that the last answer refused for one of these reasons: told once (Metadata.maybeThrowAnyException). */
  takeRefused(reason: 'TOPIC_AUTHORIZATION_FAILED' | 'INVALID_TOPIC_EXCEPTION'): readonly string[] {
    const refused = [...this.#refused].filter(topic => this.#errors.get(topic) === reason)
    for (const topic of refused) this.#refused.delete(topic)
    return refused
  }

  /** A response told of a new leader: applied at once if it is newer than what is known. */
  hint(topic: string, partition: number, leader: LeaderHint, nodes: readonly Node[]): void {
    const known = this.#topics.get(topic)
    const view = known?.partitions[partition]
    if (known === undefined || view === undefined || leader.leaderId < 0 || leader.leaderEpoch <= view.leaderEpoch)
      return
    if (!this.nodes.has(leader.leaderId) && !nodes.some(node => node.id === leader.leaderId)) return
    for (const node of nodes) this.#sources.nodes = new Map(this.nodes).set(node.id, node)
    const partitions = [...known.partitions]
    partitions[partition] = { ...view, leaderId: leader.leaderId, leaderEpoch: leader.leaderEpoch }
    this.#topics.set(topic, { ...known, partitions })
    this.#tell()
  }

  #tell(): void {
    this.#version++
    for (const listener of this.#listeners) listener()
  }

  close(reason: Error): void {
    this.#closed = reason
    this.#timer?.cancel()
    this.#ageing?.cancel()
    this.#sources.rest()
    this.#updated?.reject(reason)
  }

  #schedule(): void {
    if (this.#inFlight || this.#timer !== undefined || this.#closed !== undefined) return
    const { runtime } = this.#environment
    const pause = this.#attemptedAt === Number.NEGATIVE_INFINITY ? 0 : this.#backoff.delay(Math.max(1, this.#vain))
    const at = Math.max(this.#attemptedAt + pause, runtime.now())
    this.#timer = runtime.after(
      at - runtime.now(),
      () => {
        this.#timer = undefined
        return this.#refresh()
      },
      { housekeeping: this.#updated === undefined },
    )
  }

  /** Nobody can be asked before the first node may be connected to again. */
  #scheduleAfterBackoff(): void {
    const { runtime } = this.#environment
    const again = () => {
      this.#timer = undefined
      return this.#refresh()
    }
    this.#timer = runtime.after(Math.max(1, this.#sources.retryAt() - runtime.now()), again, {
      housekeeping: this.#updated === undefined,
    })
  }

  async #refresh(): Promise<void> {
    if (this.#inFlight || this.#closed !== undefined) return
    const node = this.leastLoaded()
    if (node === undefined) {
      this.#scheduleAfterBackoff()
      return
    }
    const { runtime } = this.#environment
    this.#inFlight = true
    this.#needed = false
    this.#attemptedAt = runtime.now()
    this.#sources.attempted()
    const topics = this.#options.topics()
    const asked = topics && new Set(topics)
    const ids = [...(this.#options.topicIds?.() ?? [])]
    let failed = false
    let refusal: Error | undefined
    try {
      const { allowAutoTopicCreation } = this.#options
      const response = await this.#connections.request(node, metadata, version => ({
        topics: asked && this.#wanted(asked, version >= BY_ID_SINCE ? ids : []),
        ...(version >= 4 ? { allowAutoTopicCreation } : {}),
      }))
      failed = response.errorCode !== 0
      if (!failed) this.#apply(response, asked)
      else if (response.errorCode === errorCodes.REBOOTSTRAP_REQUIRED) this.#sources.startOver('its broker wishes so')
    } catch (error) {
      failed = true
      if (error instanceof AuthenticationError) {
        refusal = error
        this.#refusal = error
      }
    }
    this.#inFlight = false
    if (this.#closed !== undefined) return
    if (failed) {
      this.#vain++
      this.#needed = true
    }
    // A topic that began to be of interest while the request was under way is not in its answer.
    if (asked !== null && (this.#options.topics()?.some(name => !asked.has(name)) ?? true)) this.#needed = true
    const updated = this.#updated
    this.#updated = undefined
    // Who waits need not wait: nothing will change by itself (Metadata.fatalError).
    if (refusal === undefined) updated?.resolve()
    else updated?.reject(refusal)
    this.#tell()
    if (this.#needed) this.#schedule()
  }

  /** Where one is asked for by its id, names beside it do not count (M-3): those that are not known have the next turn. */
  #wanted(names: ReadonlySet<string>, ids: readonly string[]): { name: string | null; topicId: string }[] {
    const known = [...names].map(name => this.#topics.get(name)?.id ?? zeroUuid)
    const isUnknown = known.includes(zeroUuid)
    this.#asksById = ids.length > 0 && !(isUnknown && this.#asksById)
    if (!this.#asksById) return [...names].map(name => ({ name, topicId: zeroUuid }))
    if (isUnknown) this.#needed = true
    const all = new Set([...ids, ...known])
    all.delete(zeroUuid)
    return [...all].map(topicId => ({ name: null, topicId }))
  }

  #apply(response: ResponseOf<typeof metadata>, asked: ReadonlySet<string> | null): void {
    const nodes = response.brokers.map(nodeOf)
    let isNew = false
    this.#sources.nodes = new Map(nodes.map(node => [node.id, node]))
    this.clusterId = response.clusterId ?? undefined
    this.controllerId = response.controllerId
    this.#refused.clear()
    for (const answer of response.topics) {
      const name = answer.name
      if (name === null) continue
      const known = this.#topics.get(name)
      if (answer.errorCode === errorCodes.NONE) {
        const merged = mergedTopic(known, answer)
        isNew ||= hasNews(known, merged)
        this.#topics.set(name, merged)
        if (known !== undefined && known.id !== merged.id) this.#names.delete(known.id)
        if (merged.id !== zeroUuid) this.#names.set(merged.id, name)
        this.#errors.delete(name)
      } else {
        this.#topics.delete(name)
        this.#errors.set(name, errorOf(answer.errorCode).name)
        this.#refused.add(name)
      }
    }
    const wanted = new Set([...(asked ?? []), ...response.topics.map(({ name }) => name)])
    for (const id of this.#options.topicIds?.() ?? []) wanted.add(this.#names.get(id) ?? null)
    for (const [name, { id }] of this.#topics) {
      if (wanted.has(name)) continue
      this.#topics.delete(name)
      this.#names.delete(id)
    }
    this.#hasAllTopics = asked === null
    this.#vain = isNew ? 0 : this.#vain + 1
    const { runtime } = this.#environment
    this.#refreshedAt = runtime.now()
    this.#sources.answered()
    if (this.#options.refreshesUnused !== true) return
    this.#ageing?.cancel()
    this.#ageing = runtime.after(this.#options.maxAgeMs, () => this.requestUpdate(), { idle: true })
  }
}
