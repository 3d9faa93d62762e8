import type { ConsumerOptions } from '../../metadata/consumer-configs.ts'
import type { ClientEnvironment } from '../environment.ts'
import type { OffsetAndTimestamp, PartitionInfo, TopicPartition } from '../topic-partition.ts'

export class Consumer {
  constructor(_config: ConsumerOptions, _environment: ClientEnvironment) {}
  assign(_partitions: readonly TopicPartition[]): void {}
  assignment(): TopicPartition[] {
    return []
  }
  seek(_partition: TopicPartition, _offset: number): void {}
  seekToBeginning(_partitions?: readonly TopicPartition[]): void {}
  seekToEnd(_partitions?: readonly TopicPartition[]): void {}
  poll(_options: { timeoutMs: number }): Promise<readonly unknown[]> {
    throw new Error('being written')
  }
  position(_partition: TopicPartition): Promise<number> {
    throw new Error('being written')
  }
  pause(_partitions: readonly TopicPartition[]): void {}
  resume(_partitions: readonly TopicPartition[]): void {}
  beginningOffsets(_partitions: readonly TopicPartition[]): Promise<Map<TopicPartition, number>> {
    throw new Error('being written')
  }
  endOffsets(_partitions: readonly TopicPartition[]): Promise<Map<TopicPartition, number>> {
    throw new Error('being written')
  }
  offsetsForTimes(
    _times: ReadonlyMap<TopicPartition, number>,
  ): Promise<Map<TopicPartition, OffsetAndTimestamp | null>> {
    throw new Error('being written')
  }
  partitionsFor(_topic: string): Promise<PartitionInfo[]> {
    throw new Error('being written')
  }
  close(_options: { timeoutMs?: number } = {}): Promise<void> {
    throw new Error('being written')
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
