import { expect } from 'vitest'
import { alterPartition } from '../../src/apis/alter-partition.ts'
import { createTopics } from '../../src/apis/create-topics.ts'
import { story } from './story.ts'
import { Topic } from './topic.ts'
import { CONTROLLER } from './world.ts'

story(
  'a broker that is stopped gives its leaderships away first; what waited at it is answered (R-53, R-54)',
  async world => {
    const topic = await Topic.create(world, [1, 2, 3], { 'min.insync.replicas': 2 })
    const alone = await Topic.create(world, [1])
    await topic.produce(5)
    const mend = [world.cut(2, 1), world.cut(3, 1)]
    const pending = topic.produce(1)
    await topic.until('it is appended', async () => (await topic.endOffset(1)) === 6)
    const stopped = world.stop(1)
    // The leader moves though its followers are behind: what waited is lost.
    expect(await pending).toMatchObject({ error: 'NOT_LEADER_OR_FOLLOWER', baseOffset: 5, currentLeader: '2@1' })
    await stopped
    await topic.untilLedBy(2)
    expect(await topic.state()).toMatchObject({ leaderEpoch: 1, inSync: [2, 3], offline: [1] })
    expect(await topic.endOffset(2)).toBe(5)
    // The last of its set may go, too.
    expect(await alone.state()).toMatchObject({ leader: -1, inSync: [], eligible: [1], lastKnown: [1] })
    for (const each of mend) each()
    await world.restart(1)
    await topic.untilInSync([1, 2, 3])
    await alone.untilLedBy(1)
    expect(await topic.state()).toMatchObject({ leader: 2, leaderEpoch: 1 })
    expect(await topic.endOffset(1)).toBe(5)
  },
)

story(
  'while the controller is away records flow, and nobody is elected, created or let in; back, it goes on (R-50)',
  async world => {
    const topic = await Topic.create(world, [1, 2])
    const lost = await Topic.create(world, [3, 2])
    await world.crash(CONTROLLER)
    expect(await topic.produce(5)).toMatchObject({ error: 'NONE', baseOffset: 0 })
    expect(await topic.fetch()).toMatchObject({ highWatermark: 5 })
    await world.crash(3)
    await world.sleep(4_500)
    expect(await lost.state()).toMatchObject({ leader: 3, leaderEpoch: 0, inSync: [2, 3] })
    expect(await topic.produce(1)).toMatchObject({ error: 'NONE', baseOffset: 5 })
    await world.restart(CONTROLLER)
    await lost.untilLedBy(2)
    const { topics } = await world.request(1, createTopics, 7, {
      topics: [{ name: `${lost.name}-later`, numPartitions: 1, replicationFactor: 2, assignments: [], configs: [] }],
    })
    expect(topics[0]).toMatchObject({ errorCode: 0, numPartitions: 1, replicationFactor: 2 })
  },
)

story(
  'a leader that is cut off from the controller goes on as if nothing had happened; what it takes alone is lost (R-54, R-32)',
  async world => {
    const topic = await Topic.create(world, [1, 2, 3], { 'min.insync.replicas': 2 })
    await topic.produce(5)
    const mend = world.cut(1, CONTROLLER)
    await topic.untilLedBy(2)
    expect(await topic.state()).toMatchObject({ leaderEpoch: 1, inSync: [2, 3] })
    // The zombie: acks=1 is taken, acks=all times out, reads go on up to the old high watermark.
    expect(await topic.state(0, 1)).toMatchObject({ leader: 1, leaderEpoch: 0, inSync: [1, 2, 3] })
    expect(await topic.produce(['zombie-5'], { at: 1, acks: 1 })).toMatchObject({ error: 'NONE', baseOffset: 5 })
    expect(await topic.produce(['zombie-6'], { at: 1, timeoutMs: 1_000 })).toMatchObject({
      error: 'REQUEST_TIMED_OUT',
      baseOffset: 6,
    })
    expect(await topic.fetch({ at: 1 })).toMatchObject({ error: 'NONE', highWatermark: 5, batches: '0-4/e0' })
    // The new leader commits without it.
    expect(await topic.produce(['real-5', 'real-6'])).toMatchObject({ error: 'NONE', baseOffset: 5 })
    const believing = async (at: number, leaderEpoch: number) => (await topic.fetch({ at, leaderEpoch })).error
    expect([await believing(1, 1), await believing(2, 0), await believing(2, 1)]).toEqual([
      'UNKNOWN_LEADER_EPOCH',
      'FENCED_LEADER_EPOCH',
      'NONE',
    ])
    const pending = topic.produce(['zombie-7'], { at: 1, timeoutMs: 60_000 })
    await topic.until('it is appended', async () => (await topic.endOffset(1)) === 8)
    await world.sleep(5_000)
    expect(await topic.highWatermark(1)).toBe(5)
    mend()
    expect(await pending).toMatchObject({ error: 'NOT_LEADER_OR_FOLLOWER', baseOffset: 7, currentLeader: '2@1' })
    await topic.untilInSync([1, 2, 3])
    expect(await topic.produce(1, { at: 1, acks: 1 })).toMatchObject({
      error: 'NOT_LEADER_OR_FOLLOWER',
      currentLeader: '2@1',
    })
    await topic.until('1 has what 2 has', async () => (await topic.fetch({ at: 1, offset: 5 })).values.length === 2)
    expect((await topic.fetch({ at: 1, offset: 5 })).values).toEqual(['real-5', 'real-6'])
    expect(await topic.endOffset(1)).toBe(7)
    expect((await topic.offsetAt(-1, 1)).error).toBe('NOT_LEADER_OR_FOLLOWER')
    expect((await topic.fetch({ at: 1, leaderEpoch: 0 })).error).toBe('FENCED_LEADER_EPOCH')
  },
)

story(
  'a fetch that waits where leadership leaves from waits on, unless it believes in the epoch or is too old to read from followers (R-54)',
  async world => {
    const topic = await Topic.create(world, [1, 2])
    await topic.produce(5)
    await topic.until('the follower knows of the commit', async () => (await topic.highWatermark(2)) === 5)
    const waits = [
      topic.fetch({ at: 1, offset: 5, maxWaitMs: 4_000 }),
      topic.fetch({ at: 1, offset: 5, maxWaitMs: 4_000, leaderEpoch: 0 }),
      topic.fetch({ at: 1, offset: 5, maxWaitMs: 4_000, version: 10 }),
    ]
    expect([await topic.reassign([2, 1]), await topic.elect('preferred')]).toEqual(['NONE', 'NONE'])
    const [patient, believing, old] = await Promise.all(waits)
    expect(patient).toMatchObject({ error: 'NONE', values: [] })
    expect(patient!.tookMs).toBeGreaterThanOrEqual(4_000)
    expect([believing!.error, believing!.tookMs < 3_500]).toEqual(['FENCED_LEADER_EPOCH', true])
    expect([old!.error, old!.tookMs < 3_500]).toEqual(['NOT_LEADER_OR_FOLLOWER', true])
  },
)

story('a follower with a new, empty disk fetches everything again, and counts only then (R-44, R-45)', async world => {
  const topic = await Topic.create(world, [1, 2])
  await topic.produce(5)
  await world.crash(2)
  await topic.untilInSync([1])
  await topic.produce(5)
  await world.restart(2, { disk: 'empty' })
  await topic.untilInSync([1, 2])
  expect([await topic.endOffset(1), await topic.endOffset(2)]).toEqual([10, 10])
  expect(await topic.fetch({ at: 2 })).toMatchObject({ error: 'NONE', batches: '0-4/e0 5-9/e0' })
})

story(
  'the last known leader leads again even with an empty disk, and the others throw away what they have (R-40, R-44, R-36)',
  async world => {
    const topic = await Topic.create(world, [1, 2])
    await topic.produce(5)
    await world.crash(2)
    await topic.untilInSync([1])
    await topic.produce(5)
    await world.crash(1)
    await topic.untilLedBy(-1)
    await world.restart(1, { disk: 'empty' })
    await topic.untilLedBy(1)
    expect([await topic.endOffset(1), await topic.highWatermark(1)]).toEqual([0, 0])
    await world.restart(2)
    await topic.untilInSync([1, 2])
    expect([await topic.endOffset(1), await topic.endOffset(2)]).toEqual([0, 0])
  },
)

story(
  'a follower that was let in too late, after it died and came back with an empty disk, stays out (KIP-903, KAFKA-14139, R-23, R-20)',
  async world => {
    const topic = await Topic.create(world, [1, 2, 3])
    await topic.produce(5)
    let mend = world.cut(3, 1)
    await topic.produce(1, { acks: 1 })
    await topic.untilInSync([1, 2])
    // 3 has caught up, and the leader asks to let it in; the request is late.
    const letAlter = world.hold({ from: 1, to: CONTROLLER, api: alterPartition })
    mend()
    await topic.until('3 has caught up', async () => (await topic.endOffset(3)) === 6)
    await world.sleep(1_000)
    await world.crash(3)
    mend = world.cut(3, 1)
    await world.restart(3, { disk: 'empty' })
    letAlter()
    await world.sleep(1_500)
    expect((await topic.state()).inSync).toEqual([1, 2])
    mend()
    await topic.untilInSync([1, 2, 3])
    expect(await topic.endOffset(3)).toBe(6)
  },
)

story(
  'a follower that is fenced by the time it is let in stays out (KIP-841, KAFKA-13916, R-23, R-25)',
  async world => {
    const topic = await Topic.create(world, [1, 2, 3])
    await topic.produce(5)
    const mend = world.cut(3, 1)
    await topic.produce(1, { acks: 1 })
    await topic.untilInSync([1, 2])
    const letAlter = world.hold({ from: 1, to: CONTROLLER, api: alterPartition })
    mend()
    await topic.until('3 has caught up', async () => (await topic.endOffset(3)) === 6)
    await world.sleep(1_000)
    await world.pause(3)
    await topic.until('3 is fenced', async () => String((await topic.state()).offline) === '3')
    letAlter()
    await world.sleep(1_500)
    expect((await topic.state()).inSync).toEqual([1, 2])
    // The proposal is dropped, and the leader commits without it.
    expect(await topic.produce(1, { timeoutMs: 10_000 })).toMatchObject({ error: 'NONE' })
    await world.resume(3)
    await topic.untilInSync([1, 2, 3])
  },
)
