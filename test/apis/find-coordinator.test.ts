import { describe, expect, test } from 'vitest'
import { findCoordinator } from '../../src/apis/find-coordinator.ts'
import { partitionFor } from '../../src/coordinators/partition-for.ts'
import type { Cluster } from '../../src/index.ts'
import { createCluster } from '../../src/index.ts'
import { ask, nameOf } from './asking.ts'

async function created(cluster: Cluster, topic: string): Promise<void> {
  await cluster.runUntil(() => cluster.topicNames.includes(topic))
  await cluster.settle()
}

test('a group is kept by the absolute value of its Java hash, also where there is none (T-1, V-8)', () => {
  const vectors = {
    'my-group': 12,
    test: 48,
    'payments-consumer': 26,
    'my-txn': 45,
    'txn-1': 10,
    polygenelubricants: 0,
    '😀': 49,
  }
  for (const [key, partition] of Object.entries(vectors)) expect([key, partitionFor(key, 50)]).toEqual([key, partition])
})

describe('FindCoordinator (G-1, T-2, M-16)', () => {
  test('makes the topic that is asked for, and names the leader of its partition once there is one', async () => {
    await using cluster = await createCluster()
    const find = (keyType: number) =>
      ask(cluster, 1, findCoordinator, { keyType, coordinatorKeys: ['my-group', 'my-txn'] })
    for (const [keyType, topic] of [
      [0, '__consumer_offsets'],
      [1, '__transaction_state'],
    ] as const) {
      const before = await find(keyType)
      expect(
        before.coordinators.map(({ errorCode, nodeId, errorMessage }) => [nameOf(errorCode), nodeId, errorMessage]),
      ).toEqual([
        ['COORDINATOR_NOT_AVAILABLE', -1, ''],
        ['COORDINATOR_NOT_AVAILABLE', -1, ''],
      ])
      await created(cluster, topic)
      const after = await find(keyType)
      const leaders = [12, 45].map(partition => cluster.leaderOf(topic, partition))
      expect(after.coordinators).toEqual(
        leaders.map((leader, i) => ({
          key: ['my-group', 'my-txn'][i],
          nodeId: leader.id,
          host: leader.address.host,
          port: leader.address.port,
          errorCode: 0,
          errorMessage: '',
        })),
      )
    }
  })

  test('before v4 answers one key, and calls success NONE', async () => {
    await using cluster = await createCluster({ brokers: 1 })
    await ask(cluster, 1, findCoordinator, { key: 'test' }, 3)
    await created(cluster, '__consumer_offsets')
    for (const version of [0, 1, 2, 3]) {
      const answer = await ask(cluster, 1, findCoordinator, { key: 'test' }, version)
      expect(answer).toMatchObject({ errorCode: 0, nodeId: 1, ...(version > 0 ? { errorMessage: 'NONE' } : {}) })
    }
  })

  test('takes an empty key, and each key as often as it is asked', async () => {
    await using cluster = await createCluster({ brokers: 1 })
    const find = () => ask(cluster, 1, findCoordinator, { coordinatorKeys: ['', 'a', ''] })
    await find()
    await created(cluster, '__consumer_offsets')
    const { coordinators } = await find()
    expect(coordinators.map(({ key, nodeId }) => [key, nodeId])).toEqual([
      ['', 1],
      ['a', 1],
      ['', 1],
    ])
  })

  test('refuses a key type that there is none of, share groups among them', async () => {
    await using cluster = await createCluster({ brokers: 1 })
    for (const keyType of [2, 3, 7, -1]) {
      const { coordinators } = await ask(cluster, 1, findCoordinator, { keyType, coordinatorKeys: ['a'] })
      expect(coordinators.map(({ errorCode, nodeId }) => [nameOf(errorCode), nodeId])).toEqual([
        ['INVALID_REQUEST', -1],
      ])
    }
    expect(cluster.topicNames).toEqual([])
  })

  test('says that nobody is there while the partition has no leader', async () => {
    await using cluster = await createCluster({ brokers: 2, configs: { 'offsets.topic.replication.factor': 1 } })
    const find = (key: string) => ask(cluster, 1, findCoordinator, { coordinatorKeys: [key] })
    await find('a')
    await created(cluster, '__consumer_offsets')
    const keys = ['a', 'b', 'c', 'd', 'e', 'f']
    const kept = keys.find(key => cluster.leaderOf('__consumer_offsets', partitionFor(key, 50)).id === 2)!
    expect((await find(kept)).coordinators[0]!.nodeId).toBe(2)
    await cluster.broker(2).crash()
    await cluster.clock.advance(30_000)
    const [found] = (await find(kept)).coordinators
    expect([found!.nodeId, nameOf(found!.errorCode)]).toEqual([-1, 'COORDINATOR_NOT_AVAILABLE'])
    await cluster.broker(2).restart()
    expect((await find(kept)).coordinators[0]!.nodeId).toBe(2)
  })
})
