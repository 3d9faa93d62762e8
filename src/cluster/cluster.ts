import { Admin, Consumer, Producer } from '../client/clients.ts'
import type { ConsumerOptions, ProducerOptions } from '../client/configuration.ts'
import type { RecordData } from '../client/producer/producer-record.ts'
import type { Deserialized, Deserializing, Serialized, Serializing } from '../client/serde-choice.ts'
import type { AdminOptions } from '../metadata/admin-configs.ts'
import { NO_LEADER, type PartitionImage, type TopicImage } from '../metadata/image.ts'
import { addressText } from '../network/channel.ts'
import type { Interceptor } from '../node/intercept.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Trace } from '../runtime/trace.ts'
import { VirtualRuntime } from '../runtime/virtual.ts'
import type { AnyApi } from '../wire/api.ts'
import { IllegalStateError } from '../wire/errors.ts'
import { type Access, type AccessArguments, orderAccess } from './acl-order.ts'
import type { BrokerHandle } from './broker-handle.ts'
import { isCalm } from './calm.ts'
import type { Certificate } from './certificates/certificate.ts'
import { Clock } from './clock.ts'
import { closeAll } from './closing.ts'
import type { ClusterParts } from './cluster-parts.ts'
import { ConnectedClients, type InProcessOptions } from './connected-clients.ts'
import type { ControllerHandle } from './controller-handle.ts'
import { type Coordinated, coordinatorOf } from './coordinator-lookup.ts'
import { describeCluster } from './description.ts'
import { type FaultOptions, Faults, type InstalledInterceptor } from './faults.ts'
import { GroupHandle } from './group-handle.ts'
import { healNodes } from './heal.ts'
import { InProcessSockets } from './in-process-sockets.ts'
import type { Named } from './named-client.ts'
import { NetworkFaults } from './network-faults.ts'
import { NewTopics } from './new-topics.ts'
import { newestImage } from './newest-image.ts'
import type { NewTopic, TopicSpec } from './options.ts'
import { type PartitionView, viewPartition } from './partition-view.ts'
import { CONTROLLER_ID, type Plant } from './plant.ts'
import { orderQuotas, type QuotaEntity, type QuotaLimits } from './quota-order.ts'
import type { FailNextOptions, RequestFault } from './request-faults.ts'
import { type RequestFilter, RequestJournal, type SeenRequest } from './request-journal.ts'
import { serversOf } from './servers.ts'
import { settle } from './settle.ts'
import { TopicHandle } from './topic-handle.ts'
import { requirePartition, requireTopic } from './topic-lookup.ts'
import { TransactionHandle } from './transaction-handle.ts'
import { type WaitOptions, waitUntil } from './wait.ts'

/** A whole Kafka cluster in this process: brokers with replicas of their own, a controller, a network, and their time. */
export class Cluster {
  readonly seed: number
  /** In the order in which they were named. */
  readonly brokers: readonly BrokerHandle[]
  /** The only one: id 1000. */
  readonly controller: ControllerHandle
  readonly clock: Clock
  readonly network: NetworkFaults
  readonly #plant: Plant
  readonly #runtime: Runtime
  readonly #clients: ConnectedClients
  readonly #topics: NewTopics
  readonly #faults: Faults
  readonly #journal = new RequestJournal()
  readonly #counts = new Map<string, number>()
  #sockets: InProcessSockets | undefined
  #closing: Promise<void> | undefined

  constructor(parts: ClusterParts) {
    this.seed = parts.seed
    this.brokers = parts.brokers
    this.controller = parts.controller
    const { plant, brokers } = parts
    this.#plant = plant
    this.#runtime = plant.runtime
    this.#clients = new ConnectedClients(plant, brokers)
    this.#topics = new NewTopics(plant, brokers, () => this.#image())
    this.clock = new Clock(this.#runtime)
    const topicId = (name: string) => this.#requireTopic(name).topicId
    this.#faults = new Faults({ plant, brokers, broker: id => this.broker(id), topicId })
    this.network = new NetworkFaults(
      plant.network,
      brokers.map(({ id }) => id),
      this.#faults,
    )
    plant.interceptors.witness = this.#journal
    if (this.#runtime instanceof VirtualRuntime) this.#runtime.calm = () => isCalm(this, this.#clients.members, plant)
  }

  // --- addresses and clients -----------------------------------------------------------------------------------------

  /** `host:port` of every broker. With `listen` any client reaches them, without it only those of this cluster do. */
  get addresses(): string[] {
    return this.brokers.map(broker => addressText(broker.address))
  }

  /** What clients call `bootstrap.servers`. */
  get bootstrapServers(): string {
    return this.addresses.join(',')
  }

  /** The same at one of several listeners. */
  bootstrapServersOf(listener: string): string {
    return serversOf(this.brokers, listener)
  }

  /** Whom to trust for the certificates of this run, in PEM: what clients call `ssl.truststore.certificates`, or `ca`. */
  get ca(): string {
    return this.#plant.certificates.ca
  }

  /** A certificate for a client, which the brokers trust: for `alice` it is in the name of `CN=alice`. Both texts are PEM. */
  certificate(subject: string): Certificate {
    return this.#plant.certificates.issue(subject)
  }

  /**
   * A producer that is connected in process. Closed with the cluster, if not before. Keys and values are what its serializers
   * take: text, bytes or null without; `producer<Key, Value>(…)` is taken on trust.
   */
  producer<const KeyChoice extends Serializing, const ValueChoice extends Serializing, _>(
    config?: ProducerOptions<KeyChoice, ValueChoice> & InProcessOptions,
  ): Named<Producer<Serialized<KeyChoice>, Serialized<ValueChoice>>>
  producer<Key = RecordData, Value = RecordData>(
    config?: ProducerOptions & InProcessOptions,
  ): Named<Producer<Key, Value>>
  producer<Key, Value>(config: ProducerOptions & InProcessOptions = {}): Named<Producer<Key, Value>> {
    return this.#client('producer', config, (own, environment) => new Producer<Key, Value>(own, environment))
  }

  /**
   * A consumer. Keys and values are what its deserializers make, Buffers without; `consumer<Key, Value>(…)` is taken on trust,
   * which is what JSON needs.
   */
  consumer<const KeyChoice extends Deserializing, const ValueChoice extends Deserializing, _>(
    config?: ConsumerOptions<KeyChoice, ValueChoice> & InProcessOptions,
  ): Named<Consumer<Deserialized<KeyChoice>, Deserialized<ValueChoice>>>
  consumer<Key = Buffer | null, Value = Buffer | null>(
    config?: ConsumerOptions & InProcessOptions,
  ): Named<Consumer<Key, Value>>
  consumer<Key, Value>(config: ConsumerOptions & InProcessOptions = {}): Named<Consumer<Key, Value>> {
    return this.#client('consumer', config, (own, environment) => new Consumer<Key, Value>(own, environment))
  }

  admin(config: AdminOptions & InProcessOptions = {}): Named<Admin> {
    return this.#client('admin', config, (own, environment) => new Admin(own, environment))
  }

  #client: ConnectedClients['connect'] = (kind, config, make) => {
    this.#requireOpen(`${kind}()`)
    return this.#clients.connect(this.#next(kind), config, make)
  }

  /** @internal For clients of others, without a port. */
  get sockets(): InProcessSockets {
    this.#sockets ??= new InProcessSockets(this.#plant, this.brokers)
    return this.#sockets
  }

  // --- topics --------------------------------------------------------------------------------------------------------

  /** Creates a topic and waits until every partition has its leader. Answers the topic's name. */
  async createTopic(topic: NewTopic): Promise<string> {
    this.#requireOpen('createTopic()')
    const name = 'name' in topic ? topic.name : this.#next(topic.prefix)
    await this.#runtime.drive(`createTopic(${name})`, () => this.#topics.createAs(name, topic))
    return name
  }

  /** All at once, straight from the controller. */
  async createTopics(topics: Readonly<Record<string, TopicSpec>>): Promise<void> {
    await this.#topics.create(topics)
  }

  /** Gives a permission until it is disposed of: `allow('User:alice', 'read', { topic: 'orders' })`. Needs `authorizer`. */
  allow(...access: AccessArguments): Promise<Access> {
    return this.#runtime.drive('allow()', () => orderAccess(this.#plant, 'allow', access))
  }

  /** Takes a permission, whatever else is allowed, until it is disposed of. Without `authorizer` it rejects. */
  deny(...access: AccessArguments): Promise<Access> {
    return this.#runtime.drive('deny()', () => orderAccess(this.#plant, 'deny', access))
  }

  /** Limits clients, from now on: `quota({ clientId: 'reports' }, { consumerByteRate: 1024 })`. Rejects with INVALID_REQUEST. */
  async quota(entity: QuotaEntity, limits: QuotaLimits): Promise<void> {
    this.#requireOpen('quota()')
    await this.#runtime.drive('quota()', () => orderQuotas(this.#plant, [{ ...entity, ...limits }]))
  }

  // --- roles ---------------------------------------------------------------------------------------------------------

  /** By id. */
  broker(id: number): BrokerHandle {
    const found = this.brokers.find(broker => broker.id === id)
    if (found !== undefined) return found
    const ids = this.brokers.map(broker => broker.id).join(', ')
    if (id === CONTROLLER_ID) throw new RangeError(`${id} is the controller: cluster.controller; brokers are ${ids}`)
    throw new RangeError(`there is no broker ${id}; there are ${ids}`)
  }

  /** The broker that the controller has as leader now. Without one it is an error that says so. */
  leaderOf(topic: string, partition: number): BrokerHandle {
    const state = this.#partition(topic, partition)
    if (state.leader === NO_LEADER) {
      const inSync = state.inSyncReplicas.join(', ') || 'nobody'
      throw new IllegalStateError(`${topic}-${partition} has no leader now (in sync: ${inSync})`)
    }
    return this.broker(state.leader)
  }

  /** The other brokers that have a replica, in the order of the assignment. */
  followersOf(topic: string, partition: number): BrokerHandle[] {
    const state = this.#partition(topic, partition)
    return state.replicas.filter(id => id !== state.leader).map(id => this.broker(id))
  }

  /** The broker that coordinates a group or a transactional id now: the leader of its internal partition. None is an error. */
  coordinatorOf(who: Coordinated): BrokerHandle {
    return coordinatorOf(this.#place('coordinatorOf()'), who)
  }

  // --- what is there -------------------------------------------------------------------------------------------------

  /** The partition at this moment: bounds, in-sync replicas, and each replica's own log. */
  partition(topic: string, partition: number): PartitionView {
    return viewPartition(this.#partition(topic, partition), this.brokers)
  }

  /** A topic: its records, straight from the leaders' logs. @throws {RangeError} with the nearest name. */
  topic(name: string): TopicHandle {
    const { brokers } = this
    return new TopicHandle({ runtime: this.#runtime, brokers, requireTopic: topic => this.#requireTopic(topic) }, name)
  }

  /** A group: who is in it, what it has committed, and how far behind it is. It need not be there yet. */
  group(id: string): GroupHandle {
    return new GroupHandle({ ...this.#place(`a look at group '${id}'`), members: this.#clients.members }, id)
  }

  /** A transactional id: its state, producer and partitions, and a way to hold its ends between two steps. */
  transaction(id: string): TransactionHandle {
    const { transactionStops: stops } = this.#plant
    return new TransactionHandle({ ...this.#place(`a look at transactional id '${id}'`), stops }, id)
  }

  /** Where a look finds things: an error after the end. */
  #place(look: string) {
    const image = () => {
      this.#requireOpen(look)
      return this.#image()
    }
    return { runtime: this.#runtime, brokers: this.brokers, image }
  }

  /** Requests that nodes received, oldest first, with their answers: the last 10,000 of clients and of brokers. */
  requests<A extends AnyApi = AnyApi>(filter: RequestFilter<A> = {}): SeenRequest<A>[] {
    const topicId = filter.topic === undefined ? undefined : this.#image().topic(filter.topic)?.topicId
    return this.#journal.requests(filter, topicId)
  }

  /** In the order of their creation. */
  get topicNames(): readonly string[] {
    return [...this.#image().topics.keys()]
  }

  get trace(): Trace {
    return this.#runtime.trace
  }

  #image() {
    return newestImage(this.controller, this.brokers)
  }

  #requireTopic(topic: string): TopicImage {
    this.#requireOpen(`a look at '${topic}'`)
    return requireTopic(this.#image(), topic)
  }

  #partition(topic: string, partition: number): PartitionImage {
    this.#requireOpen(`a look at '${topic}'`)
    return requirePartition(this.#image(), topic, partition)
  }

  // --- time and faults -----------------------------------------------------------------------------------------------

  /** Lets time run until `condition` holds. @throws {WaitTimeoutError} with `describe` when it does not in `timeoutMs`. */
  async runUntil(condition: () => boolean, options: WaitOptions = {}): Promise<void> {
    this.#requireOpen('runUntil()')
    await waitUntil(this.#runtime, 'runUntil()', condition, {
      describe: () => describeCluster(this.#image().topics.values(), this.brokers, this.trace),
      ...options,
    })
  }

  /** Lets time run until nothing is in flight, at most 5,000 ms: what cannot settle, because of a fault, stays as it is. */
  async settle(): Promise<void> {
    this.#requireOpen('settle()')
    await settle(this.#runtime, this.brokers)
  }

  /**
   * Lets time run until the test's own promise settles, and answers with its value: of a service under test, of a loop that
   * iterates over a consumer. A function is called at once. The contrary of `outside`: what it waits for is the cluster. Real
   * I/O that it awaits besides takes no virtual time, and whatever is due meanwhile happens. On real time it just awaits.
   *
   * @throws {PatienceError} when nothing but housekeeping has happened for `patienceMs` of virtual time
   */
  async run<T>(work: PromiseLike<T> | (() => PromiseLike<T> | T)): Promise<T> {
    this.#requireOpen('run()')
    return this.#runtime.drive('cluster.run()', async () => (typeof work === 'function' ? work() : work))
  }

  /** Real I/O of the test: virtual time stands still until it settles. What waits for the cluster itself goes to `run`. */
  outside<T>(promise: PromiseLike<T> | T): Promise<T> {
    return this.#runtime.outside('cluster.outside()', promise)
  }

  /** Middleware around the handlers of one API, on all nodes; removed by disposal or `heal()`. */
  intercept<A extends AnyApi>(
    api: A | string,
    interceptor: Interceptor<A>,
    options: FaultOptions = {},
  ): InstalledInterceptor {
    this.#requireOpen('intercept()')
    return this.#faults.intercept(api, interceptor, options)
  }

  /**
   * The next request of an API fails, as its node would refuse it: before anything happens, or after it has happened.
   *
   * @throws {ConfigError | RangeError} for an order that cannot be meant, with what would be right.
   */
  failNext(api: AnyApi | string, options: FailNextOptions): RequestFault {
    this.#requireOpen('failNext()')
    return this.#faults.failNext(api, options)
  }

  /** Every rule, interceptor and `failNext` has come about, but optional ones. @throws {FaultsNeverFiredError} */
  assertFaultsFired(): void {
    this.#faults.assertFired()
  }

  /** The same as a list; empty if all is well. */
  faultsThatNeverFired(): string[] {
    return this.#faults.neverFired()
  }

  /**
   * Everything that was broken on purpose works again: rules and interceptors are lifted, held ends of transactions and paused
   * nodes go on, nodes that are down start. Resolves when every broker takes part.
   */
  async heal(): Promise<void> {
    this.#requireOpen('heal()')
    this.#faults.lift()
    this.#plant.transactionStops.liftAll()
    await this.#runtime.drive('heal()', () => healNodes(this.#runtime, this.controller, this.brokers))
  }

  // --- the end -------------------------------------------------------------------------------------------------------

  /** What to say of iterations that wait while no call drives virtual time; undefined: nothing, or nothing new. */
  standstill(): string | undefined {
    return this.#runtime instanceof VirtualRuntime ? this.#runtime.standstill.tell() : undefined
  }

  get isClosed(): boolean {
    return this.#closing !== undefined
  }

  /** Ends everything: clients, nodes, time. Idempotent; never throws. */
  close(): Promise<void> {
    this.#closing ??= closeAll(this.#plant, this.brokers, this.controller, this.#clients, this.#sockets)
    return this.#closing
  }

  dispose(): Promise<void> {
    return this.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #requireOpen(what: string): void {
    if (this.#closing !== undefined) throw new IllegalStateError(`${what} after the cluster was closed`)
  }

  #next(kind: string): string {
    const count = (this.#counts.get(kind) ?? 0) + 1
    this.#counts.set(kind, count)
    return `${kind}-${count}`
  }
}
