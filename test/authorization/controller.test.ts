import { afterAll, beforeAll, expect, test } from 'vitest'
import { allocateProducerIds } from '../../src/apis/allocate-producer-ids.ts'
import { alterPartition } from '../../src/apis/alter-partition.ts'
import { brokerHeartbeat } from '../../src/apis/broker-heartbeat.ts'
import { brokerRegistration } from '../../src/apis/broker-registration.ts'
import { describeAcls } from '../../src/apis/describe-acls.ts'
import { fetch } from '../../src/apis/fetch.ts'
import { type Cluster, createCluster } from '../../src/index.ts'
import type { AnyApi, RequestInput } from '../../src/wire/api.ts'
import { zeroUuid } from '../../src/wire/uuid.ts'
import { ask, nameOf } from '../apis/asking.ts'

let cluster: Cluster

beforeAll(async () => {
  cluster = await createCluster({ brokers: 1, authorizer: 'standard' })
})

afterAll(() => cluster.close())

/** What only brokers ask the controller, put by somebody who is none. */
const asked: readonly (readonly [api: AnyApi, body: RequestInput<AnyApi>])[] = [
  [alterPartition, { brokerId: 1, brokerEpoch: 1, topics: [] }],
  [
    brokerRegistration,
    {
      brokerId: 7,
      clusterId: 'x',
      incarnationId: zeroUuid,
      listeners: [],
      features: [],
      rack: null,
    },
  ],
  [brokerHeartbeat, { brokerId: 1, brokerEpoch: 1, currentMetadataOffset: 1, wantFence: true, wantShutDown: false }],
  [allocateProducerIds, { brokerId: 1, brokerEpoch: 1 }],
  [fetch, { maxWaitMs: 0, minBytes: 0, topics: [], forgottenTopicsData: [] }],
]

test.each(asked.map(each => [each[0].name, ...each] as const))(
  '%s of somebody who is no broker is CLUSTER_AUTHORIZATION_FAILED, until CLUSTER_ACTION is allowed (M-72)',
  async (_, api, body) => {
    const code = async () => nameOf((await ask(cluster, 1000, api, body)).errorCode)
    expect(await code()).toBe('CLUSTER_AUTHORIZATION_FAILED')
    await using access = await cluster.allow('User:ANONYMOUS', 'clusterAction', 'cluster')
    expect(access).toBeDefined()
    expect(await code()).not.toBe('CLUSTER_AUTHORIZATION_FAILED')
  },
)

test('the controller describes ACLs as brokers do', async () => {
  const any = { principalFilter: null, hostFilter: null, operation: 1, permissionType: 1 }
  const filter = { resourceTypeFilter: 1, resourceNameFilter: null, patternTypeFilter: 1, ...any }
  expect(nameOf((await ask(cluster, 1000, describeAcls, filter)).errorCode)).toBe('CLUSTER_AUTHORIZATION_FAILED')
  await using access = await cluster.allow('User:ANONYMOUS', 'describe', 'cluster')
  expect(access).toBeDefined()
  const [broker, controller] = await Promise.all([1, 1000].map(node => ask(cluster, node, describeAcls, filter)))
  expect(controller).toEqual(broker)
  expect(controller!.resources).toMatchObject([{ resourceName: 'kafka-cluster', acls: [{ operation: 8 }] }])
})
