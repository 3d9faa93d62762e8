import { expect } from 'vitest'
import { story } from './story.ts'
import { Topic } from './topic.ts'
import type { World } from './world.ts'

story('leadership does not go back by itself; the preferred election gives it back (R-41, R-48)', async world => {
  const topic = await Topic.create(world, [1, 2])
  expect(await topic.elect('preferred')).toBe('ELECTION_NOT_NEEDED')
  expect(await topic.elect('unclean')).toBe('ELECTION_NOT_NEEDED')
  await world.stop(1)
  await topic.untilLedBy(2)
  expect(await topic.elect('preferred')).toBe('PREFERRED_LEADER_NOT_AVAILABLE')
  await world.restart(1)
  await topic.untilInSync([1, 2])
  expect(await topic.leader()).toBe(2)
  expect(await topic.elect('preferred')).toBe('NONE')
  await topic.untilLedBy(1)
  expect((await topic.state()).leaderEpoch).toBe(2)
  expect(await topic.elect('preferred')).toBe('ELECTION_NOT_NEEDED')
  const unknown = new Topic(world, 'nobody-knows-it', topic.id)
  expect(await unknown.elect('preferred')).toBe('UNKNOWN_TOPIC_OR_PARTITION')
})

/** Leader 1 alone in sync with ten records, of which 2 has five; then 1 is gone. */
async function lonelyLeaderLost(world: World, configs: Record<string, string | boolean> = {}): Promise<Topic> {
  const topic = await Topic.create(world, [1, 2], configs)
  await topic.produce(5)
  await topic.until('the follower knows of the commit', async () => (await topic.highWatermark(2)) === 5)
  const mend = world.cut(2, 1)
  // The fetch that waits at the leader has ended in vain: what comes now, nobody has but the leader.
  await world.sleep(700)
  await topic.produce(1, { acks: 1 })
  await topic.untilInSync([1])
  expect(await topic.produce(4)).toMatchObject({ error: 'NONE', baseOffset: 6 })
  await world.crash(1)
  mend()
  return topic
}

story(
  'without anybody who was in sync there is no leader until an unclean election, which loses what was committed (R-19, R-40, R-42, R-43, R-48, R-62)',
  async world => {
    const topic = await lonelyLeaderLost(world)
    await topic.untilLedBy(-1)
    expect(await topic.state()).toMatchObject({
      leaderEpoch: 1,
      inSync: [],
      eligible: [1],
      lastKnown: [1],
      offline: [1],
    })
    expect(await topic.produce(1, { at: 2, acks: 1 })).toMatchObject({
      error: 'NOT_LEADER_OR_FOLLOWER',
      currentLeader: '-1@1',
    })
    // A replica goes on answering consumers, up to where it knows of the commit.
    expect(await topic.fetch({ at: 2 })).toMatchObject({ error: 'NONE', highWatermark: 5, batches: '0-4/e0' })
    expect(await topic.offsetAt(-1, 2)).toMatchObject({ error: 'NOT_LEADER_OR_FOLLOWER' })
    expect(await topic.elect('preferred')).toBe('PREFERRED_LEADER_NOT_AVAILABLE')
    expect(await topic.elect('unclean')).toBe('NONE')
    await topic.untilLedBy(2)
    expect(await topic.state()).toMatchObject({ leaderEpoch: 2, inSync: [2], eligible: [], lastKnown: [] })
    expect(await topic.fetch({ offset: 7 })).toMatchObject({ error: 'OFFSET_OUT_OF_RANGE' })
    expect(await topic.produce(2)).toMatchObject({ error: 'NONE', baseOffset: 5 })
    await world.restart(1)
    await topic.untilInSync([1, 2])
    expect([await topic.endOffset(1), await topic.endOffset(2)]).toEqual([7, 7])
    expect(await topic.fetch()).toMatchObject({ highWatermark: 7, batches: '0-4/e0 5-6/e2' })
  },
)

story(
  'where unclean election is allowed, a partition that loses its last leader has a new one at once (R-46)',
  async world => {
    const topic = await lonelyLeaderLost(world, { 'unclean.leader.election.enable': true })
    await topic.untilLedBy(2)
    expect(await topic.state()).toMatchObject({ leaderEpoch: 1, inSync: [2] })
    expect(await topic.endOffset(2)).toBe(5)
  },
)

story('unclean election that is allowed too late acts at its next interval, not at once (R-46)', async world => {
  const topic = await lonelyLeaderLost(world)
  await topic.untilLedBy(-1)
  expect(await topic.setConfig('unclean.leader.election.enable', true)).toBe('NONE')
  await topic.untilLedBy(2, 12_000)
  expect((await topic.state()).leaderEpoch).toBe(2)
})

story(
  'a partition with one replica has no leader while its broker is away, and all its records when it is back (R-44, R-45)',
  async world => {
    const topic = await Topic.create(world, [2])
    await topic.produce(7)
    await world.crash(2)
    await topic.untilLedBy(-1)
    expect(await topic.produce(1, { at: 1 })).toMatchObject({ error: 'NOT_LEADER_OR_FOLLOWER', currentLeader: '-1@1' })
    expect(await topic.elect('unclean')).toBe('ELIGIBLE_LEADERS_NOT_AVAILABLE')
    await world.restart(2)
    await topic.untilLedBy(2)
    // Killed, it is no longer eligible, but still the last known leader: it leads from its own end.
    expect(await topic.state()).toMatchObject({ leaderEpoch: 2, inSync: [2], eligible: [], lastKnown: [] })
    expect(await topic.fetch()).toMatchObject({ highWatermark: 7, batches: '0-6/e0' })
    expect(await topic.produce(1)).toMatchObject({ error: 'NONE', baseOffset: 7 })
  },
)

story(
  'a replica that left while the minimum was still met may lead without loss: it is elected from the eligible ones (R-40, R-45, R-51, R-52)',
  async world => {
    const topic = await Topic.create(world, [1, 2], { 'min.insync.replicas': 2 })
    await topic.produce(5)
    await world.pause(2)
    await topic.untilInSync([1])
    expect((await topic.state()).eligible).toEqual([2])
    await world.pause(1)
    await topic.untilLedBy(-1)
    expect(await topic.state()).toMatchObject({ inSync: [], eligible: [1, 2], lastKnown: [1], offline: [1, 2] })
    await world.resume(2)
    await topic.untilLedBy(2)
    expect(await topic.state()).toMatchObject({ leaderEpoch: 2, inSync: [2], eligible: [1] })
    await world.resume(1)
    await topic.untilInSync([1, 2])
    expect(await topic.state()).toMatchObject({ leader: 2, eligible: [] })
    expect(await topic.fetch()).toMatchObject({ highWatermark: 5, batches: '0-4/e0' })
  },
)

story(
  'a broker that was killed is no longer eligible; only the last known leader may still lead (R-45, R-40)',
  async world => {
    const topic = await Topic.create(world, [1, 2], { 'min.insync.replicas': 2 })
    await topic.produce(5)
    await world.crash(2)
    await topic.untilInSync([1])
    await world.crash(1)
    await topic.untilLedBy(-1)
    expect((await topic.state()).eligible).toEqual([1, 2])
    await world.restart(2)
    await topic.until('2 is out', async () => String((await topic.state()).eligible) === '1')
    expect(await topic.leader()).toBe(-1)
    expect(await topic.elect('preferred')).toBe('PREFERRED_LEADER_NOT_AVAILABLE')
    await world.restart(1)
    await topic.untilLedBy(1)
    await topic.untilInSync([1, 2])
    expect(await topic.fetch()).toMatchObject({ highWatermark: 5, batches: '0-4/e0' })
  },
)

story(
  'setting min.insync.replicas forgets the eligible ones; leaderless, only an unclean election is left (R-45)',
  async world => {
    const topic = await Topic.create(world, [1, 2], { 'min.insync.replicas': 2 })
    await topic.produce(3)
    await world.pause(2)
    await topic.untilInSync([1])
    await world.pause(1)
    await topic.untilLedBy(-1)
    expect(await topic.setConfig('min.insync.replicas', 1)).toBe('NONE')
    await topic.until('nobody is eligible', async () => (await topic.state()).eligible.length === 0)
    expect((await topic.state()).lastKnown).toEqual([])
    await world.resume(1)
    await world.resume(2)
    await topic.until('both are back', async () => (await topic.state()).offline.length === 0)
    await world.sleep(1_000)
    expect(await topic.leader()).toBe(-1)
    expect(await topic.elect('preferred')).toBe('PREFERRED_LEADER_NOT_AVAILABLE')
    expect(await topic.elect('unclean')).toBe('NONE')
    await topic.untilInSync([1, 2])
    expect(await topic.fetch()).toMatchObject({ highWatermark: 3, batches: '0-2/e0' })
  },
)

story(
  'the last replica in sync loses its disk cache: with a minimum of two nothing committed is lost, another is eligible (KIP-966, R-45)',
  async world => {
    const topic = await Topic.create(world, [1, 2], { 'min.insync.replicas': 2 })
    await topic.produce(['committed-0', 'committed-1'])
    await topic.until('the follower knows of the commit', async () => (await topic.highWatermark(2)) === 2)
    await world.pause(2)
    await topic.untilInSync([1])
    // Taken alone, so not committed: nobody may see it, and it may go.
    await topic.produce(['alone'], { acks: 1 })
    expect(await topic.highWatermark()).toBe(2)
    if (world.cluster) await world.powerOff(1)
    else await world.crash(1)
    await topic.untilLedBy(-1)
    await world.resume(2)
    await topic.untilLedBy(2)
    await world.restart(1)
    await topic.untilInSync([1, 2])
    expect((await topic.fetch()).values).toEqual(['committed-0', 'committed-1'])
    expect([await topic.endOffset(1), await topic.endOffset(2)]).toEqual([2, 2])
  },
)
