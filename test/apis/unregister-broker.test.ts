import { expect, test } from 'vitest'
import { describeCluster } from '../../src/apis/describe-cluster.ts'
import { unregisterBroker } from '../../src/apis/unregister-broker.ts'
import type { Cluster } from '../../src/index.ts'
import { createCluster } from '../../src/index.ts'
import { append, ask, nameOf } from './asking.ts'

async function unregister(cluster: Cluster, brokerId: number, node = 1) {
  const { errorCode, errorMessage } = await ask(cluster, node, unregisterBroker, { brokerId })
  return errorCode === 0 ? [nameOf(errorCode), errorMessage] : `${nameOf(errorCode)}: ${errorMessage}`
}

async function brokersOf(cluster: Cluster) {
  const body = { includeClusterAuthorizedOperations: false, includeFencedBrokers: true }
  const { brokers } = await ask(cluster, 1, describeCluster, body)
  return brokers.map(({ brokerId, isFenced }) => (isFenced ? `${brokerId} fenced` : `${brokerId}`))
}

test('who is not registered cannot be forgotten: BROKER_ID_NOT_REGISTERED', async () => {
  await using cluster = await createCluster({ brokers: 1 })
  for (const node of [1, 1000]) {
    for (const id of [55, -1, 1000]) {
      expect(await unregister(cluster, id, node)).toBe(
        `BROKER_ID_NOT_REGISTERED: Broker ID ${id} is not currently registered`,
      )
    }
  }
})

test('a broker that was stopped is forgotten, and comes back when it starts again', async () => {
  await using cluster = await createCluster({ brokers: 2, topics: { t: { assignments: [[1, 2]] } } })
  await cluster.broker(2).stop()
  await cluster.runUntil(() => !cluster.broker(1).broker!.image.isUnfenced(2))
  expect(await brokersOf(cluster)).toEqual(['1', '2 fenced'])
  expect(await unregister(cluster, 2)).toEqual(['NONE', ''])
  expect(await brokersOf(cluster)).toEqual(['1'])
  expect(await unregister(cluster, 2)).toMatch(/^BROKER_ID_NOT_REGISTERED/)
  await cluster.broker(2).restart()
  expect(await brokersOf(cluster)).toEqual(['1', '2'])
  await cluster.runUntil(() => cluster.partition('t', 0).inSyncReplicas.length === 2)
})

test('a live broker is forgotten too: it leads nothing more until it is restarted, and nothing is lost (R-51)', async () => {
  await using cluster = await createCluster({
    brokers: 2,
    topics: { shared: { assignments: [[2, 1]] }, alone: { assignments: [[2]] } },
  })
  expect(await append(cluster, 'shared', [1])).toBe(0)
  expect(await append(cluster, 'alone', [1])).toBe(0)
  expect(await unregister(cluster, 2)).toEqual(['NONE', ''])
  await cluster.clock.advance(6_000)
  expect(await brokersOf(cluster)).toEqual(['1'])
  expect(cluster.partition('shared', 0)).toMatchObject({ leader: 1, leaderEpoch: 1, inSyncReplicas: [1] })
  expect(cluster.broker(1).broker!.image.partition('alone', 0)).toMatchObject({
    leader: -1,
    leaderEpoch: 1,
    inSyncReplicas: [],
    eligibleLeaderReplicas: [2],
    lastKnownElr: [2],
  })
  expect(await append(cluster, 'shared', [2])).toBe(1)
  // It cannot ask to leave either: nobody knows it.
  await cluster.broker(2).crash()
  await cluster.broker(2).restart()
  await cluster.runUntil(() => cluster.partition('alone', 0).leader === 2)
  await cluster.runUntil(() => cluster.partition('shared', 0).inSyncReplicas.length === 2)
  expect(await append(cluster, 'alone', [2])).toBe(1)
})
