import { alterPartition } from '../../src/apis/alter-partition.ts'
import { alterPartitionReassignments } from '../../src/apis/alter-partition-reassignments.ts'
import { brokerHeartbeat } from '../../src/apis/broker-heartbeat.ts'
import { brokerRegistration } from '../../src/apis/broker-registration.ts'
import { createTopics } from '../../src/apis/create-topics.ts'
import { deleteTopics } from '../../src/apis/delete-topics.ts'
import { electLeaders } from '../../src/apis/elect-leaders.ts'
import { incrementalAlterConfigs } from '../../src/apis/incremental-alter-configs.ts'
import type { Controller } from '../../src/controller/controller.ts'
import { Controller as ActiveController } from '../../src/controller/controller.ts'
import type { ControllerOptions } from '../../src/controller/controller-options.ts'
import { MemoryStore } from '../../src/log/memory-store.ts'
import { topicOverrides } from '../../src/metadata/config-options.ts'
import { ClusterImage, type PartitionImage, RECOVERING } from '../../src/metadata/image.ts'
import { metadataRecordsOf } from '../../src/metadata/metadata-batch.ts'
import { Life } from '../../src/node/life.ts'
import { VirtualRuntime } from '../../src/runtime/virtual.ts'
import type { Api, RequestContext } from '../../src/wire/api.ts'
import { errorOf } from '../../src/wire/errors.ts'
import { ANONYMOUS } from '../../src/wire/principal.ts'
import { Reader } from '../../src/wire/reader.ts'
import type { Decoded, Encodable, Fields } from '../../src/wire/schema.ts'
import { uuidToText, zeroUuid } from '../../src/wire/uuid.ts'
import { Writer } from '../../src/wire/writer.ts'

const HEARTBEAT_MS = 2000
export const CLUSTER_ID = 'a-cluster'

interface DrivenBroker {
  epoch: number
  incarnation: string
  rack: string | null
  beats: boolean
}

/** A controller on virtual time, and brokers that consist of nothing but their requests to it. */
export class DrivenController {
  readonly runtime: VirtualRuntime
  readonly store = new MemoryStore()
  controller: Controller
  #life: Life
  readonly #options: Partial<ControllerOptions>
  readonly #brokers = new Map<number, DrivenBroker>()
  #incarnations = 0

  constructor(options: Partial<ControllerOptions> & { seed?: number } = {}) {
    this.runtime = new VirtualRuntime({ seed: options.seed ?? 1 })
    this.#options = options
    this.#life = new Life(this.runtime)
    this.controller = this.#started()
  }

  /** With brokers 1 to `count`, unfenced. */
  static withBrokers(count: number, options: Partial<ControllerOptions> & { seed?: number } = {}): DrivenController {
    const driven = new DrivenController(options)
    for (let id = 1; id <= count; id++) driven.startBroker(id)
    return driven
  }

  #started(): Controller {
    const { store } = this
    const controller = new ActiveController({ clusterId: CLUSTER_ID, ...this.#options, runtime: this.#life, store })
    controller.start()
    return controller
  }

  /** The controller's process ends and another begins on the same log. */
  restartController(): void {
    this.#life.end()
    this.#life = new Life(this.runtime)
    this.controller = this.#started()
  }

  get image(): ClusterImage {
    return this.controller.image
  }

  async advance(ms: number): Promise<void> {
    await this.runtime.drive('advance', () => this.runtime.sleep(ms), { patient: true })
  }

  /** Request and response take the way over bytes, so that what no version can carry is seen. */
  ask<Q extends Fields, R extends Fields>(
    api: Api<Q, R>,
    request: Encodable<Q>,
    version = api.versions.max,
  ): Decoded<R> {
    const answer = this.begin(api, request, version)
    if (answer instanceof Promise) throw new Error(`${api.name} did not answer at once`)
    return answer
  }

  begin<Q extends Fields, R extends Fields>(
    api: Api<Q, R>,
    request: Encodable<Q>,
    version = api.versions.max,
    context: Partial<RequestContext> = {},
  ): Decoded<R> | Promise<Decoded<R>> {
    const sent = new Writer()
    api.request.codec(version).write(sent, request)
    const received = api.request.codec(version).read(new Reader(sent.finish().slices))
    const answer = api.controller!(this.controller, received, { ...contextOf(version), ...context })
    const carried = (response: Encodable<R> | undefined) => {
      const back = new Writer()
      api.response.codec(version).write(back, response!)
      return api.response.codec(version).read(new Reader(back.finish().slices))
    }
    return answer instanceof Promise ? answer.then(carried) : carried(answer)
  }

  /** Answers the error's name. `previousEpoch` proves a clean end of the life before. */
  register(id: number, options: { previousEpoch?: number; rack?: string | null; incarnation?: string } = {}): string {
    const incarnation = options.incarnation ?? this.newIncarnation()
    const rack = options.rack ?? this.#brokers.get(id)?.rack ?? null
    const { errorCode, brokerEpoch } = this.ask(brokerRegistration, {
      brokerId: id,
      clusterId: CLUSTER_ID,
      incarnationId: incarnation,
      listeners: [{ name: 'PLAINTEXT', host: 'localhost', port: 9092 + id, securityProtocol: 0 }],
      features: [],
      rack,
      previousBrokerEpoch: options.previousEpoch ?? -1,
    })
    if (errorCode === 0) this.#brokers.set(id, { epoch: brokerEpoch, incarnation, rack, beats: false })
    return errorOf(errorCode).name
  }

  newIncarnation(): string {
    const bytes = new Uint8Array(16)
    new DataView(bytes.buffer).setUint32(0, ++this.#incarnations)
    return uuidToText(bytes)
  }

  epochOf(id: number): number {
    return this.#brokers.get(id)?.epoch ?? -1
  }

  incarnationOf(id: number): string {
    return this.#brokers.get(id)!.incarnation
  }

  heartbeat(
    id: number,
    options: { wantFence?: boolean; wantShutDown?: boolean; epoch?: number; offset?: number } = {},
  ) {
    const answer = this.ask(brokerHeartbeat, {
      brokerId: id,
      brokerEpoch: options.epoch ?? this.epochOf(id),
      currentMetadataOffset: options.offset ?? this.image.offset,
      wantFence: options.wantFence ?? false,
      wantShutDown: options.wantShutDown ?? false,
    })
    return { ...answer, error: errorOf(answer.errorCode).name }
  }

  /** Registers, unfences, and sends a heartbeat every two seconds. */
  startBroker(id: number, options: { previousEpoch?: number; rack?: string | null } = {}): void {
    const error = this.register(id, options)
    if (error !== 'NONE') throw new Error(`broker ${id} was not registered: ${error}`)
    this.resume(id)
  }

  /** Heartbeats go on, the first one now. */
  resume(id: number): void {
    const broker = this.#brokers.get(id)!
    broker.beats = true
    const beat = () => {
      if (this.#brokers.get(id) !== broker || !broker.beats) return
      this.heartbeat(id)
      this.runtime.after(HEARTBEAT_MS, beat, { idle: true })
    }
    beat()
  }

  /** No heartbeat any more. */
  silence(id: number): void {
    this.#brokers.get(id)!.beats = false
  }

  /** Silent until its session has ended. */
  async loseBroker(id: number): Promise<void> {
    this.silence(id)
    await this.advance(12_000)
  }

  /** Asks to leave until it may. */
  async stopBroker(id: number): Promise<void> {
    this.silence(id)
    for (let tries = 0; tries < 10; tries++) {
      if (this.heartbeat(id, { wantShutDown: true }).shouldShutDown) return
      await this.advance(HEARTBEAT_MS)
    }
    throw new Error(`broker ${id} was not let go`)
  }

  /** One topic with its replicas written by hand. */
  createTopic(name: string, assignments: readonly (readonly number[])[], configs: object = {}): void {
    const { topics } = this.ask(createTopics, {
      topics: [
        {
          name,
          numPartitions: -1,
          replicationFactor: -1,
          assignments: assignments.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds })),
          configs: [...topicOverrides(configs)].map(([key, value]) => ({ name: key, value })),
        },
      ],
    })
    const { errorCode, errorMessage } = topics[0]!
    if (errorCode !== 0) throw new Error(`${errorOf(errorCode).name}: ${errorMessage}`)
  }

  deleteTopic(name: string): string {
    const { responses } = this.ask(deleteTopics, { topics: [{ name, topicId: zeroUuid }], timeoutMs: 1000 })
    return errorOf(responses[0]!.errorCode).name
  }

  partition(topic: string, partition = 0): PartitionImage {
    const found = this.image.partition(topic, partition)
    if (found === undefined) throw new Error(`there is no ${topic}-${partition}`)
    return found
  }

  /** As the leader, with what the controller knows; every field may be given otherwise. Answers the error's name. */
  proposeInSync(topic: string, members: readonly (number | readonly [number, number])[], other: Proposal = {}): string {
    const partition = this.partition(topic)
    const sender = other.sender ?? partition.leader
    const answer = this.ask(alterPartition, {
      brokerId: sender,
      brokerEpoch: other.brokerEpoch ?? this.epochOf(sender),
      topics: [
        {
          topicId: other.topicId ?? partition.topicId,
          partitions: [
            {
              partitionIndex: other.partition ?? 0,
              leaderEpoch: other.leaderEpoch ?? partition.leaderEpoch,
              newIsrWithEpochs: members.map(member =>
                typeof member === 'number'
                  ? { brokerId: member, brokerEpoch: this.epochOf(member) }
                  : { brokerId: member[0], brokerEpoch: member[1] },
              ),
              leaderRecoveryState: other.recoveryState ?? 0,
              partitionEpoch: other.partitionEpoch ?? partition.partitionEpoch,
            },
          ],
        },
      ],
    })
    if (answer.errorCode !== 0) return `top ${errorOf(answer.errorCode).name}`
    return errorOf(answer.topics[0]!.partitions[0]!.errorCode).name
  }

  /** Answers the error's name. */
  elect(type: 'preferred' | 'unclean', topic: string, partition = 0): string {
    const { replicaElectionResults } = this.ask(electLeaders, {
      electionType: type === 'preferred' ? 0 : 1,
      topicPartitions: [{ topic, partitions: [partition] }],
    })
    return errorOf(replicaElectionResults[0]!.partitionResult[0]!.errorCode).name
  }

  /** Answers the error's name; null cancels. */
  reassign(
    topic: string,
    replicas: readonly number[] | null,
    options: { mayChangeFactor?: boolean; partition?: number } = {},
  ) {
    const { responses } = this.ask(alterPartitionReassignments, {
      allowReplicationFactorChange: options.mayChangeFactor ?? true,
      topics: [{ name: topic, partitions: [{ partitionIndex: options.partition ?? 0, replicas }] }],
    })
    return errorOf(responses[0]!.partitions[0]!.errorCode).name
  }

  /** Sets one key, or with null deletes it. Answers the error's name. */
  setConfig(resource: { type: number; name: string }, key: string, value: string | null): string {
    const { responses } = this.ask(incrementalAlterConfigs, {
      resources: [
        {
          resourceType: resource.type,
          resourceName: resource.name,
          configs: [{ name: key, configOperation: value === null ? 1 : 0, value }],
        },
      ],
      validateOnly: false,
    })
    return errorOf(responses[0]!.errorCode).name
  }

  /** The partition as one line. */
  state(topic: string, partition = 0): string {
    return stateOf(this.partition(topic, partition))
  }

  /** Every state that the metadata log gave the partition, in order. */
  history(topic: string, partition = 0): string[] {
    const states: string[] = []
    const image = new ClusterImage()
    for (const batch of this.store.read(0, Number.POSITIVE_INFINITY)) {
      for (const [index, record] of metadataRecordsOf(batch).entries()) {
        const before = image.partition(topic, partition)
        image.apply(record, batch.baseOffset + index, batch.leaderEpoch)
        const after = image.partition(topic, partition)
        if (after !== undefined && after !== before) states.push(stateOf(after))
      }
    }
    return states
  }

  /** A second image, from the log alone. */
  replayed(): ClusterImage {
    const image = new ClusterImage()
    for (const batch of this.store.read(0, Number.POSITIVE_INFINITY)) {
      for (const [index, record] of metadataRecordsOf(batch).entries()) {
        image.apply(record, batch.baseOffset + index, batch.leaderEpoch)
      }
    }
    return image
  }
}

interface Proposal {
  readonly sender?: number
  readonly brokerEpoch?: number
  readonly topicId?: string
  readonly partition?: number
  readonly leaderEpoch?: number
  readonly partitionEpoch?: number
  readonly recoveryState?: number
}

export function contextOf(version: number): RequestContext {
  return {
    version,
    clientId: null,
    correlationId: 1,
    from: 'test',
    peer: undefined,
    principal: ANONYMOUS,
    byToken: false,
    host: '127.0.0.1',
    listener: 'PLAINTEXT',
    securityProtocol: 'PLAINTEXT',
    closed: { isClosed: false, onClose: () => () => {} },
  }
}

/** `leader=1 le=0 pe=2 isr=[1] elr=[2,3] replicas=[1,2,3]`: le and pe are the leader and partition epoch. */
export function stateOf(partition: PartitionImage): string {
  const list = (name: string, ids: readonly number[]) => (ids.length === 0 ? '' : ` ${name}=[${ids}]`)
  const isReassigning = partition.addingReplicas.length > 0 || partition.removingReplicas.length > 0
  const recovering = partition.recoveryState === RECOVERING ? ' RECOVERING' : ''
  return [
    `leader=${partition.leader} le=${partition.leaderEpoch} pe=${partition.partitionEpoch}`,
    ` isr=[${partition.inSyncReplicas}]${recovering}`,
    list('elr', partition.eligibleLeaderReplicas),
    list('lastKnownElr', partition.lastKnownElr),
    isReassigning ? ` adding=[${partition.addingReplicas}] removing=[${partition.removingReplicas}]` : '',
    ` replicas=[${partition.replicas}]`,
  ].join('')
}
