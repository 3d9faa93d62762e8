/**
 * What one partition knows of its producers: idempotence (I-1…I-14), open transactions and the first unstable offset
 * (I-20…I-23, F-9), the verification of transactions (I-5, KIP-890). Kafka: ProducerStateManager, ProducerAppendInfo.
 *
 * `check` decides and changes nothing; `apply` takes over what was appended and refuses nothing. Every replica applies
 * every batch, so that a new leader detects the same duplicates and gaps (I-13).
 */
import { type TransactionMarker, transactionMarkerOf } from '../wire/control-record.ts'
import type { KafkaError } from '../wire/errors.ts'
import type { RecordBatch } from '../wire/record-batch.ts'
import { AbortedTransactions } from './aborted-transactions.ts'
import { type BatchFacts, inSequence, ProducerState } from './producer-state.ts'
import { refused } from './refusal.ts'

/** Who appends: `client` is checked in full; `coordinator` may write markers and has no sequences. */
export type AppendOrigin = 'client' | 'coordinator' | 'replication'

/** Proof that the coordinator was asked; good for the first batch of one transaction, and told apart by identity. */
export class VerificationGuard {
  readonly producerId: number
  constructor(producerId: number) {
    this.producerId = producerId
  }
}

interface Verification {
  readonly guard: VerificationGuard
  readonly startedAt: number
  epoch: number
  lowestSequence: number
  /** The producer's epoch rises with every transaction (TV2). */
  supportsEpochBump: boolean
}

export interface OpenTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

export interface FinishedTransaction extends OpenTransaction {
  /** Of the marker. */
  readonly lastOffset: number
}

export interface ProducerStatesOptions {
  readonly name: string
  /** `producer.id.expiration.ms`; default 86,400,000. */
  readonly expirationMs?: number
  /** `transaction.partition.verification.enable`; default true. */
  readonly verifyTransactions?: boolean
  /**
   * Safety rules to switch off, for tests of checkers: `no-leader-producer-epoch-check` (I-6), `no-aborted-index` (I-23),
   * `no-last-stable-offset` (F-9).
   */
  readonly mutants?: ReadonlySet<string> | undefined
}

export interface CheckOptions {
  readonly origin: AppendOrigin
  readonly verificationGuard?: VerificationGuard | undefined
  readonly transactionVersion?: number | undefined
}

export class ProducerStates {
  readonly aborted = new AbortedTransactions()
  readonly #name: string
  #expirationMs: number
  #verifyTransactions: boolean
  readonly #mutants: ReadonlySet<string> | undefined
  readonly #producers = new Map<number, ProducerState>()
  #verifications: Map<number, Verification> | undefined
  /** By first offset, which only grows: the first entry is the least. */
  #open: Map<number, OpenTransaction> | undefined
  /** Their markers are not below the high watermark yet. */
  #unreplicated: FinishedTransaction[] = []
  /** No producer expires before. */
  #nextExpiryAt = Number.POSITIVE_INFINITY

  constructor(options: ProducerStatesOptions) {
    this.#name = options.name
    this.#expirationMs = options.expirationMs ?? 86_400_000
    this.#verifyTransactions = options.verifyTransactions ?? true
    this.#mutants = options.mutants
  }

  /** Other values of the options, from now on. */
  configure({
    expirationMs,
    verifyTransactions,
  }: Required<Pick<ProducerStatesOptions, 'expirationMs' | 'verifyTransactions'>>): void {
    this.#verifyTransactions = verifyTransactions
    if (expirationMs === this.#expirationMs) return
    this.#expirationMs = expirationMs
    this.#nextExpiryAt = Number.POSITIVE_INFINITY
    for (const producer of this.#producers.values()) this.#mayExpire(producer)
  }

  get(producerId: number): ProducerState | undefined {
    return this.#producers.get(producerId)
  }

  get size(): number {
    return this.#producers.size
  }

  all(): Iterable<ProducerState> {
    return this.#producers.values()
  }

  /** Smallest first offset of what is open, or finished above the high watermark; undefined for none (F-9). */
  get firstUnstableOffset(): number | undefined {
    if (this.#mutants?.has('no-last-stable-offset')) return undefined
    let first: number | undefined
    if (this.#open !== undefined) for (first of this.#open.keys()) break
    for (const { firstOffset } of this.#unreplicated) {
      if (first === undefined || firstOffset < first) first = firstOffset
    }
    return first
  }

  /** Ended, but their markers are not below the high watermark yet. Kafka's snapshots leave them out; ours must not. */
  get unreplicated(): readonly FinishedTransaction[] {
    return this.#unreplicated
  }

  /** Where a client's batch already stands, if it is one of the last five (I-4). */
  duplicateOf(batch: RecordBatch): BatchFacts | undefined {
    return batch.hasProducer ? this.#producers.get(batch.producerId)?.duplicateOf(batch) : undefined
  }

  /**
   * May the leader append this batch? Asked after `duplicateOf`, in Kafka's order (I-5…I-7, I-20, I-21).
   *
   * @throws {KafkaError} INVALID_PRODUCER_EPOCH, INVALID_TXN_STATE, OUT_OF_ORDER_SEQUENCE_NUMBER,
   * TRANSACTION_COORDINATOR_FENCED
   */
  check(batch: RecordBatch, options: CheckOptions): void {
    if (!batch.hasProducer) return
    const producer = this.#producers.get(batch.producerId)
    this.#checkVerified(batch, producer, options.verificationGuard)
    if (batch.isControl) {
      const marker = transactionMarkerOf(batch)
      if (marker !== undefined && producer !== undefined) this.#checkMarker(marker, producer, options)
      return
    }
    if (producer !== undefined) this.#checkEpoch(batch, producer)
    if (options.origin === 'client') this.#checkSequence(batch, producer)
    if (producer?.inTransaction && !batch.isTransactional) {
      throw this.#refused('INVALID_TXN_STATE', batch, 'has a transaction open and sends a batch outside of it')
    }
  }

  #checkVerified(batch: RecordBatch, producer: ProducerState | undefined, guard: VerificationGuard | undefined): void {
    if (!batch.isTransactional || batch.isControl || !this.#verifyTransactions) return
    if (producer?.inTransaction && producer.producerEpoch === batch.producerEpoch) return
    if (guard !== undefined && this.#verifications?.get(batch.producerId)?.guard === guard) return
    if (producer !== undefined) this.#checkEpoch(batch, producer)
    throw this.#refused('INVALID_TXN_STATE', batch, 'has no transaction open here, and none was verified')
  }

  #checkMarker(marker: TransactionMarker, producer: ProducerState, options: CheckOptions): void {
    const { producerEpoch, coordinatorEpoch } = marker
    const known = producer.producerEpoch
    // TV2 raises the epoch with the marker itself, so an equal one can only be the same marker again (KAFKA-19999).
    const stale =
      (options.transactionVersion ?? 0) >= 2 && producer.inTransaction ? producerEpoch <= known : producerEpoch < known
    if (stale) {
      throw refused(
        'INVALID_PRODUCER_EPOCH',
        `the marker for producer ${marker.producerId} in ${this.#name} has epoch ${producerEpoch}, its last was ${known}`,
      )
    }
    if (coordinatorEpoch < producer.coordinatorEpoch) {
      throw refused(
        'TRANSACTION_COORDINATOR_FENCED',
        `the marker for producer ${marker.producerId} in ${this.#name} comes from coordinator epoch ${coordinatorEpoch}, ` +
          `the last came from ${producer.coordinatorEpoch}`,
      )
    }
  }

  #checkEpoch(batch: RecordBatch, producer: ProducerState): void {
    if (this.#isStale(batch.producerEpoch, producer)) {
      throw this.#refused('INVALID_PRODUCER_EPOCH', batch, `is known here with epoch ${producer.producerEpoch}`)
    }
  }

  #isStale(producerEpoch: number, producer: ProducerState): boolean {
    return producerEpoch < producer.producerEpoch && this.#mutants?.has('no-leader-producer-epoch-check') !== true
  }

  #checkSequence(batch: RecordBatch, producer: ProducerState | undefined): void {
    const { baseSequence, producerEpoch } = batch
    const verification = this.#verifications?.get(batch.producerId)
    if (verification !== undefined) {
      if (baseSequence > verification.lowestSequence) {
        throw this.#outOfOrder(batch, `a lower one, ${verification.lowestSequence}, is still being verified`)
      }
      if (verification.supportsEpochBump && baseSequence !== 0 && (producer?.batches.length ?? 0) === 0) {
        throw this.#outOfOrder(batch, 'its first here must be 0')
      }
    }
    // Unknown here, because it is new or because it expired: whatever it begins with is its beginning (KIP-360).
    if (producer === undefined || producer.producerEpoch < 0) return
    if (producerEpoch !== producer.producerEpoch) {
      if (baseSequence !== 0)
        throw this.#outOfOrder(batch, `a new epoch begins with 0; the last was ${producer.producerEpoch}`)
    } else if (!inSequence(producer.lastSequence, baseSequence)) {
      throw this.#outOfOrder(batch, `its last was ${producer.lastSequence}`)
    }
  }

  #outOfOrder(batch: RecordBatch, why: string): KafkaError {
    return this.#refused('OUT_OF_ORDER_SEQUENCE_NUMBER', batch, `sends sequence ${batch.baseSequence}, but ${why}`)
  }

  #refused(
    code: 'INVALID_TXN_STATE' | 'INVALID_PRODUCER_EPOCH' | 'OUT_OF_ORDER_SEQUENCE_NUMBER',
    batch: RecordBatch,
    what: string,
  ): KafkaError {
    return refused(code, `producer ${batch.producerId} (epoch ${batch.producerEpoch}) in ${this.#name} ${what}`)
  }

  /** The batch stands in the log, at its place. */
  apply(batch: RecordBatch): void {
    if (!batch.hasProducer) return
    const { producerId } = batch
    if (batch.isTransactional) this.#verifications?.delete(producerId)
    const marker = transactionMarkerOf(batch)
    if (batch.isControl && marker === undefined) return
    let producer = this.#producers.get(producerId)
    if (producer === undefined) {
      producer = new ProducerState(producerId)
      this.#producers.set(producerId, producer)
    }
    if (marker === undefined) this.#applyData(batch, producer)
    else this.#applyMarker(marker, batch.baseOffset, producer)
    this.#mayExpire(producer)
  }

  #applyData(batch: RecordBatch, producer: ProducerState): void {
    producer.addBatch(batch.producerEpoch, {
      lastSequence: batch.lastSequence,
      lastOffset: batch.lastOffset,
      offsetDelta: batch.lastOffsetDelta,
      timestamp: batch.maxTimestamp,
    })
    if (!batch.isTransactional || producer.inTransaction) return
    const firstOffset = batch.baseOffset
    producer.currentTransactionFirstOffset = firstOffset
    this.#opened({ producerId: producer.producerId, firstOffset })
  }

  #opened(transaction: OpenTransaction): void {
    if (this.#open === undefined) this.#open = new Map()
    this.#open.set(transaction.firstOffset, transaction)
  }

  /** Closes the transaction; outside the list of batches (I-3). Without one open, only the epochs are taken (I-22). */
  #applyMarker(marker: TransactionMarker, lastOffset: number, producer: ProducerState): void {
    const firstOffset = producer.currentTransactionFirstOffset
    if (firstOffset >= 0) {
      const { producerId } = producer
      this.#open?.delete(firstOffset)
      this.#unreplicated.push({ producerId, firstOffset, lastOffset })
      if (marker.type === 'ABORT' && this.#mutants?.has('no-aborted-index') !== true) {
        let lastStableOffset = lastOffset + 1
        if (this.#open !== undefined) for (lastStableOffset of this.#open.keys()) break
        this.aborted.add({ producerId, firstOffset, lastOffset, lastStableOffset })
      }
      producer.currentTransactionFirstOffset = -1
    }
    producer.takeEpoch(marker.producerEpoch)
    producer.coordinatorEpoch = marker.coordinatorEpoch
    producer.lastTimestamp = marker.timestamp
  }

  /** What is below `highWatermark` can hold nothing back any more (F-9). */
  highWatermarkMoved(highWatermark: number): void {
    if (this.#unreplicated.length > 0) {
      this.#unreplicated = this.#unreplicated.filter(transaction => transaction.lastOffset >= highWatermark)
    }
  }

  /**
   * A guard for the first batch of a transaction; undefined when the transaction is open here and needs none (KIP-890;
   * VerificationStateEntry). Asked again before that batch, the same guard. With verification switched off, only producers
   * whose partitions are added by it (TV2) get one (T-30). What is fenced here is not even asked about.
   *
   * @throws {KafkaError} INVALID_PRODUCER_EPOCH
   */
  startVerification(
    producerId: number,
    producerEpoch: number,
    baseSequence: number,
    supportsEpochBump: boolean,
    now: number,
  ): VerificationGuard | undefined {
    const producer = this.#producers.get(producerId)
    if (!this.#verifyTransactions && !supportsEpochBump) return undefined
    if (producer !== undefined && this.#isStale(producerEpoch, producer)) {
      throw refused(
        'INVALID_PRODUCER_EPOCH',
        `producer ${producerId} (epoch ${producerEpoch}) in ${this.#name} is known here with epoch ${producer.producerEpoch}`,
      )
    }
    if (producer?.inTransaction && producer.producerEpoch === producerEpoch) return undefined
    if (this.#verifications === undefined) this.#verifications = new Map()
    let entry = this.#verifications.get(producerId)
    if (entry === undefined) {
      const guard = new VerificationGuard(producerId)
      entry = { guard, startedAt: now, epoch: producerEpoch, lowestSequence: baseSequence, supportsEpochBump }
      this.#verifications.set(producerId, entry)
    }
    if (producerEpoch > entry.epoch || (producerEpoch === entry.epoch && baseSequence < entry.lowestSequence)) {
      entry.epoch = producerEpoch
      entry.lowestSequence = baseSequence
    }
    entry.supportsEpochBump = supportsEpochBump
    return entry.guard
  }

  /** Forgets who has been silent for `producer.id.expiration.ms` by its own timestamps, outside a transaction (I-11). */
  expire(now: number): void {
    for (const [producerId, verification] of this.#verifications ?? []) {
      if (now - verification.startedAt >= this.#expirationMs) this.#verifications?.delete(producerId)
    }
    this.#nextExpiryAt = Number.POSITIVE_INFINITY
    for (const producer of this.#producers.values()) {
      if (this.#expired(producer, now)) this.#producers.delete(producer.producerId)
      else this.#mayExpire(producer)
    }
  }

  /** Nothing can expire before; Infinity while nobody can. Too early at worst, when the producer went on meanwhile. */
  get nextExpiryAt(): number {
    return this.#nextExpiryAt
  }

  #expired(producer: ProducerState, now: number): boolean {
    return !producer.inTransaction && now - producer.lastTimestamp >= this.#expirationMs
  }

  #mayExpire(producer: ProducerState): void {
    if (!producer.inTransaction) {
      this.#nextExpiryAt = Math.min(this.#nextExpiryAt, producer.lastTimestamp + this.#expirationMs)
    }
  }

  /** Begins again with what a snapshot holds, but for whom has expired meanwhile. What it held is forgotten. */
  load(producers: readonly ProducerState[], unreplicated: readonly FinishedTransaction[], now: number): void {
    this.clear()
    this.#unreplicated = [...unreplicated]
    const open: OpenTransaction[] = []
    for (const producer of producers) {
      if (this.#expired(producer, now)) continue
      this.#producers.set(producer.producerId, producer)
      this.#mayExpire(producer)
      const { producerId, currentTransactionFirstOffset: firstOffset } = producer
      if (producer.inTransaction) open.push({ producerId, firstOffset })
    }
    for (const transaction of open.sort((a, b) => a.firstOffset - b.firstOffset)) this.#opened(transaction)
  }

  /** One batch each, as every restart finds it (I-14). */
  keepLastBatches(): void {
    for (const producer of this.#producers.values()) producer.keepLastBatch()
  }

  /** All but the index of aborted transactions, which goes with the log. */
  clear(): void {
    this.#producers.clear()
    this.#verifications = undefined
    this.#open = undefined
    this.#unreplicated = []
    this.#nextExpiryAt = Number.POSITIVE_INFINITY
  }
}
