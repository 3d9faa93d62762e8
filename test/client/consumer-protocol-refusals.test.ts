import { afterEach, expect, test } from 'vitest'
import { apiVersions } from '../../src/apis/api-versions.ts'
import { consumerGroupHeartbeat } from '../../src/apis/consumer-group-heartbeat.ts'
import { ClientError, type Cluster, isolate } from '../../src/index.ts'
import type { KafkaError } from '../../src/wire/errors.ts'
import { heartbeatsOf, newMember, said } from './consumer-protocol.ts'
import { diary, fill, isShared, type Member, member, pollUntil, startCluster } from './group-story.ts'

let cluster: Cluster
afterEach(() => cluster?.close())

/** What polls throw, again and again. */
async function refusals(consumer: Member, polls = 2): Promise<string[]> {
  const found: string[] = []
  for (let i = 0; i < polls; i++) {
    const error = await consumer.poll({ timeoutMs: 30_000 }).then(
      () => undefined,
      (thrown: KafkaError) => thrown,
    )
    found.push(error === undefined ? 'nothing' : `${error.errorName}: ${error.message}`)
  }
  return found
}

test.for(['FENCED_MEMBER_EPOCH', 'UNKNOWN_MEMBER_ID'] as const)(
  'after %s its partitions are lost, and it joins again as nobody knows it (G-52)',
  async error => {
    cluster = await startCluster()
    const consumer = newMember(cluster)
    const { entries, listener } = diary()
    consumer.subscribe(['orders'], { listener })
    await pollUntil([consumer], () => consumer.assignment().length === 4)
    cluster.failNext('ConsumerGroupHeartbeat', { error })
    const all = 'orders-0 orders-1 orders-2 orders-3'
    await pollUntil([consumer], () => entries.length === 3)
    expect(entries).toEqual([`+ ${all}`, `lost ${all}`, `+ ${all}`])
    const again = heartbeatsOf(cluster, consumer).filter(({ memberEpoch }) => memberEpoch === 0)
    expect(again).toHaveLength(2)
    expect(again[1]).toEqual(again[0])
  },
)

test('a member that nobody hears of for its session is out; it loses what it had, and comes back (G-55)', async () => {
  cluster = await startCluster()
  const [one, two] = [newMember(cluster), newMember(cluster)]
  const { entries, listener } = diary()
  one.subscribe(['orders'], { listener })
  two.subscribe(['orders'])
  await pollUntil([one, two], () => isShared([one, two]))
  const rule = cluster.network.rule(isolate(one.name))
  await pollUntil([two], () => two.assignment().length === 4)
  rule.dispose()
  await pollUntil([one, two], () => isShared([one, two]) && entries.at(-1) !== undefined)
  expect(entries.some(entry => entry.startsWith('lost orders-'))).toBe(true)
})

test('an assignor that the coordinator does not have ends every poll, with the names of those it has (G-51)', async () => {
  cluster = await startCluster()
  const consumer = newMember(cluster, { 'group.remote.assignor': 'sticky' })
  consumer.subscribe(['orders'])
  const text = 'UNSUPPORTED_ASSIGNOR: ServerAssignor sticky is not supported. Supported assignors: uniform, range.'
  expect(await refusals(consumer)).toEqual([text, text])
})

test('a pattern that is none ends every poll (G-51)', async () => {
  cluster = await startCluster()
  const consumer = newMember(cluster)
  consumer.subscribe({ pattern: '(orders' })
  const [first, second] = await refusals(consumer)
  expect(first).toMatch(/^INVALID_REGULAR_EXPRESSION: /)
  expect(second).toBe(first)
})

test('a full group lets nobody in', async () => {
  cluster = await startCluster({ configs: { 'group.consumer.max.size': 1 } })
  const [one, two] = [newMember(cluster), newMember(cluster)]
  one.subscribe(['orders'])
  await pollUntil([one], () => one.assignment().length === 4)
  two.subscribe(['orders'])
  expect((await refusals(two, 1))[0]).toMatch(/^GROUP_MAX_SIZE_REACHED/)
})

test('an instance id that another member uses is refused to the second (G-52)', async () => {
  cluster = await startCluster()
  const [one, two] = [
    newMember(cluster, { 'group.instance.id': 'desk-1' }),
    newMember(cluster, { 'group.instance.id': 'desk-1' }),
  ]
  one.subscribe(['orders'])
  await pollUntil([one], () => one.assignment().length === 4)
  two.subscribe(['orders'])
  expect((await refusals(two, 1))[0]).toMatch(/^UNRELEASED_INSTANCE_ID/)
  // The first one goes on.
  expect(one.assignment()).toHaveLength(4)
})

test('a cluster that does not know the protocol is named, and what to set instead', async () => {
  cluster = await startCluster()
  cluster.intercept(apiVersions, async (_request, next) => {
    const answer = await next()
    if (answer === undefined || answer === 'disconnect') return answer
    return { ...answer, apiKeys: [...answer.apiKeys!].filter(({ apiKey }) => apiKey !== consumerGroupHeartbeat.key) }
  })
  const consumer = newMember(cluster)
  consumer.subscribe(['orders'])
  const [refusal] = await refusals(consumer, 1)
  expect(refusal).toMatch(/^UNSUPPORTED_VERSION: The cluster does not support the new CONSUMER group protocol/)
  expect(refusal).toContain('Set group.protocol=classic')
})

test('what is refused for good after partitions were assigned takes them away first, as lost', async () => {
  cluster = await startCluster()
  const consumer = newMember(cluster)
  const { entries, listener } = diary()
  consumer.subscribe(['orders'], { listener })
  await pollUntil([consumer], () => consumer.assignment().length === 4)
  cluster.failNext('ConsumerGroupHeartbeat', { error: 'GROUP_AUTHORIZATION_FAILED' })
  expect((await refusals(consumer, 1))[0]).toMatch(/^GROUP_AUTHORIZATION_FAILED/)
  expect(entries.at(-1)).toBe('lost orders-0 orders-1 orders-2 orders-3')
  expect(consumer.assignment()).toEqual([])
})

test('a topic that may not be seen is told once for each time it is refused, and the member stays', async () => {
  cluster = await startCluster()
  const consumer = newMember(cluster)
  const { entries, listener } = diary()
  consumer.subscribe(['orders'], { listener })
  await pollUntil([consumer], () => consumer.assignment().length === 4)
  cluster.failNext('ConsumerGroupHeartbeat', { error: 'TOPIC_AUTHORIZATION_FAILED' })
  const [first, second] = await refusals(consumer)
  expect(first).toMatch(/^TOPIC_AUTHORIZATION_FAILED/)
  expect(second).toBe('nothing')
  expect(entries).toEqual(['+ orders-0 orders-1 orders-2 orders-3'])
})

test('a coordinator that moves on is followed, and the member keeps what it has', async () => {
  cluster = await startCluster()
  const consumer = newMember(cluster)
  const { entries, listener } = diary()
  consumer.subscribe(['orders'], { listener })
  await pollUntil([consumer], () => consumer.assignment().length === 4)
  const before = cluster.coordinatorOf({ group: 'billing' })
  const { memberId } = consumer.groupMetadata()
  await before.crash()
  await cluster.runUntil(
    () => cluster.group('billing').exists && cluster.coordinatorOf({ group: 'billing' }) !== before,
  )
  let rounds = 0
  await pollUntil([consumer], () => ++rounds > 40)
  expect(entries).toEqual(['+ orders-0 orders-1 orders-2 orders-3'])
  expect(cluster.group('billing').members.map(each => each.memberId)).toEqual([memberId])
})

test.for(['NOT_COORDINATOR', 'COORDINATOR_LOAD_IN_PROGRESS', 'disconnect'] as const)(
  'a heartbeat that ends with %s says everything once more, and nothing is lost',
  async error => {
    cluster = await startCluster()
    const consumer = newMember(cluster)
    const { entries, listener } = diary()
    consumer.subscribe(['orders'], { listener })
    await pollUntil([consumer], () => consumer.assignment().length === 4)
    const before = heartbeatsOf(cluster, consumer).length
    const fault = cluster.failNext('ConsumerGroupHeartbeat', { error, when: 'after' })
    await cluster.clock.advance(8000)
    expect(fault.hits).toBe(1)
    const [failed, repeated, next] = heartbeatsOf(cluster, consumer).slice(before)
    expect(said(failed!)).toBe('')
    expect(said(repeated!)).toBe('rebalanceTimeoutMs subscribedTopicNames topicPartitions')
    expect(next === undefined || said(next) === '').toBe(true)
    let rounds = 0
    await pollUntil([consumer], () => ++rounds > 2)
    expect(entries).toEqual(['+ orders-0 orders-1 orders-2 orders-3'])
  },
)

test('a listener that throws as partitions come is told of nothing new until it does not; then reading begins', async () => {
  cluster = await startCluster()
  await fill(cluster, 1)
  const consumer = newMember(cluster)
  const calls: number[] = []
  const onPartitionsAssigned = (partitions: readonly unknown[]) => {
    calls.push(partitions.length)
    if (calls.length <= 2) throw new Error('no room')
  }
  consumer.subscribe(['orders'], { listener: { onPartitionsAssigned } })
  const thrown: unknown[] = []
  for (let i = 0; i < 12; i++) {
    await consumer.poll({ timeoutMs: 500 }).catch((error: ClientError) => thrown.push(error))
  }
  // As seen of Kafka's consumer (4.3.1).
  expect(calls).toEqual([4, 0, 0])
  expect(thrown).toHaveLength(2)
  expect(thrown[0]).toBeInstanceOf(ClientError)
  const message = 'User rebalance callback throws an error: onPartitionsAssigned: no room'
  expect(thrown[0]).toMatchObject({ message, cause: new Error('no room') })
})

test('a listener that throws as partitions go is asked again, and they do not go before', async () => {
  cluster = await startCluster()
  const [one, two] = [newMember(cluster), newMember(cluster)]
  const calls: number[] = []
  const onPartitionsRevoked = (partitions: readonly unknown[]) => {
    calls.push(partitions.length)
    if (calls.length <= 2) throw new Error('not yet')
  }
  one.subscribe(['orders'], { listener: { onPartitionsRevoked } })
  await pollUntil([one], () => one.assignment().length === 4)
  two.subscribe(['orders'])
  let thrown = 0
  for (let i = 0; i < 30 && !isShared([one, two]); i++) {
    await Promise.all([
      one.poll({ timeoutMs: 500 }).catch(() => {
        thrown++
        expect(one.assignment()).toHaveLength(4)
      }),
      two.poll({ timeoutMs: 500 }),
    ])
  }
  expect(calls).toEqual([2, 2, 2])
  expect(thrown).toBe(2)
  expect(isShared([one, two])).toBe(true)
})

test('members of both protocols share a group while it moves over (G-58)', async () => {
  cluster = await startCluster()
  const old = member(cluster, { 'partition.assignment.strategy': ['range'] })
  old.subscribe(['orders'])
  await pollUntil([old], () => old.assignment().length === 4)
  const fresh = newMember(cluster)
  fresh.subscribe(['orders'])
  await pollUntil([old, fresh], () => isShared([old, fresh]))
  await old.close()
  await pollUntil([fresh], () => fresh.assignment().length === 4)
  expect(cluster.group('billing').type).toBe('consumer')
})

test('after a group is lost with its log a member cannot join it again, and is told what helps (GROUP_ID_NOT_FOUND)', async () => {
  cluster = await startCluster()
  const consumer = newMember(cluster)
  const { entries, listener } = diary()
  consumer.subscribe(['orders'], { listener })
  await pollUntil([consumer], () => consumer.assignment().length === 4)
  cluster.failNext('ConsumerGroupHeartbeat', { error: 'GROUP_ID_NOT_FOUND' })
  await cluster.clock.advance(6_000)
  const [first, second] = await refusals(consumer)
  expect(first).toMatch(
    /^GROUP_ID_NOT_FOUND: .* \(its coordinator has lost the group, .*: close it, and make another\)$/,
  )
  expect(second).toBe(first)
  expect(entries.at(-1)).toBe('lost orders-0 orders-1 orders-2 orders-3')
  expect(consumer.assignment()).toEqual([])
  await consumer.close()
  const another = newMember(cluster)
  another.subscribe(['orders'])
  await pollUntil([another], () => another.assignment().length === 4)
})
