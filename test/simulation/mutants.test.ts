import { expect, test } from 'vitest'
import { alterPartition } from '../../src/apis/alter-partition.ts'
import { fetch } from '../../src/apis/fetch.ts'
import { produce } from '../../src/apis/produce.ts'
import { type Cluster, createCluster } from '../../src/index.ts'
import { batchOf } from '../../src/wire/batch-builder.ts'
import { errorOf } from '../../src/wire/errors.ts'
import { Records } from '../../src/wire/records.ts'
import { ask } from '../apis/asking.ts'
import { divergence, duplicates, lostRecords } from './laws.ts'
import { check, type Law } from './property.ts'
import type { UniverseOptions } from './universe.ts'

/** Each safety rule can be switched off; somebody must notice. A rule whose loss nobody notices is not tested. */

const minutes = 60_000

const byProperty: readonly {
  mutant: string
  rule: string
  laws: readonly Law[]
  options?: Partial<UniverseOptions>
}[] = [
  {
    mutant: 'no-minimum-of-in-sync',
    rule: 'the high watermark is the minimum of the in-sync set (R-10)',
    laws: [lostRecords],
  },
  { mutant: 'no-wait-for-acks-all', rule: 'acks=all waits for the high watermark (R-16, R-17)', laws: [lostRecords] },
  {
    mutant: 'no-truncation',
    rule: 'a follower that diverged is truncated (R-33, R-34)',
    laws: [divergence, lostRecords],
  },
  {
    mutant: 'no-duplicate-check',
    rule: 'a batch that was stored is not stored again (I-4)',
    laws: [duplicates],
    options: { maxInFlight: 1 },
  },
]

/**
 * The schedules part a follower from its leader by taking the power of one that led: what it had not flushed is gone, and a
 * former follower has more than it. Logs in Redis lose nothing with a broker's power, so there nobody is ahead.
 */
const losesNothing = process.env.MINI_KAFKA_LOGS === 'redis-mock'

for (const { mutant, rule, laws, options } of byProperty) {
  test.skipIf(losesNothing && mutant === 'no-truncation')(
    `without the rule that ${rule}, a property fails within 1,000 seeds`,
    { timeout: 5 * minutes },
    async () => {
      const verdict = await check(1_000, { acks: 'all', ...options, mutants: [mutant] }, laws, { shrink: false })
      expect(verdict.counterexample?.witnesses).toMatch(/was acknowledged at offset|stands at offsets|^broker \d has/)
    },
  )
}

async function threeBrokers(mutants: readonly string[]): Promise<Cluster> {
  return createCluster({
    mutants,
    topics: { t: { partitions: 1, replicationFactor: 3, configs: { 'min.insync.replicas': 2 } } },
  })
}

/** The answers that the rule is about; they must differ once it is off. */
const byRequest: readonly {
  mutant: string
  rule: string
  expected: string
  answer: (cluster: Cluster) => Promise<number>
}[] = [
  {
    mutant: 'no-min-in-sync-check',
    rule: 'acks=all is refused before the append while too few replicas are in sync (P-9)',
    expected: 'NOT_ENOUGH_REPLICAS',
    async answer(cluster) {
      const leader = cluster.leaderOf('t', 0)
      for (const follower of cluster.followersOf('t', 0)) await follower.crash()
      await cluster.runUntil(() => cluster.partition('t', 0).inSyncReplicas.length === 1)
      // The controller knows; the leader hears of it a moment later.
      await cluster.clock.advance(100)
      const records = Records.of([batchOf([{ value: 'v' }], { timestamp: cluster.clock.now() })])
      const topicData = [{ name: 't', partitionData: [{ index: 0, records }] }]
      const response = await ask(cluster, leader.id, produce, { acks: -1, timeoutMs: 1000, topicData }, 12)
      return response.responses[0]!.partitionResponses[0]!.errorCode
    },
  },
  {
    mutant: 'no-leader-epoch-check',
    rule: 'a fetch that believes in another leader epoch is fenced (R-32)',
    expected: 'UNKNOWN_LEADER_EPOCH',
    async answer(cluster) {
      const partitions = [{ partition: 0, currentLeaderEpoch: 7, fetchOffset: 0, partitionMaxBytes: 1000 }]
      const body = { maxWaitMs: 0, minBytes: 0, topics: [{ topic: 't', partitions }], forgottenTopicsData: [] }
      const response = await ask(cluster, cluster.leaderOf('t', 0).id, fetch, body, 12)
      return response.responses[0]!.partitions[0]!.errorCode
    },
  },
  {
    mutant: 'no-alter-partition-epoch-check',
    rule: 'a late AlterPartition, of an older partition epoch, changes nothing (R-23)',
    expected: 'INVALID_UPDATE_VERSION',
    async answer(cluster) {
      const leader = cluster.leaderOf('t', 0)
      const follower = cluster.followersOf('t', 0)[0]!
      await follower.crash()
      await cluster.runUntil(() => cluster.partition('t', 0).inSyncReplicas.length === 2)
      const image = cluster.controller.controller!.image
      const state = image.partition('t', 0)!
      const late = {
        partitionIndex: 0,
        leaderEpoch: state.leaderEpoch,
        newIsrWithEpochs: state.inSyncReplicas.map(brokerId => ({
          brokerId,
          brokerEpoch: image.broker(brokerId)!.brokerEpoch,
        })),
        partitionEpoch: state.partitionEpoch - 1,
      }
      const brokerEpoch = image.broker(leader.id)!.brokerEpoch
      const topics = [{ topicId: state.topicId, partitions: [late] }]
      const response = await ask(cluster, cluster.controller.id, alterPartition, {
        brokerId: leader.id,
        brokerEpoch,
        topics,
      })
      return response.topics[0]!.partitions[0]!.errorCode
    },
  },
]

for (const { mutant, rule, expected, answer } of byRequest) {
  test(`${rule}; switched off, the answer is another one`, async () => {
    await using sound = await threeBrokers([])
    expect(errorOf(await answer(sound)).name).toBe(expected)
    await using mutated = await threeBrokers([mutant])
    expect(errorOf(await answer(mutated)).name).not.toBe(expected)
  })
}
