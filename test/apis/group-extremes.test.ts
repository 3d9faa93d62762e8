import { expect, test } from 'vitest'
import { consumerGroupDescribe } from '../../src/apis/consumer-group-describe.ts'
import { consumerGroupHeartbeat } from '../../src/apis/consumer-group-heartbeat.ts'
import { findCoordinator } from '../../src/apis/find-coordinator.ts'
import { joinGroup } from '../../src/apis/join-group.ts'
import { offsetCommit } from '../../src/apis/offset-commit.ts'
import type { Cluster } from '../../src/index.ts'
import { createCluster } from '../../src/index.ts'
import type { AnyApi, RequestInput } from '../../src/wire/api.ts'
import { ask, nameOf } from './asking.ts'

/** What no client says and no schema forbids (W-5): it is refused or the connection ends, and the broker lives. */

async function withGroups(): Promise<Cluster> {
  const cluster = await createCluster({ brokers: 1, topics: { t: {} } })
  await ask(cluster, 1, findCoordinator, { coordinatorKeys: ['g'] })
  await cluster.runUntil(() => cluster.topicNames.includes('__consumer_offsets'))
  await cluster.settle()
  return cluster
}

async function fate<A extends AnyApi>(
  cluster: Cluster,
  api: A,
  body: RequestInput<A>,
  version?: number,
): Promise<string> {
  try {
    const answer = (await ask(cluster, 1, api, body, version)) as { errorCode?: number }
    return answer.errorCode === undefined ? 'answered' : nameOf(answer.errorCode)
  } catch (error) {
    return (error as Error).name
  }
}

const longest = 'x'.repeat(32_767)
const join = {
  groupId: 'g',
  sessionTimeoutMs: 10_000,
  rebalanceTimeoutMs: 10_000,
  memberId: '',
  protocolType: 'consumer',
  protocols: [{ name: 'range', metadata: new Uint8Array(6) }],
}
const heartbeat = {
  memberId: 'm',
  memberEpoch: 0,
  rebalanceTimeoutMs: 10_000,
  subscribedTopicNames: ['t'],
  topicPartitions: [],
}

test('names so long that what is made of them cannot be written end in a refusal, and not the broker', async () => {
  await using cluster = await withGroups()
  const ends = [
    await fate(cluster, joinGroup, { ...join, groupInstanceId: longest }),
    await fate(cluster, consumerGroupDescribe, { groupIds: [longest.slice(7)], includeAuthorizedOperations: false }),
    await fate(cluster, consumerGroupHeartbeat, {
      ...heartbeat,
      groupId: longest.slice(16_000),
      memberId: longest.slice(16_000),
      memberEpoch: 7,
    }),
  ]
  for (const end of ends)
    expect(['INVALID_REQUEST', 'ConnectionError', 'GROUP_ID_NOT_FOUND', 'answered']).toContain(end)
  expect(cluster.trace.events().filter(({ kind }) => kind === 'bug')).toEqual([])
  expect(await fate(cluster, joinGroup, { ...join, groupInstanceId: 'i' }, 9)).toBe('NONE')
})

test('a retention time beyond all numbers keeps the offset for as long as there are numbers (G-32)', async () => {
  await using cluster = await withGroups()
  const partitions = [{ partitionIndex: 0, committedOffset: 5, committedMetadata: null }]
  const body = {
    groupId: 'g',
    memberId: '',
    retentionTimeMs: Number.MAX_SAFE_INTEGER,
    topics: [{ name: 't', partitions }],
  }
  const answer = await ask(cluster, 1, offsetCommit, body, 2)
  expect(nameOf(answer.topics[0]!.partitions[0]!.errorCode)).toBe('NONE')
  await cluster.clock.advance(30 * 24 * 3_600_000)
  expect(cluster.group('g').committed('t', 0)).toMatchObject({ offset: 5 })
})

test('a regular expression deeper than RE2 goes is refused (G-51)', async () => {
  await using cluster = await withGroups()
  const subscribedTopicRegex = `${'('.repeat(3000)}t${')'.repeat(3000)}`
  const body = { ...heartbeat, groupId: 'g', subscribedTopicNames: null, subscribedTopicRegex }
  expect(await fate(cluster, consumerGroupHeartbeat, body)).toBe('INVALID_REGULAR_EXPRESSION')
})
