import type { ImageChanges } from '../../metadata/image-changes.ts'
import { KafkaError } from '../../wire/errors.ts'
import { Shard } from '../shard.ts'
import type { ShardDecision } from '../shard-decision.ts'
import type { ShardLog } from '../shard-log.ts'
import type { MarkerDispatch } from './marker-dispatch.ts'
import { type ProducerIdentity, ProducerInitialization } from './producer-initialization.ts'
import { SettlingWaits } from './settling-waits.ts'
import { isPrepared, recordOf, type Transaction } from './transaction.ts'
import { TransactionDirectory } from './transaction-directory.ts'
import { TransactionEnd } from './transaction-end.ts'
import type { TransactionEnvironment } from './transaction-environment.ts'
import { TransactionExpiry } from './transaction-expiry.ts'
import { TransactionMarkers } from './transaction-markers.ts'
import { TransactionMembership } from './transaction-membership.ts'
import { type TransactionRecord, type TransactionRecordInput, transactionCodec } from './transaction-records.ts'
import { TransactionState } from './transaction-state.ts'

/** One partition of `__transaction_state` on its leader: its transactional ids, and whoever acts on them. */
export class TransactionShard {
  readonly environment: TransactionEnvironment
  readonly shard: Shard<TransactionState, TransactionRecordInput, TransactionRecord>
  readonly initialization: ProducerInitialization
  readonly membership: TransactionMembership
  readonly end: TransactionEnd
  readonly directory: TransactionDirectory
  readonly expiry: TransactionExpiry
  readonly #markers: TransactionMarkers
  readonly waits: SettlingWaits
  /**
   * The epoch that a producer had before its last change, by transactional id: a repeated request is known by it (KIP-360). No
   * record tells it, so after a fail-over nobody knows.
   */
  readonly #lastEpochs = new Map<string, number>()

  constructor(environment: TransactionEnvironment, dispatch: MarkerDispatch, log: ShardLog, lost: () => void) {
    this.environment = environment
    this.shard = new Shard({
      runtime: environment.runtime,
      name: environment.name,
      log,
      codec: transactionCodec,
      makeState: () => new TransactionState(),
      commitTimeoutMs: () => environment.config()['request.timeout.ms'],
      committed: () => {
        this.#markers.start()
        this.waits.look(transactionalId => this.#isSettled(transactionalId))
      },
      lost,
    })
    this.initialization = new ProducerInitialization(this)
    this.membership = new TransactionMembership(this)
    this.end = new TransactionEnd(this)
    this.directory = new TransactionDirectory(this)
    this.expiry = new TransactionExpiry(this)
    this.#markers = new TransactionMarkers(this, dispatch)
    this.waits = new SettlingWaits(environment.runtime)
  }

  load(): void {
    this.shard.load(() => {
      this.#markers.start()
      this.expiry.loaded()
    })
  }

  /** Finalized `transaction.version`. */
  get transactionVersion(): number {
    return this.environment.image.featureLevel('transaction.version')
  }

  /**
   * What is known of an id, and was not changed since (T-5).
   *
   * @throws {KafkaError} CONCURRENT_TRANSACTIONS while a change of it is being written, or its markers are
   */
  settled(transactionalId: string): Transaction | undefined {
    if (!this.#isSettled(transactionalId)) throw new KafkaError('CONCURRENT_TRANSACTIONS')
    return this.shard.latest.transactions.get(transactionalId)
  }

  #isSettled(transactionalId: string): boolean {
    const { latest, committed } = this.shard
    const known = latest.transactions.get(transactionalId)
    if (known !== undefined && isPrepared(known)) return false
    return latest.placeOf(transactionalId) === committed.placeOf(transactionalId)
  }

  /** Until an id may be settled; undefined: it is, or it is too late to wait. */
  untilSettled(transactionalId: string, deadline: number): Promise<void> | undefined {
    return this.#isSettled(transactionalId) ? undefined : this.waits.until(transactionalId, deadline)
  }

  /** What is known of an id, before changes that are only being written. */
  committed(transactionalId: string): Transaction | undefined {
    return this.shard.committed.transactions.get(transactionalId)
  }

  /**
   * @throws {KafkaError} INVALID_PRODUCER_ID_MAPPING; PRODUCER_FENCED for a lower epoch as well as a higher one, and for the
   * producer id whose epochs are used up
   */
  requireProducer({ producerId, producerEpoch }: ProducerIdentity, known: Transaction): void {
    const isFenced =
      producerId === known.producerId ? producerEpoch !== known.producerEpoch : producerId === known.previousProducerId
    if (isFenced && !this.environment.mutants.has('no-coordinator-epoch-check')) throw new KafkaError('PRODUCER_FENCED')
    if (producerId !== known.producerId) throw new KafkaError('INVALID_PRODUCER_ID_MAPPING')
  }

  lastEpochOf(transactionalId: string): number {
    return this.#lastEpochs.get(transactionalId) ?? -1
  }

  /**
   * Decides, writes and answers once that is committed.
   *
   * @throws {KafkaError} COORDINATOR_LOAD_IN_PROGRESS until all that an earlier coordinator may have told is known here; as
   * `Shard.write` does
   */
  write<Response>(decide: () => ShardDecision<TransactionRecordInput, Response>): Response | Promise<Response> {
    this.requireLoaded()
    return this.shard.write(decide)
  }

  requireLoaded(): void {
    this.shard.requireActive()
    if (!this.shard.isLoadCommitted) throw new KafkaError('COORDINATOR_LOAD_IN_PROGRESS')
  }

  /** The decision to make `next` of what is known of an id, and to remember which epoch came before; −1: none. */
  become<Response>(
    next: Transaction,
    response: Response,
    lastEpoch = this.lastEpochOf(next.transactionalId),
  ): ShardDecision<TransactionRecordInput, Response> {
    const { runtime, name } = this.environment
    const updated = { ...next, updatedAt: runtime.now() }
    const { transactionalId, producerId, producerEpoch, state } = next
    return {
      records: [recordOf(updated, this.transactionVersion)],
      response,
      appended: () => {
        this.#lastEpochs.set(transactionalId, lastEpoch)
        this.expiry.touch()
        runtime.trace.add('coordinator', name, { what: `${transactionalId} ${state}`, producerId, producerEpoch })
      },
    }
  }

  /** The decision to forget an id. */
  forget(transactionalId: string): ShardDecision<TransactionRecordInput, undefined> {
    return {
      records: [{ type: 'Transaction', key: { transactionalId }, value: null }],
      response: undefined,
      appended: () => this.#lastEpochs.delete(transactionalId),
    }
  }

  metadataChanged(changes: ImageChanges): void {
    this.#markers.metadataChanged(changes)
  }

  close(): void {
    this.shard.close()
    this.#markers.close()
    this.waits.close()
    this.expiry.closed()
  }
}
