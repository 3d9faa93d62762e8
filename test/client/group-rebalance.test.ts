import { afterEach, expect, test } from 'vitest'
import { ClientError, type Cluster, isolate, type TopicPartition } from '../../src/index.ts'
import { CommitFailedError, IllegalStateError, KafkaError, WakeupError } from '../../src/wire/errors.ts'
import { assigned, diary, fill, isShared, member, pollUntil, startCluster, textOf } from './group-story.ts'

let cluster: Cluster
afterEach(() => cluster?.close())

const cooperative = { 'partition.assignment.strategy': ['cooperative-sticky'] } as const

test('eager: before every rebalance all is given back, and all that is assigned is new (ConsumerRebalanceListener)', async () => {
  cluster = await startCluster()
  const [one, two] = [member(cluster), member(cluster)]
  const { entries, listener } = diary()
  one.subscribe(['orders'], { listener })
  await pollUntil([one], () => one.assignment().length === 4)
  two.subscribe(['orders'])
  await pollUntil([one, two], () => isShared([one, two]))
  const all = 'orders-0 orders-1 orders-2 orders-3'
  expect(entries).toEqual([`+ ${all}`, `- ${all}`, `+ ${assigned(one)}`])
})

test('cooperative: only what goes to the other is revoked, and what stays is read on meanwhile (KIP-429)', async () => {
  cluster = await startCluster()
  await fill(cluster, 1)
  const [one, two] = [member(cluster, cooperative), member(cluster, cooperative)]
  const { entries, listener } = diary()
  one.subscribe(['orders'], { listener })
  await pollUntil([one], () => one.assignment().length === 4)
  for (const partition of one.assignment()) one.seek(partition, 0)
  two.subscribe(['orders'])
  await pollUntil([one, two], () => isShared([one, two]))
  const kept = one.assignment()
  expect(entries[0]).toBe('+ orders-0 orders-1 orders-2 orders-3')
  const revoked = entries.find(entry => entry.startsWith('-'))!
  expect(revoked.slice(2).split(' ')).toHaveLength(2)
  expect(`${revoked.slice(2)} ${textOf(kept)}`.split(' ').sort().join(' ')).toBe('orders-0 orders-1 orders-2 orders-3')
  expect(entries.filter(entry => entry.startsWith('+ ')).length).toBe(1)
  // What it kept went on where it was: nothing is read again.
  const positions = await Promise.all(kept.map(partition => one.position(partition)))
  expect(positions).toEqual([1, 1])
})

test('a listener may take its time, and may commit, seek and ask: the rebalance waits for it, and virtual time with it', async () => {
  cluster = await startCluster()
  await fill(cluster, 3)
  const consumer = member(cluster, { 'enable.auto.commit': false })
  const seen: unknown[] = []
  const listener = {
    onPartitionsAssigned: async (partitions: TopicPartition[]) => {
      const [first] = partitions
      const before = cluster.clock.now()
      await new Promise(done => setTimeout(done, 20))
      expect(cluster.clock.now()).toBe(before)
      seen.push(await consumer.position(first!), [...(await consumer.committed([first!])).values()])
      consumer.seek(first!, 2)
    },
    onPartitionsRevoked: async (partitions: TopicPartition[]) => {
      await consumer.commit()
      seen.push(await consumer.position(partitions[0]!))
    },
  }
  consumer.subscribe(['orders'], { listener })
  let polls = 0
  const found = await pollUntil([consumer], () => polls++ > 6)
  expect(found.get(consumer)!.filter(value => value.startsWith('orders-0'))).toEqual(['orders-0#2'])
  expect(found.get(consumer)).toHaveLength(10)
  expect(seen).toEqual([0, [null]])
  await consumer.close()
  expect(seen.at(-1)).toBe(3)
  expect(cluster.group('billing').committed('orders', 0)).toMatchObject({ offset: 3 })
})

test('what a listener throws comes out of poll once, wrapped; the assignment holds', async () => {
  cluster = await startCluster()
  await fill(cluster, 1)
  const consumer = member(cluster)
  const cause = new Error('no room for four')
  const listener = {
    onPartitionsAssigned: () => {
      throw cause
    },
  }
  consumer.subscribe(['orders'], { listener })
  const error = await pollUntil([consumer], () => false).catch(thrown => thrown)
  expect(error).toBeInstanceOf(ClientError)
  expect(error.message).toBe('User rebalance callback throws an error: onPartitionsAssigned: no room for four')
  expect(error.cause).toBe(cause)
  expect(consumer.assignment()).toHaveLength(4)
  expect((await consumer.poll({ timeoutMs: 1_000 })).length).toBeGreaterThan(0)
})

test('a member that is cut off for longer than its session loses what it has, and hears of it when it is back (G-17)', async () => {
  cluster = await startCluster()
  const [one, two] = [member(cluster), member(cluster)]
  const { entries, listener } = diary()
  one.subscribe(['orders'], { listener })
  two.subscribe(['orders'])
  await pollUntil([one, two], () => isShared([one, two]))
  const had = assigned(one)
  const rule = cluster.network.rule(isolate(one.name))
  const began = cluster.clock.now()
  await pollUntil([two], () => two.assignment().length === 4)
  const took = cluster.clock.now() - began
  expect(took).toBeGreaterThan(40_000)
  expect(took).toBeLessThan(52_000)
  rule.dispose()
  await pollUntil([one, two], () => isShared([one, two]))
  expect(entries.slice(-2)).toEqual([`lost ${had}`, `+ ${assigned(one)}`])
})

test('without onPartitionsLost, onPartitionsRevoked hears of what was lost', async () => {
  cluster = await startCluster()
  const consumer = member(cluster, { 'max.poll.interval.ms': 10_000 })
  const entries: string[] = []
  const listener = { onPartitionsRevoked: (partitions: TopicPartition[]) => void entries.push(textOf(partitions)) }
  consumer.subscribe(['orders'], { listener })
  await pollUntil([consumer], () => consumer.assignment().length === 4)
  await cluster.clock.advance(15_000)
  await consumer.poll({ timeoutMs: 0 })
  expect(entries).toEqual(['orders-0 orders-1 orders-2 orders-3'])
})

test('a member that does not poll for max.poll.interval.ms leaves by itself; its commit fails, its next poll joins anew', async () => {
  cluster = await startCluster()
  const slow = member(cluster, { 'max.poll.interval.ms': 30_000 })
  const other = member(cluster)
  const { entries, listener } = diary()
  slow.subscribe(['orders'], { listener })
  other.subscribe(['orders'])
  await pollUntil([slow, other], () => isShared([slow, other]))
  const had = assigned(slow)
  const before = slow.groupMetadata()
  const began = cluster.clock.now()
  await pollUntil([other], () => other.assignment().length === 4)
  const took = cluster.clock.now() - began
  expect(took).toBeGreaterThan(29_000)
  expect(took).toBeLessThan(35_000)
  expect(assigned(slow)).toBe(had)
  // A transaction of its would be refused as a member's that was.
  expect(slow.groupMetadata()).toEqual(before)
  await expect(slow.commit()).rejects.toThrow(CommitFailedError)
  await expect(slow.commit()).rejects.toThrow('longer than max.poll.interval.ms (30000)')
  await pollUntil([slow, other], () => isShared([slow, other]))
  expect(entries.slice(-2)).toEqual([`lost ${had}`, `+ ${assigned(slow)}`])
})

test('a poll that waits long is no stuck application: max.poll.interval.ms counts between polls', async () => {
  cluster = await startCluster()
  const consumer = member(cluster, { 'max.poll.interval.ms': 10_000 })
  consumer.subscribe(['orders'])
  await pollUntil([consumer], () => consumer.assignment().length === 4)
  await consumer.poll({ timeoutMs: 40_000 })
  expect(consumer.groupMetadata().generationId).toBe(1)
})

test('enforceRebalance gives the group a new generation', async () => {
  cluster = await startCluster()
  const consumer = member(cluster)
  const { entries, listener } = diary()
  consumer.subscribe(['orders'], { listener })
  await pollUntil([consumer], () => consumer.assignment().length === 4)
  consumer.enforceRebalance('a look around')
  await pollUntil([consumer], () => consumer.groupMetadata().generationId === 2)
  await pollUntil([consumer], () => entries.length === 3)
  expect(entries.map(entry => entry[0])).toEqual(['+', '-', '+'])
  const [, join] = cluster.requests({ api: 'JoinGroup' }).slice(-2)
  expect(join?.body).toMatchObject({ reason: 'a look around' })
})

test('the coordinator crashes: members find the new one, and go on in the same generation (G-2)', async () => {
  cluster = await startCluster()
  await fill(cluster, 2)
  const [one, two] = [member(cluster), member(cluster)]
  one.subscribe(['orders'])
  two.subscribe(['orders'])
  await pollUntil([one, two], () => isShared([one, two]))
  const { generationId } = one.groupMetadata()
  const before = cluster.group('billing').coordinator
  await before.crash()
  await pollUntil([one, two], () => cluster.group('billing').exists && cluster.group('billing').coordinator !== before)
  await one.commit()
  await two.commit()
  await cluster.clock.advance(60_000)
  await pollUntil([one, two], () => isShared([one, two]))
  expect(one.groupMetadata().generationId).toBe(generationId)
  expect(two.groupMetadata().generationId).toBe(generationId)
})

test('the coordinator crashes while members join: they join again elsewhere', async () => {
  cluster = await startCluster({ configs: { 'auto.create.topics.enable': false } })
  const [one, two] = [member(cluster), member(cluster)]
  one.subscribe(['orders'])
  two.subscribe(['orders'])
  await pollUntil([one, two], () => cluster.requests({ api: 'JoinGroup' }).length >= 4)
  await cluster.group('billing').coordinator.crash()
  await pollUntil([one, two], () => isShared([one, two]))
})

test('a member that no assignor has in common with the group is told so, each time (G-10)', async () => {
  cluster = await startCluster()
  const one = member(cluster, { 'partition.assignment.strategy': ['range'] })
  one.subscribe(['orders'])
  await pollUntil([one], () => one.assignment().length === 4)
  const other = member(cluster, { 'partition.assignment.strategy': ['sticky'] })
  other.subscribe(['orders'])
  for (let i = 0; i < 2; i++) {
    const error = await other.poll({ timeoutMs: 10_000 }).catch(thrown => thrown)
    expect(error).toBeInstanceOf(KafkaError)
    expect(error.errorName).toBe('INCONSISTENT_GROUP_PROTOCOL')
  }
  await one.close()
  await pollUntil([other], () => other.assignment().length === 4)
})

test('a full group says so (GROUP_MAX_SIZE_REACHED, G-10)', async () => {
  cluster = await startCluster({ configs: { 'group.max.size': 1, 'group.initial.rebalance.delay.ms': 0 } })
  const [one, two] = [member(cluster), member(cluster)]
  one.subscribe(['orders'])
  await pollUntil([one], () => one.assignment().length === 4)
  two.subscribe(['orders'])
  await expect(two.poll({ timeoutMs: 10_000 })).rejects.toMatchObject({ errorName: 'GROUP_MAX_SIZE_REACHED' })
})

test('an assignor of one’s own says who reads what, and tells members of it', async () => {
  cluster = await startCluster()
  const told: string[] = []
  /** All to the member whose user data says so. */
  const make = (wish: string) => ({
    name: 'wishes',
    subscriptionUserData: () => Buffer.from(wish),
    assign: (
      topics: ReadonlyMap<string, { partitionCount: number }>,
      members: ReadonlyMap<string, { userData: Uint8Array | null }>,
    ) => {
      const [greedy] = [...members].filter(([, { userData }]) => String(Buffer.from(userData!)) === 'all')
      const all = [...topics].flatMap(([topic, { partitionCount }]) =>
        Array.from({ length: partitionCount }, (_, partition) => ({ topic, partition })),
      )
      return new Map(greedy === undefined ? [] : [[greedy[0], all]])
    },
    onAssignment: (partitions: readonly TopicPartition[], context: { generationId: number }) =>
      void told.push(`${wish}, ${context.generationId}: ${partitions.length}`),
  })
  const modest = member(cluster, { 'partition.assignment.strategy': [make('none')] })
  const greedy = member(cluster, { 'partition.assignment.strategy': [make('all')] })
  modest.subscribe(['orders'])
  await pollUntil([modest], () => told.length === 1)
  greedy.subscribe(['orders'])
  await pollUntil([modest, greedy], () => greedy.assignment().length === 4)
  expect(modest.assignment()).toEqual([])
  expect(told[0]).toBe('none, 1: 0')
  expect(told.slice(1).sort()).toEqual(['all, 2: 4', 'none, 2: 0'])
})

test('a cooperative assignor may give nobody what another still has (KIP-429)', async () => {
  cluster = await startCluster()
  /** Everything to whoever comes last. */
  const make = () => ({
    name: 'robber',
    supportedProtocols: ['cooperative', 'eager'] as const,
    assign: (_: unknown, members: ReadonlyMap<string, { generationId: number }>) => {
      const [robber] = [...members].sort((a, b) => a[1].generationId - b[1].generationId)
      return new Map([[robber![0], [0, 1, 2, 3].map(partition => ({ topic: 'orders', partition }))]])
    },
  })
  const strategy = () => ({ 'partition.assignment.strategy': [make()] })
  const [one, two] = [member(cluster, strategy()), member(cluster, strategy())]
  one.subscribe(['orders'])
  await pollUntil([one], () => one.assignment().length === 4)
  two.subscribe(['orders'])
  const errors: Error[] = []
  const polling = (consumer: typeof one) => consumer.poll({ timeoutMs: 5_000 }).catch(error => void errors.push(error))
  await Promise.all([polling(one), polling(two)])
  expect(errors[0]).toBeInstanceOf(IllegalStateError)
  expect(errors[0]?.message).toContain('Assignor robber supports the cooperative protocol, but it gives orders-0 to')
})

test('wakeup ends a poll in the middle of a join, and the join goes on with the next one', async () => {
  cluster = await startCluster({ configs: { 'auto.create.topics.enable': false } })
  const consumer = member(cluster)
  consumer.subscribe(['orders'])
  const pending = consumer.poll({ timeoutMs: 60_000 }).catch(error => error)
  await cluster.runUntil(() => cluster.requests({ api: 'JoinGroup' }).length === 2)
  consumer.wakeup()
  expect(await pending).toBeInstanceOf(WakeupError)
  await pollUntil([consumer], () => consumer.assignment().length === 4)
  expect(consumer.groupMetadata().generationId).toBe(1)
  expect(cluster.requests({ api: 'JoinGroup' })).toHaveLength(2)
})
