import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createPartitions } from '../../src/apis/create-partitions.ts'
import { deleteTopics } from '../../src/apis/delete-topics.ts'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { createCluster } from '../../src/cluster/create-cluster.ts'
import { ask } from './asking.ts'
import { keptOn } from './committing.ts'
import { consumerGroupOf, describeConsumers, heartbeat, joinConsumers, type Saying } from './consumer-asking.ts'

let cluster: Cluster

beforeEach(async () => {
  cluster = await createCluster({ brokers: 1, topics: { k1: { partitions: 4 }, k2: { partitions: 2 }, ...keptOn(1) } })
})

afterEach(() => cluster.close())

const join = (member: string, saying: Partial<Saying> = {}) => joinConsumers(cluster, 'g', member, saying)
const beat = (member: string, epoch: number, saying: Partial<Saying> = {}) =>
  heartbeat(cluster, 'g', member, { epoch, ...saying })
const described = () => describeConsumers(cluster, 'g')
const nextInterval = () => cluster.clock.advance(1000)

/** G-53 */
describe('subscribed topics that change bring a new target with the next heartbeat', () => {
  test('a topic that appears', async () => {
    expect(await join('A', { topics: ['new'] })).toMatchObject({ epoch: 2, assignment: {} })
    await cluster.createTopic({ name: 'other', partitions: 1 })
    await nextInterval()
    expect(await beat('A', 2)).toMatchObject({ epoch: 2, assignment: null })
    await cluster.createTopic({ name: 'new', partitions: 1 })
    expect(await beat('A', 2)).toMatchObject({ epoch: 3, assignment: { new: [0] } })
  })

  test('partitions that are added', async () => {
    await join('A', { topics: ['k2'] })
    await nextInterval()
    const topics = [{ name: 'k2', count: 3, assignments: null }]
    await ask(cluster, 1, createPartitions, { topics, timeoutMs: 5000, validateOnly: false })
    expect(await described()).toMatchObject({ state: 'Stable', groupEpoch: 2 })
    expect(await beat('A', 2)).toMatchObject({ epoch: 3, assignment: { k2: [0, 1, 2] } })
    expect(await described()).toMatchObject({ state: 'Stable', groupEpoch: 3, assignmentEpoch: 3 })
  })

  test('a topic that is deleted, and made again', async () => {
    await join('A', { topics: ['k2'] })
    const topics = [{ name: 'k2', topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }]
    await ask(cluster, 1, deleteTopics, { topics, timeoutMs: 5000 })
    expect(await described()).toMatchObject({ state: 'Stable', members: { A: [2, {}, {}] } })
    expect(await beat('A', 2)).toMatchObject({ epoch: 2, assignment: null })
    expect(await described()).toMatchObject({ state: 'Assigning', groupEpoch: 3 })
    await nextInterval()
    // It has to say that it has let go even of what is no more.
    expect(await beat('A', 2)).toMatchObject({ epoch: 2, assignment: {} })
    expect(await beat('A', 2, { owned: {} })).toMatchObject({ epoch: 3, assignment: null })
    await cluster.createTopic({ name: 'k2', partitions: 1 })
    await nextInterval()
    expect(await beat('A', 3)).toMatchObject({ epoch: 4, assignment: { k2: [0] } })
  })
})

/** G-51, G-53: regular expressions, which are resolved in the background. */
describe('a subscription by regular expression', () => {
  test('the first answer is empty with epoch 1, the next heartbeat after the interval has the topics', async () => {
    expect(await join('A', { regex: 'k[12]' })).toMatchObject({ epoch: 1, assignment: {} })
    await nextInterval()
    expect(await beat('A', 1)).toMatchObject({ epoch: 2, assignment: { k1: [0, 1, 2, 3], k2: [0, 1] } })
    expect(await described()).toMatchObject({ state: 'Stable', groupEpoch: 2, assignmentEpoch: 2 })
    expect(consumerGroupOf(cluster, 'g')!.regularExpressions.get('k[12]')!.topics).toEqual(['k1', 'k2'])
    expect(consumerGroupOf(cluster, 'g')!.isSubscribedTo('k2')).toBe(true)
    expect(consumerGroupOf(cluster, 'g')!.isSubscribedTo('k3')).toBe(false)
  })

  test('it matches whole names, and internal topics, too', async () => {
    await join('A', { regex: '.*1|__consumer_.*|k' })
    await nextInterval()
    expect(Object.keys((await beat('A', 1)).assignment!)).toEqual(['__consumer_offsets', 'k1'])
  })

  test('a new topic is found, ten seconds after the last look at the earliest', async () => {
    await join('A', { regex: 'k.*' })
    await nextInterval()
    await beat('A', 1)
    await cluster.createTopic({ name: 'k3', partitions: 1 })
    await cluster.clock.advance(8000)
    await beat('A', 2)
    await cluster.clock.advance(100)
    expect((await described()).groupEpoch).toBe(2)
    await cluster.clock.advance(1500)
    await beat('A', 2)
    await cluster.clock.advance(100)
    expect(await described()).toMatchObject({ state: 'Assigning', groupEpoch: 3 })
    expect(await beat('A', 2)).toMatchObject({ assignment: { k1: [0, 1, 2, 3], k2: [0, 1], k3: [0] } })
  })

  test('a second member with the same one has its share as if it had named the topics', async () => {
    await join('A', { regex: 'k1' })
    await nextInterval()
    await beat('A', 1)
    expect(await join('B', { regex: 'k1' })).toMatchObject({ epoch: 2, assignment: {} })
    expect(await described()).toMatchObject({ state: 'Assigning', groupEpoch: 3 })
    await nextInterval()
    expect(await beat('B', 2)).toMatchObject({ epoch: 3 })
    expect(await described()).toMatchObject({ members: { B: [3, {}, { k1: [2, 3] }] } })
  })

  test('another one soon after waits for ten seconds to pass', async () => {
    await join('A', { regex: 'k1' })
    await nextInterval()
    await beat('A', 1)
    expect(await join('B', { regex: 'k2' })).toMatchObject({ epoch: 2, assignment: {} })
    await nextInterval()
    expect(await beat('B', 2)).toMatchObject({ epoch: 2 })
    expect((await described()).groupEpoch).toBe(2)
    await cluster.clock.advance(8100)
    await beat('B', 2)
    await cluster.clock.advance(100)
    expect(await beat('B', 2)).toMatchObject({ epoch: 3, assignment: { k2: [0, 1] } })
  })

  test('a second member with the same one, before its topics are known to the first: both have a share at once', async () => {
    await join('A', { regex: 'k.*' })
    await cluster.clock.advance(100)
    expect(await join('B', { regex: 'k.*' })).toMatchObject({ epoch: 3, assignment: { k1: [3], k2: [0, 1] } })
    expect(await described()).toMatchObject({ members: { A: [1, {}, { k1: [0, 1, 2] }] } })
  })

  test('names and an expression add up; without the expression its topics are given up', async () => {
    await join('A', { topics: ['k2'], regex: 'k1' })
    await nextInterval()
    const everything = { k1: [0, 1, 2, 3], k2: [0, 1] }
    expect(await beat('A', 2)).toMatchObject({ epoch: 3, assignment: everything })
    await nextInterval()
    expect(await beat('A', 3, { regex: '', owned: everything })).toMatchObject({ epoch: 3, assignment: { k2: [0, 1] } })
    expect(await beat('A', 3, { owned: { k2: [0, 1] } })).toMatchObject({ epoch: 4 })
    expect(consumerGroupOf(cluster, 'g')!.regularExpressions.size).toBe(0)
  })

  test('what nobody is subscribed by any more is forgotten with its last member', async () => {
    await join('A', { regex: 'k1' })
    await join('B', { regex: 'k1' })
    await nextInterval()
    await beat('A', -1)
    expect(consumerGroupOf(cluster, 'g')!.regularExpressions.size).toBe(1)
    await beat('B', -1)
    expect(consumerGroupOf(cluster, 'g')!.regularExpressions.size).toBe(0)
  })

  test('one that cannot be read leaves the subscription as it was', async () => {
    await join('A', { topics: ['k2'] })
    expect(await beat('A', 2, { regex: 'k(' })).toMatchObject({ error: 'INVALID_REGULAR_EXPRESSION' })
    expect(consumerGroupOf(cluster, 'g')!.members.get('A')!.subscribedTopicRegex).toBe('')
  })
})
