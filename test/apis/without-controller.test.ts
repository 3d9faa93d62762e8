import { afterAll, beforeAll, expect, test } from 'vitest'
import { alterClientQuotas } from '../../src/apis/alter-client-quotas.ts'
import { alterConfigs } from '../../src/apis/alter-configs.ts'
import { alterUserScramCredentials } from '../../src/apis/alter-user-scram-credentials.ts'
import { createAcls } from '../../src/apis/create-acls.ts'
import { deleteAcls } from '../../src/apis/delete-acls.ts'
import { describeClientQuotas } from '../../src/apis/describe-client-quotas.ts'
import { describeLogDirs } from '../../src/apis/describe-log-dirs.ts'
import { describeQuorum } from '../../src/apis/describe-quorum.ts'
import { describeUserScramCredentials } from '../../src/apis/describe-user-scram-credentials.ts'
import { listConfigResources } from '../../src/apis/list-config-resources.ts'
import { unregisterBroker } from '../../src/apis/unregister-broker.ts'
import { updateFeatures } from '../../src/apis/update-features.ts'
import type { Cluster } from '../../src/index.ts'
import { createCluster } from '../../src/index.ts'
import { ask, nameOf } from './asking.ts'

let cluster: Cluster

beforeAll(async () => {
  cluster = await createCluster({ brokers: 1, topics: { t: {} } })
  await cluster.controller.crash()
})

afterAll(() => cluster.close())

const AWAY = 'NOT_CONTROLLER'

test('what is answered as a whole says NOT_CONTROLLER, which clients retry', async () => {
  expect(nameOf((await ask(cluster, 1, unregisterBroker, { brokerId: 1 })).errorCode)).toBe(AWAY)
  const featureUpdates = [{ feature: 'transaction.version', maxVersionLevel: 2 }]
  for (const version of [1, 2]) {
    const answer = await ask(cluster, 1, updateFeatures, { timeoutMs: 1000, featureUpdates }, version)
    expect([nameOf(answer.errorCode), answer.results]).toEqual([AWAY, []])
  }
  const topics = [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }]
  for (const version of [0, 2]) {
    expect(nameOf((await ask(cluster, 1, describeQuorum, { topics }, version)).errorCode)).toBe(AWAY)
  }
})

test('what is answered one by one says it for each', async () => {
  const entity = [{ entityType: 'user', entityName: 'alice' }]
  const ops = [{ key: 'producer_byte_rate', value: 1, remove: false }]
  const quotas = await ask(cluster, 1, alterClientQuotas, { entries: [{ entity, ops }], validateOnly: false })
  expect(quotas.entries.map(each => [nameOf(each.errorCode), each.entity])).toEqual([[AWAY, entity]])
  const deletions = ['bob', 'bob', 'carol'].map(name => ({ name, mechanism: 1 }))
  const credentials = await ask(cluster, 1, alterUserScramCredentials, { deletions, upsertions: [] })
  expect(credentials.results.map(({ user, errorCode }) => [user, nameOf(errorCode)])).toEqual([
    ['bob', AWAY],
    ['carol', AWAY],
  ])
  const resources = ['t', 'nosuch'].map(resourceName => ({ resourceType: 2, resourceName, configs: [] }))
  const configs = await ask(cluster, 1, alterConfigs, { resources, validateOnly: false })
  expect(configs.responses.map(({ errorCode }) => nameOf(errorCode))).toEqual([AWAY, AWAY])
  const acl = {
    resourceType: 2,
    resourceName: 't',
    principal: 'User:alice',
    host: '*',
    operation: 3,
    permissionType: 3,
  }
  const created = await ask(cluster, 1, createAcls, { creations: [acl] })
  expect(created.results.map(({ errorCode }) => nameOf(errorCode))).toEqual([AWAY])
  const filter = {
    resourceTypeFilter: 1,
    resourceNameFilter: null,
    principalFilter: null,
    hostFilter: null,
    operation: 1,
    permissionType: 1,
  }
  const deleted = await ask(cluster, 1, deleteAcls, { filters: [filter] })
  expect(deleted.filterResults.map(({ errorCode }) => nameOf(errorCode))).toEqual([AWAY])
})

test('what a broker knows by itself it goes on telling', async () => {
  expect((await ask(cluster, 1, describeClientQuotas, { components: [], strict: false })).errorCode).toBe(0)
  expect((await ask(cluster, 1, describeUserScramCredentials, { users: null })).errorCode).toBe(0)
  expect((await ask(cluster, 1, listConfigResources, { resourceTypes: [2] })).configResources).toHaveLength(1)
  expect((await ask(cluster, 1, describeLogDirs, { topics: null })).results[0]!.topics).toHaveLength(1)
})
