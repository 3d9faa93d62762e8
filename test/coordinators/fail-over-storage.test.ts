import { describe, expect, test } from 'vitest'
import { groupCodec } from '../../src/coordinators/groups/group-records.ts'
import type { Cluster } from '../../src/index.ts'
import { createCluster, faultyLogs, memoryLogs } from '../../src/index.ts'
import type { TopicOptions } from '../../src/metadata/topic-configs.ts'
import { stateOf } from '../apis/classic-asking.ts'
import { commit, committed, OFFSETS_TOPIC } from '../apis/committing.ts'

interface Options {
  readonly brokers?: number
  readonly kept?: TopicOptions
  readonly logs?: ReturnType<typeof faultyLogs>
}

/** Brokers that keep all groups in one partition, led by broker 1. */
function clusterOf({ brokers = 3, kept = {}, logs }: Options = {}): Promise<Cluster> {
  const replicas = Array.from({ length: brokers }, (_, i) => i + 1)
  return createCluster({
    brokers,
    topics: {
      t: { partitions: 3, replicationFactor: brokers },
      [OFFSETS_TOPIC]: { assignments: [replicas], configs: { 'cleanup.policy': 'compact', ...kept } },
    },
    ...(logs === undefined ? {} : { logs }),
  })
}

const led = (cluster: Cluster, by: number) =>
  cluster.runUntil(() => cluster.leaderOf(OFFSETS_TOPIC, 0).id === by && cluster.broker(by).isReady)

/** What is left of the log: offsets of records, and what they are about. */
async function recordsLeft(cluster: Cluster): Promise<string[]> {
  const records = await cluster.topic(OFFSETS_TOPIC).records({ as: 'bytes' })
  return records.map(({ key, value }) => {
    const record = groupCodec.decode({ key, value })!
    const { group, topic, partition } = record.key as { group: string; topic?: string; partition?: number }
    const offset = record.type === 'OffsetCommit' && record.value !== null ? ` ${record.value.offset}` : ''
    return `${group}${topic === undefined ? '' : ` ${topic}-${partition}`}${value === null ? ' †' : offset}`
  })
}

describe('the log of groups', () => {
  const EAGER = { 'segment.ms': 1_000, 'min.cleanable.dirty.ratio': 0, 'delete.retention.ms': 1_000 }

  test('is compacted: the last commit of each partition stays, and is what the next coordinator loads (G-42)', async () => {
    await using cluster = await clusterOf({ kept: EAGER })
    for (let offset = 0; offset < 10; offset++) await commit(cluster, 'g', { 't-0': offset, 't-1': 100 + offset })
    await commit(cluster, 'other', { 't-0': 7 })
    await cluster.clock.advance(2_000)
    await commit(cluster, 'later', { 't-2': 1 })
    await cluster.clock.advance(60_000)
    expect(await recordsLeft(cluster)).toEqual(['g t-0 9', 'g t-1 109', 'other t-0 7', 'later t-2 1'])
    await cluster.broker(1).crash()
    await led(cluster, 2)
    expect(await committed(cluster, 'g')).toEqual({ 't-0': [9, '', 'NONE'], 't-1': [109, '', 'NONE'] })
    expect(await committed(cluster, 'other')).toEqual({ 't-0': [7, '', 'NONE'] })
  })

  test('forgets a deleted group, first its offsets, then its tombstones (G-42)', async () => {
    await using cluster = await clusterOf({ kept: EAGER })
    await commit(cluster, 'g', { 't-0': 1 }, { version: 4, retentionMs: 1 })
    await cluster.clock.advance(601_000)
    expect(await stateOf(cluster, 'g')).toBe('no group')
    expect((await recordsLeft(cluster)).slice(-2)).toEqual(['g t-0 †', 'g †'])
    await commit(cluster, 'later', { 't-2': 1 })
    await cluster.clock.advance(60_000)
    await commit(cluster, 'later', { 't-2': 2 })
    await cluster.clock.advance(60_000)
    await commit(cluster, 'later', { 't-2': 3 })
    await cluster.clock.advance(60_000)
    expect((await recordsLeft(cluster)).filter(text => text.startsWith('g '))).toEqual([])
    await cluster.broker(1).crash()
    await led(cluster, 2)
    expect(await stateOf(cluster, 'g')).toBe('no group')
  })
})

describe('a store that fails', () => {
  test('an append: refused with NOT_COORDINATOR, nothing is taken on, and the next one is kept (G-2)', async () => {
    const logs = faultyLogs(memoryLogs())
    await using cluster = await clusterOf({ logs })
    await commit(cluster, 'g', { 't-0': 1 })
    logs.rule({ fault: 'failing', broker: 1, topic: OFFSETS_TOPIC, times: 1 })
    expect(await commit(cluster, 'g', { 't-0': 2 })).toEqual({ 't-0': 'NOT_COORDINATOR' })
    expect(await committed(cluster, 'g', { requireStable: true })).toEqual({ 't-0': [1, '', 'NONE'] })
    expect(await commit(cluster, 'g', { 't-0': 3 })).toEqual({ 't-0': 'NONE' })
    await cluster.broker(1).crash()
    await led(cluster, 2)
    expect(await committed(cluster, 'g', { requireStable: true })).toEqual({ 't-0': [3, '', 'NONE'] })
  })

  test('after the coordinator has gone on: it loads its partition again, from what the store has (G-2)', async () => {
    const logs = faultyLogs(memoryLogs())
    await using cluster = await clusterOf({ logs })
    await commit(cluster, 'g', { 't-0': 1 })
    logs.rule({ fault: 'slow', broker: 1, topic: OFFSETS_TOPIC, delayMs: 200, times: 1 })
    const slow = commit(cluster, 'g', { 't-0': 2 })
    await cluster.clock.advance(10)
    logs.rule({ fault: 'failing', broker: 1, topic: OFFSETS_TOPIC, times: 1 })
    const failing = commit(cluster, 'h', { 't-1': 3 })
    // The first one is in the store, and nobody can say yet whether it will be committed.
    expect([await slow, await failing]).toEqual([{ 't-0': 'NOT_COORDINATOR' }, { 't-1': 'NOT_COORDINATOR' }])
    expect(await committed(cluster, 'g', { requireStable: true })).toEqual({ 't-0': [2, '', 'NONE'] })
    expect(await stateOf(cluster, 'h')).toBe('no group')
    expect(await commit(cluster, 'h', { 't-1': 4 })).toEqual({ 't-1': 'NONE' })
    expect(await committed(cluster, 'h')).toEqual({ 't-1': [4, '', 'NONE'] })
  })

  test('to read when a coordinator is made: it tries again, and says NOT_COORDINATOR until it has the log', async () => {
    const logs = faultyLogs(memoryLogs())
    await using cluster = await clusterOf({ logs })
    await commit(cluster, 'g', { 't-0': 1 })
    const rule = logs.rule({ fault: 'failing', operation: 'read', broker: 2, topic: OFFSETS_TOPIC })
    await cluster.broker(1).crash()
    await cluster.runUntil(() => cluster.broker(2).broker?.groups.shards.get(0) !== undefined)
    await cluster.clock.advance(3_000)
    expect(await committed(cluster, 'g', { to: 2 })).toBe('NOT_COORDINATOR')
    rule[Symbol.dispose]()
    await cluster.clock.advance(500)
    expect(await committed(cluster, 'g', { to: 2 })).toEqual({ 't-0': [1, '', 'NONE'] })
  })

  test.each([0, 1])('a follower that is made coordinator with its disk busy waits for it (%i before)', async before => {
    const logs = faultyLogs(memoryLogs())
    await using cluster = await clusterOf({ logs })
    if (before > 0) await commit(cluster, 'g', { 't-0': before })
    await cluster.broker(3).crash()
    await cluster.runUntil(() => cluster.partition(OFFSETS_TOPIC, 0).inSyncReplicas.length === 2)
    using _ = logs.rule({ fault: 'slow', broker: 2, topic: OFFSETS_TOPIC, delayMs: 30_000, times: 1 })
    const open = commit(cluster, 'g', { 't-0': 2 })
    await cluster.clock.advance(1_000)
    await cluster.broker(1).crash()
    await expect(open).rejects.toThrow()
    await led(cluster, 2)
    expect(await committed(cluster, 'g', { to: 2 })).toBe('COORDINATOR_LOAD_IN_PROGRESS')
    await cluster.clock.advance(30_000)
    expect(await committed(cluster, 'g', { to: 2, requireStable: true })).toEqual({ 't-0': [2, '', 'NONE'] })
  })
})

describe('when every broker ends', () => {
  const all = [1, 2, 3]
  const offsets = { 't-0': [5, 'five', 'NONE'], 't-2': [7, '', 'NONE'] }
  const fill = (cluster: Cluster) => commit(cluster, 'g', { 't-0': { offset: 5, metadata: 'five' }, 't-2': 7 })
  const restart = async (cluster: Cluster) => {
    await Promise.all(all.map(id => cluster.broker(id).restart()))
    await cluster.settle()
  }

  test('politely, committed offsets are there after the restart', async () => {
    await using cluster = await clusterOf()
    await fill(cluster)
    for (const id of all) await cluster.broker(id).stop()
    await restart(cluster)
    expect(await committed(cluster, 'g')).toEqual(offsets)
    expect(await commit(cluster, 'g', { 't-0': 6 })).toEqual({ 't-0': 'NONE' })
  })

  test('by a crash, they are', async () => {
    await using cluster = await clusterOf()
    await fill(cluster)
    for (const id of all) await cluster.broker(id).crash()
    await restart(cluster)
    expect(await committed(cluster, 'g')).toEqual(offsets)
  })

  test('by a loss of power, they are where the topic is flushed at once, and gone where it never was', async () => {
    for (const [kept, expected] of [
      [{ 'flush.messages': 1 }, offsets],
      [{}, {}],
    ] as const) {
      await using cluster = await clusterOf({ kept })
      await fill(cluster)
      for (const id of all) await cluster.broker(id).powerOff()
      await restart(cluster)
      expect(await committed(cluster, 'g')).toEqual(expected)
      expect(await commit(cluster, 'g', { 't-0': 6 })).toEqual({ 't-0': 'NONE' })
    }
  })

  test('one after the other, whoever coordinates has all of it', async () => {
    await using cluster = await clusterOf({ kept: { 'min.insync.replicas': 2 } })
    await fill(cluster)
    for (const id of [1, 2, 3, 1]) {
      await cluster.broker(id).restart()
      await cluster.settle()
      expect(await committed(cluster, 'g', { requireStable: true })).toEqual(offsets)
    }
  })
})
