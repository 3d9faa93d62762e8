import type { fetch } from '../../apis/fetch.ts'
import type { ResponseOf } from '../../wire/api.ts'
import { controlTypeOf } from '../../wire/control-record.ts'
import { KafkaError } from '../../wire/errors.ts'
import { RecordCursor } from '../../wire/record.ts'
import { type RecordBatch, verifyCrc } from '../../wire/record-batch.ts'
import type { AssignedPartition } from './assigned-partition.ts'
import type { ConsumerRecord } from './consumer-record.ts'
import type { FetchTally } from './fetch-metrics.ts'

export type PartitionData = ResponseOf<typeof fetch>['responses'][number]['partitions'][number]

export interface ReadOptions {
  readonly isReadCommitted: boolean
  /** `check.crcs` */
  readonly checksCrcs: boolean
  readonly deserialize: (
    partition: AssignedPartition,
    offset: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
  ) => { key: unknown; value: unknown }
}

/**
 * What one fetch brought of a partition, handed out record by record (Kafka's CompletedFetch). Batches are decoded when
 * their turn comes. Control records are passed over, and under read_committed the records of aborted transactions (F-9).
 */
export class FetchedPartition {
  readonly partition: AssignedPartition
  readonly #batches: readonly RecordBatch[]
  readonly #options: ReadOptions
  /** By first offset. */
  readonly #aborted: { readonly producerId: number; readonly firstOffset: number }[]
  readonly #abortedProducers = new Set<number>()
  #index = 0
  #cursor: RecordCursor | undefined
  /** The cursor stands at a record that was not handed out. */
  #isHeld = false
  /** Where in its batch the record begins that the cursor stands at. */
  #beganAt = 0
  readonly #tally: FetchTally
  #isClosed = false
  #bytes = 0
  #records = 0

  constructor(partition: AssignedPartition, data: PartitionData, options: ReadOptions, tally: FetchTally) {
    this.partition = partition
    this.#options = options
    this.#tally = tally
    this.#batches = data.records?.batches() ?? []
    const aborted = options.isReadCommitted ? (data.abortedTransactions ?? []) : []
    this.#aborted = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset)
  }

  get isEmpty(): boolean {
    return this.#batches.length === 0
  }

  /** Hands out at most `most` records; false when there is nothing more. Moves the position along. */
  take(most: number, into: ConsumerRecord<unknown, unknown>[]): boolean {
    const { partition } = this
    let left = most
    for (let batch = this.#batches[this.#index]; batch !== undefined; batch = this.#batches[this.#index]) {
      const cursor = this.#cursor ?? this.#open(batch)
      while (cursor !== undefined && (this.#isHeld || cursor.next())) {
        if (cursor.offset < partition.position!) {
          this.#isHeld = false
          this.#beganAt = cursor.at
          continue
        }
        if (left === 0) {
          this.#isHeld = true
          return true
        }
        // A deserializer that throws leaves the position before its record.
        this.#isHeld = true
        into.push(this.#recordAt(batch, cursor))
        this.#isHeld = false
        this.#bytes += cursor.at - this.#beganAt
        this.#records++
        this.#beganAt = cursor.at
        left--
        partition.position = cursor.offset + 1
        partition.offsetEpoch = batch.leaderEpoch
      }
      this.#cursor = undefined
      this.#index++
      // Behind the batch, also where compaction or markers took its last records.
      if (batch.nextOffset > partition.position!) partition.position = batch.nextOffset
      partition.offsetEpoch = batch.leaderEpoch
    }
    this.close()
    return false
  }

  /** Nothing more of it will be handed out. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#tally.drained(this.partition.topic, this.#bytes, this.#records)
  }

  /** Undefined: nothing of the batch is for applications. */
  #open(batch: RecordBatch): RecordCursor | undefined {
    if (batch.nextOffset <= this.partition.position!) return undefined
    if (this.#options.checksCrcs && !verifyCrc(batch)) {
      const where = `Record batch for partition ${this.partition.name} at offset ${batch.baseOffset} is invalid`
      throw new KafkaError('CORRUPT_MESSAGE', `${where}: its checksum does not fit its bytes. Seek past it to go on.`)
    }
    if (this.#options.isReadCommitted && batch.hasProducer) {
      this.#begunUpTo(batch.lastOffset)
      if (batch.isControl) {
        if (isAbort(batch)) this.#abortedProducers.delete(batch.producerId)
      } else if (batch.isTransactional && this.#abortedProducers.has(batch.producerId)) {
        return undefined
      }
    }
    if (batch.isControl) return undefined
    this.#cursor = new RecordCursor(batch)
    this.#beganAt = 0
    return this.#cursor
  }

  /** Aborted transactions that began by then are being skipped, until their marker comes. */
  #begunUpTo(offset: number): void {
    while (this.#aborted.length > 0 && this.#aborted[0]!.firstOffset <= offset) {
      this.#abortedProducers.add(this.#aborted.shift()!.producerId)
    }
  }

  #recordAt(batch: RecordBatch, cursor: RecordCursor): ConsumerRecord<unknown, unknown> {
    const { partition } = this
    const keyBytes = cursor.key()
    const valueBytes = cursor.value()
    const { key, value } = this.#options.deserialize(partition, cursor.offset, keyBytes, valueBytes)
    const headers =
      cursor.headerCount === 0
        ? none
        : cursor.headers().map(header => ({
            key: header.key,
            value: header.value && Buffer.from(header.value.buffer, header.value.byteOffset, header.value.length),
          }))
    return {
      topic: partition.topic,
      partition: partition.partition,
      offset: cursor.offset,
      timestamp: cursor.timestamp,
      timestampType: batch.isLogAppendTime ? 'LogAppendTime' : 'CreateTime',
      key,
      value,
      headers,
      leaderEpoch: batch.leaderEpoch,
      serializedKeySize: keyBytes === null ? -1 : keyBytes.length,
      serializedValueSize: valueBytes === null ? -1 : valueBytes.length,
    }
  }
}

const none: readonly never[] = []

function isAbort(batch: RecordBatch): boolean {
  const cursor = new RecordCursor(batch)
  return cursor.next() && controlTypeOf({ key: cursor.key() }) === 'ABORT'
}
