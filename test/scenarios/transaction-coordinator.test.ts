import { expect } from 'vitest'
import { electLeaders } from '../../src/apis/elect-leaders.ts'
import { writeTxnMarkers } from '../../src/apis/write-txn-markers.ts'
import { Group } from './group.ts'
import { committed } from './group-offsets.ts'
import { story } from './story.ts'
import { Topic } from './topic.ts'
import { seen, TransactionalId } from './transaction.ts'
import type { World } from './world.ts'

/** Coordinators are spread again: brokers that restarted in stories before this one lead nothing by themselves. */
async function spread(world: World): Promise<void> {
  await world.request(world.witnesses[0]!, electLeaders, 2, {
    electionType: 0,
    topicPartitions: null,
    timeoutMs: 30_000,
  })
}

/** An id with this coordinator. */
async function idAt(world: World, coordinator: number): Promise<TransactionalId> {
  for (;;) {
    const id = await TransactionalId.open(world)
    if (id.coordinator === coordinator) return id
  }
}

story(
  'when the coordinator is killed the next one has everything: what was decided it ends, what was open stays so (T-25, T-3)',
  async world => {
    await spread(world)
    const open = await TransactionalId.open(world)
    const old = open.coordinator
    const leader = [1, 2, 3].find(broker => broker !== old)!
    const [decided, older] = [await idAt(world, old), await idAt(world, old)]
    const topics = await Promise.all([1, 2, 3].map(() => Topic.create(world, [leader])))
    const [one, two, three] = topics as [Topic, Topic, Topic]
    let group = await Group.open(world)
    while (group.coordinator === old) group = await Group.open(world)

    const first = await open.become()
    await open.write(first, one, ['open'])
    expect(await open.commitOffset(first, group, one, 7)).toBe('NONE')
    const third = await older.become()
    expect(await older.add(third, three)).toEqual(['NONE'])
    await older.write(third, three, ['older'], { version: 11 })
    const second = await decided.become()
    await decided.write(second, two, ['decided'])
    const before = await decided.coordinatorEpoch()
    world.hold({ from: old, to: leader, api: writeTxnMarkers })
    const { error, ...next } = await decided.end(second, 'commit')
    expect([error, await decided.state()]).toEqual(['NONE', 'PrepareCommit 1'])

    for (const broker of [1, 2, 3].filter(id => id !== old)) {
      decided.coordinator = broker
      expect(await decided.state()).toBe('NOT_COORDINATOR')
    }
    await world.crash(old)
    expect(await decided.find()).not.toBe(old)
    await Promise.all([open.find(), older.find()])
    await decided.untilIn('CompleteCommit')
    expect(await decided.coordinatorEpoch()).toBeGreaterThan(before)
    expect((await seen(two, 'read_committed')).log).toEqual([
      'decided',
      `COMMIT epoch 1 by ${await decided.coordinatorEpoch()}`,
    ])
    expect(await decided.write(next, two, ['on'])).toBe('NONE 2')

    expect(await open.state()).toBe('Ongoing 0')
    expect((await seen(one, 'read_committed')).log).toEqual([])
    expect(await open.write(first, one, ['more'], { sequence: 1 })).toBe('NONE 1')
    await open.ended(first, 'commit')
    expect((await seen(one, 'read_committed')).log.slice(0, 2)).toEqual(['open', 'more'])
    await group.find()
    await world.eventually('its offset is committed', async () => (await committed(group)) === `${one.name}-0:7`)
    await older.ended(third, 'abort', 4)
    expect((await seen(three, 'read_committed')).aborted).toEqual([0])
  },
)

story(
  'who ends a transaction again at the next coordinator is answered as before; the epoch before the last is not known there (T-20, T-13)',
  async world => {
    const id = await TransactionalId.open(world)
    const twin = await idAt(world, id.coordinator)
    const old = id.coordinator
    const topic = await Topic.create(world, [[1, 2, 3].find(broker => broker !== old)!])
    const producer = await id.become()
    await id.write(producer, topic, ['a'])
    const next = await id.ended(producer, 'commit')
    await twin.become()
    const known = await twin.become()
    const raised = await twin.initialize(known)
    expect(raised).toMatchObject({ error: 'NONE', epoch: 2 })

    await world.crash(old)
    await Promise.all([id.find(), twin.find()])
    expect(await id.end(producer, 'commit')).toEqual({ error: 'NONE', ...next })
    expect((await id.end(producer, 'abort')).error).toBe('INVALID_TXN_STATE')
    // Of a lost answer to InitProducerId nothing stands in the log.
    expect((await twin.initialize(known)).error).toBe('PRODUCER_FENCED')
    expect(await twin.initialize({ ...known, epoch: 2 })).toMatchObject({ error: 'NONE', epoch: 3 })
  },
)
