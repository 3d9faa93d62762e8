import { addPartitionsToTxn } from '../../src/apis/add-partitions-to-txn.ts'
import { consumerGroupHeartbeat } from '../../src/apis/consumer-group-heartbeat.ts'
import { createAcls } from '../../src/apis/create-acls.ts'
import { createTopics } from '../../src/apis/create-topics.ts'
import { findCoordinator } from '../../src/apis/find-coordinator.ts'
import { initProducerId } from '../../src/apis/init-producer-id.ts'
import { metadata } from '../../src/apis/metadata.ts'
import { offsetCommit } from '../../src/apis/offset-commit.ts'
import { creations, ROOT } from './grants.ts'
import type { Place } from './place.ts'

/** Topics of one partition, led by the time of the answer. */
export async function makeTopics(place: Place, names: readonly string[]): Promise<void> {
  const topics = names.map(name => ({ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }))
  const created = await place.ask(ROOT, createTopics, 7, { topics, timeoutMs: 30_000 })
  for (const { name, topicId, errorCode } of created.topics) {
    if (errorCode !== 0) throw new Error(`${name} was not made: ${errorCode}`)
    place.topicIds.set(name, topicId)
  }
  await place.eventually('the topics are led', async () => {
    const body = { topics: names.map(name => ({ name })), allowAutoTopicCreation: false }
    const answer = await place.ask(ROOT, metadata, 9, body as never)
    return answer.topics.every(topic => topic.errorCode === 0 && topic.partitions.every(each => each.leaderId === 1))
  })
}

/** What the questions are about: topics, groups with commits, transactional ids with transactions; and who may what. */
export async function furnish(place: Place): Promise<void> {
  await makeTopics(place, ['t-open', 'u-closed', 'p-public'])
  const { results } = await place.ask(ROOT, createAcls, 3, { creations: creations() })
  if (results.some(({ errorCode }) => errorCode !== 0)) throw new Error(`ACLs were refused: ${JSON.stringify(results)}`)
  for (const [keyType, keys] of [
    [0, ['g-open', 'h-closed']],
    [1, ['x-open', 'y-closed']],
  ] as const) {
    await place.eventually('coordinators are there', async () => {
      const { coordinators } = await place.ask(ROOT, findCoordinator, 4, { keyType, coordinatorKeys: keys } as never)
      return coordinators.every(({ errorCode }) => errorCode === 0)
    })
  }
  const partitions = [{ partitionIndex: 0, committedOffset: 0, committedMetadata: 'm' }]
  for (const groupId of ['g-open', 'h-closed']) {
    const topics = ['t-open', 'u-closed', 'p-public'].map(name => ({ name, partitions }))
    await place.eventually(`${groupId} takes commits`, async () => {
      const answer = await place.ask(ROOT, offsetCommit, 8, { groupId, memberId: '', topics } as never)
      return answer.topics.every(topic => topic.partitions.every(({ errorCode }) => errorCode === 0))
    })
  }
  for (const transactionalId of ['x-open', 'y-closed']) {
    await place.eventually(`${transactionalId} is there`, async () => {
      // Longer than the questions take: nobody else ends it.
      const body = { transactionalId, transactionTimeoutMs: 600_000 }
      const { errorCode, producerId, producerEpoch } = await place.ask(ROOT, initProducerId, 4, body)
      if (errorCode !== 0) return false
      const added = await place.ask(ROOT, addPartitionsToTxn, 3, {
        v3AndBelowTransactionalId: transactionalId,
        v3AndBelowProducerId: producerId,
        v3AndBelowProducerEpoch: producerEpoch,
        v3AndBelowTopics: ['t-open', 'u-closed'].map(name => ({ name, partitions: [0] })),
      } as never)
      return added.resultsByTopicV3AndBelow.every(topic =>
        topic.resultsByPartition.every(each => each.partitionErrorCode === 0),
      )
    })
  }
  await place.eventually('ACLs are known', async () => {
    const asked = { topics: [{ name: 'p-public' }], allowAutoTopicCreation: false }
    const answer = await place.ask('nobody', metadata, 9, asked as never)
    return answer.topics[0]?.errorCode === 0
  })
}

/** A consumer group of what is open, one of what is not, and one that nobody may look at: with a member each. */
export async function joinConsumerGroups(place: Place): Promise<void> {
  for (const [groupId, subscribedTopicNames] of [
    ['g-consumers', ['t-open']],
    ['g-others', ['t-open', 'u-closed']],
    ['h-consumers', ['t-open']],
  ] as const) {
    await place.eventually(`${groupId} has a member`, async () => {
      const { errorCode } = await place.ask(ROOT, consumerGroupHeartbeat, 1, {
        groupId,
        memberId: 'AAAAAAAAAAAAAAAAAAAAAQ',
        memberEpoch: 0,
        rebalanceTimeoutMs: 60_000,
        subscribedTopicNames: [...subscribedTopicNames],
        topicPartitions: [],
      })
      return errorCode === 0
    })
  }
}
