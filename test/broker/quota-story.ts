import type { fetch } from '../../src/apis/fetch.ts'
import { produce } from '../../src/apis/produce.ts'
import type { Cluster } from '../../src/index.ts'
import { Connection } from '../../src/network/connection.ts'
import type { AnyApi, RequestInput, ResponseOf } from '../../src/wire/api.ts'
import { batchOf } from '../../src/wire/batch-builder.ts'
import { encodeRequest } from '../../src/wire/header.ts'
import { Records } from '../../src/wire/records.ts'
import { plantOf } from '../apis/asking.ts'

const TIMEOUT_MS = 10_000_000

/** A client that does as it is told by the test, and heeds no throttle time. */
export interface Rude {
  readonly clientId: string | null
  readonly isClosed: boolean
  /** The answer, and how long it took in milliseconds. */
  ask<A extends AnyApi>(api: A, body: RequestInput<A>, version?: number): Promise<ResponseOf<A> & { tookMs: number }>
  sendOnly<A extends AnyApi>(api: A, body: RequestInput<A>, version?: number): void
  close(): void
}

/** `host`: where it claims to come from; `user`: who it is. */
export async function rudeClient(
  cluster: Cluster,
  clientId: string | null,
  { node = 1, host = '127.0.0.1', user = 'ANONYMOUS', name = 'rude' } = {},
): Promise<Rude> {
  const { runtime, network, controllerAddress } = plantOf(cluster)
  const address = node === cluster.controller.id ? controllerAddress : cluster.broker(node).address
  const caller = { host, principal: { type: 'User', name: user }, isOutside: false }
  const channel = await runtime.drive('connect', () => network.connect(name, address, undefined, caller))
  const connection = new Connection(channel, { runtime, clientId })
  return {
    clientId,
    get isClosed() {
      return connection.isClosed
    },
    ask: (api, body, version = api.versions.max) =>
      runtime.drive(`${api.name} to ${node}`, async () => {
        const askedAt = runtime.now()
        const answer = await connection.request(api, version, body, TIMEOUT_MS)
        return Object.assign(answer, { tookMs: runtime.now() - askedAt })
      }),
    sendOnly: (api, body, version = api.versions.max) => connection.sendOnly(api, version, body),
    close: () => connection.close(),
  }
}

const VERSION = 12

/** A Produce request of v12 whose frame has exactly so many bytes, which is what quotas count. */
export function produceOf(clientId: string | null, bytes: number, { topic = 'orders', acks = -1 } = {}) {
  const bodyWith = (size: number): RequestInput<typeof produce> => ({
    acks,
    timeoutMs: 30_000,
    topicData: [
      {
        name: topic,
        partitionData: [
          { index: 0, records: Records.of([batchOf([{ timestamp: 1, key: null, value: new Uint8Array(size) }])]) },
        ],
      },
    ],
  })
  const sizeWith = (size: number) => encodeRequest(produce, VERSION, 1, clientId, bodyWith(size)).length
  let size = bytes - (sizeWith(bytes) - bytes)
  while (sizeWith(size) < bytes) size++
  while (sizeWith(size) > bytes) size--
  if (sizeWith(size) !== bytes) throw new RangeError(`no request has ${bytes} bytes`)
  return bodyWith(size)
}

/** Answers the throttle time, and how long the answer took. */
export async function sendBytes(client: Rude, bytes: number, options: { topic?: string } = {}) {
  const { throttleTimeMs, tookMs } = await client.ask(produce, produceOf(client.clientId, bytes, options), VERSION)
  return { throttleTimeMs, tookMs }
}

/** A Fetch of v12, outside of any session unless said. */
export function fetchOf(
  offset: number,
  { topic = 'orders', sessionId = 0, sessionEpoch = -1, maxWaitMs = 0, isContinued = false } = {},
): RequestInput<typeof fetch> {
  const wanted = { partition: 0, currentLeaderEpoch: -1, fetchOffset: offset, partitionMaxBytes: 10_000_000 }
  return {
    maxWaitMs,
    minBytes: 1,
    maxBytes: 10_000_000,
    sessionId,
    sessionEpoch,
    topics: isContinued ? [] : [{ topic, partitions: [wanted] }],
    forgottenTopicsData: [],
  }
}

export const FETCH_VERSION = 12
