import type { Cluster } from '../../../src/index.ts'
import { KafkaError } from '../../../src/wire/errors.ts'

export interface Read {
  readonly offset: number
  readonly value: string
}

/** Reads what is committed, from the beginning, for as long as it is let. */
export class LiveReader {
  readonly #cluster: Cluster
  readonly #topic: string
  readonly #consumer: ReturnType<Cluster['consumer']>
  readonly #positions: number[]
  /** By partition. */
  readonly seen: Read[][]
  #isStopped = false

  constructor(cluster: Cluster, topic: string, partitions: number) {
    this.#cluster = cluster
    this.#topic = topic
    this.seen = Array.from({ length: partitions }, () => [])
    this.#positions = this.seen.map(() => 0)
    this.#consumer = cluster.consumer({
      'isolation.level': 'read_committed',
      'auto.offset.reset': 'earliest',
      'enable.auto.commit': false,
      'fetch.max.wait.ms': 2_000,
      'request.timeout.ms': 5_000,
      'default.api.timeout.ms': 10_000,
    })
    this.#consumer.assign(this.seen.map((_, partition) => ({ topic, partition })))
  }

  async run(): Promise<void> {
    while (!this.#isStopped) {
      try {
        for (const { partition, offset, value } of await this.#consumer.poll({ timeoutMs: 2_000 })) {
          this.seen[partition]!.push({ offset, value: String(value) })
        }
        for (const partition of this.seen.keys()) {
          this.#positions[partition] = await this.#consumer.position({ topic: this.#topic, partition })
        }
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
      }
    }
    await this.#consumer.close({ timeoutMs: 0 })
  }

  /** It has passed everything that there is. */
  get isAtEnd(): boolean {
    return this.#positions.every(
      (position, partition) => position === this.#cluster.partition(this.#topic, partition).endOffset,
    )
  }

  stop(): void {
    this.#isStopped = true
  }
}
