import type { ForeignLog, ForeignTopic } from '../log/log-store.ts'
import { METADATA_TOPIC } from '../metadata/metadata-batch.ts'
import { internalTopics } from '../metadata/topic-names.ts'
import { ConfigError, KafkaError } from '../wire/errors.ts'
import { batchOfEntry } from './batch-entries.ts'
import { type CheckedClient, scanKeys } from './client.ts'
import type { Keys } from './keys.ts'

/** What to do with a keyspace that holds anything. */
export type Existing = 'continue' | 'refuse' | 'clear'

export const EXISTING: readonly Existing[] = ['continue', 'refuse', 'clear']

const ENTRIES_AT_ONCE = 256

/** What a keyspace holds, by its keys. */
export class Inventory {
  readonly #client: CheckedClient
  readonly #keys: Keys
  /** In order of their names. */
  readonly #found: readonly string[]

  private constructor(client: CheckedClient, keys: Keys, found: readonly string[]) {
    this.#client = client
    this.#keys = keys
    this.#found = found
  }

  static async take(client: CheckedClient, keys: Keys): Promise<Inventory> {
    const found: string[] = []
    for (const glob of keys.all) found.push(...(await scanKeys(client, glob)))
    return new Inventory(client, keys, [...new Set(found)].sort())
  }

  /** @throws {ConfigError} unless there is nothing */
  requireEmpty(): void {
    const [first] = this.#found
    if (first === undefined) return
    throw new ConfigError(
      `the keyspace '${this.#keys.keyspace}' is in use: it holds ${this.#found.length} keys, such as ${first}. ` +
        "Name another one, or say existing: 'continue' to go on with it, or existing: 'clear' to delete them",
    )
  }

  /** Everything goes. */
  async clear(): Promise<void> {
    const { client } = this.#client
    // One by one: in a Cluster they lie in many slots.
    const left = [...this.#found, ...(await this.#ghosts())]
    while (left.length > 0) await Promise.all(left.splice(0, 500).map(key => client.del(key)))
  }

  /** The mock keeps a key of its own for every entry, and leaves it when the stream goes. */
  async #ghosts(): Promise<string[]> {
    return this.#client.kind === 'mock' ? scanKeys(this.#client, `stream:*${this.#keys.keyspace}:*`) : []
  }

  get hasMetadataLog(): boolean {
    const stream = this.#keys.stream(METADATA_TOPIC, 0)
    return this.#found.includes(stream) || this.#found.includes(`{${stream}}:state`)
  }

  /**
   * Topics of streams that somebody else wrote, as this layout has them, where there is no metadata log.
   *
   * @throws {ConfigError} for what was left of a cluster whose metadata log is gone, and for streams of another form
   */
  async foreignTopics(): Promise<ForeignTopic[]> {
    const { keyspace } = this.#keys
    const topics = new Map<string, (ForeignTopic['partitions'][number] | undefined)[]>()
    for (const key of this.#found) {
      const place = this.#keys.placeOf(key)
      if (place === undefined || internalTopics.has(place.topic)) {
        if (this.#keys.isOfTopics(key)) continue
        throw new ConfigError(
          `the keyspace '${keyspace}' has what a cluster left (${key}), and not its metadata log ` +
            `(${this.#keys.stream(METADATA_TOPIC, 0)}), without which it cannot be continued: bring that back from a backup, ` +
            "or say existing: 'clear' to delete what is left",
        )
      }
      const partitions = topics.get(place.topic) ?? []
      while (partitions.length < place.partition) partitions.push(undefined)
      partitions[place.partition] = await this.#foreignLog(key)
      topics.set(place.topic, partitions)
    }
    return [...topics].map(([name, partitions]) => ({ name, partitions }))
  }

  async #foreignLog(key: string): Promise<ForeignLog> {
    const { kind, client } = this.#client
    const refuse = (why: string) => {
      return new ConfigError(
        `the keyspace '${this.#keys.keyspace}' has no metadata log, and ${key} is no log that could be taken over: ${why}`,
      )
    }
    if (kind === 'server') {
      const type = await client.type(key)
      if (type !== 'stream') throw refuse(`it is a ${type}`)
    }
    try {
      return await this.#survey(key)
    } catch (error) {
      if (error instanceof KafkaError) throw refuse(error.message)
      throw error
    }
  }

  /** Every entry is looked at, once in the life of a keyspace. @throws {KafkaError} for one that is no batch, or out of place */
  async #survey(key: string): Promise<ForeignLog> {
    let [leaderEpoch, producerId, end] = [-1, -1, 0]
    for (let from = '-'; ; from = `${end + 1}`) {
      const entries = await this.#client.client.xrangeBuffer(key, from, '+', 'COUNT', ENTRIES_AT_ONCE)
      for (const entry of entries) {
        const batch = batchOfEntry(entry, key)
        if (batch.baseOffset < end) {
          throw new KafkaError(
            'KAFKA_STORAGE_ERROR',
            `entry ${batch.nextOffset}-0 begins at ${batch.baseOffset}, before ${end}`,
          )
        }
        leaderEpoch = Math.max(leaderEpoch, batch.leaderEpoch)
        producerId = Math.max(producerId, batch.producerId)
        end = batch.nextOffset
      }
      if (entries.length < ENTRIES_AT_ONCE) return { leaderEpoch, producerId }
    }
  }
}
