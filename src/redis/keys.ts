/**
 * How Redis keys are called. `korvet:stream:orders:0` belongs to the broker that was assigned first, and is what a reader
 * who scans for topics finds; what the other brokers keep lies beside it, outside that pattern:
 *
 * | Key | Type | What |
 * |---|---|---|
 * | `korvet:stream:orders:0` | stream | the log of the replica that was assigned first: an entry is a batch, its id the batch's last offset + 1 |
 * | `korvet:replica:2:orders:0` | stream | the log of the replica on broker 2 |
 * | `{S}:state` | hash | of the stream `S`: whose it is (`id` of the topic, `broker`), `start` and `end`, `token` of who writes |
 * | `{S}:checkpoints` | hash | of the stream `S`: what its replica saved beside its batches |
 * | `{S}:side` | stream | of the stream `S`: what is to take its place, while it is being compacted |
 * | `korvet:topic:orders` | hash | the topic: id, name, partitions, replication factor, configuration |
 * | `korvet:topics` | set | the names of all topics |
 * | `korvet:owner` | string | the process whose cluster it is; ends by itself when that does not renew it |
 *
 * `{S}` are braces: what a key has in braces decides its slot, so all keys of one stream lie in the slot of the stream.
 */
export class Keys {
  readonly keyspace: string

  constructor(keyspace: string) {
    this.keyspace = keyspace
  }

  stream(topic: string, partition: number): string {
    return `${this.keyspace}:stream:${topic}:${partition}`
  }

  replica(broker: number, topic: string, partition: number): string {
    return `${this.keyspace}:replica:${broker}:${topic}:${partition}`
  }

  topic(name: string): string {
    return `${this.keyspace}:topic:${name}`
  }

  get topics(): string {
    return `${this.keyspace}:topics`
  }

  get owner(): string {
    return `${this.keyspace}:owner`
  }

  /** Globs for all keys but the owner's. */
  get all(): readonly string[] {
    const { keyspace } = this
    return [`${keyspace}:stream:*`, `${keyspace}:replica:*`, `?${keyspace}:stream:*`, `?${keyspace}:replica:*`].concat(
      `${keyspace}:topic:*`,
      this.topics,
    )
  }

  /** What `stream()` made the key of, if it did. */
  placeOf(key: string): { readonly topic: string; readonly partition: number } | undefined {
    const prefix = `${this.keyspace}:stream:`
    const [, topic, partition] =
      (key.startsWith(prefix) && /^(.+):(0|[1-9]\d{0,4})$/.exec(key.slice(prefix.length))) || []
    return topic === undefined ? undefined : { topic, partition: Number(partition) }
  }

  isOfTopics(key: string): boolean {
    return key === this.topics || key.startsWith(this.topic(''))
  }

  /** Of every stream of one broker, or of every first replica: a glob for SCAN. */
  statesOf(broker: number | 'first'): string {
    const streams = broker === 'first' ? 'stream' : `replica:${broker}`
    return `?${this.keyspace}:${streams}:*?:state`
  }
}

/** One stream and what belongs to it, all in one slot. */
export class StreamKeys {
  readonly stream: string
  readonly state: string
  readonly checkpoints: string
  readonly side: string

  constructor(stream: string) {
    this.stream = stream
    this.state = `{${stream}}:state`
    this.checkpoints = `{${stream}}:checkpoints`
    this.side = `{${stream}}:side`
  }

  /** The stream whose state that is. */
  static ofState(key: string): StreamKeys {
    return new StreamKeys(key.slice(1, -'}:state'.length))
  }
}
