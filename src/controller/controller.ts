import type { allocateProducerIds } from '../apis/allocate-producer-ids.ts'
import type { alterPartition } from '../apis/alter-partition.ts'
import type { alterPartitionReassignments } from '../apis/alter-partition-reassignments.ts'
import type { brokerHeartbeat } from '../apis/broker-heartbeat.ts'
import type { brokerRegistration } from '../apis/broker-registration.ts'
import type { createPartitions } from '../apis/create-partitions.ts'
import type { createTopics } from '../apis/create-topics.ts'
import type { deleteTopics } from '../apis/delete-topics.ts'
import type { describeQuorum } from '../apis/describe-quorum.ts'
import type { electLeaders } from '../apis/elect-leaders.ts'
import type { fetch } from '../apis/fetch.ts'
import type { incrementalAlterConfigs } from '../apis/incremental-alter-configs.ts'
import type { listPartitionReassignments } from '../apis/list-partition-reassignments.ts'
import { thenDo } from '../log/eventually.ts'
import type { Eventually, TopicNews } from '../log/log-store.ts'
import { type Authorizer, authorizerOf } from '../metadata/authorizer.ts'
import { noOverrides, type Overrides } from '../metadata/config-values.ts'
import { ClusterImage } from '../metadata/image.ts'
import { metadataRecordsOf } from '../metadata/metadata-batch.ts'
import type { MetadataRecordInput } from '../metadata/records.ts'
import type { Address } from '../network/channel.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { AnyApi, RequestContext, RequestOf, ResponseInput } from '../wire/api.ts'
import { KafkaError } from '../wire/errors.ts'
import type { RecordBatch } from '../wire/record-batch.ts'
import { Administration } from './administration.ts'
import { decideAlterPartition } from './alter-partition.ts'
import { announcePartition, announceRecord } from './announcement.ts'
import { type BrokerState, fenceExpired, heartbeat } from './broker-lifecycle.ts'
import { BrokerContacts, registerBroker } from './brokers.ts'
import { configsRefused, decideConfigs } from './config-alteration.ts'
import { Settings } from './configs.ts'
import type { ControllerOptions } from './controller-options.ts'
import type { Decision, Situation } from './decision.ts'
import { ElectionTimers } from './election-timers.ts'
import { decideElections, electionsRefused } from './elections.ts'
import { type AdoptedTopic, adoptionRecords, formatRecords } from './format.ts'
import { META_PROPERTIES, metaProperties } from './meta-properties.ts'
import { MetadataLog } from './metadata-log.ts'
import { MetadataReaders } from './metadata-readers.ts'
import { MutationQuotas, type MutationRequester } from './mutation-quotas.ts'
import { decideNewPartitions } from './partition-creation.ts'
import { decideProducerIds } from './producer-ids.ts'
import { quorumDescription } from './quorum.ts'
import { decideReassignments, listReassignments, reassignmentsRefused } from './reassignments.ts'
import { errorFields } from './refusal.ts'
import { TokenTimer } from './token-timer.ts'
import { decideTopics } from './topic-creation.ts'
import { decideDeletion } from './topic-deletion.ts'
import { allTopics, topicNews } from './topic-news.ts'

/** How long an answer to a client waits for brokers that have not applied it yet. */
const APPLIED_LIMIT_MS = 100

type Answer<A extends AnyApi> = Eventually<ResponseInput<A>>

/**
 * The active controller, the only voter of the metadata quorum. It decides, appends, replays: whoever decides returns
 * records and a response and changes nothing; the records are appended to the metadata log, and replaying them is the
 * only way in which `image` changes. As in Kafka they are replayed at once and answered once they are stored, so that
 * the next decision need not wait for the store. A store that fails ends this life of the controller: from then on
 * everything is refused with NOT_CONTROLLER, and what was stored is what the next life begins with.
 */
export class Controller {
  readonly nodeId: number
  readonly clusterId: string
  readonly apis: ReadonlyMap<number, AnyApi>
  readonly address: Address
  readonly administration: Administration
  readonly image = new ClusterImage()
  readonly settings: Settings
  /** Who may do what; undefined: everybody everything. */
  readonly authorizer: Authorizer | undefined
  readonly #runtime: Runtime
  readonly #log: MetadataLog
  readonly #contacts: BrokerContacts
  readonly #readers: MetadataReaders
  readonly #elections: ElectionTimers
  readonly #mutations: MutationQuotas
  readonly #tokens: TokenTimer
  readonly #configs: Overrides
  readonly #features: Readonly<Record<string, number>>
  readonly #adopted: readonly AdoptedTopic[]
  readonly #initialRecords: readonly MetadataRecordInput[]
  readonly #mutants: ReadonlySet<string>
  readonly #topicsChanged: ControllerOptions['topicsChanged']
  #isActive = false

  constructor(options: ControllerOptions) {
    const { runtime, nodeId = 1000, clusterId } = options
    this.nodeId = nodeId
    this.clusterId = clusterId
    this.apis = options.apis ?? new Map()
    this.address = options.address ?? { host: 'localhost', port: 9093 }
    this.administration = new Administration(nodeId, (decide, refusal) => this.#answerApplied(decide, refusal))
    this.#runtime = runtime
    this.#configs = options.configs ?? noOverrides
    this.#features = options.features ?? {}
    this.#adopted = options.adopted ?? []
    this.#initialRecords = options.initialRecords ?? []
    this.#mutants = options.mutants ?? new Set()
    this.#topicsChanged = options.topicsChanged
    this.authorizer = authorizerOf(this.image.acls, this.#configs)
    this.settings = new Settings(this.image, this.#configs, nodeId)
    this.#mutations = new MutationQuotas(this.image, this.settings)
    this.#log = new MetadataLog(options.store)
    this.#log.onFailed = options.failed
    this.#readers = new MetadataReaders(runtime, this.#log, clusterId, nodeId, broker => this.image.isActive(broker))
    const sessionMs = () => this.settings.values['broker.session.timeout.ms']
    this.#contacts = new BrokerContacts(runtime, sessionMs, broker => this.#fence(broker))
    const unasked = (decide: (situation: Situation) => Decision<undefined>) => this.#performUnasked(decide)
    this.#elections = new ElectionTimers(runtime, this.settings, unasked)
    this.#tokens = new TokenTimer(runtime, this.image, this.settings, unasked)
  }

  /** Reads the log, formats a fresh one, and takes up its duties. Before that everything is refused. */
  start(): Eventually<void> {
    const opened = this.#log.open(batch => this.#replay(batch, false))
    return opened instanceof Promise ? opened.then(() => this.#activate()) : this.#activate()
  }

  #activate(): Eventually<void> {
    this.#isActive = true
    this.#elections.begin()
    this.#tokens.begin()
    this.#follow(false)
    this.#runtime.trace.add('metadata', 'controller', { what: 'active', endOffset: this.#log.nextOffset })
    const begin = (records: readonly MetadataRecordInput[]) => this.#perform(() => ({ records, response: undefined }))
    if (this.#log.nextOffset > 0) return thenDo(begin(this.#initialRecords), () => this.#tell(allTopics(this.image)))
    const named = this.#log.save(META_PROPERTIES, metaProperties(this.clusterId, this.nodeId))
    const fresh = [...formatRecords(this.#features, this.#configs), ...adoptionRecords(this.#adopted)]
    return thenDo(named, () => begin([...fresh, ...this.#initialRecords]))
  }

  /** Whether it takes requests. */
  get isActive(): boolean {
    return this.#isActive && this.#log.failure === undefined
  }

  /** Stored end of the metadata log (exclusive). */
  get endOffset(): number {
    return this.#log.endOffset
  }

  close(): Eventually<void> {
    this.#isActive = false
    return this.#log.close()
  }

  get #situation(): Situation {
    return {
      clusterId: this.clusterId,
      image: this.image,
      settings: this.settings,
      contacts: this.#contacts,
      nextOffset: this.#log.nextOffset,
      now: this.#runtime.now(),
      mutants: this.#mutants,
      choose: (name, n) => this.#runtime.choose(name, n),
    }
  }

  /** Decides, appends, replays; answers once the records are stored. */
  #perform<Response>(decide: (situation: Situation) => Decision<Response>): Eventually<Response> {
    if (!this.isActive) throw new KafkaError('NOT_CONTROLLER', 'This is not the active controller.')
    const { records, response } = decide(this.#situation)
    if (records.length === 0) return response
    const { batch, stored } = this.#log.append(records, this.#runtime.now())
    this.#replay(batch, true)
    const news = this.#follow(true)
    if (stored === undefined) return thenDo(this.#tell(news), () => response)
    return stored.then(
      () => thenDo(this.#tell(news), () => response),
      () => {
        throw new KafkaError('NOT_CONTROLLER', 'The metadata log does not take anything any more.')
      },
    )
  }

  /** Those who show topics to others: nothing depends on whether they can. */
  #tell(news: TopicNews | undefined): Eventually<void> {
    const told = news && this.#topicsChanged?.(news)
    return told instanceof Promise ? told.catch(() => undefined) : undefined
  }

  #replay(batch: RecordBatch, announced: boolean): void {
    const records = metadataRecordsOf(batch)
    const topicName = (id: string) => this.image.topicById(id)?.name ?? id
    for (let i = 0; i < records.length; i++) {
      if (announced) announceRecord(this.#runtime.trace, records[i]!, topicName)
      this.image.apply(records[i]!, batch.baseOffset + i, batch.leaderEpoch)
    }
  }

  /** What is soft follows what was replayed: watches over brokers, timers of elections. */
  #follow(announced: boolean): TopicNews | undefined {
    const changes = this.image.takeChanges()
    for (const brokerId of changes.brokers) this.#contacts.watch(brokerId, this.image.broker(brokerId))
    for (const change of changes.partitions.values()) {
      if (announced) announcePartition(this.#runtime.trace, change)
    }
    this.#elections.follow(changes)
    this.#tokens.follow()
    return this.#topicsChanged && topicNews(this.image, changes)
  }

  #fence(brokerId: number): void {
    this.#performUnasked(situation => fenceExpired(brokerId, situation))
  }

  /** From a timer. A store that fails is noticed by whoever asks next. */
  #performUnasked(decide: (situation: Situation) => Decision<undefined>): void {
    if (!this.isActive) return
    const done = this.#perform(decide)
    if (done instanceof Promise) done.catch(() => {})
  }

  /** The same as `#perform`, with the answer that a refusal of the whole request gets. */
  #answer<Response>(
    decide: (situation: Situation) => Decision<Response>,
    refusal: (error: KafkaError) => Response,
  ): Eventually<Response> {
    const refused = (error: unknown) => {
      if (error instanceof KafkaError) return refusal(error)
      throw error
    }
    try {
      const response = this.#perform(decide)
      return response instanceof Promise ? response.catch(refused) : response
    } catch (error) {
      return refused(error)
    }
  }

  /**
   * For what clients ask: the answer waits until the brokers that follow have applied it, so that a client that goes on
   * finds what it made. A real broker's metadata shows it some milliseconds later.
   */
  #answerApplied<Response>(
    decide: (situation: Situation) => Decision<Response>,
    refusal: (error: KafkaError) => Response,
  ): Eventually<Response> {
    const before = this.#log.nextOffset
    const response = this.#answer(decide, refusal)
    const end = this.#log.nextOffset
    if (end === before) return response
    if (response instanceof Promise) return response.then(answer => this.#whenApplied(end, answer))
    return this.#whenApplied(end, response)
  }

  #whenApplied<Response>(end: number, response: Response): Eventually<Response> {
    const applied = this.#readers.applied(end, APPLIED_LIMIT_MS)
    return applied === undefined ? response : applied.then(() => response)
  }

  registerBroker(request: RequestOf<typeof brokerRegistration>): Answer<typeof brokerRegistration> {
    return this.#answer(
      situation => registerBroker(request, situation),
      error => ({ throttleTimeMs: 0, errorCode: error.code }),
    )
  }

  heartbeat(request: RequestOf<typeof brokerHeartbeat>): Answer<typeof brokerHeartbeat> {
    let next: BrokerState | undefined
    const answer = this.#answer(
      situation => {
        const decision = heartbeat(request, situation)
        next = decision.next
        return decision
      },
      error => ({ throttleTimeMs: 0, errorCode: error.code, shouldShutDown: false }),
    )
    const broker = this.image.broker(request.brokerId)
    if (next === undefined || broker === undefined) return answer
    this.#contacts.touched(broker, request.currentMetadataOffset)
    if (next === 'controlled shutdown') this.#contacts.leaves(broker, this.image.offset)
    return answer
  }

  alterPartition(
    request: RequestOf<typeof alterPartition>,
    context: Pick<RequestContext, 'version'>,
  ): Answer<typeof alterPartition> {
    return this.#answer(
      situation => decideAlterPartition(request, context.version, situation),
      error => ({ throttleTimeMs: 0, errorCode: error.code, topics: [] }),
    )
  }

  allocateProducerIds(request: RequestOf<typeof allocateProducerIds>): Answer<typeof allocateProducerIds> {
    return this.#answer(
      situation => decideProducerIds(request, situation),
      error => ({ throttleTimeMs: 0, errorCode: error.code, producerIdStart: 0, producerIdLen: 0 }),
    )
  }

  createTopics(request: RequestOf<typeof createTopics>, context?: MutationRequester): Answer<typeof createTopics> {
    const quota = this.#mutations.of(context, 6, this.#runtime.now())
    return this.#answerApplied(
      situation => decideTopics(request, situation, quota),
      error => ({
        throttleTimeMs: 0,
        topics: request.topics.map(({ name }) => ({
          name,
          ...errorFields(error),
          numPartitions: -1,
          replicationFactor: -1,
          configs: [],
        })),
      }),
    )
  }

  deleteTopics(request: RequestOf<typeof deleteTopics>, context: MutationRequester): Answer<typeof deleteTopics> {
    const quota = this.#mutations.of(context, 5, this.#runtime.now())
    const named = context.version >= 6 ? request.topics : request.topicNames.map(name => ({ name }))
    return this.#answerApplied(
      situation => decideDeletion(request, context.version, situation, quota),
      error => ({ throttleTimeMs: 0, responses: named.map(topic => ({ ...topic, ...errorFields(error) })) }),
    )
  }

  createPartitions(
    request: RequestOf<typeof createPartitions>,
    context?: MutationRequester,
  ): Answer<typeof createPartitions> {
    const quota = this.#mutations.of(context, 3, this.#runtime.now())
    return this.#answerApplied(
      situation => decideNewPartitions(request, situation, quota),
      error => ({
        throttleTimeMs: 0,
        results: request.topics.map(({ name }) => ({ name, ...errorFields(error) })),
      }),
    )
  }

  electLeaders(
    request: RequestOf<typeof electLeaders>,
    context: Pick<RequestContext, 'version'>,
  ): Answer<typeof electLeaders> {
    return this.#answerApplied(
      situation => decideElections(request, context.version, situation),
      error => electionsRefused(request, error),
    )
  }

  alterPartitionReassignments(
    request: RequestOf<typeof alterPartitionReassignments>,
  ): Answer<typeof alterPartitionReassignments> {
    return this.#answerApplied(
      situation => decideReassignments(request, situation),
      error => reassignmentsRefused(request, error),
    )
  }

  listPartitionReassignments(
    request: RequestOf<typeof listPartitionReassignments>,
  ): Answer<typeof listPartitionReassignments> {
    return this.#answer(
      situation => ({ records: [], response: listReassignments(request, situation) }),
      error => ({ throttleTimeMs: 0, ...errorFields(error), topics: [] }),
    )
  }

  incrementalAlterConfigs(request: RequestOf<typeof incrementalAlterConfigs>): Answer<typeof incrementalAlterConfigs> {
    return this.#answerApplied(
      situation => decideConfigs(request, situation),
      error => configsRefused(request.resources, error),
    )
  }

  describeQuorum(
    request: RequestOf<typeof describeQuorum>,
    context: Pick<RequestContext, 'version'>,
  ): Answer<typeof describeQuorum> {
    const { nodeId, address, endOffset } = this
    const quorum = { nodeId, address, endOffset, observers: this.#readers.observers, now: this.#runtime.now() }
    return this.#answer(
      () => ({ records: [], response: quorumDescription(request, context.version, quorum) }),
      error => ({ ...errorFields(error), topics: [] }),
    )
  }

  /** The metadata log, for brokers that follow it. */
  fetch(request: RequestOf<typeof fetch>, context: RequestContext): Answer<typeof fetch> {
    if (!this.isActive) {
      return { throttleTimeMs: 0, errorCode: new KafkaError('NOT_CONTROLLER').code, responses: [] }
    }
    return this.#readers.fetch(request, context)
  }
}
