import { expect } from 'vitest'
import { alterPartition } from '../../src/apis/alter-partition.ts'
import { fetch } from '../../src/apis/fetch.ts'
import { story } from './story.ts'
import { Topic } from './topic.ts'
import { CONTROLLER } from './world.ts'

story(
  'a leader whose followers leave one by one commits less and less, and all of it once they are back (X-1, X-2, X-3, X-4, X-5)',
  async world => {
    const topic = await Topic.create(world, [1, 2, 3], { 'min.insync.replicas': 2 })
    expect(await topic.produce(5)).toMatchObject({ error: 'NONE', baseOffset: 0 })

    // the high watermark is where the slowest member of the in-sync set is, and nobody reads above it.
    const mend = world.cut(3, 1)
    expect(await topic.produce(5, { acks: 1 })).toMatchObject({ error: 'NONE', baseOffset: 5 })
    await topic.until('follower 2 has ten records', async () => (await topic.endOffset(2)) === 10)
    expect(await topic.fetch({ offset: 5 })).toMatchObject({ error: 'NONE', highWatermark: 5, values: [] })
    expect([await topic.endOffset(1), await topic.endOffset(3)]).toEqual([10, 5])
    if (world.cluster) expect(world.cluster.partition(topic.name, 0).replicaLogs.get(3)).toMatchObject({ endOffset: 5 })

    // silent for longer than replica.lag.time.max.ms, it leaves; what waited is answered.
    const pending = topic.produce(1)
    await topic.untilInSync([1, 2])
    expect(await pending).toMatchObject({ error: 'NONE', baseOffset: 10 })
    expect(await topic.fetch({ offset: 5 })).toMatchObject({ highWatermark: 11, batches: '5-9/e0 10-10/e0' })

    // below min.insync.replicas acks=all is refused, and nothing is appended (P-9). The one that left may lead.
    await world.crash(2)
    await topic.untilInSync([1])
    expect(await topic.produce(1)).toMatchObject({ error: 'NOT_ENOUGH_REPLICAS', baseOffset: -1 })
    expect(await topic.endOffset(1)).toBe(11)
    expect((await topic.state()).eligible).toEqual([2])

    // acks=1 is taken, and stays invisible: the high watermark stands still.
    expect(await topic.produce(1, { acks: 1 })).toMatchObject({ error: 'NONE', baseOffset: 11 })
    expect(await topic.fetch({ offset: 11, maxWaitMs: 300 })).toMatchObject({ highWatermark: 11, values: [] })
    expect(await topic.offsetAt(-1)).toMatchObject({ offset: 11 })
    expect(await topic.endOffset(1)).toBe(12)

    // back, and caught up, it joins; what was appended meanwhile becomes visible.
    await world.restart(2)
    await topic.untilInSync([1, 2])
    await topic.until('high watermark 12', async () => (await topic.highWatermark()) === 12)
    mend()
    await topic.untilInSync([1, 2, 3])
    expect((await topic.state()).leaderEpoch).toBe(0)
    // five changes of the in-sync set and one of the eligible replicas; the leader epoch is what it was.
    if (world.cluster)
      expect(world.cluster.partition(topic.name, 0)).toMatchObject({ partitionEpoch: 5, leaderEpoch: 0 })
  },
)

story(
  'while a change of the in-sync set is under way, its larger side has to have a record before it is committed (R-2, R-22)',
  async world => {
    const topic = await Topic.create(world, [1, 2, 3])
    await topic.produce(5)

    let answerAlterations = world.hold({ from: 1, to: CONTROLLER, api: alterPartition })
    let mend = world.cut(3, 1)
    await topic.produce(5, { acks: 1 })
    await world.sleep(6_000)
    // The leader would have 3 out; the controller has not said so.
    expect(await topic.highWatermark()).toBe(5)
    expect((await topic.state()).inSync).toEqual([1, 2, 3])
    answerAlterations()
    await topic.untilInSync([1, 2])
    await topic.until('high watermark 10', async () => (await topic.highWatermark()) === 10)

    answerAlterations = world.hold({ from: 1, to: CONTROLLER, api: alterPartition })
    mend()
    await topic.until('follower 3 has ten records', async () => (await topic.endOffset(3)) === 10)
    await world.sleep(1_500)
    mend = world.cut(3, 1)
    // The committed set is 1 and 2 still, but 3 is about to join: it has to have the record.
    const pending = topic.produce(1)
    await topic.until('follower 2 has the record', async () => (await topic.endOffset(2)) === 11)
    await world.sleep(500)
    expect(await topic.highWatermark()).toBe(10)
    expect((await topic.state()).inSync).toEqual([1, 2])
    mend()
    expect(await pending).toMatchObject({ error: 'NONE', baseOffset: 10 })
    answerAlterations()
    await topic.untilInSync([1, 2, 3])
  },
)

story(
  'a silent follower that has everything stays in sync; with the first record it lacks, its silence counts (R-21, R-3, R-4)',
  async world => {
    const topic = await Topic.create(world, [1, 2, 3])
    await topic.produce(5)
    await topic.until('follower 3 has five records', async () => (await topic.endOffset(3)) === 5)
    await world.sleep(1_000)
    const mend = world.cut(3, 1)
    await world.sleep(7_000)
    expect((await topic.state()).inSync).toEqual([1, 2, 3])
    await topic.produce(1, { acks: 1 })
    // Looked at every half of replica.lag.time.max.ms: 1.5 s, where a fresh lag would take 3.
    await topic.untilInSync([1, 2], 2_700)
    mend()
    await topic.untilInSync([1, 2, 3])
  },
)

story(
  'acks=all that is waiting when the in-sync set falls below the minimum waits on: a timeout, or NONE if a follower returns (R-17, R-18)',
  async world => {
    const topic = await Topic.create(world, [1, 2, 3], { 'min.insync.replicas': 2 })
    await topic.produce(1)
    const mend = [world.cut(2, 1), world.cut(3, 1)]
    const impatient = topic.produce(1, { timeoutMs: 12_000 })
    await topic.until('the first is appended', async () => (await topic.endOffset(1)) === 2)
    const patient = topic.produce(1, { timeoutMs: 60_000 })
    await topic.untilInSync([1])
    expect(await topic.produce(1)).toMatchObject({ error: 'NOT_ENOUGH_REPLICAS' })
    const timedOut = await impatient
    expect(timedOut).toMatchObject({ error: 'REQUEST_TIMED_OUT', baseOffset: 1 })
    expect(timedOut.tookMs).toBeGreaterThanOrEqual(12_000)
    expect(await topic.highWatermark()).toBe(1)
    mend[0]!()
    expect(await patient).toMatchObject({ error: 'NONE', baseOffset: 2 })
    // What timed out is committed with it.
    await topic.until('high watermark 3', async () => (await topic.highWatermark()) === 3)
    mend[1]!()
  },
)

story('a lowered min.insync.replicas commits nothing by itself: the next append does (R-12, R-11)', async world => {
  const topic = await Topic.create(world, [1, 2], { 'min.insync.replicas': 2 })
  const mend = world.cut(2, 1)
  await topic.produce(1, { acks: 1 })
  await topic.untilInSync([1])
  expect(await topic.setConfig('min.insync.replicas', 1)).toBe('NONE')
  await world.sleep(1_000)
  expect(await topic.highWatermark()).toBe(0)
  expect(await topic.produce(1)).toMatchObject({ error: 'NONE', baseOffset: 1 })
  expect(await topic.highWatermark()).toBe(2)
  mend()
})

story(
  'a leader knows of each follower where its log begins and ends, when it was caught up, and which life it has (R-1, R-5, R-6)',
  { onlyHere: 'what a leader knows of its followers is told to nobody' },
  async world => {
    const topic = await Topic.create(world, [1, 2])
    await topic.produce(5)
    await topic.until('the follower knows of the commit', async () => (await topic.highWatermark(2)) === 5)
    const partition = world.cluster!.broker(1).broker!.partitionOf(topic.id, 0)!
    const { brokerEpoch } = world.cluster!.broker(2).broker!
    expect(partition.remotes.get(2)).toMatchObject({ startOffset: 0, endOffset: 5, brokerEpoch })
    expect(world.now() - partition.remotes.get(2)!.lastCaughtUpAt).toBeLessThanOrEqual(1_000)
    expect([partition.leaderEpoch, partition.leaderEpochStart, partition.inSync.committed]).toEqual([0, 0, [1, 2]])
    expect([...partition.remotes.keys()]).toEqual([2])

    expect([await topic.reassign([2, 1]), await topic.elect('preferred')]).toEqual(['NONE', 'NONE'])
    await topic.untilLedBy(2)
    const moved = world.cluster!.broker(2).broker!.partitionOf(topic.id, 0)!
    expect([moved.leaderEpoch, moved.leaderEpochStart, moved.state.partitionEpoch]).toEqual([1, 5, 2])
    // news that is older than what is known is no news.
    moved.update({ ...moved.state, leader: 1, leaderEpoch: 0, partitionEpoch: 1, inSyncReplicas: [1] })
    expect([moved.isLeader, moved.leaderEpoch, moved.inSync.committed]).toEqual([true, 1, [1, 2]])
    // a new epoch knows nothing of the followers; the same epoch again forgets nothing.
    await topic.until('1 was heard of', () => moved.remotes.get(1)!.endOffset === 5)
    moved.update({ ...moved.state, partitionEpoch: 3 })
    expect(moved.remotes.get(1)!.endOffset).toBe(5)
    moved.update({ ...moved.state, leaderEpoch: 2, partitionEpoch: 4 })
    expect(moved.remotes.get(1)!.endOffset).toBe(-1)
  },
)

story(
  'a follower asks for at least one byte, waits half a second, and takes a mebibyte of a partition (R-38)',
  { onlyHere: 'what brokers ask of each other is seen only here' },
  async world => {
    const seen = new Set<string>()
    world.cluster!.intercept(fetch, (request, next) => {
      const { body, peer, node } = request
      const { maxWaitMs, minBytes, maxBytes, topics } = body
      if (peer === 2 && node === 1) {
        const each = topics.flatMap(({ partitions }) => partitions.map(({ partitionMaxBytes }) => partitionMaxBytes))
        seen.add(`${maxWaitMs} ms, ${minBytes} to ${maxBytes} bytes, ${each.join() || 'as before'}`)
      }
      return next(body)
    })
    const topic = await Topic.create(world, [1, 2])
    await topic.produce(1)
    await world.sleep(2_000)
    expect([...seen].sort()).toEqual(['500 ms, 1 to 10485760 bytes, 1048576', '500 ms, 1 to 10485760 bytes, as before'])
  },
)
