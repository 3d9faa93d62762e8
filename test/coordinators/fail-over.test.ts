import { describe, expect, test } from 'vitest'
import { heartbeat } from '../../src/apis/heartbeat.ts'
import type { Cluster } from '../../src/index.ts'
import { createCluster, cut, faultyLogs, isolate, memoryLogs } from '../../src/index.ts'
import type { BrokerOptions } from '../../src/metadata/broker-configs.ts'
import type { TopicOptions } from '../../src/metadata/topic-configs.ts'
import { ask, nameOf } from '../apis/asking.ts'
import { commit, commitInTransaction, committed, endTransaction, OFFSETS_TOPIC } from '../apis/committing.ts'

/** Three brokers that keep all groups in one partition, led by broker 1. */
function threeBrokers(
  options: {
    readonly kept?: TopicOptions
    readonly logs?: ReturnType<typeof faultyLogs>
    configs?: BrokerOptions
  } = {},
): Promise<Cluster> {
  const { kept = {}, logs, configs = {} } = options
  return createCluster({
    topics: {
      t: { partitions: 3, replicationFactor: 3 },
      [OFFSETS_TOPIC]: { assignments: [[1, 2, 3]], configs: { 'cleanup.policy': 'compact', ...kept } },
    },
    configs,
    ...(logs === undefined ? {} : { logs }),
  })
}

const led = (cluster: Cluster, by: number) =>
  cluster.runUntil(() => cluster.leaderOf(OFFSETS_TOPIC, 0).id === by && cluster.broker(by).isReady)
/** Whether this broker answers for groups. */
const coordinates = (cluster: Cluster, id: number) =>
  cluster.broker(id).broker?.groups.shards.get(0)?.shard.isActive === true

describe('an answer of a coordinator', () => {
  test('goes out when all replicas in sync have what it tells of; in 5 s or not at all (G-2)', async () => {
    await using cluster = await threeBrokers()
    await commit(cluster, 'g', { 't-0': 1 })
    const cuts = [2, 3].map(id => cluster.network.rule(cut(1, id)))
    const began = cluster.clock.now()
    const answer = commit(cluster, 'g', { 't-0': 2 })
    await cluster.clock.advance(4_900)
    expect(await committed(cluster, 'g')).toEqual({ 't-0': [1, '', 'NONE'] })
    expect(await answer).toEqual({ 't-0': 'COORDINATOR_NOT_AVAILABLE' })
    expect(cluster.clock.now() - began).toBeGreaterThanOrEqual(5_000)
    expect(cluster.clock.now() - began).toBeLessThan(5_100)
    // Written it is, and nobody knows that it will not be taken back: consumers ask for what is stable, others do not.
    expect(await committed(cluster, 'g')).toEqual({ 't-0': [1, '', 'NONE'] })
    expect(await committed(cluster, 'g', { requireStable: true })).toBe('NOT_COORDINATOR')
    for (const rule of cuts) rule.dispose()
    await cluster.settle()
    expect(await committed(cluster, 'g', { requireStable: true })).toEqual({ 't-0': [2, '', 'NONE'] })
  })

  test('waits as long as offsets.commit.timeout.ms says', async () => {
    await using cluster = await threeBrokers({ configs: { 'offsets.commit.timeout.ms': 700 } })
    for (const id of [2, 3]) cluster.network.rule(cut(1, id))
    const began = cluster.clock.now()
    expect(await commit(cluster, 'g', { 't-0': 2 })).toEqual({ 't-0': 'COORDINATOR_NOT_AVAILABLE' })
    expect(cluster.clock.now() - began).toBeLessThan(800)
  })

  test('is COORDINATOR_NOT_AVAILABLE at once with too few replicas in sync, and nothing is written (G-2)', async () => {
    await using cluster = await threeBrokers({ kept: { 'min.insync.replicas': 2 } })
    await commit(cluster, 'g', { 't-0': 1 })
    for (const id of [2, 3]) await cluster.broker(id).stop()
    await cluster.runUntil(() => cluster.partition(OFFSETS_TOPIC, 0).inSyncReplicas.length === 1)
    const end = cluster.partition(OFFSETS_TOPIC, 0).endOffset
    const began = cluster.clock.now()
    expect(await commit(cluster, 'g', { 't-0': 2 })).toEqual({ 't-0': 'COORDINATOR_NOT_AVAILABLE' })
    expect(cluster.clock.now() - began).toBeLessThan(100)
    expect(cluster.partition(OFFSETS_TOPIC, 0).endOffset).toBe(end)
    // What needs no record is answered still.
    expect(await committed(cluster, 'g', { requireStable: true })).toEqual({ 't-0': [1, '', 'NONE'] })
  })
})

describe('when the coordinator crashes', () => {
  test('the next one has everything that was acknowledged, open transactions too (G-2, G-40)', async () => {
    await using cluster = await threeBrokers()
    for (let offset = 0; offset < 20; offset++)
      await commit(cluster, `g-${offset % 4}`, { [`t-${offset % 3}`]: offset })
    await commitInTransaction(cluster, 'g-0', { 't-0': 100, 't-2': 200 }, 9)
    await cluster.broker(1).crash()
    await led(cluster, 2)
    expect(await committed(cluster, 'g-0', { partitions: ['t-0', 't-2'], requireStable: true })).toEqual({
      't-0': [-1, '', 'UNSTABLE_OFFSET_COMMIT'],
      't-2': [-1, '', 'UNSTABLE_OFFSET_COMMIT'],
    })
    await endTransaction(cluster, 'g-0', 'COMMIT', 9)
    expect(await committed(cluster, 'g-0')).toEqual({
      't-0': [100, 't', 'NONE'],
      't-1': [16, '', 'NONE'],
      't-2': [200, 't', 'NONE'],
    })
    expect(await committed(cluster, 'g-3')).toEqual({
      't-0': [15, '', 'NONE'],
      't-1': [19, '', 'NONE'],
      't-2': [11, '', 'NONE'],
    })
    expect(await commit(cluster, 'g-1', { 't-1': 21 })).toEqual({ 't-1': 'NONE' })
    await cluster.broker(1).restart()
    expect(await committed(cluster, 'g-1', { to: 1 })).toBe('NOT_COORDINATOR')
  })

  test('whoever waits for an answer of it never gets one; whoever asks the next one is told to wait while it loads (G-2)', async () => {
    const logs = faultyLogs(memoryLogs())
    await using cluster = await threeBrokers({ logs })
    for (let offset = 0; offset < 3; offset++) await commit(cluster, 'g', { 't-0': offset })
    const slow = { fault: 'slow', operation: 'read', broker: 2, topic: OFFSETS_TOPIC, delayMs: 2_000 } as const
    using _ = logs.rule(slow)
    await cluster.broker(1).crash()
    await cluster.runUntil(() => cluster.broker(2).broker?.groups.shards.get(0) !== undefined)
    const elsewhere = { to: 2, requireStable: false }
    expect(await commit(cluster, 'g', { 't-0': 7 }, { to: 2 })).toEqual({ 't-0': 'COORDINATOR_LOAD_IN_PROGRESS' })
    expect(await committed(cluster, 'g', elsewhere)).toBe('COORDINATOR_LOAD_IN_PROGRESS')
    const beat = { groupId: 'g', generationId: 3, memberId: 'm' }
    expect(nameOf((await ask(cluster, 2, heartbeat, beat)).errorCode)).toBe('NONE')
    await cluster.runUntil(() => coordinates(cluster, 2))
    expect(await committed(cluster, 'g', elsewhere)).toEqual({ 't-0': [2, '', 'NONE'] })
  })

  test('what it had written and nobody else had is gone, and was never told (G-2)', async () => {
    await using cluster = await threeBrokers()
    await commit(cluster, 'g', { 't-0': 1 })
    const rule = cluster.network.rule(isolate(1, { from: [2, 3, 1000] }))
    const lost = commit(cluster, 'g', { 't-0': 99 }, { to: 1 })
    await cluster.clock.advance(1_000)
    expect(await committed(cluster, 'g', { to: 1 })).toEqual({ 't-0': [1, '', 'NONE'] })
    await led(cluster, 2)
    expect(await committed(cluster, 'g', { to: 2, requireStable: true })).toEqual({ 't-0': [1, '', 'NONE'] })
    expect(await commit(cluster, 'g', { 't-1': 5 }, { to: 2 })).toEqual({ 't-1': 'NONE' })
    expect(await lost).toEqual({ 't-0': 'COORDINATOR_NOT_AVAILABLE' })
    // It still believes that it coordinates, and shows what was committed in its time.
    expect(await committed(cluster, 'g', { to: 1 })).toEqual({ 't-0': [1, '', 'NONE'] })
    rule.dispose()
    await cluster.runUntil(() => !coordinates(cluster, 1))
    expect(await committed(cluster, 'g', { to: 1 })).toBe('NOT_COORDINATOR')
    await cluster.settle()
    expect(await committed(cluster, 'g')).toEqual({ 't-0': [1, '', 'NONE'], 't-1': [5, '', 'NONE'] })
  })

  test('whoever waits at a coordinator that loses its leadership is told NOT_COORDINATOR', async () => {
    await using cluster = await threeBrokers()
    await commit(cluster, 'g', { 't-0': 1 })
    const rules = [cluster.network.rule(isolate(1, { from: [2, 3] }))]
    const waiting = commit(cluster, 'g', { 't-0': 99 }, { to: 1 })
    await cluster.clock.advance(100)
    // A polite way out: the controller gives the partition to broker 2, and broker 1 hears of it.
    const stopped = cluster.broker(1).stop()
    expect(await waiting).toEqual({ 't-0': 'NOT_COORDINATOR' })
    for (const rule of rules) rule.dispose()
    await stopped
    await led(cluster, 2)
    expect(await committed(cluster, 'g')).toEqual({ 't-0': [1, '', 'NONE'] })
  })
})
