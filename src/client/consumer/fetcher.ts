import { fetch } from '../../apis/fetch.ts'
import type { ConsumerConfigs } from '../../metadata/consumer-configs.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import type { ResponseOf } from '../../wire/api.ts'
import { errorCodes, KafkaError } from '../../wire/errors.ts'
import { zeroUuid } from '../../wire/uuid.ts'
import type { Connections } from '../connections.ts'
import type { ClientMetadata } from '../metadata.ts'
import { nodeOf } from '../metadata-view.ts'
import type { NodeConnection } from '../node-connection.ts'
import type { Node } from '../topic-partition.ts'
import type { AssignedPartition } from './assigned-partition.ts'
import { type FetchMetrics, FetchTally } from './fetch-metrics.ts'
import { FetchSession, type WantedPartition } from './fetch-session.ts'
import { FetchedPartition, type PartitionData, type ReadOptions } from './fetched-partition.ts'
import type { Positions } from './positions.ts'
import type { Subscription } from './subscription.ts'

/** The last version of Fetch in which topics go by name. */
const LAST_BY_NAME = 12

export interface FetcherOptions {
  readonly runtime: Runtime
  readonly configs: ConsumerConfigs
  readonly connections: Connections
  readonly metadata: ClientMetadata
  readonly subscription: Subscription
  readonly positions: Positions
  readonly metrics: FetchMetrics
  readonly read: ReadOptions
  /** Records have come, or a fetch is possible again. */
  readonly changed: () => void
}

interface Asked {
  readonly partition: AssignedPartition
  readonly generation: number
  readonly offset: number
  readonly nodeId: number
}

/**
 * Keeps one fetch under way at every broker that has partitions to read (Kafka's Fetcher): from the leader, or from the
 * follower it recommends (KIP-392). A broker is asked again when all that it sent before has been handed out.
 */
export class Fetcher {
  readonly #options: FetcherOptions
  readonly #sessions = new Map<number, FetchSession>()
  /** Nodes whose connection is tried again at a time. */
  readonly #retrying = new Set<number>()
  readonly #busy = new Set<number>()
  /** Partitions with records that were not handed out, in the order in which they came. */
  #buffered: AssignedPartition[] = []
  #error: Error | undefined

  constructor(options: FetcherOptions) {
    this.#options = options
  }

  takeError(): Error | undefined {
    const error = this.#error
    this.#error = undefined
    return error
  }

  /** Records have come that were not handed out. */
  get hasBuffered(): boolean {
    return this.#buffered.length > 0
  }

  /** Hands out what has come, at most `most` records. */
  collect(most: number, into: Parameters<FetchedPartition['take']>[1]): void {
    const { subscription, metrics, read } = this.#options
    const later: AssignedPartition[] = []
    try {
      while (this.#buffered.length > 0 && into.length < most) {
        const partition = this.#buffered[0]!
        const { fetched } = partition
        if (fetched !== undefined && !subscription.has(partition)) fetched.close()
        else if (fetched !== undefined) {
          if (!partition.isReadable) later.push(partition)
          else {
            const isLeft = fetched.take(most - into.length, into)
            // One at a time is an iteration: how far it is, is told at the end of what was fetched.
            if (!isLeft || most > 1) metrics.moved(partition, read.isReadCommitted)
            if (isLeft) return
            partition.fetched = undefined
          }
        }
        this.#buffered.shift()
      }
    } catch (error) {
      // What was found before comes first; the error with the next call.
      if (into.length === 0) throw error
    } finally {
      this.#buffered.push(...later)
    }
  }

  /** Asks every broker that may be asked now. */
  send(): void {
    const { metadata, connections, subscription, runtime } = this.#options
    const now = runtime.now()
    const byNode = new Map<number, { node: Node; partitions: AssignedPartition[] }>()
    const unread = new Set<number>()
    for (const partition of subscription) {
      if (!partition.isReadable) continue
      const node = this.#nodeFor(partition, now)
      if (node === undefined) {
        metadata.requestUpdate()
        continue
      }
      if (partition.fetched !== undefined) unread.add(node.id)
      if (partition.position === undefined || partition.isResolving || partition.fetched !== undefined) continue
      if (partition.notBefore > now) continue
      const here = byNode.get(node.id)
      if (here === undefined) byNode.set(node.id, { node, partitions: [partition] })
      else here.partitions.push(partition)
    }
    if (metadata.isStale) metadata.requestUpdate()
    for (const { node, partitions } of byNode.values()) {
      if (this.#busy.has(node.id) || unread.has(node.id)) continue
      const connection = connections.to(node.id, node, 'fetch')
      if (connection.isReady) this.#fetch(connection, partitions)
      else this.#connect(connection)
    }
  }

  /** Ends the sessions, so that brokers need not keep them. */
  close(): void {
    const { metadata, connections, configs } = this.#options
    for (const [nodeId, session] of this.#sessions) {
      const node = metadata.nodes.get(nodeId)
      const connection = node && connections.to(nodeId, node, 'fetch')
      const fields = session.last()
      if (!connection?.isReady || fields === undefined) continue
      const request = { maxWaitMs: 0, minBytes: 0, maxBytes: configs['fetch.max.bytes'], ...fields }
      connection.sendOnly(fetch, connection.versionOf(fetch), request)
    }
  }

  #connect(connection: NodeConnection): void {
    const { runtime, changed } = this.#options
    connection.connect()
    const { nodeId } = connection
    // One timer a node: every poll that goes round meanwhile comes by here.
    if (!connection.isBackingOff || this.#retrying.has(nodeId)) return
    this.#retrying.add(nodeId)
    runtime.after(Math.max(1, connection.retryAt - runtime.now()), () => {
      this.#retrying.delete(nodeId)
      changed()
    })
  }

  /** The follower that the leader recommended, or the leader. */
  #nodeFor(partition: AssignedPartition, now: number): Node | undefined {
    const { metadata } = this.#options
    const { preferred } = partition
    if (preferred !== undefined) {
      const node = preferred.until > now ? metadata.nodes.get(preferred.nodeId) : undefined
      if (node !== undefined) return node
      partition.preferred = undefined
    }
    return metadata.leaderOf(partition.topic, partition.partition)
  }

  #fetch(node: NodeConnection, partitions: readonly AssignedPartition[]): void {
    const { configs, metadata, read, runtime } = this.#options
    const session = this.#sessionOf(node.nodeId)
    const asked: Asked[] = []
    const wanted: WantedPartition[] = []
    let usesIds = true
    for (const partition of partitions) {
      const { topic, partition: number, generation } = partition
      const topicId = metadata.topic(topic)?.id ?? zeroUuid
      if (topicId === zeroUuid) usesIds = false
      const view = metadata.partition(topic, number)
      asked.push({ partition, generation, offset: partition.position!, nodeId: node.nodeId })
      wanted.push({
        topic,
        topicId,
        partition: number,
        currentLeaderEpoch: view?.leaderEpoch ?? -1,
        fetchOffset: partition.position!,
        partitionMaxBytes: configs['max.partition.fetch.bytes'],
      })
      partition.isFetching = true
    }
    let version: number
    try {
      version = node.versionOf(fetch, usesIds ? undefined : LAST_BY_NAME)
    } catch (error) {
      this.#error = error as Error
      this.#options.changed()
      return
    }
    this.#busy.add(node.nodeId)
    const request = {
      maxWaitMs: configs['fetch.max.wait.ms'],
      minBytes: configs['fetch.min.bytes'],
      maxBytes: configs['fetch.max.bytes'],
      isolationLevel: read.isReadCommitted ? 1 : 0,
      ...session.next(wanted, version > LAST_BY_NAME),
      rackId: configs['client.rack'],
    }
    const timeoutMs = configs['request.timeout.ms']
    const sentAt = runtime.now()
    node.send(fetch, version, request, timeoutMs, {
      onResponse: response => this.#answered(node, session, asked, response, sentAt),
      onLost: () => {
        session.broken(false)
        this.#over(node.nodeId, asked)
        for (const { partition } of asked)
          if (partition.preferred?.nodeId === node.nodeId) partition.preferred = undefined
        metadata.requestUpdate()
        this.#options.changed()
      },
    })
  }

  #sessionOf(nodeId: number): FetchSession {
    const known = this.#sessions.get(nodeId)
    if (known !== undefined) return known
    const made = new FetchSession()
    this.#sessions.set(nodeId, made)
    return made
  }

  #over(nodeId: number, asked: readonly Asked[]): void {
    this.#busy.delete(nodeId)
    for (const { partition } of asked) partition.isFetching = false
  }

  #answered(
    node: NodeConnection,
    session: FetchSession,
    asked: readonly Asked[],
    response: ResponseOf<typeof fetch>,
    sentAt: number,
  ): void {
    const { metadata, metrics, runtime } = this.#options
    this.#over(node.nodeId, asked)
    if (response.errorCode !== errorCodes.NONE) {
      const error = KafkaError.of(response.errorCode)
      session.broken(error.errorName === 'FETCH_SESSION_ID_NOT_FOUND')
      if (error.refreshesMetadata || error.errorName === 'FETCH_SESSION_TOPIC_ID_ERROR') metadata.requestUpdate()
      if (!error.retriable) this.#error = error
      this.#options.changed()
      return
    }
    session.answered(response.sessionId)
    metrics.answered(runtime.now() - sentAt)
    const brought = response.responses.reduce((sum, { partitions }) => sum + partitions.length, 0)
    const tally = new FetchTally(metrics, brought)
    const nodes = response.nodeEndpoints.map(nodeOf)
    for (const { topic, topicId, partitions } of response.responses) {
      const name = session.nameOf(topic, topicId)
      for (const data of partitions) {
        const one = asked.find(
          ({ partition }) => partition.topic === name && partition.partition === data.partitionIndex,
        )
        if (one === undefined || !this.#isCurrent(one)) {
          tally.drained(name, 0, 0)
          continue
        }
        metadata.hint(one.partition.topic, data.partitionIndex, data.currentLeader, nodes)
        if (data.errorCode === errorCodes.NONE) {
          this.#received(one, data, tally)
        } else {
          tally.drained(name, 0, 0)
          this.#refused(one, KafkaError.of(data.errorCode))
        }
      }
    }
    this.#options.changed()
  }

  /** Nobody has sought elsewhere or taken the partition away meanwhile. */
  #isCurrent({ partition, generation, offset }: Asked): boolean {
    return (
      partition.generation === generation && partition.position === offset && this.#options.subscription.has(partition)
    )
  }

  #received({ partition }: Asked, data: PartitionData, tally: FetchTally): void {
    const { runtime, configs, read } = this.#options
    if (data.highWatermark >= 0) partition.highWatermark = data.highWatermark
    if (data.lastStableOffset >= 0) partition.lastStableOffset = data.lastStableOffset
    if (data.logStartOffset >= 0) partition.logStartOffset = data.logStartOffset
    if (data.preferredReadReplica >= 0) {
      partition.preferred = {
        nodeId: data.preferredReadReplica,
        until: runtime.now() + configs['metadata.max.age.ms'],
      }
    }
    try {
      const fetched = new FetchedPartition(partition, data, read, tally)
      if (fetched.isEmpty) {
        fetched.close()
        return
      }
      partition.fetched = fetched
      this.#buffered.push(partition)
    } catch (error) {
      this.#error = error as Error
    }
  }

  #refused({ partition, offset, nodeId }: Asked, error: KafkaError): void {
    const { metadata, positions, runtime, configs } = this.#options
    const wasFollower = partition.preferred?.nodeId === nodeId
    partition.preferred = undefined
    if (error.errorName === 'OFFSET_OUT_OF_RANGE') {
      // A follower may lag behind, or have less: the leader is asked before anything is concluded.
      if (wasFollower) return
      const text = `Fetch position ${offset} is out of range for partition ${partition.name}`
      positions.resetByPolicy(partition, new KafkaError('OFFSET_OUT_OF_RANGE', text, { [partition.name]: offset }))
    } else if (error.retriable || error.errorName === 'UNKNOWN_SERVER_ERROR') {
      if (error.refreshesMetadata) metadata.requestUpdate()
      const pauseMs = configs['retry.backoff.ms']
      partition.notBefore = runtime.now() + pauseMs
      runtime.after(pauseMs, this.#options.changed)
    } else {
      this.#error = KafkaError.of(error.code, `partition ${partition.name}: ${error.message}`)
    }
  }
}
