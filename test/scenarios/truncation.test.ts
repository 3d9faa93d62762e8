import { expect } from 'vitest'
import { alterPartition } from '../../src/apis/alter-partition.ts'
import { fetch } from '../../src/apis/fetch.ts'
import { story } from './story.ts'
import { Topic } from './topic.ts'
import { CONTROLLER, type World } from './world.ts'

/** Leader 1 has 0–9, follower 2 has 0–6; committed are 0–4. Then the leader dies, and 2 leads. */
async function leaderLostAhead(world: World): Promise<Topic> {
  const topic = await Topic.create(world, [1, 2])
  await topic.produce(5)
  await topic.until('the follower knows of the commit', async () => (await topic.highWatermark(2)) === 5)
  const letFetch = world.hold({ from: 2, to: 1, api: fetch })
  await topic.produce(['old-5', 'old-6'], { acks: 1 })
  await topic.until('the follower has seven records', async () => (await topic.endOffset(2)) === 7)
  await topic.produce(['lost-7', 'lost-8', 'lost-9'], { acks: 1 })
  expect([await topic.highWatermark(1), await topic.endOffset(1), await topic.endOffset(2)]).toEqual([5, 10, 7])
  await world.crash(1)
  letFetch()
  await topic.untilLedBy(2)
  return topic
}

story(
  'a leader that comes back cuts off what its successor never had; nothing committed is lost (X-8, R-30, R-31, R-33, R-34, R-37)',
  async world => {
    const topic = await leaderLostAhead(world)
    expect(await topic.fetch()).toMatchObject({ highWatermark: 7, batches: '0-4/e0 5-6/e0' })
    expect(await topic.produce(1)).toMatchObject({ error: 'NONE', baseOffset: 7 })
    await world.restart(1)
    await topic.untilInSync([1, 2])
    expect([await topic.endOffset(1), await topic.endOffset(2)]).toEqual([8, 8])
    expect(await topic.fetch()).toMatchObject({ highWatermark: 8, batches: '0-4/e0 5-6/e0 7-7/e1' })
    expect([await topic.endOfEpoch(0, 2), await topic.endOfEpoch(1, 2), await topic.endOfEpoch(2, 2)]).toEqual([
      '0@7',
      '1@8',
      '-1@-1',
    ])
    expect(world.cluster?.partition(topic.name, 0).replicaLogs.get(1)?.leaderEpochs ?? 'hidden').toEqual(
      world.cluster
        ? [
            { leaderEpoch: 0, startOffset: 0 },
            { leaderEpoch: 1, startOffset: 7 },
          ]
        : 'hidden',
    )
  },
)

story(
  'a leader that comes back never shows what it is about to cut off, and does not count before it has (KAFKA-14704, KAFKA-13141, R-35, F-8)',
  async world => {
    const topic = await leaderLostAhead(world)
    // The new leader's high watermark is past everything that the old one has.
    await topic.produce(['new-7', 'new-8', 'new-9', 'new-10', 'new-11'])
    const seen = new Set<string | null>()
    const look = () => {
      const { cluster } = world
      if (cluster === undefined) return
      const partition = cluster.partition(topic.name, 0)
      const former = partition.replicaLogs.get(1)
      if (former === undefined || former.endOffset <= 7) return
      const diverged = former.leaderEpochs.at(-1)?.leaderEpoch === 0
      // Between any two events: what diverged is above its high watermark, and the replica is not in sync.
      if (diverged) expect([former.highWatermark <= 7, partition.inSyncReplicas]).toEqual([true, [2]])
    }
    const back = world.restart(1)
    await world.cluster?.runUntil(() => {
      look()
      return world.cluster!.partition(topic.name, 0).inSyncReplicas.length === 2
    })
    await back
    await topic.until('1 is in sync, and read from all the while', async () => {
      for (const value of (await topic.fetch({ at: 1, offset: 5 })).values) seen.add(value)
      return (await topic.state()).inSync.includes(1)
    })
    await topic.until('1 has the records of 2', async () => {
      for (const value of (await topic.fetch({ at: 1, offset: 5 })).values) seen.add(value)
      return seen.has('new-11')
    })
    expect([...seen]).toEqual(['old-5', 'old-6', 'new-7', 'new-8', 'new-9', 'new-10', 'new-11'])
  },
)

story(
  'a follower that restarts keeps what lies above its high watermark: it may be all that is left of it (KIP-101)',
  async world => {
    const topic = await Topic.create(world, [1, 2])
    await topic.produce(5)
    await topic.until('the follower knows of the commit', async () => (await topic.highWatermark(2)) === 5)
    const letFetch = world.hold({ from: 2, to: 1, api: fetch })
    await topic.produce(5, { acks: 1 })
    await topic.until('the follower has ten records', async () => (await topic.endOffset(2)) === 10)
    expect(await topic.highWatermark(2)).toBe(5)
    await world.crash(2)
    letFetch()
    const mend = world.cut(2, 1)
    await world.restart(2)
    await topic.until('2 is there again', async () => (await topic.endOffset(2)) === 10)
    mend()
    await topic.untilInSync([1, 2])
    expect(await topic.fetch()).toMatchObject({ highWatermark: 10, batches: '0-4/e0 5-9/e0' })
  },
)

story(
  'a fetch with a last epoch that ended earlier at the leader learns where, and gets no records (R-33, R-32, R-7)',
  async world => {
    const topic = await Topic.create(world, [1, 2])
    await topic.produce(5)
    for (const order of [
      [2, 1],
      [1, 2],
    ]) {
      expect([await topic.reassign(order), await topic.elect('preferred')]).toEqual(['NONE', 'NONE'])
      await topic.untilLedBy(order[0]!)
      await topic.produce(5)
    }
    expect(await topic.fetch()).toMatchObject({ highWatermark: 15, batches: '0-4/e0 5-9/e1 10-14/e2' })
    expect(await Promise.all([-1, 0, 1, 2, 3, 99].map(epoch => topic.endOfEpoch(epoch, 1)))).toEqual([
      '-1@-1',
      '0@5',
      '1@10',
      '2@15',
      '-1@-1',
      '-1@-1',
    ])
    const at = async (offset: number, lastFetchedEpoch: number) => {
      const { error, diverging, batches } = await topic.fetch({ offset, lastFetchedEpoch })
      return error === 'NONE' ? (diverging ?? batches) : error
    }
    const answers: Record<string, string> = {}
    for (const [offset, epoch] of [
      [15, 2],
      [15, 1],
      [15, 0],
      [10, 1],
      [12, 1],
      [8, 0],
      [5, 0],
      [3, 0],
      [15, 3],
      [16, 2],
      [20, 1],
    ] as const) {
      answers[`${offset} after e${epoch}`] = await at(offset, epoch)
    }
    expect(answers).toEqual({
      '15 after e2': '',
      '15 after e1': '1@10',
      '15 after e0': '0@5',
      '10 after e1': '10-14/e2',
      '12 after e1': '1@10',
      '8 after e0': '0@5',
      '5 after e0': '5-9/e1 10-14/e2',
      '3 after e0': '0-4/e0 5-9/e1 10-14/e2',
      '15 after e3': 'OFFSET_OUT_OF_RANGE',
      '16 after e2': '2@15',
      '20 after e1': '1@10',
    })
    const believing = async (leaderEpoch: number, options: { replica?: number; at?: number } = {}) =>
      (await topic.fetch({ offset: 15, leaderEpoch, ...options })).error
    expect([await believing(1), await believing(3), await believing(2)]).toEqual([
      'FENCED_LEADER_EPOCH',
      'UNKNOWN_LEADER_EPOCH',
      'NONE',
    ])
    // Broker 3 has no replica: R-7.
    expect([await believing(-1, { replica: 3 }), await believing(2, { replica: 3 })]).toEqual([
      'NOT_LEADER_OR_FOLLOWER',
      'UNKNOWN_LEADER_EPOCH',
    ])
    expect(await believing(1, { replica: 3 })).toBe('FENCED_LEADER_EPOCH')
    expect(await believing(-1, { replica: 1, at: 2 })).toBe('NOT_LEADER_OR_FOLLOWER')
  },
)

story(
  'logs that diverged in several epochs find their common past step by step (R-34, R-42, KIP-279, KAFKA-6361)',
  async world => {
    const topic = await Topic.create(world, [1, 2], { 'unclean.leader.election.enable': true })
    await topic.produce(['common'])
    // Each in turn is alone, is elected uncleanly, and writes what the other will never have.
    await world.stop(1)
    await topic.untilLedBy(2)
    await topic.produce(['second-1', 'second-2'])
    for (const [alone, gone, value] of [
      [1, 2, 'first-1'],
      [2, 1, 'second-3'],
      [1, 2, 'first-2'],
    ] as const) {
      await world.stop(gone)
      await world.restart(alone)
      await topic.untilLedBy(alone)
      expect(await topic.produce([value])).toMatchObject({ error: 'NONE' })
    }
    const epochs = (broker: number) =>
      world.cluster
        ?.partition(topic.name, 0)
        .replicaLogs.get(broker)
        ?.leaderEpochs.map(each => each.leaderEpoch)
    await world.restart(2)
    await topic.untilInSync([1, 2])
    expect((await topic.fetch({ at: 1 })).values).toEqual(['common', 'first-1', 'first-2'])
    await topic.until('2 has what 1 has', async () => (await topic.fetch({ at: 2 })).values.length === 3)
    expect((await topic.fetch({ at: 2 })).values).toEqual(['common', 'first-1', 'first-2'])
    expect(epochs(2)).toEqual(epochs(1))
  },
)

story(
  'both machines lose their power: whatever each of them had left, they end with one log (KIP-101)',
  { needs: 'powerOff' },
  async world => {
    const topic = await Topic.create(world, [1, 2], { 'flush.messages': 3 })
    await topic.produce(['a', 'b', 'c'])
    await topic.produce(['d'], { acks: 1 })
    const mend = world.cut(2, 1)
    await topic.produce(['e'], { acks: 1 })
    await world.powerOff(2)
    await world.powerOff(1)
    mend()
    await world.restart(2)
    await world.restart(1)
    await topic.untilInSync([1, 2])
    await topic.produce(['f'])
    const { values } = await topic.fetch()
    expect(values.slice(0, 3)).toEqual(['a', 'b', 'c'])
    await topic.until('both logs are one', async () => {
      return String((await topic.fetch({ at: 2 })).values) === String((await topic.fetch({ at: 1 })).values)
    })
    expect(values.at(-1)).toBe('f')
  },
)

story(
  'a follower that missed a change of leadership is fenced, and not fed, by the leader it knew; then it cuts off what is not there (KAFKA-7164, R-32, R-34)',
  async world => {
    const topic = await Topic.create(world, [1, 2, 3])
    await topic.produce(5)
    const tell = world.cut(3, CONTROLLER)
    const mend = world.cut(2, 1)
    await topic.produce(['lost'], { acks: 1 })
    await topic.until('3 has it', async () => (await topic.endOffset(3)) === 6)
    await world.stop(1)
    mend()
    await topic.untilLedBy(2)
    expect(await topic.endOffset(2)).toBe(5)
    await topic.produce(['kept'], { acks: 1 })
    await world.restart(1)
    await topic.untilInSync([1, 2])
    expect(await topic.elect('preferred')).toBe('NONE')
    await topic.untilLedBy(1)
    // Leader 1, as ever, to 3: but in an epoch that 3 has not heard of.
    expect(await topic.state(0, 3)).toMatchObject({ leader: 1, leaderEpoch: 0 })
    await topic.produce(['more'], { acks: 1 })
    await world.sleep(1_500)
    expect(await topic.endOffset(3)).toBe(6)
    tell()
    await topic.untilInSync([1, 2, 3])
    await topic.until('3 shows what is committed', async () => (await topic.highWatermark(3)) === 7)
    expect((await topic.fetch({ at: 3, offset: 5 })).values).toEqual(['kept', 'more'])
  },
)

story(
  'a follower that has reached the high watermark, but not the start of the epoch, does not join yet (KAFKA-7128, R-20)',
  async world => {
    const topic = await Topic.create(world, [1, 2, 3])
    await topic.produce(5)
    let mend = world.cut(3, 1)
    await topic.produce(1, { acks: 1 })
    await topic.untilInSync([1, 2])
    await topic.until('2 knows of the commit', async () => (await topic.highWatermark(2)) === 6)
    // 3 catches up to the high watermark, but nobody hears that it may join.
    const lift = [world.hold({ from: 1, to: CONTROLLER, api: alterPartition })]
    mend()
    await topic.until('3 has caught up', async () => (await topic.endOffset(3)) === 6)
    mend = world.cut(3, 1)
    // 2 gets more; that it has it reaches no leader, so the high watermark stays.
    lift.push(world.hold({ from: 2, to: 1, api: fetch }))
    await topic.produce(5, { acks: 1 })
    await topic.until('2 has more', async () => (await topic.endOffset(2)) === 11)
    lift.push(world.hold({ from: 1, to: 2, api: fetch }))
    const feed = world.hold({ from: 2, to: 3, api: fetch, kind: 'response' })
    expect([await topic.reassign([2, 1, 3]), await topic.elect('preferred')]).toEqual(['NONE', 'NONE'])
    await topic.untilLedBy(2)
    expect([await topic.highWatermark(2), await topic.endOffset(2), await topic.endOffset(3)]).toEqual([6, 11, 6])
    await world.sleep(1_200)
    expect((await topic.state()).inSync).toEqual([1, 2])
    feed()
    await topic.until('3 has joined', async () => (await topic.state()).inSync.includes(3))
    expect(await topic.endOffset(3)).toBe(11)
    for (const each of lift) each()
    mend()
    await topic.untilInSync([1, 2, 3])
  },
)
