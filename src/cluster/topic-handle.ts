import type { ReplicaLog } from '../log/replica-log.ts'
import type { PartitionImage, TopicImage } from '../metadata/image.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { TransactionMarker } from '../wire/control-record.ts'
import { ConfigError, SerializationError } from '../wire/errors.ts'
import type { LogRecord } from '../wire/record.ts'
import type { BrokerHandle } from './broker-handle.ts'
import { ledPartition } from './led-partition.ts'
import { lookUntil } from './look.ts'
import { refuseUnknown } from './options.ts'
import { type PartitionView, viewPartition } from './partition-view.ts'
import { boundOf, type Isolation, type VisibleRecord, visibleRecords } from './visible-records.ts'
import { WaitTimeoutError, waitUntil } from './wait.ts'

/** A record as it lies in the log of its leader. */
export interface TopicRecord<Key = string | null, Value = string | null, HeaderValue = string | null> {
  readonly partition: number
  readonly offset: number
  /** Milliseconds since the epoch; −1 for none. */
  readonly timestamp: number
  readonly key: Key
  readonly value: Value
  readonly headers: readonly { readonly key: string; readonly value: HeaderValue }[]
  /** Of a control record, what it says: `COMMIT`, `ABORT`, … */
  readonly control?: string
  /** Of a control record that ends a transaction: whose, and which coordinator wrote it. */
  readonly marker?: MarkerFacts
}

export interface MarkerFacts {
  readonly producerId: number
  /** Of the producer, as the coordinator had it; under transaction version 2 one above that of the records. */
  readonly producerEpoch: number
  /** How often the coordinator's partition had changed its leader: an older coordinator's marker is refused (I-20). */
  readonly coordinatorEpoch: number
}

export type TextRecord = TopicRecord
/** Values are what the JSON says; keys and headers are text. */
export type JsonRecord = TopicRecord<string | null, unknown>
export type BytesRecord = TopicRecord<Uint8Array | null, Uint8Array | null, Uint8Array | null>

export interface RecordsOptions {
  /** What keys, values and header values are given as. Default `'text'`, read as UTF-8. */
  readonly as?: 'text' | 'json' | 'bytes'
  /** With the control records that consumers pass over. Default false. */
  readonly control?: boolean
  /** Default `'read_committed'`: below the last stable offset, without aborted records. */
  readonly isolation?: Isolation
  /** Only of this one. */
  readonly partition?: number
  /** How long a leader is waited for. Default 60,000 of virtual and 3,000 of real time. */
  readonly timeoutMs?: number
}

export interface RecordsWaitOptions extends Omit<RecordsOptions, 'as' | 'control'> {
  /** Default 60,000 of virtual and 3,000 of real time. */
  readonly timeoutMs?: number
}

/** What a topic's handle needs to know of the cluster. */
export interface TopicHost {
  readonly runtime: Runtime
  readonly brokers: readonly BrokerHandle[]
  /** @throws {RangeError} with the nearest name where there is no such topic; IllegalStateError after the end. */
  requireTopic(topic: string): TopicImage
}

/** How long a new leader may take to learn what is committed, if it can learn it at all. */
const CATCH_UP_MS = 1_000

const OPTION_NAMES: readonly (keyof RecordsOptions)[] = ['as', 'control', 'isolation', 'partition', 'timeoutMs']

/** A topic as a test sees it: from above, into the logs of its leaders. */
export class TopicHandle {
  readonly name: string
  readonly #host: TopicHost

  /** @throws {RangeError} with the nearest name where there is no such topic. */
  constructor(host: TopicHost, name: string) {
    host.requireTopic(name)
    this.#host = host
    this.name = name
  }

  get topicId(): string {
    return this.#image.topicId
  }

  get partitionCount(): number {
    return this.#image.partitions.length
  }

  /** Of partition 0: what the topic was created with, unless it was reassigned since. */
  get replicationFactor(): number {
    return this.#image.partitions[0]!.replicas.length
  }

  /** Every partition at this moment. */
  get partitions(): readonly PartitionView[] {
    return this.#image.partitions.map(state => viewPartition(state, this.#host.brokers))
  }

  /**
   * Every record that a consumer may read now, in order for each partition, straight from the leaders' logs. A partition
   * without a leader is waited for.
   *
   * @throws {SerializationError} for a value that is no JSON, where JSON was asked for.
   * @throws {WaitTimeoutError} where a partition gets no leader.
   */
  records(options?: RecordsOptions & { readonly as?: 'text' }): Promise<TextRecord[]>
  records(options: RecordsOptions & { readonly as: 'json' }): Promise<JsonRecord[]>
  records(options: RecordsOptions & { readonly as: 'bytes' }): Promise<BytesRecord[]>
  async records(options: RecordsOptions = {}): Promise<TopicRecord<unknown, unknown, unknown>[]> {
    this.#check(options)
    const { as = 'text', control = false, isolation = 'read_committed', partition } = options
    const { runtime } = this.#host
    const what = `records of '${this.name}'`
    if (!this.#isLed(partition)) {
      const describe = () => `${this.#leaderless(partition).join(', ')} has no leader`
      await waitUntil(runtime, what, () => this.#isLed(partition), { ...waitOf(options), describe })
    }
    const isKnown = () => this.#isCaughtUp(partition)
    await lookUntil(runtime, what, { look: isKnown, changed: () => Number(isKnown()), timeoutMs: CATCH_UP_MS })
    return runtime.drive(what, async () => {
      const found: TopicRecord<unknown, unknown, unknown>[] = []
      for (const state of this.#states(partition)) {
        const log = this.#leadersLog(state)
        if (log === undefined) continue
        for (const visible of await visibleRecords(log, isolation)) {
          if (control || visible.control === undefined) found.push(this.#given(as, state.partition, visible))
        }
      }
      return found
    })
  }

  /**
   * Lets time run until a consumer may read `n` records or more, and answers them.
   *
   * @throws {WaitTimeoutError} that says how many there are.
   */
  async waitForRecords(n: number, options: RecordsWaitOptions = {}): Promise<TextRecord[]> {
    if (!Number.isInteger(n) || n < 0) throw new ConfigError(`waitForRecords takes a count, 0 or more, not ${n}`)
    const { held, records } = await this.waitFor(found => found.length >= n, { ...options, atLeast: n })
    if (held) return records.map(record => this.#textOf(record))
    throw new WaitTimeoutError(`'${this.name}' has ${records.length} of ${n} records that were waited for`)
  }

  /** Lets time run until what a consumer may read fulfils `condition`, and answers whether it did, and the records. */
  async waitFor(
    condition: (records: readonly BytesRecord[]) => boolean,
    options: RecordsWaitOptions & {
      /** With fewer records the condition cannot hold: they are not even read. */
      readonly atLeast?: number
    } = {},
  ): Promise<{ readonly held: boolean; readonly records: BytesRecord[] }> {
    const { atLeast = 0, ...filter } = options
    this.#check(filter)
    const { isolation = 'read_committed', partition } = options
    const { runtime } = this.#host
    let records: BytesRecord[] = []
    const read = async () => {
      const found: BytesRecord[] = []
      for (const state of this.#states(partition)) {
        const log = this.#leadersLog(state)
        for (const visible of log === undefined ? [] : await visibleRecords(log, isolation)) {
          if (visible.control === undefined) found.push(bytesOf(state.partition, visible))
        }
      }
      records = found
    }
    let held = await lookUntil(runtime, `a wait for records of '${this.name}'`, {
      ...waitOf(options),
      look: async () => {
        if (!this.#isCaughtUp(partition) || this.#atMost(isolation, partition) < atLeast) return false
        await read()
        return condition(records)
      },
      changed: () => this.#fingerprint(isolation, partition),
    })
    if (!held) {
      // The last look may have been spared.
      await runtime.drive(`records of '${this.name}'`, read)
      held = this.#isLed(partition) && condition(records)
    }
    return { held, records }
  }

  // --- where the records are -----------------------------------------------------------------------------------------

  get #image(): TopicImage {
    return this.#host.requireTopic(this.name)
  }

  #check(options: RecordsOptions): void {
    refuseUnknown(`option of topic('${this.name}')`, options, OPTION_NAMES)
    const { as = 'text', isolation = 'read_committed', partition } = options
    if (as !== 'text' && as !== 'json' && as !== 'bytes') {
      throw new ConfigError(`as must be 'text', 'json' or 'bytes', not '${as}'`)
    }
    if (isolation !== 'read_committed' && isolation !== 'read_uncommitted') {
      throw new ConfigError(`isolation must be 'read_committed' or 'read_uncommitted', not '${isolation}'`)
    }
    this.#states(partition)
  }

  #states(partition: number | undefined): readonly PartitionImage[] {
    const { partitions } = this.#image
    if (partition === undefined) return partitions
    const state = partitions[partition]
    if (state !== undefined) return [state]
    throw new RangeError(`'${this.name}' has partitions 0 to ${partitions.length - 1}, not ${partition}`)
  }

  #leadersLog(state: PartitionImage): ReplicaLog | undefined {
    return ledPartition(this.#host.brokers, state)?.log
  }

  /** A new leader does not know yet what was committed before it (KIP-207): it shows less than there is. */
  #isCaughtUp(partition: number | undefined): boolean {
    return this.#states(partition).every(state => {
      const led = ledPartition(this.#host.brokers, state)
      return led !== undefined && led.log.highWatermark >= led.leaderEpochStart
    })
  }

  #isLed(partition: number | undefined): boolean {
    return this.#states(partition).every(state => this.#leadersLog(state) !== undefined)
  }

  #leaderless(partition: number | undefined): string[] {
    const without = this.#states(partition).filter(state => this.#leadersLog(state) === undefined)
    return without.map(state => `${this.name}-${state.partition}`)
  }

  #atMost(isolation: Isolation, partition: number | undefined): number {
    let count = 0
    for (const state of this.#states(partition)) {
      const log = this.#leadersLog(state)
      if (log !== undefined) count += boundOf(log, isolation) - log.startOffset
    }
    return count
  }

  /** Another one whenever other records may be readable. */
  #fingerprint(isolation: Isolation, partition: number | undefined): string {
    let text = ''
    for (const state of this.#states(partition)) {
      const log = this.#leadersLog(state)
      text += log === undefined ? '-' : `${state.leaderEpoch}:${log.startOffset}:${boundOf(log, isolation)}:`
      text += `${log?.highWatermark} `
    }
    return text
  }

  // --- how they are given --------------------------------------------------------------------------------------------

  #given(as: 'text' | 'json' | 'bytes', partition: number, visible: VisibleRecord) {
    const record = bytesOf(partition, visible)
    if (as === 'bytes' || (as === 'json' && visible.control !== undefined)) return record
    return as === 'text' ? this.#textOf(record) : this.#jsonOf(record)
  }

  #textOf(record: BytesRecord): TextRecord {
    const headers = record.headers.map(({ key, value }) => ({ key, value: textOf(value) }))
    return { ...record, key: textOf(record.key), value: textOf(record.value), headers }
  }

  #jsonOf(record: BytesRecord): JsonRecord {
    const text = this.#textOf(record)
    try {
      return { ...text, value: text.value === null ? null : JSON.parse(text.value) }
    } catch (cause) {
      const where = `${this.name}-${record.partition}, offset ${record.offset}`
      throw new SerializationError(`${where}: the value is no JSON: ${text.value}`, { cause })
    }
  }
}

function waitOf({ timeoutMs }: RecordsOptions): { timeoutMs?: number } {
  return timeoutMs === undefined ? {} : { timeoutMs }
}

/** Copies: a test may do with them what it likes. */
export function bytesOf(partition: number, { record, control, marker }: VisibleRecord): BytesRecord {
  const { offset, timestamp, key, value, headers } = record as LogRecord
  return {
    partition,
    offset,
    timestamp,
    key: copyOf(key),
    value: copyOf(value),
    headers: headers.map(header => ({ key: header.key, value: copyOf(header.value) })),
    ...(control === undefined ? {} : { control }),
    ...(marker === undefined ? {} : { marker: factsOf(marker) }),
  }
}

function factsOf({ producerId, producerEpoch, coordinatorEpoch }: TransactionMarker): MarkerFacts {
  return { producerId, producerEpoch, coordinatorEpoch }
}

function copyOf(bytes: Uint8Array | null): Uint8Array | null {
  return bytes === null ? null : new Uint8Array(bytes)
}

function textOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
}
