import type { ShardLog } from './shard-log.ts'

/** What acts on one partition of a coordinator's topic. */
export interface LedShard {
  readonly shard: { readonly log: ShardLog }
  load(): void
  close(): void
}

/** The partitions of a coordinator's topic that this broker leads, loaded or not, by partition. */
export class LedShards<S extends LedShard> {
  readonly byPartition: Map<number, S> = new Map()
  readonly #make: (log: ShardLog, lost: () => void) => S

  /** @param make its `lost` is called when the store has lost a write that was replayed already */
  constructor(make: (log: ShardLog, lost: () => void) => S) {
    this.#make = make
  }

  get(partition: number): S | undefined {
    return this.byPartition.get(partition)
  }

  /** This broker leads a partition, since `log.leaderEpoch`: what it kept of an earlier epoch is loaded anew. */
  elected(log: ShardLog): void {
    const known = this.byPartition.get(log.partition)
    if (known?.shard.log.leaderEpoch === log.leaderEpoch) return
    known?.close()
    const made = this.#make(log, () => this.#reload(made))
    this.byPartition.set(log.partition, made)
    made.load()
  }

  /** It no longer does. */
  resigned(partition: number): void {
    this.byPartition.get(partition)?.close()
    this.byPartition.delete(partition)
  }

  #reload(lost: S): void {
    const { log } = lost.shard
    if (this.byPartition.get(log.partition) !== lost) return
    this.resigned(log.partition)
    this.elected(log)
  }

  [Symbol.iterator](): IterableIterator<S> {
    return this.byPartition.values()
  }
}
