import fc from 'fast-check'
import { expect, test } from 'vitest'
import { allocateProducerIds } from '../../src/apis/allocate-producer-ids.ts'
import { createPartitions } from '../../src/apis/create-partitions.ts'
import type { ClusterImage } from '../../src/metadata/image.ts'
import { DrivenController } from './driven-controller.ts'

const BROKERS = 4
const TOPICS = ['a', 'b'] as const

type Step = readonly [
  what: (typeof steps)[number],
  broker: number,
  topic: string,
  ids: readonly number[],
  flag: boolean,
]

const steps = [
  'start',
  'start cleanly',
  'silence',
  'resume',
  'leave',
  'wait',
  'create',
  'grow',
  'delete',
  'propose',
  'elect',
  'reassign',
  'cancel',
  'minimum',
  'cluster minimum',
  'unclean',
  'producer ids',
  'restart controller',
] as const

const anyStep: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom(...steps),
  fc.integer({ min: 1, max: BROKERS }),
  fc.constantFrom(...TOPICS),
  fc.uniqueArray(fc.integer({ min: 1, max: BROKERS }), { minLength: 1, maxLength: BROKERS }),
  fc.boolean(),
)

async function take(driven: DrivenController, [what, broker, topic, ids, flag]: Step): Promise<void> {
  const known = driven.image.topic(topic) !== undefined
  const registered = driven.epochOf(broker) >= 0
  switch (what) {
    case 'start':
      if (driven.register(broker) === 'NONE') driven.resume(broker)
      break
    case 'start cleanly':
      if (driven.register(broker, { previousEpoch: driven.epochOf(broker) }) === 'NONE') driven.resume(broker)
      break
    case 'silence':
      if (registered) driven.silence(broker)
      break
    case 'resume':
      if (registered) driven.resume(broker)
      break
    case 'leave':
      if (registered) driven.heartbeat(broker, { wantShutDown: true, wantFence: flag })
      break
    case 'wait':
      await driven.advance(flag ? 10_000 : 300_000)
      break
    case 'create':
      try {
        driven.createTopic(topic, flag ? [ids] : [ids, ids], { 'min.insync.replicas': ids.length > 1 ? 2 : 1 })
      } catch {
        // Refused: it is there already, or nobody of these lives.
      }
      break
    case 'grow': {
      const topics = [{ name: topic, count: 3, assignments: null }]
      driven.ask(createPartitions, { topics, timeoutMs: 1, validateOnly: false })
      break
    }
    case 'delete':
      driven.deleteTopic(topic)
      break
    case 'propose':
      if (known && driven.partition(topic).leader > 0) driven.proposeInSync(topic, ids)
      break
    case 'elect':
      driven.elect(flag ? 'unclean' : 'preferred', topic)
      break
    case 'reassign':
      driven.reassign(topic, ids)
      break
    case 'cancel':
      driven.reassign(topic, null)
      break
    case 'minimum':
      driven.setConfig({ type: 2, name: topic }, 'min.insync.replicas', String(ids.length))
      break
    case 'cluster minimum':
      driven.setConfig({ type: 4, name: '' }, 'min.insync.replicas', String(ids.length))
      break
    case 'unclean':
      driven.setConfig({ type: 2, name: topic }, 'unclean.leader.election.enable', String(flag))
      break
    case 'producer ids':
      driven.ask(allocateProducerIds, { brokerId: broker, brokerEpoch: driven.epochOf(broker) })
      break
    case 'restart controller':
      driven.restartController()
      break
  }
}

/** What the partitions of a sane cluster never are. */
function faults(driven: DrivenController, elr: boolean): string[] {
  const { image } = driven
  const found: string[] = []
  for (const topic of image.topics.values()) {
    for (const partition of topic.partitions) {
      const { leader, replicas, inSyncReplicas, eligibleLeaderReplicas, addingReplicas } = partition
      const state = driven.state(topic.name, partition.partition)
      if (leader >= 0 && !inSyncReplicas.includes(leader)) found.push(`leader out of sync: ${state}`)
      if (leader >= 0 && !image.isActive(leader)) found.push(`dead leader: ${state}`)
      if (leader < 0 && inSyncReplicas.some(id => image.isActive(id))) found.push(`nobody leads, but could: ${state}`)
      if (leader < 0 && inSyncReplicas.length === 0 && eligibleLeaderReplicas.some(id => image.isActive(id))) {
        found.push(`nobody eligible leads, but could: ${state}`)
      }
      if (inSyncReplicas.some(id => !replicas.includes(id))) found.push(`in sync and no replica: ${state}`)
      if (inSyncReplicas.some(id => eligibleLeaderReplicas.includes(id))) found.push(`in both sets: ${state}`)
      if (!elr && inSyncReplicas.length === 0) found.push(`nobody in sync: ${state}`)
      if (new Set(replicas).size !== replicas.length) found.push(`a replica twice: ${state}`)
      if (addingReplicas.some(id => !replicas.includes(id))) found.push(`adding what is no replica: ${state}`)
    }
  }
  return found
}

function plain(image: ClusterImage) {
  return {
    offset: image.offset,
    epoch: image.epoch,
    nextProducerId: image.nextProducerId,
    brokers: [...image.brokers],
    topics: [...image.topics],
    ids: [...image.topicsById.keys()],
    features: [...image.features],
    configs: [...TOPICS.map(name => [...image.configsOf(2, name)]), [...image.configsOf(4, '')]],
  }
}

test.each([
  ['on', 1],
  ['off', 0],
])(
  'whatever is asked, the log replayed is the image, and no partition is led wrongly (eligible leader replicas %s)',
  async (_, level) => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { minLength: 1, maxLength: 40 }), async taken => {
        const driven = DrivenController.withBrokers(BROKERS, {
          features: { 'eligible.leader.replicas.version': level },
        })
        driven.createTopic('a', [[1, 2, 3]], { 'min.insync.replicas': 2 })
        for (const step of taken) {
          await take(driven, step)
          expect(faults(driven, level === 1)).toEqual([])
        }
        expect(plain(driven.replayed())).toEqual(plain(driven.image))
        const before = plain(driven.image)
        driven.restartController()
        expect(plain(driven.image)).toEqual(before)
        for (const topic of driven.image.topics.keys()) epochsRise(driven.history(topic))
      }),
      { numRuns: 150 },
    )
  },
)

/** every change raises the partition epoch by one; the leader epoch never falls, and rises with a new leader. */
function epochsRise(states: readonly string[]): void {
  const seen = states.map(state => /leader=(-?\d+) le=(\d+) pe=(\d+)/.exec(state)!.slice(1).map(Number))
  for (let i = 1; i < seen.length; i++) {
    const [leader, leaderEpoch, partitionEpoch] = seen[i] as [number, number, number]
    const [leaderBefore, leaderEpochBefore, partitionEpochBefore] = seen[i - 1] as [number, number, number]
    if (partitionEpoch === 0) continue
    expect(partitionEpoch).toBe(partitionEpochBefore + 1)
    expect(leaderEpoch - leaderEpochBefore).toBeGreaterThanOrEqual(leader === leaderBefore ? 0 : 1)
    expect(leaderEpoch - leaderEpochBefore).toBeLessThanOrEqual(1)
  }
}
