/**
 * Brokers know each other by the way they came, and not by what somebody says: who comes by a socket is a client, whatever it
 * calls itself, and what it is refused as a client it is refused as `broker-1`.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { apiVersions } from '../../src/apis/api-versions.ts'
import { createTopics } from '../../src/apis/create-topics.ts'
import { envelope } from '../../src/apis/envelope.ts'
import { fetch } from '../../src/apis/fetch.ts'
import { encodePrincipal } from '../../src/apis/principal-data.ts'
import { writeTxnMarkers } from '../../src/apis/write-txn-markers.ts'
import { type Cluster, createCluster } from '../../src/index.ts'
import { framed } from '../../src/network/framing.ts'
import type { AnyApi, RequestInput } from '../../src/wire/api.ts'
import { errorOf } from '../../src/wire/errors.ts'
import { joined } from '../../src/wire/frame.ts'
import { encodeRequest, readResponse } from '../../src/wire/header.ts'
import { Reader } from '../../src/wire/reader.ts'
import { RawSocket, until } from './raw-socket.ts'

let cluster: Cluster
beforeAll(async () => {
  cluster = await createCluster({
    brokers: 2,
    authorizer: 'standard',
    listen: true,
    topics: { orders: { replicationFactor: 2 } },
  })
})
afterAll(() => cluster?.close())

const names = [
  'broker-1',
  'broker-2',
  'broker-01',
  'controller',
  'cluster',
  'broker-1@x',
  '',
  'broker-1\0',
  'broker-2\n',
]

/** One request of somebody who calls itself so; undefined: the connection was closed on it. */
async function asked<A extends AnyApi>(clientId: string, api: A, version: number, body: RequestInput<A>) {
  const raw = new RawSocket(cluster.bootstrapServers.split(',')[0]!)
  let bytes = Buffer.alloc(0)
  raw.socket.on('data', chunk => {
    bytes = Buffer.concat([bytes, chunk])
  })
  raw.socket.write(Buffer.concat(framed(encodeRequest(api, version, 7, clientId, body))))
  const isWhole = () => bytes.length >= 4 && bytes.length >= 4 + bytes.readInt32BE(0)
  await until(() => isWhole() || raw.closed !== undefined)
  raw.socket.destroy()
  return isWhole()
    ? readResponse(new Reader([bytes.subarray(4, 4 + bytes.readInt32BE(0))]), api, version, 7)
    : undefined
}

/** CreateTopics, as broker-1 would hand it on for a super user. */
function letter(): RequestInput<typeof envelope> {
  const topics = [{ name: 'forged', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }]
  const inner = encodeRequest(createTopics, 7, 1, 'broker-1', { topics, timeoutMs: 1000, validateOnly: false })
  return {
    requestData: joined(inner.slices),
    requestPrincipal: encodePrincipal({ type: 'User', name: 'system', tokenAuthenticated: false }),
    clientHostAddress: Uint8Array.from([127, 0, 0, 1]),
  }
}

test.each(names)(
  'who calls itself %j by a socket is a client: it replicates nothing and hands nothing on (M-70, KIP-590)',
  async name => {
    expect(await asked(name, envelope, 0, letter())).toBe(undefined)
    const topics = [{ topic: 'orders', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }] }]
    // As a follower would ask, under the id of one.
    const follower = { replicaId: 2, maxWaitMs: 0, minBytes: 0, topics, forgottenTopicsData: [] }
    const fetched = await asked(name, fetch, 11, follower as never)
    const codes = [fetched!.errorCode, ...fetched!.responses.flatMap(each => each.partitions.map(one => one.errorCode))]
    expect(codes.filter(code => code !== 0).map(code => errorOf(code).name)).toEqual([
      expect.stringMatching(/^(?:TOPIC|CLUSTER)_AUTHORIZATION_FAILED$/),
    ])
    const marker = {
      producerId: 1,
      producerEpoch: 0,
      transactionResult: true,
      coordinatorEpoch: 0,
      topics: [{ name: 'orders', partitionIndexes: [0] }],
    }
    const marked = await asked(name, writeTxnMarkers, 1, { markers: [marker] } as never)
    const errors = marked?.markers.flatMap(each =>
      each.topics.flatMap(topic => topic.partitions.map(one => one.errorCode)),
    )
    expect(errors?.map(code => errorOf(code).name)).toEqual(['CLUSTER_AUTHORIZATION_FAILED'])
  },
)

test('none of them is a broker to those who look', async () => {
  for (const name of names) {
    await asked(name, apiVersions, 4, { clientSoftwareName: 'raw', clientSoftwareVersion: '1' })
  }
  for (const node of ['broker-1', 'broker-2', 'controller']) {
    expect(cluster.requests({ api: 'ApiVersions', from: node })).toEqual([])
  }
  expect(cluster.requests({ from: 'external' }).filter(({ fromBroker }) => fromBroker)).toEqual([])
  expect(cluster.topicNames).toEqual(['orders'])
})
