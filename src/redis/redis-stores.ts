/**
 * Logs in Redis Streams, for a cluster whose records outlive its process and can be looked at with `redis-cli`. Which key is
 * whose is written at the head of keys.ts.
 *
 * The name `korvet:stream:{topic}:{partition}` goes to the replica that is first in the partition's assignment when it is made,
 * and stays with it: a reassignment that puts another one first renames nothing, since a key of another name lies in another
 * slot of a Cluster. When that replica is deleted its stream goes with it, and the next one that is made as the first takes
 * the name. A topic that is deleted and made anew has another id: the first to open a stream of the old one deletes that.
 */
import type { ForeignTopic, LogStores, ReplicaName, StoresBeginning, TopicNews } from '../log/log-store.ts'
import { freshSeed, RealRuntime } from '../runtime/real.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { ConfigError, KafkaError } from '../wire/errors.ts'
import { Slab } from './batch-entries.ts'
import { type CheckedClient, checkClient, checkKeyspace, checkVersion, type RedisClient, scanKeys } from './client.ts'
import { kafkaErrorOf } from './failures.ts'
import { EXISTING, type Existing, Inventory } from './inventory.ts'
import { Keys, StreamKeys } from './keys.ts'
import { MockStream } from './mock-stream.ts'
import { Occupancy } from './occupancy.ts'
import { RedisStore } from './redis-store.ts'
import { Server } from './server.ts'
import { ServerStream } from './server-stream.ts'
import type { OpenStream, StreamLog, StreamOwner, StreamState } from './stream-log.ts'
import { writeTopics } from './topics.ts'

export interface RedisLogsOptions {
  /** What all keys begin with: letters, digits and `. _ - :`. Default `korvet`. */
  readonly keyspace?: string
  /**
   * What to do where the keyspace holds anything: `'continue'` goes on with the cluster whose logs these are, or takes over the
   * streams of topics that no cluster knows of; `'refuse'` is an error; `'clear'` deletes all of it. Default: `'continue'` on a
   * server, `'refuse'` on ioredis-mock, whose instances share what they hold.
   */
  readonly existing?: Existing
  /** How many replicas of the Redis server must have each batch before it counts as appended. Default 0. */
  readonly waitReplicas?: number
  /** How long they may take, in milliseconds. Default 1,000. */
  readonly waitTimeoutMs?: number
}

/**
 * Logs in Redis: `createCluster({ logs: redisLogs(client) })`. The client is ioredis 5 or 6 (single, with Sentinels, Cluster) or
 * ioredis-mock, and stays yours: close it after the cluster. A real server needs real time; the mock goes with virtual time.
 *
 * @throws {ConfigError} for a client that cannot be used, a keyspace of other characters, a Redis before 6.2 (when the cluster
 * begins)
 */
export function redisLogs(client: RedisClient, options: RedisLogsOptions = {}): RedisLogs {
  return new RedisStores(client, options)
}

/** What `redisLogs` answers. */
export type RedisLogs = LogStores

const OPTION_NAMES: readonly (keyof RedisLogsOptions)[] = ['keyspace', 'existing', 'waitReplicas', 'waitTimeoutMs']
const WAIT_TIMEOUT_MS = 1_000

export class RedisStores implements LogStores {
  readonly realIo: boolean
  readonly keys: Keys
  readonly #client: CheckedClient
  readonly #server: Server | undefined
  readonly #waitReplicas: number
  readonly #slab: Slab | undefined
  readonly #existing: Existing
  #runtime: Runtime | undefined
  #occupancy: Occupancy | undefined
  /** Who has the keyspace instead: nothing is read or written any more. */
  #lostTo: string | undefined

  constructor(given: RedisClient, options: RedisLogsOptions) {
    for (const name of Object.keys(options)) {
      if (OPTION_NAMES.includes(name as keyof RedisLogsOptions)) continue
      throw new ConfigError(`redisLogs has no option '${name}': it has ${OPTION_NAMES.join(', ')}`)
    }
    this.#client = checkClient(given)
    this.keys = new Keys(checkKeyspace(options.keyspace ?? 'korvet'))
    const { waitReplicas = 0, waitTimeoutMs = WAIT_TIMEOUT_MS } = options
    requireWhole('waitReplicas', waitReplicas, 0)
    requireWhole('waitTimeoutMs', waitTimeoutMs, 1)
    this.realIo = this.#client.kind === 'server'
    this.#existing = checkExisting(options.existing ?? (this.realIo ? 'continue' : 'refuse'))
    if (!this.realIo && waitReplicas > 0) {
      throw new ConfigError('waitReplicas: ioredis-mock has no replicas to wait for: leave it out')
    }
    this.#waitReplicas = waitReplicas
    this.#slab = this.realIo ? new Slab() : undefined
    if (this.#client.kind === 'server') this.#server = new Server(this.#client.client, { waitReplicas, waitTimeoutMs })
  }

  /** @throws {ConfigError} when the keyspace belongs to another cluster that lives, or what it holds is not to be had */
  async begin(): Promise<StoresBeginning> {
    try {
      return await this.#begin()
    } catch (failure) {
      if (failure instanceof ConfigError || failure instanceof KafkaError) throw failure
      const why = failure instanceof Error ? failure.message : String(failure)
      const what = `Redis, which was to keep the logs (keyspace '${this.keys.keyspace}'), refuses or does not answer: ${why}`
      throw new ConfigError(what, { cause: failure })
    }
  }

  async #begin(): Promise<StoresBeginning> {
    if (this.#client.kind === 'server') await checkVersion(this.#client.client)
    const { keyspace, owner: key } = this.keys
    const sleep = (ms: number) => new RealRuntime({ seed: 1 }).sleep(ms)
    const occupancy = new Occupancy({ client: this.#client, keyspace, key, id: `${freshSeed()}`, sleep })
    await occupancy.take()
    this.#occupancy = occupancy
    this.#lostTo = undefined
    try {
      return { foreignTopics: await this.#takeOver() }
    } catch (error) {
      await occupancy.release().catch(() => undefined)
      throw error
    }
  }

  async #takeOver(): Promise<readonly ForeignTopic[]> {
    const inventory = await Inventory.take(this.#client, this.keys)
    if (this.#existing === 'clear') await inventory.clear()
    else if (this.#existing === 'refuse') inventory.requireEmpty()
    else if (!inventory.hasMetadataLog) return inventory.foreignTopics()
    return []
  }

  bind(runtime: Runtime): void {
    this.#runtime = runtime
    this.#occupancy?.hold(runtime, other => {
      this.#lostTo = other
    })
  }

  store(replica: ReplicaName): RedisStore {
    return new RedisStore({
      runtime: this.#time,
      waitReplicas: this.#waitReplicas,
      slab: this.#slab,
      find: () => this.#find(replica),
      open: () => this.#open(replica),
      hold: (what, run) => this.#hold(`${what} of ${replica.topic}-${replica.partition}`, run),
    })
  }

  async wipe(broker: number): Promise<void> {
    await this.#hold(`wipe of broker ${broker}`, async () => {
      const globs = [this.keys.statesOf(broker), this.keys.statesOf('first')]
      const found = await Promise.all(globs.map(glob => scanKeys(this.#client, glob)))
      await Promise.all(found.flat().map(key => this.#log(StreamKeys.ofState(key)).drop({ broker })))
    })
  }

  /** Redis has a power supply of its own. */
  powerOff(): void {}

  async remove({ broker, topic, topicId, partition }: ReplicaName): Promise<void> {
    await this.#hold(`removal of ${topic}-${partition}`, async () => {
      const { own, first } = this.#logs({ broker, topic, partition })
      await Promise.all([own.drop({ topicId, broker }), first.drop({ topicId, broker })])
    })
  }

  async topics(news: TopicNews): Promise<void> {
    await this.#hold('topics', () => writeTopics(this.#client, this.keys, news))
  }

  async close(): Promise<void> {
    this.#server?.close()
    await this.#occupancy?.release()
    this.#occupancy = undefined
    this.#runtime = undefined
  }

  // --- which stream is whose -----------------------------------------------------------------------------------------

  #logs({ broker, topic, partition }: Pick<ReplicaName, 'broker' | 'topic' | 'partition'>): {
    readonly own: StreamLog
    readonly first: StreamLog
  } {
    return {
      own: this.#log(new StreamKeys(this.keys.replica(broker, topic, partition))),
      first: this.#log(new StreamKeys(this.keys.stream(topic, partition))),
    }
  }

  #log(keys: StreamKeys): StreamLog {
    if (this.#client.kind === 'mock') return new MockStream(this.#client.client, keys)
    return new ServerStream(this.#server!, keys)
  }

  async #find(replica: ReplicaName): Promise<StreamLog | undefined> {
    const { own, first } = this.#logs(replica)
    const [ownState, firstState] = await Promise.all([own.state(), first.state()])
    if (belongs(firstState, replica)) return first
    return belongs(ownState, replica) ? own : undefined
  }

  async #open(replica: ReplicaName): Promise<{ readonly log: StreamLog; readonly opened: OpenStream }> {
    const owner: StreamOwner = { topicId: replica.topicId, broker: replica.broker }
    const { own, first } = this.#logs(replica)
    const [ownState, firstState] = await Promise.all([own.state(), first.state()])
    const hasOwn = belongs(ownState, replica)
    const isTaken = firstState?.topicId === replica.topicId && firstState.broker !== replica.broker
    const claims = replica.isFirst === true && !isTaken && (!hasOwn || isEmpty(ownState!))
    if (claims || belongs(firstState, replica)) {
      const opened = await first.open(owner)
      if (opened !== undefined) {
        if (hasOwn) await own.drop(owner)
        return { log: first, opened }
      }
    }
    const opened = await own.open(owner)
    if (opened === undefined) throw new Error(`${own.keys.stream} belongs to another broker, which its name denies`)
    return { log: own, opened }
  }

  // --- time ----------------------------------------------------------------------------------------------------------

  get #time(): Runtime {
    this.#runtime ??= new RealRuntime({ seed: 1 })
    return this.#runtime
  }

  /** While this goes on, virtual time stands still. @throws {KafkaError} for whatever fails */
  async #hold<T>(what: string, run: () => T | Promise<T>): Promise<T> {
    if (this.#lostTo !== undefined) throw this.#lost(what)
    try {
      // A server goes with real time alone, which nobody can hold.
      return await (this.realIo ? run() : this.#time.outside(`Redis, ${what}`, run, { callsBack: false }))
    } catch (failure) {
      throw kafkaErrorOf(failure, what)
    }
  }

  #lost(what: string): KafkaError {
    const text = `${what}: the keyspace '${this.keys.keyspace}' belongs to ${this.#lostTo} by now, this cluster was away too long`
    return new KafkaError('KAFKA_STORAGE_ERROR', text)
  }
}

function belongs(state: StreamState | undefined, { topicId, broker }: ReplicaName): boolean {
  return state?.topicId === topicId && state.broker === broker
}

function isEmpty({ startOffset, endOffset }: StreamState): boolean {
  return startOffset === 0 && endOffset === 0
}

function checkExisting(existing: Existing): Existing {
  if (EXISTING.includes(existing)) return existing
  throw new ConfigError(`existing must be one of ${EXISTING.join(', ')}, not ${JSON.stringify(existing)}`)
}

function requireWhole(name: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least) return
  throw new ConfigError(`${name} must be a whole number, ${least} or more, not ${JSON.stringify(value)}`)
}
