import type { GroupCoordinator } from '../coordinators/groups/group-coordinator.ts'
import type { TransactionCoordinator } from '../coordinators/transactions/transaction-coordinator.ts'
import type { TransactionStops } from '../coordinators/transactions/transaction-stops.ts'
import type { LogStores } from '../log/log-store.ts'
import { type Authorizer, authorizerOf } from '../metadata/authorizer.ts'
import type { BrokerConfigs } from '../metadata/broker-configs.ts'
import type { Overrides } from '../metadata/config-values.ts'
import { ClusterImage, resourceTypes } from '../metadata/image.ts'
import type { Address, Carrier } from '../network/channel.ts'
import type { Requester } from '../node/envelopes.ts'
import type { Interceptors } from '../node/intercept.ts'
import type { Life } from '../node/life.ts'
import { LifeCarrier } from '../node/life-carrier.ts'
import { PeerLink } from '../node/peer-link.ts'
import type { RefusalMaker } from '../node/receiver-options.ts'
import type { AnyApi, RequestInput, ResponseInput, ResponseOf } from '../wire/api.ts'
import { KafkaError } from '../wire/errors.ts'
import { drawUuid } from '../wire/uuid.ts'
import { AlterPartitions } from './alter-partitions.ts'
import type { KnownUsers } from './authentication/authority.ts'
import { AutoCreation } from './auto-creation.ts'
import { BrokerLifecycle } from './broker-lifecycle.ts'
import { Configuration } from './configuration.ts'
import { Coordination } from './coordination.ts'
import { Fetches } from './fetches.ts'
import { Forwarding } from './forwarding.ts'
import { Housekeeping } from './housekeeping.ts'
import { MetadataFollower } from './metadata-follower.ts'
import type { Partition, PartitionHost } from './partition.ts'
import { ProducerIdBlock } from './producer-id-block.ts'
import { brokerTolls } from './quotas.ts'
import { type BrokerListener, endpointsAt, endpointsOf, Reception } from './reception.ts'
import { ReplicaFetchers } from './replica-fetchers.ts'
import { Replicas } from './replicas.ts'
import { ReplicationQuota } from './replication-quotas.ts'
import { TransactionVerification } from './transaction-verification.ts'

/** What a broker finds when it starts again, beside its logs. */
export interface BrokerDisk {
  /** Broker epoch of the last life, if it ended in a controlled shutdown; −1 otherwise. */
  cleanShutdownEpoch: number
}

export interface BrokerOptions {
  readonly id: number
  readonly rack: string | null
  readonly life: Life
  readonly carrier: Carrier
  readonly stores: LogStores
  readonly disk: BrokerDisk
  readonly clusterId: string
  /** At least one; by the first, brokers reach each other. */
  readonly listeners: readonly BrokerListener[]
  /** Whom it knows by the cluster's options. */
  readonly users: KnownUsers
  readonly refusal: RefusalMaker
  readonly controllerAddress: Address
  /** Static broker configuration, as text. */
  readonly configs: Overrides
  readonly interceptors: Interceptors
  /** API ranges that this broker advertises; others it refuses (`kafkaVersion`). */
  readonly apis: ReadonlyMap<number, AnyApi>
  /** What it takes from other brokers, whatever it advertises. */
  readonly peerApis: ReadonlyMap<number, AnyApi>
  readonly unknownApiVersions: ResponseInput<AnyApi>
  readonly peerId: (name: string) => number | undefined
  readonly mutants: ReadonlySet<string>
  /** Where tests hold the ends of transactions. */
  readonly transactionStops: TransactionStops
}

/** One broker, for one life: replicas, followers, and the answers to clients. Its disk and its stores outlive it. */
export class Broker implements PartitionHost {
  readonly id: number
  readonly name: string
  readonly rack: string | null
  readonly life: Life
  readonly clusterId: string
  readonly mutants: ReadonlySet<string>
  readonly image = new ClusterImage()
  /** Who may do what; undefined: everybody everything. */
  readonly authorizer: Authorizer | undefined
  readonly replicas: Replicas
  readonly fetches: Fetches
  readonly producerIds: ProducerIdBlock
  readonly autoCreation: AutoCreation = new AutoCreation(this)
  readonly apis: ReadonlyMap<number, AnyApi>
  readonly configuration: Configuration
  readonly coordination: Coordination
  /** Of transactions, before their first records are appended here (KIP-890). */
  readonly verification: TransactionVerification
  readonly leaderQuota: ReplicationQuota
  readonly followerQuota: ReplicationQuota
  readonly #options: BrokerOptions
  readonly #reception: Reception<Broker>
  readonly #carrier: LifeCarrier
  readonly #lifecycle: BrokerLifecycle
  readonly #metadataFollower: MetadataFollower
  readonly #alterPartitions: AlterPartitions
  readonly #fetchers: ReplicaFetchers
  readonly #housekeeping: Housekeeping
  readonly #forwarding: Forwarding
  #listening = false
  #ready = false
  #onReady: (() => void)[] = []

  constructor(options: BrokerOptions) {
    const { id, life, carrier } = options
    this.#options = options
    this.id = id
    this.name = `broker-${id}`
    this.rack = options.rack
    this.life = life
    this.clusterId = options.clusterId
    this.mutants = options.mutants
    this.apis = options.apis
    this.authorizer = authorizerOf(this.image.acls, options.configs)
    this.configuration = new Configuration(options.configs, this.image, this)
    const replication = { runtime: life, brokerId: id, image: this.image, config: () => this.config }
    this.leaderQuota = new ReplicationQuota('leader', replication)
    this.followerQuota = new ReplicationQuota('follower', replication)
    this.#carrier = new LifeCarrier(life, carrier, this.name)
    const controllerLink = () => this.#link(() => options.controllerAddress)
    this.#forwarding = new Forwarding(life, controllerLink())
    this.#lifecycle = this.#makeLifecycle(controllerLink())
    this.#metadataFollower = new MetadataFollower({
      life,
      link: controllerLink(),
      brokerId: id,
      image: this.image,
      retryMs: Math.min(100, this.config['broker.heartbeat.interval.ms']),
      applied: () => this.#applied(),
    })
    const brokerEpoch = () => this.brokerEpoch
    const retryMs = Math.min(100, this.config['broker.heartbeat.interval.ms'])
    this.producerIds = new ProducerIdBlock({ life, link: controllerLink(), brokerId: id, brokerEpoch, retryMs })
    this.#alterPartitions = new AlterPartitions({
      life,
      link: controllerLink(),
      brokerId: id,
      name: this.name,
      brokerEpoch,
      epochOf: (member, partition) => this.#epochOf(member, partition),
      retryMs,
    })
    const linkTo = (brokerId: number) => this.#link(() => this.image.broker(brokerId)?.endpoints[0])
    this.#fetchers = new ReplicaFetchers(this, linkTo)
    this.verification = new TransactionVerification(this, linkTo)
    this.replicas = new Replicas({
      host: this,
      stores: options.stores,
      config: () => this.config,
      configOf: topic => this.configuration.ofTopic(topic),
      stateOf: (topicId, index) => this.image.partitionById(topicId, index),
      follow: partition => this.#fetchers.follow(partition),
      forget: partition => this.#fetchers.forget(partition),
    })
    this.#housekeeping = new Housekeeping({
      life,
      name: this.name,
      partitions: this.replicas,
      config: () => this.config,
    })
    this.coordination = new Coordination({
      name: this.name,
      runtime: life,
      image: this.image,
      mutants: this.mutants,
      authorizer: this.authorizer,
      steps: options.transactionStops,
      linkTo,
      takeProducerId: () => this.producerIds.take(),
      config: () => this.config,
      createTopic: topic => this.autoCreation.create([topic], undefined),
      groupConfig: groupId => this.configuration.ofGroup(groupId),
    })
    this.fetches = new Fetches(this)
    this.#reception = new Reception<Broker>({
      ...options,
      life,
      name: this.name,
      nodeId: id,
      node: this,
      apis: options.peerApis,
      clientApis: options.apis,
      tolls: brokerTolls(life, this.image, this.config, this.mutants),
      image: this.image,
      config: () => this.config,
    })
    life.onLeap(ms => {
      for (const partition of this.replicas) partition.leapt(ms)
    })
  }

  // --- life ----------------------------------------------------------------------------------------------------------

  start(): void {
    this.life.trace.add('node', this.name, { what: 'starts' })
    this.#metadataFollower.start()
    this.#lifecycle.start()
  }

  /** Registered, unfenced, and as far in the metadata log as its own registration. */
  get isReady(): boolean {
    return this.#ready
  }

  whenReady(): Promise<void> {
    const ready = this.life.deferred()
    if (this.#ready) ready.resolve()
    else this.#onReady.push(() => ready.resolve())
    return ready.promise
  }

  get brokerEpoch(): number {
    return this.#lifecycle.brokerEpoch
  }

  /** Controlled shutdown: leaderships are given away first; then every log is closed cleanly. */
  async shutDown(): Promise<void> {
    const allowed = this.life.deferred()
    this.#lifecycle.shutDown(() => allowed.resolve())
    await allowed.promise
    await this.replicas.close()
    this.#options.disk.cleanShutdownEpoch = this.brokerEpoch
    this.life.trace.add('node', this.name, { what: 'stopped' })
  }

  /** The process is gone: nothing of it writes any more. */
  abandon(): void {
    for (const partition of this.replicas) partition.log.abandon()
  }

  // --- configuration -------------------------------------------------------------------------------------------------

  /** What this broker goes by, of the keys that may change too. */
  get config(): BrokerConfigs {
    return this.configuration.broker
  }

  get replicaLagTimeMaxMs(): number {
    return this.config['replica.lag.time.max.ms']
  }

  get fetchMaxBytes(): number {
    return this.config['fetch.max.bytes']
  }

  get selectsByRack(): boolean {
    return this.config['replica.selector.class'] !== null
  }

  // --- partitions ----------------------------------------------------------------------------------------------------

  partitionOf(topicId: string, index: number): Partition | undefined {
    return this.replicas.get(topicId, index)
  }

  /** P-8: unknown to the metadata, or known and not here. */
  requirePartition(topic: string, index: number): Partition {
    const known = this.image.partition(topic, index)
    if (known === undefined) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION')
    const partition = this.replicas.get(known.topicId, index)
    if (partition === undefined) throw new KafkaError('NOT_LEADER_OR_FOLLOWER')
    return partition
  }

  /** Where these brokers are for whoever came by this listener (W-40, F-12). */
  endpointsOf(brokerIds: Iterable<number>, listener: string): ReturnType<typeof endpointsOf> {
    return endpointsOf(this.image, brokerIds, listener)
  }

  isEligible(brokerId: number, brokerEpoch: number): boolean {
    const broker = this.image.broker(brokerId)
    if (broker === undefined || !this.image.isActive(brokerId)) return false
    return brokerEpoch < 0 || broker.brokerEpoch === brokerEpoch
  }

  isLive(brokerId: number): boolean {
    return this.image.isUnfenced(brokerId)
  }

  roleChanged(partition: Partition): void {
    this.coordination.roleChanged(partition)
  }

  proposeInSyncReplicas(partition: Partition): void {
    this.#alterPartitions.propose(partition)
  }

  watchLag(): void {
    this.#housekeeping.watchLag()
  }

  appended(): void {
    this.#housekeeping.touch()
  }

  // --- coordinators --------------------------------------------------------------------------------------------------

  get groups(): GroupCoordinator {
    return this.coordination.groups
  }

  get transactions(): TransactionCoordinator {
    return this.coordination.transactions
  }

  // --- the controller ------------------------------------------------------------------------------------------------

  /** Hands a client's request to the controller and its answer back (KIP-590). Rejects when the controller is lost. */
  forward<A extends AnyApi>(
    api: A,
    body: RequestInput<A>,
    requester: Requester | undefined,
    version?: number,
  ): Promise<ResponseOf<A>> {
    return this.#forwarding.forward(api, body, requester, version)
  }

  /**
   * The metadata log was read further, or the controller has let the broker in. Nothing that it says is acted on before
   * the broker's own registration was read: what it led in an earlier life may be led by another one by now.
   */
  #applied(): void {
    this.#lifecycle.metadataMoved()
    if (this.brokerEpoch < 0 || this.image.offset < this.brokerEpoch) return
    if (!this.#listening) {
      this.#listening = true
      this.#reception.listen(this.#carrier)
    }
    const changes = this.image.takeChanges()
    // In Kafka's order: a partition's change that comes with a lower min.insync.replicas goes by the old one.
    this.replicas.apply(changes)
    if (changes.configs.size > 0) this.#configure(changes.configs.values())
    this.coordination.metadataChanged(changes)
    if (changes.brokers.size > 0) {
      for (const partition of this.replicas) {
        partition.deletions.check()
        if (!partition.isLeader && changes.brokers.has(partition.leader)) {
          this.#fetchers.follow(partition)
        }
      }
    }
    this.#checkReady()
  }

  #configure(resources: Iterable<{ readonly type: number; readonly name: string }>): void {
    for (const { type, name } of resources) {
      if (type === resourceTypes.topic) this.replicas.configure(name)
      if (type === resourceTypes.group) this.configuration.groupChanged(name)
      if (type !== resourceTypes.broker) continue
      this.configuration.brokersChanged()
      this.replicas.configure()
    }
    this.#housekeeping.touch()
  }

  #checkReady(): void {
    if (this.#ready || this.#lifecycle.isFenced || !this.image.isUnfenced(this.id)) return
    if (this.image.broker(this.id)?.brokerEpoch !== this.brokerEpoch) return
    this.#ready = true
    this.producerIds.fill()
    for (const run of this.#onReady.splice(0)) run()
  }

  #epochOf(member: number, partition: Partition): number {
    if (member === this.id) return this.brokerEpoch
    const fetched = partition.remotes.get(member)?.brokerEpoch ?? -1
    return fetched >= 0 ? fetched : (this.image.broker(member)?.brokerEpoch ?? -1)
  }

  // --- wiring --------------------------------------------------------------------------------------------------------

  #link(address: () => Address | undefined): PeerLink {
    return new PeerLink({ life: this.life, carrier: this.#carrier, name: this.name, address })
  }

  #makeLifecycle(link: PeerLink): BrokerLifecycle {
    const { id, rack, life, clusterId, disk, listeners } = this.#options
    const previousBrokerEpoch = disk.cleanShutdownEpoch
    disk.cleanShutdownEpoch = -1
    return new BrokerLifecycle({
      life,
      link,
      brokerId: id,
      name: this.name,
      clusterId,
      incarnationId: drawUuid(n => life.choose('incarnation', n)),
      rack,
      endpoints: endpointsAt(listeners),
      previousBrokerEpoch,
      heartbeatIntervalMs: this.config['broker.heartbeat.interval.ms'],
      sessionTimeoutMs: this.config['broker.session.timeout.ms'],
      metadataOffset: () => this.image.offset,
      registered: () => this.#applied(),
      unfenced: () => this.#checkReady(),
    })
  }
}
