import { expect } from 'vitest'
import { fetch } from '../../src/apis/fetch.ts'
import { listOffsets } from '../../src/apis/list-offsets.ts'
import { metadata } from '../../src/apis/metadata.ts'
import { errorOf } from '../../src/wire/errors.ts'
import { story } from './story.ts'
import { Topic } from './topic.ts'
import type { World } from './world.ts'

interface Part {
  readonly topic?: string
  readonly partition?: number
  readonly offset?: number
}

/** A fetch of several partitions, with what is seen of its answer: `topic-partition: error, records, …`. */
async function fetchAll(
  world: World,
  parts: readonly Part[],
  options: {
    session?: readonly [id: number, epoch: number]
    forget?: readonly number[]
    maxWaitMs?: number
    minBytes?: number
    maxBytes?: number
    topic: string
  },
) {
  const { session = [0, -1], forget = [], maxWaitMs = 0, minBytes = 1, maxBytes = 1 << 20, topic } = options
  const startedAt = world.now()
  const names = [...new Set(parts.map(part => part.topic ?? topic))]
  const response = await world.request(1, fetch, 12, {
    maxWaitMs,
    minBytes,
    maxBytes,
    sessionId: session[0],
    sessionEpoch: session[1],
    topics: names.map(name => ({
      topic: name,
      partitions: parts
        .filter(part => (part.topic ?? topic) === name)
        .map(({ partition = 0, offset = 0 }) => ({ partition, fetchOffset: offset, partitionMaxBytes: 1 << 20 })),
    })),
    forgottenTopicsData: forget.length === 0 ? [] : [{ topic, partitions: [...forget] }],
  })
  return {
    error: errorOf(response.errorCode).name,
    sessionId: response.sessionId,
    tookMs: world.now() - startedAt,
    listed: response.responses.flatMap(({ partitions }) =>
      partitions.map(({ partitionIndex, errorCode, records }) => {
        const count = (records?.batches() ?? []).reduce((sum, batch) => sum + batch.count, 0)
        return `${partitionIndex}: ${errorCode === 0 ? count : errorOf(errorCode).name}`
      }),
    ),
  }
}

story(
  'a fetch is answered at once for an error that the log finds, not for one that the request handler finds beside good partitions (F-1)',
  async world => {
    const topic = await Topic.create(world, [1])
    const good = { offset: 0 }
    const [unknown, beyond] = [
      await fetchAll(world, [good, { topic: 'nobody-knows-it' }], { topic: topic.name, maxWaitMs: 500 }),
      await fetchAll(world, [good, { partition: 0, offset: 7 }], { topic: topic.name, maxWaitMs: 3_000 }),
    ]
    expect([unknown.listed, unknown.tookMs >= 500]).toEqual([['0: 0', '0: UNKNOWN_TOPIC_OR_PARTITION'], true])
    // The same partition twice: its last mention counts, and it is answered once.
    expect([beyond.listed, beyond.tookMs < 2_000]).toEqual([['0: OFFSET_OUT_OF_RANGE'], true])
    const alone = await fetchAll(world, [{ topic: 'nobody-knows-it' }], { topic: topic.name, maxWaitMs: 3_000 })
    expect([alone.listed, alone.tookMs < 2_000]).toEqual([['0: UNKNOWN_TOPIC_OR_PARTITION'], true])
    const none = await fetchAll(world, [], { topic: topic.name, maxWaitMs: 3_000 })
    expect([none.listed, none.tookMs < 2_000]).toEqual([[], true])
  },
)

story('a fetch that waited in vain for enough bytes answers with what came meanwhile (F-2, F-3)', async world => {
  const topic = await Topic.create(world, [1])
  const waiting = fetchAll(world, [{}], { topic: topic.name, maxWaitMs: 1_500, minBytes: 100_000 })
  await world.sleep(300)
  await topic.produce(3)
  const { listed, tookMs } = await waiting
  expect(listed).toEqual(['0: 3'])
  expect(tookMs).toBeGreaterThanOrEqual(1_500)
})

story('the limit of a fetch is for all of its partitions together (F-4, F-5, F-6)', async world => {
  const topic = await Topic.create(world, [[1], [1], [1]])
  const value = [{ value: new Uint8Array(500) }]
  for (const partition of [0, 1, 2]) await topic.produce(value, { partition })
  const parts = [0, 1, 2].map(partition => ({ partition }))
  const batch = topic.batch(value).size
  const { listed } = await fetchAll(world, parts, { topic: topic.name, maxBytes: 2 * batch })
  expect(listed).toEqual(['0: 1', '1: 1', '2: 0'])
})

story(
  'a session remembers what is fetched, and answers with what has news (F-20, F-21, F-22, F-23, F-24, F-25, F-27)',
  async world => {
    const topic = await Topic.create(world, [[1], [1]])
    const at = { topic: topic.name }
    const both = [{ partition: 0 }, { partition: 1 }]
    const first = await fetchAll(world, both, { ...at, session: [0, 0] })
    expect(first).toMatchObject({ error: 'NONE', listed: ['0: 0', '1: 0'] })
    const id = first.sessionId
    expect(id).not.toBe(0)
    // F-25: no news, nothing listed.
    expect(await fetchAll(world, [], { ...at, session: [id, 1] })).toMatchObject({ sessionId: id, listed: [] })
    await topic.produce(2, { partition: 1 })
    expect(await fetchAll(world, [], { ...at, session: [id, 2] })).toMatchObject({ listed: ['1: 2'] })
    const read = await fetchAll(world, [{ partition: 1, offset: 2 }], { ...at, session: [id, 3] })
    expect(read).toMatchObject({ error: 'NONE', listed: [] })
    // F-24: a wrong epoch, and a session that nobody knows; neither changes anything.
    expect(await fetchAll(world, [], { ...at, session: [id, 9] })).toMatchObject({
      error: 'INVALID_FETCH_SESSION_EPOCH',
      sessionId: 0,
    })
    expect(await fetchAll(world, [], { ...at, session: [id + 1, 1] })).toMatchObject({
      error: 'FETCH_SESSION_ID_NOT_FOUND',
      sessionId: 0,
    })
    // F-23: what is forgotten is not listed any more, what is added is.
    await topic.produce(1, { partition: 0 })
    expect(await fetchAll(world, [], { ...at, session: [id, 4], forget: [0] })).toMatchObject({ listed: [] })
    expect(await fetchAll(world, [{ partition: 0 }], { ...at, session: [id, 5] })).toMatchObject({ listed: ['0: 1'] })
    // F-21: another session instead of this one.
    const next = await fetchAll(world, both, { ...at, session: [id, 0] })
    expect(next.listed).toEqual(['0: 1', '1: 2'])
    expect([next.sessionId === 0, next.sessionId === id]).toEqual([false, false])
    expect((await fetchAll(world, [], { ...at, session: [id, 6] })).error).toBe('FETCH_SESSION_ID_NOT_FOUND')
    // F-27: without a partition left it is closed.
    const emptied = await fetchAll(world, [], { ...at, session: [next.sessionId, 1], forget: [0, 1] })
    expect(emptied).toMatchObject({ error: 'NONE', sessionId: 0, listed: [] })
    expect((await fetchAll(world, [], { ...at, session: [next.sessionId, 2] })).error).toBe(
      'FETCH_SESSION_ID_NOT_FOUND',
    )
    // F-22: no session at all.
    expect(await fetchAll(world, both, { ...at, session: [0, -1] })).toMatchObject({
      sessionId: 0,
      listed: ['0: 1', '1: 2'],
    })
  },
)

story('who was served goes to the end of the queue in a session, so that all get their turn (F-26)', async world => {
  const topic = await Topic.create(world, [[1], [1]])
  for (const partition of [0, 1]) await topic.produce(1, { partition })
  const at = { topic: topic.name, maxBytes: 1 }
  const first = await fetchAll(world, [{ partition: 0 }, { partition: 1 }], { ...at, session: [0, 0] })
  expect(first.listed).toEqual(['0: 1', '1: 0'])
  // The full fetch that opens a session does not count.
  const turns: string[] = []
  for (const epoch of [1, 2, 3]) {
    turns.push(...(await fetchAll(world, [], { ...at, session: [first.sessionId, epoch] })).listed)
  }
  expect(turns).toEqual(['0: 1', '1: 1', '0: 1'])
})

story('who asks the wrong broker for records learns from it who leads (F-11, F-12, P-8)', async world => {
  const topic = await Topic.create(world, [1, 2])
  await topic.produce(2)
  const ask = async (at: number, leaderEpoch = -1, topicId = topic.id) => {
    const asked = { partition: 0, fetchOffset: 0, partitionMaxBytes: 1000, currentLeaderEpoch: leaderEpoch }
    const { responses, nodeEndpoints } = await world.request(at, fetch, 16, {
      maxWaitMs: 0,
      minBytes: 1,
      topics: [{ topicId, partitions: [asked] }],
      forgottenTopicsData: [],
    })
    const { errorCode, currentLeader } = responses[0]!.partitions[0]!
    const endpoints = nodeEndpoints.map(({ nodeId, rack }) => `${nodeId} in ${rack}`).join()
    return `${errorOf(errorCode).name} ${currentLeader.leaderId}@${currentLeader.leaderEpoch} ${endpoints}`
  }
  expect(await ask(1, 0)).toBe('NONE -1@-1 ')
  expect(await ask(3)).toBe('NOT_LEADER_OR_FOLLOWER 1@0 1 in r1')
  expect(await ask(1, 5)).toBe('UNKNOWN_LEADER_EPOCH -1@-1 ')
  expect(await ask(1, 0, 'AAAAAAAAAAAAAAAAAAAAAQ')).toBe('UNKNOWN_TOPIC_ID -1@-1 ')
  expect([await topic.reassign([2, 1]), await topic.elect('preferred')]).toEqual(['NONE', 'NONE'])
  await topic.untilLedBy(2)
  await topic.until('1 follows', async () => (await ask(1, 0)).startsWith('FENCED'))
  expect([await ask(1, 0), await ask(2, 0)]).toEqual([
    'FENCED_LEADER_EPOCH 2@1 2 in r2',
    'FENCED_LEADER_EPOCH 2@1 2 in r2',
  ])
  expect(await topic.produce(1, { at: 1 })).toMatchObject({ error: 'NOT_LEADER_OR_FOLLOWER', currentLeader: '2@1' })
  expect((await topic.produce(1, { at: 1, version: 9 })).error).toBe('NOT_LEADER_OR_FOLLOWER')
})

story(
  'ListOffsets finds the ends of a log, its greatest timestamp, and the first record from a time on (F-30, F-31, F-32, F-33, F-34, F-35, F-36, F-37, F-39)',
  async world => {
    const topic = await Topic.create(world, [1])
    const base = world.now() - 100_000
    await topic.produce([1, 2, 3].map(at => ({ value: 'a', timestamp: base + at * 1000 })))
    await topic.produce([9, 4].map(at => ({ value: 'b', timestamp: base + at * 1000 })))
    const find = async (timestamp: number, version = 11) => {
      const { topics } = await world.request(1, listOffsets, version, {
        replicaId: -1,
        isolationLevel: 0,
        topics: [{ name: topic.name, partitions: [{ partitionIndex: 0, timestamp }] }],
      })
      const { errorCode, offset, timestamp: found, leaderEpoch } = topics[0]!.partitions[0]!
      if (errorCode !== 0) return errorOf(errorCode).name
      return `${offset} ${found < 0 ? found : (found - base) / 1000} e${leaderEpoch}`
    }
    expect({ latest: await find(-1), earliest: await find(-2), greatest: await find(-3) }).toEqual({
      latest: '5 -1 e0',
      earliest: '0 -1 e0',
      greatest: '3 9 e0',
    })
    expect([await find(-4), await find(-5), await find(-6)]).toEqual(['0 -1 e0', '-1 -1 e-1', '-1 -1 e-1'])
    expect([await find(base), await find(base + 2500), await find(base + 3500), await find(base + 9001)]).toEqual([
      '0 1 e0',
      '2 3 e0',
      '3 9 e0',
      '-1 -1 e-1',
    ])
    expect([await find(-7), await find(-3, 6)]).toEqual(['UNSUPPORTED_VERSION', 'UNSUPPORTED_VERSION'])
  },
)

story(
  'one connection has one request at a time: what comes behind a fetch that waits, waits with it (W-2, W-4)',
  async world => {
    const topic = await Topic.create(world, [1])
    const line = await world.connect(1)
    const startedAt = world.now()
    const order: string[] = []
    const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }]
    const waiting = line
      .request(fetch, 12, {
        maxWaitMs: 1_000,
        minBytes: 1,
        topics: [{ topic: topic.name, partitions }],
        forgottenTopicsData: [],
      })
      .then(() => order.push('Fetch'))
    const behind = line
      .request(metadata, 12, { topics: [], allowAutoTopicCreation: false, includeTopicAuthorizedOperations: false })
      .then(() => order.push('Metadata'))
    await Promise.all([waiting, behind])
    expect(order).toEqual(['Fetch', 'Metadata'])
    expect(world.now() - startedAt).toBeGreaterThanOrEqual(1_000)
    line.close()
  },
)

story(
  'an ApiVersions request of an unknown version is answered in version 0, with what is known (V-5, V-6, W-11)',
  async world => {
    const line = await world.connect(1)
    const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'))
    // V-5 without the length: version 0, then the same with a version that nobody has.
    await line.sendBytes(bytes('0012000000000001000163'))
    const known = Buffer.from(await line.receiveBytes()).toString('hex')
    expect(known.slice(0, 12)).toBe('000000010000')
    await line.sendBytes(bytes('001200630000000100016300'))
    expect(Buffer.from(await line.receiveBytes()).toString('hex')).toBe('00000001002300000001001200000004')
    line.close()
  },
)
