import { type ClusterImage, mergedPartition, type PartitionImage } from '../metadata/image.ts'
import type { MetadataRecord, MetadataRecordInput } from '../metadata/records.ts'
import type { BrokerContacts } from './brokers.ts'
import type { Settings } from './configs.ts'

/** What a decision is taken on. Whoever decides reads it and changes nothing. */
export interface Situation {
  readonly clusterId: string
  readonly image: ClusterImage
  readonly settings: Settings
  readonly contacts: BrokerContacts
  /** Of the next record of the metadata log: a registration's broker epoch. */
  readonly nextOffset: number
  readonly now: number
  readonly mutants: ReadonlySet<string>
  choose(name: string, n: number): number
}

/** Records to append, and what to answer once they are. */
export interface Decision<Response> {
  readonly records: readonly MetadataRecordInput[]
  readonly response: Response
}

export type PartitionChangeInput = Extract<MetadataRecordInput, { type: 'PartitionChangeRecord' }>

/** The records of one decision, and how the partitions that they name will look: one request may name one twice. */
export class Draft {
  readonly records: MetadataRecordInput[] = []
  readonly #partitions = new Map<string, PartitionImage>()

  add(record: MetadataRecordInput): void {
    this.records.push(record)
  }

  /** The partition as it will be after the records so far. */
  partition(partition: PartitionImage): PartitionImage {
    return this.#partitions.get(keyOf(partition)) ?? partition
  }

  /** Answers the partition as it will be. */
  change(partition: PartitionImage, record: PartitionChangeInput): PartitionImage {
    const changed = mergedPartition(partition, record as Partial<Extract<MetadataRecord, { type: typeof record.type }>>)
    this.records.push(record)
    this.#partitions.set(keyOf(partition), changed)
    return changed
  }
}

function keyOf(partition: PartitionImage): string {
  return `${partition.topicId}:${partition.partition}`
}
