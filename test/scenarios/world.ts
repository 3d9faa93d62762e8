import type { ClientEnvironment } from '../../src/client/environment.ts'
import type { Cluster } from '../../src/index.ts'
import type { AnyApi, RequestInput, ResponseOf } from '../../src/wire/api.ts'

/** The controller's id, in both worlds. */
export const CONTROLLER = 1000

/**
 * Configuration of every node, in both worlds: Kafka's defaults, but for what would make a real cluster slow to watch.
 * Racks are `r1`, `r2`, `r3`. The last four are Kafka's own defaults, which ours shortens on real time.
 */
export const WORLD_CONFIGS = {
  'broker.session.timeout.ms': 3000,
  'broker.heartbeat.interval.ms': 300,
  'replica.lag.time.max.ms': 3000,
  'replica.selector.class': 'org.apache.kafka.common.replica.RackAwareReplicaSelector',
  'auto.leader.rebalance.enable': false,
  'unclean.leader.election.interval.ms': 5000,
  'log.initial.task.delay.ms': 1000,
  'log.retention.check.interval.ms': 1000,
  'log.cleaner.backoff.ms': 500,
  'offsets.topic.num.partitions': 6,
  'transaction.state.log.num.partitions': 6,
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': 1000,
  'group.initial.rebalance.delay.ms': 300,
  'group.min.session.timeout.ms': 1000,
  'group.consumer.min.session.timeout.ms': 2000,
  'group.consumer.min.heartbeat.interval.ms': 500,
  'replica.fetch.backoff.ms': 1000,
  'replica.fetch.wait.max.ms': 500,
  'group.consumer.assignment.interval.ms': 1000,
  'group.consumer.heartbeat.interval.ms': 5000,
} as const

/** What only some worlds can do. */
export type Power = 'powerOff' | 'mutants'

/** Lifts a fault: what was held travels on. */
export type Lift = () => void

/** Requests that are not carried from one node to another, while what is on its way back still arrives; or responses. */
export interface HoldFilter {
  /** Who sends what is held. */
  readonly from: number
  readonly to?: number
  readonly api: AnyApi
  /** Default `'request'`. */
  readonly kind?: 'request' | 'response'
}

/** A connection of a test to one broker. */
export interface Line {
  request<A extends AnyApi>(api: A, version: number, body: RequestInput<A>, timeoutMs?: number): Promise<ResponseOf<A>>
  /** For requests that nobody answers (acks=0), and versions that the declaration does not have. */
  sendOnly<A extends AnyApi>(api: A, version: number, body: RequestInput<A>): Promise<void>
  /** Raw bytes behind the length: whatever a client may send. */
  sendBytes(bytes: Uint8Array): Promise<void>
  /** The next frame that comes back, as bytes: the answer to `sendBytes`. */
  receiveBytes(): Promise<Uint8Array>
  /** Whether the broker closed the connection within so many milliseconds. */
  closes(withinMs: number): Promise<boolean>
  close(): void
}

/**
 * A Kafka cluster as a scenario knows it: three brokers, 1 to 3, a controller, and what may befall them. Mounted on
 * mini-kafka and on a real Apache Kafka: a story that ends differently there is a bug of ours, or a line in
 * docs/deviations.md.
 */
export interface World {
  readonly name: 'mini-kafka' | 'Apache Kafka'
  /** For what a real cluster cannot show: each replica's own log. Undefined on Apache Kafka. */
  readonly cluster: Cluster | undefined
  /** Brokers that neither crashed nor are paused nor cut off: any of them can be asked about the cluster. */
  readonly witnesses: readonly number[]
  /** The clock of the cluster, in milliseconds. */
  now(): number
  sleep(ms: number): Promise<void>
  /** Until brokers have taken in what the cluster says: a real one tells its clients a moment before it acts on it. */
  settled(): Promise<void>
  /** @throws when the condition does not hold in time, saying what was waited for and `seen`. */
  eventually(what: string, condition: () => Promise<boolean> | boolean, timeoutMs?: number): Promise<void>

  /** On a connection of its own. */
  request<A extends AnyApi>(
    broker: number,
    api: A,
    version: number,
    body: RequestInput<A>,
    timeoutMs?: number,
  ): Promise<ResponseOf<A>>
  connect(broker: number): Promise<Line>
  /** Where clients of ours live: in this world's time, with its brokers. Whoever makes one closes it. */
  environment(clientName: string): ClientEnvironment

  /** SIGKILL, or our `crash()`: the process dies, what it appended stays. */
  crash(node: number): Promise<void>
  /** SIGTERM, or our `stop()`: controlled shutdown. */
  stop(node: number): Promise<void>
  /** Starts a node that is down; `'empty'`: with a new disk. Resolves when it takes part. */
  restart(node: number, options?: { readonly disk?: 'kept' | 'empty' }): Promise<void>
  /** SIGSTOP and SIGCONT, or ours. */
  pause(node: number): Promise<void>
  resume(node: number): Promise<void>
  /** What was not flushed is lost too. Only with the power `powerOff`. */
  powerOff(node: number): Promise<void>

  /** Nothing passes between two nodes, in either direction. */
  cut(a: number, b: number): Lift
  /** Requests of one kind wait. */
  hold(filter: HoldFilter): Lift

  /** The story ends: everything that was broken on purpose works again. */
  close(): Promise<void>
}

/** Where worlds come from. */
export interface Mount {
  readonly name: World['name']
  readonly powers: ReadonlySet<Power>
  /** Why no story can be told here at all. */
  readonly missing?: string
  open(): Promise<World>
}
