import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { produce } from '../../../../src/apis/produce.ts'
import { Producer } from '../../../../src/client/clients.ts'
import type { ProducerOptions } from '../../../../src/client/configuration.ts'
import type { RecordMetadata } from '../../../../src/client/producer/producer-record.ts'
import type { Plant } from '../../../../src/cluster/plant.ts'
import { type Cluster, type ClusterOptions, createCluster } from '../../../../src/index.ts'
import type { Address } from '../../../../src/network/channel.ts'
import type { RequestOf, ResponseInput } from '../../../../src/wire/api.ts'
import { type ErrorName, errorCodes, KafkaError } from '../../../../src/wire/errors.ts'
import { type Kind, kindOf, type Line, translated, Writing } from './account.ts'
import { Intermediary } from './intermediary.ts'

export interface Scenario {
  readonly id: string
  readonly title: string
  readonly trace: readonly string[]
}

const data = JSON.parse(readFileSync(new URL('../../../data/kafka/producer-timeline.json', import.meta.url), 'utf8'))
export const scenarios: readonly Scenario[] = data.scenarios
/** With `transaction.version` 1; those with version 2 are among the others. */
export const oldTransactions: readonly Scenario[] = data.transactionVersion1

const streams = [/^> /, /^< /, /^[^<>]/]

export interface Ended {
  readonly metadata: RecordMetadata | undefined
  readonly error: unknown
  /** Milliseconds since the beginning of the scenario. */
  readonly at: number
}

export interface StageOptions {
  /** Of topic `t`. Default 2. */
  readonly partitions?: number
  readonly topicConfigs?: NonNullable<NonNullable<ClusterOptions['topics']>[string]['configs']>
  readonly brokerConfigs?: NonNullable<ClusterOptions['configs']>
  readonly seed?: number
  /** A record was acknowledged before the scenario begins: offset 0, sequence 0. Default true. */
  readonly warm?: boolean
  readonly bootstrap?: readonly Address[]
  /** The cluster's `transaction.version`: the producer has the transactional id `T`, and is not warm. */
  readonly transactions?: 1 | 2
}

export interface CompareOptions {
  /** What of the scenario. Default: Produce and how sends ended. */
  readonly kinds?: readonly Kind[]
  /** Default: all but those with an older `transaction.version`. */
  readonly among?: readonly Scenario[]
  /** Lines of the Java producer's that are compared. Default: all of those kinds. */
  readonly only?: (line: Line, index: number) => boolean
  /** How far apart times may lie, in milliseconds. Default: 60, or 30 % of the time, for jitter and a busy machine. */
  readonly withinMs?: number
}

/** One broker, a producer, and between them a proxy that writes down what passes: as the Java producer was watched. */
export class Stage implements AsyncDisposable {
  readonly cluster: Cluster
  readonly producer: Producer
  readonly proxy: Intermediary
  readonly writing: Writing
  readonly #plant: Plant

  private constructor(cluster: Cluster, plant: Plant, config: ProducerOptions, options: StageOptions) {
    this.cluster = cluster
    this.#plant = plant
    this.writing = new Writing(() => plant.runtime.now())
    this.proxy = new Intermediary(plant.runtime, plant.network, this.writing)
    this.producer = this.another(config, options.bootstrap)
  }

  static async open(config: ProducerOptions = {}, options: StageOptions = {}): Promise<Stage> {
    const { partitions = 2, topicConfigs = {}, brokerConfigs = {}, seed = 1, transactions } = options
    const { warm = transactions === undefined } = options
    const cluster = await createCluster({
      brokers: 1,
      seed,
      ...(transactions === undefined ? {} : { features: { 'transaction.version': transactions } }),
      topics: { t: { partitions, configs: topicConfigs } },
      configs: { 'auto.create.topics.enable': false, ...brokerConfigs },
    })
    const { plant } = cluster.controller as unknown as { readonly plant: Plant }
    const stage = new Stage(
      cluster,
      plant,
      { 'linger.ms': 0, ...(transactions === undefined ? {} : { 'transactional.id': 'T' }), ...config },
      options,
    )
    if (warm) {
      await stage.producer.send({ topic: 't', partition: 0, value: 'warm' })
      await stage.wait(150)
    }
    stage.writing.begin()
    return stage
  }

  /** Another producer behind the same proxy. */
  another(
    config: ProducerOptions,
    bootstrap: readonly Address[] = this.cluster.brokers.map(one => one.address),
  ): Producer {
    const { runtime } = this.#plant
    return new Producer(config, { runtime, carrier: this.proxy, bootstrap, clientName: 'p' })
  }

  get runtime() {
    return this.#plant.runtime
  }

  /** Milliseconds since the beginning. */
  get at(): number {
    return this.writing.at
  }

  async wait(ms: number): Promise<void> {
    await this.cluster.clock.advance(ms)
  }

  async until(at: number): Promise<void> {
    await this.wait(Math.max(0, at - this.at))
  }

  /** Sends a record of this value to partition 0, or as said; `bytes` long where that is said. Never rejects. */
  send(
    label: string,
    options: { readonly partition?: number | null; readonly bytes?: number; readonly key?: string } = {},
    producer = this.producer,
  ): Promise<Ended> {
    const { partition = 0, bytes, key } = options
    const value = bytes === undefined ? label : label.padEnd(bytes, '.')
    const sent = producer.send({
      topic: 't',
      value,
      ...(partition === null ? {} : { partition }),
      ...(key === undefined ? {} : { key }),
    })
    return this.watch(bytes === undefined ? label : `${label}~`, sent)
  }

  /** Writes down how a send ends. */
  watch(label: string, sent: Promise<RecordMetadata>): Promise<Ended> {
    return sent.then(
      metadata => {
        this.writing.add(`${label} ok ${metadata.topic}-${metadata.partition} offset ${metadata.offset}`)
        return { metadata, error: undefined, at: this.at }
      },
      error => {
        this.writing.add(`${label} ${exceptionOf(error)}`)
        return { metadata: undefined, error, at: this.at }
      },
    )
  }

  /** Calls, and writes down how that ends; answers what it rejected with. */
  async call(label: string, call: () => Promise<unknown>): Promise<unknown> {
    try {
      await call()
      this.writing.add(`${label} returned`)
      return undefined
    } catch (error) {
      const { cause } = error as Error
      const why =
        cause instanceof Error && exceptionOf(error) === 'KafkaException' ? ` caused by ${exceptionOf(cause)}` : ''
      this.writing.add(`${label} threw ${exceptionOf(error)}${why}`)
      return error
    }
  }

  lines(...kinds: Kind[]): Line[] {
    return this.writing.lines.filter(({ text }) => kinds.includes(kindOf(text)!))
  }

  /** Times of the lines that begin like this. */
  times(beginning: string): number[] {
    return this.writing.lines.filter(({ text }) => text.startsWith(beginning)).map(({ at }) => at)
  }

  texts(...kinds: Kind[]): string[] {
    return this.lines(...kinds).map(({ text }) => text)
  }

  /**
   * The same lines as those of the Java producer, at about the same times: requests in their order, answers in theirs, and so
   * the ends of sends. (Between them the order is that of the times: what takes the Java producer a millisecond, takes ours
   * none.)
   */
  asInKafka(id: string, options: CompareOptions = {}): void {
    const { kinds = ['Produce', 'ends'], only = () => true, withinMs, among = scenarios } = options
    const theirs = linesOf(id, among).filter((line, index) => kinds.includes(kindOf(line.text)!) && only(line, index))
    const ours = this.lines(...kinds)
    for (const stream of streams) {
      const [here, there] = [ours, theirs].map(lines => lines.filter(({ text }) => stream.test(text))) as [
        Line[],
        Line[],
      ]
      expect(here.map(({ text }) => text)).toEqual(there.map(({ text }) => text))
      for (const [index, { at, text }] of here.entries()) {
        const then = there[index]!.at
        const within = withinMs ?? Math.max(60, 0.3 * then)
        expect(Math.abs(at - then), `${text} at ${at} ms, in Kafka at ${then} ms`).toBeLessThanOrEqual(within)
      }
    }
  }

  async close(): Promise<void> {
    await this.producer.close({ timeoutMs: 0 })
    await this.cluster.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

/** A scenario of the Java producer, as it was written down. */
export function traceOf(id: string, among = scenarios): readonly string[] {
  const scenario = among.find(one => one.id === id)
  if (scenario === undefined) throw new Error(`there is no scenario ${id}`)
  return scenario.trace
}

/** What of it is compared, in our words. */
export function linesOf(id: string, among = scenarios): Line[] {
  return traceOf(id, among).flatMap(line => translated(line) ?? [])
}

/** Java's name for what was rejected with. */
export function exceptionOf(error: unknown): string {
  const { name } = error as Error
  if (name === 'ClientError') return 'KafkaException'
  if (error instanceof KafkaError && name !== 'BufferExhaustedError') return error.exception
  return name.replace(/Error$/, 'Exception')
}

/** An answer that refuses everything that a request carries. */
export function refusal(
  body: RequestOf<typeof produce>,
  error: ErrorName,
  more: Partial<ResponseInput<typeof produce>['responses'][number]['partitionResponses'][number]> = {},
): ResponseInput<typeof produce> {
  return {
    responses: body.topicData.map(({ name, topicId, partitionData }) => ({
      name,
      topicId,
      partitionResponses: partitionData.map(({ index }) => ({
        index,
        errorCode: errorCodes[error],
        baseOffset: -1,
        ...more,
      })),
    })),
  }
}

/** Answers the requests from the first on with these errors; undefined and whatever comes later goes to the broker. */
export function refuseFirst(stage: Stage, ...errors: readonly (ErrorName | undefined)[]): void {
  stage.proxy.on(produce, (body, { n }) => {
    const error = errors[n - 1]
    return error === undefined ? undefined : { answer: refusal(body, error) }
  })
}

export { produce }
