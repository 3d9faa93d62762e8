import type { ProducerOptions } from '../../metadata/producer-configs.ts'
import type { ClientEnvironment } from '../environment.ts'
import type { PartitionInfo } from '../topic-partition.ts'
import type { ProducerRecord, RecordMetadata } from './producer-record.ts'

export class Producer {
  constructor(_config: ProducerOptions, _environment: ClientEnvironment) {}
  send(_record: ProducerRecord): Promise<RecordMetadata> {
    throw new Error('being written')
  }
  flush(): Promise<void> {
    throw new Error('being written')
  }
  partitionsFor(_topic: string): Promise<PartitionInfo[]> {
    throw new Error('being written')
  }
  metrics(): Readonly<Record<string, number>> {
    throw new Error('being written')
  }
  close(_options: { timeoutMs?: number } = {}): Promise<void> {
    throw new Error('being written')
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
