import { afterEach, expect, test } from 'vitest'
import type { Cluster } from '../../src/index.ts'
import { CommitFailedError, KafkaError } from '../../src/wire/errors.ts'
import { assigned, diary, fill, isShared, member, pollUntil, startCluster } from './group-story.ts'

let cluster: Cluster
afterEach(() => cluster?.close())

const named = (id: string) => ({ 'group.instance.id': id })

test('a static member that comes back within its session gets what it had, and nobody rebalances (KIP-345, G-18)', async () => {
  cluster = await startCluster()
  await fill(cluster, 2)
  const [one, two] = [member(cluster, named('till-1')), member(cluster, named('till-2'))]
  const { entries, listener } = diary()
  one.subscribe(['orders'])
  two.subscribe(['orders'], { listener })
  await pollUntil([one, two], () => isShared([one, two]))
  const had = assigned(one)
  const { memberId, generationId } = one.groupMetadata()
  expect(memberId).toMatch(/^till-1-/)
  await one.close()
  expect(cluster.requests({ api: 'LeaveGroup' })).toEqual([])
  const back = member(cluster, named('till-1'))
  back.subscribe(['orders'])
  await pollUntil([back, two], () => assigned(back) !== '')
  expect(assigned(back)).toBe(had)
  expect(back.groupMetadata()).toMatchObject({ generationId, groupInstanceId: 'till-1' })
  expect(entries).toHaveLength(entries.lastIndexOf(`+ ${assigned(two)}`) + 1)
})

test('a static member that stays away for longer than its session is replaced (G-17)', async () => {
  cluster = await startCluster()
  const [one, two] = [member(cluster, named('till-1')), member(cluster, named('till-2'))]
  one.subscribe(['orders'])
  two.subscribe(['orders'])
  await pollUntil([one, two], () => isShared([one, two]))
  await one.close()
  const before = cluster.clock.now()
  await pollUntil([two], () => two.assignment().length === 4)
  expect(cluster.clock.now() - before).toBeGreaterThan(40_000)
})

test('close({ groupMembership }) overrules: a static member can leave, a dynamic one remain (KIP-1092)', async () => {
  cluster = await startCluster()
  const [one, two] = [member(cluster, named('till-1')), member(cluster)]
  one.subscribe(['orders'])
  two.subscribe(['orders'])
  await pollUntil([one, two], () => isShared([one, two]))
  await one.close({ groupMembership: 'leave' })
  expect(cluster.requests({ api: 'LeaveGroup' }).at(-1)?.body).toMatchObject({
    members: [{ groupInstanceId: 'till-1' }],
  })
  await pollUntil([two], () => two.assignment().length === 4, 5_000)
  await two.close({ groupMembership: 'remain' })
  expect(cluster.requests({ api: 'LeaveGroup' })).toHaveLength(1)
  expect(cluster.group('billing').members).toHaveLength(1)
})

test('two with one name: the older one is fenced, for good (FENCED_INSTANCE_ID, G-18)', async () => {
  cluster = await startCluster()
  const old = member(cluster, named('till-1'))
  const { entries, listener } = diary()
  old.subscribe(['orders'], { listener })
  await pollUntil([old], () => old.assignment().length === 4)
  const young = member(cluster, named('till-1'))
  young.subscribe(['orders'])
  await pollUntil([young], () => young.assignment().length === 4)
  await cluster.clock.advance(4_000)
  await expect(old.commit()).rejects.toThrow(CommitFailedError)
  for (let i = 0; i < 2; i++) {
    const error = await old.poll({ timeoutMs: 1_000 }).catch(thrown => thrown)
    expect(error).toBeInstanceOf(KafkaError)
    expect(error.errorName).toBe('FENCED_INSTANCE_ID')
    expect(error.message).toContain("'till-1'")
    expect(old.assignment()).toEqual([])
    expect(entries.filter(entry => entry.startsWith('lost'))).toEqual(['lost orders-0 orders-1 orders-2 orders-3'])
  }
  await old.close()
  expect(entries.at(-1)).toBe('lost orders-0 orders-1 orders-2 orders-3')
  await cluster.clock.advance(60_000)
  await young.commit()
})

test('the fenced one may hear of it from a commit as well', async () => {
  cluster = await startCluster()
  await fill(cluster, 1)
  const old = member(cluster, { ...named('till-1'), 'enable.auto.commit': false })
  old.subscribe(['orders'])
  await pollUntil([old], () => old.assignment().length === 4)
  await old.poll({ timeoutMs: 1_000 })
  const young = member(cluster, named('till-1'))
  young.subscribe(['orders'])
  await pollUntil([young], () => young.assignment().length === 4, 2_500)
  await expect(old.commit()).rejects.toMatchObject({ errorName: 'FENCED_INSTANCE_ID' })
  await expect(old.poll({ timeoutMs: 0 })).rejects.toMatchObject({ errorName: 'FENCED_INSTANCE_ID' })
  expect(old.assignment()).toEqual([])
})

test('a static member that does not poll in time falls silent instead of leaving', async () => {
  cluster = await startCluster()
  const consumer = member(cluster, { ...named('till-1'), 'max.poll.interval.ms': 10_000 })
  consumer.subscribe(['orders'])
  await pollUntil([consumer], () => consumer.assignment().length === 4)
  await cluster.clock.advance(20_000)
  expect(cluster.requests({ api: 'LeaveGroup' })).toEqual([])
  expect(cluster.group('billing').members).toHaveLength(1)
  const { generationId } = { generationId: cluster.group('billing').generation }
  await pollUntil([consumer], () => consumer.groupMetadata().generationId === generationId)
})
