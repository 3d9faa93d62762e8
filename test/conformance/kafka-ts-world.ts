/** kafka-ts 1.5.0 speaks over sockets to a cluster that listens, in whatever version it is told to. */
import { setTimeout as sleep } from 'node:timers/promises'
import { API, API_ERROR, KafkaTSApiError } from 'kafka-ts'
import { Connection } from 'kafka-ts/dist/connection.js'
import type { Api } from 'kafka-ts/dist/utils/api.js'
import type { ProducerRecord } from '../../src/client/producer/producer-record.ts'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { createCluster } from '../../src/cluster/create-cluster.ts'
import type { ClusterOptions } from '../../src/cluster/options.ts'

/** One request, in the version that is asked for, and what its answer has to say; by the name of the API. */
export type Cases = Readonly<Record<string, (world: KafkaTsWorld, version: number) => Promise<void>>>

export class KafkaTsWorld {
  readonly cluster: Cluster
  readonly #connections = new Map<number, Promise<Connection>>()
  #names = 0

  private constructor(cluster: Cluster) {
    this.cluster = cluster
  }

  static async start(options: ClusterOptions = {}): Promise<KafkaTsWorld> {
    return new KafkaTsWorld(await createCluster({ listen: true, ...options }))
  }

  /** The answer of broker `at`. @throws {KafkaTSApiError} for an error code anywhere in it. */
  async ask<Request, Response>(
    api: Api<Request, Response>,
    version: number,
    data: NoInfer<Request>,
    at = 1,
  ): Promise<Response> {
    const connection = await this.connection(at)
    return connection.sendRequest(versionOf(api, version), data)
  }

  /** The answer that kafka-ts throws because of an error code in it, and the first such code. */
  async refused<Request, Response>(
    api: Api<Request, Response>,
    version: number,
    data: NoInfer<Request>,
    at = 1,
  ): Promise<{ errorCode: number; response: Response }> {
    try {
      await this.ask(api, version, data, at)
    } catch (error) {
      if (error instanceof KafkaTSApiError) return error as never
      throw error
    }
    throw new Error('it was not refused')
  }

  connection(at: number): Promise<Connection> {
    const known = this.#connections.get(at)
    if (known !== undefined) return known
    const connection = this.connect(at)
    this.#connections.set(at, connection)
    return connection
  }

  /** One of its own. */
  async connect(at: number): Promise<Connection> {
    const { host, port } = this.cluster.broker(at).address
    const connection = new Connection({
      clientId: 'kafka-ts',
      connection: { host, port },
      ssl: null,
      requestTimeout: 10_000,
      connectTimeout: 5_000,
    })
    await connection.connect()
    return connection
  }

  /** Who leads partition 0. */
  leader(topic: string): number {
    return this.cluster.leaderOf(topic, 0).id
  }

  /** Who coordinates the group, or the transactions of an id, once somebody does. */
  async coordinator(key: string, type: 'group' | 'transaction' = 'group'): Promise<number> {
    const ask = { keyType: type === 'group' ? 0 : 1, keys: [key] }
    for (;;) {
      try {
        return (await this.ask(API.FIND_COORDINATOR, 6, ask)).coordinators[0]!.nodeId
      } catch (error) {
        if (!(error instanceof KafkaTSApiError && error.errorCode === API_ERROR.COORDINATOR_NOT_AVAILABLE)) throw error
        await sleep(10)
      }
    }
  }

  name(prefix: string): string {
    return `${prefix}-${++this.#names}`
  }

  /** Three replicas, two of them needed; records of whatever age stay. */
  async topic(partitions = 1, configs = {}): Promise<{ name: string; id: string }> {
    const name = this.name('orders')
    await this.cluster.createTopic({
      name,
      partitions,
      replicationFactor: 3,
      configs: { 'min.insync.replicas': 2, 'retention.ms': -1, ...configs },
    })
    const { topics } = await this.ask(API.METADATA, 13, { topics: [{ id: null, name }] })
    return { name, id: topics[0]!.topicId }
  }

  /** To partition 0, by a producer of ours. */
  async write(topic: string, records: readonly Omit<ProducerRecord, 'topic'>[]): Promise<void> {
    const producer = this.cluster.producer({ acks: 'all' })
    for (const record of records) await producer.send({ topic, partition: 0, ...record })
    await producer.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#connections.values()) await (await connection).disconnect()
    await this.cluster.close()
  }
}

/** That version and no other. */
export function versionOf<Request, Response>(api: Api<Request, Response>, version: number): Api<Request, Response> {
  for (let at: Api<Request, Response> | undefined = api; at !== undefined; at = at.fallback) {
    if (at.apiVersion === version) return at
  }
  throw new RangeError(`kafka-ts has no version ${version} of ${apiName(api)}`)
}

function apiName({ apiKey }: { apiKey: number }): string {
  return Object.entries(API).find(([, api]) => api.apiKey === apiKey)?.[0] ?? `${apiKey}`
}
