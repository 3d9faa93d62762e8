import { fetch } from '../../../src/apis/fetch.ts'
import type { RequestInput } from '../../../src/wire/api.ts'
import { CONTROLLER } from '../../scenarios/world.ts'
import type { Chapter, Play } from '../play.ts'
import { UNKNOWN_ID } from './bad-input.ts'
import { fill } from './records.ts'

interface Wanted {
  readonly name: string
  readonly id: string
  readonly partition?: number
  readonly offset?: number
  readonly maxBytes?: number
  readonly leaderEpoch?: number
  readonly lastFetchedEpoch?: number
}

function partitionOf({
  partition = 0,
  offset = 0,
  maxBytes = 1 << 20,
  leaderEpoch = -1,
  lastFetchedEpoch = -1,
}: Wanted) {
  return {
    partition,
    fetchOffset: offset,
    partitionMaxBytes: maxBytes,
    currentLeaderEpoch: leaderEpoch,
    lastFetchedEpoch,
  }
}

type Fetching = RequestInput<typeof fetch>

/** A consumer's fetch that waits for nothing. */
function fetching(wanted: readonly Wanted[], more: Partial<Fetching> = {}): Fetching {
  return {
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: 1 << 24,
    topics: wanted.map(each => ({ topic: each.name, topicId: each.id, partitions: [partitionOf(each)] })),
    forgottenTopicsData: [],
    ...more,
  }
}

const forgetting = (name: string, id: string, ...partitions: number[]) => [{ topic: name, topicId: id, partitions }]

async function reading(play: Play): Promise<void> {
  const name = 'fetched'
  const id = await play.topic(name, [[1], [2], [1]])
  await fill(play, { name }, [['a', 'b'], ['c'], [{ key: 'k', value: null }, 'd'], ['x'.repeat(200)]])
  await fill(play, { name, partition: 1, to: 2 }, [['elsewhere']])
  const of = (more: Partial<Wanted> = {}, request: Partial<Fetching> = {}) => fetching([{ name, id, ...more }], request)
  await play.every('from the beginning', fetch, of())
  await play.every('from within a batch', fetch, of({ offset: 1 }))
  await play.every('from the end', fetch, of({ offset: 6 }))
  await play.every('behind the end', fetch, of({ offset: 7 }))
  await play.every('from −1', fetch, of({ offset: -1 }))
  await play.every('from an empty partition', fetch, of({ partition: 2 }))
  await play.every('of a partition led elsewhere', fetch, of({ partition: 1 }))
  await play.every('of an unknown partition', fetch, of({ partition: 9 }))
  await play.every('of a negative partition', fetch, of({ partition: -1 }))
  await play.every('of an unknown topic', fetch, fetching([{ name: 'never-was', id: UNKNOWN_ID }]))
  await play.every('of a topic with a bad name', fetch, fetching([{ name: 'bad name', id: UNKNOWN_ID }]), { until: 12 })
  await play.every('of nothing', fetch, fetching([]))
  await play.every(
    'of a good and an unknown one',
    fetch,
    fetching([
      { name, id },
      { name: 'never-was', id: UNKNOWN_ID },
    ]),
  )
  await play.every(
    'of the same twice',
    fetch,
    fetching([
      { name, id },
      { name, id, offset: 2 },
    ]),
  )
  await play.every(
    'of two partitions',
    fetch,
    fetching([
      { name, id },
      { name, id, partition: 2 },
    ]),
  )
  await play.every('of one byte', fetch, of({ maxBytes: 1 }))
  await play.every('of no bytes', fetch, of({ maxBytes: 0 }))
  await play.every('of less than no bytes', fetch, of({ maxBytes: -1 }))
  await play.every('of an unknown isolation level', fetch, of({}, { isolationLevel: 7 }))
  await play.every('of no bytes in all', fetch, of({}, { maxBytes: 0 }))
  await play.every('of a few bytes in all', fetch, of({}, { maxBytes: 200 }))
  await play.every('that waits for more than there is', fetch, of({}, { maxWaitMs: 20, minBytes: 1 << 20 }))
  await play.every('that waits at the end', fetch, of({ offset: 6 }, { maxWaitMs: 20 }))
  await play.every('with negative patience', fetch, of({ offset: 6 }, { maxWaitMs: -5 }))
  await play.every('for less than nothing', fetch, of({ offset: 6 }, { minBytes: -5 }))
  await play.every('of what is committed', fetch, of({}, { isolationLevel: 1 }))
  await play.every('with the right epoch', fetch, of({ leaderEpoch: 0 }), { from: 9 })
  await play.every('with an epoch to come', fetch, of({ leaderEpoch: 9 }), { from: 9 })
  await play.every('with an epoch below −1', fetch, of({ leaderEpoch: -2 }), { from: 9 })
  await play.every('that fetched this epoch', fetch, of({ offset: 2, lastFetchedEpoch: 0 }), { from: 12 })
  await play.every('that fetched an epoch to come', fetch, of({ offset: 2, lastFetchedEpoch: 9 }), { from: 12 })
  await play.every('that fetched this epoch, too far', fetch, of({ offset: 9, lastFetchedEpoch: 0 }), { from: 12 })
  await play.every(
    'by a follower that is none',
    fetch,
    of({}, { replicaId: 3, replicaState: { replicaId: 3, replicaEpoch: -1 } }),
  )
  await play.every(
    'by an unknown follower',
    fetch,
    of({}, { replicaId: 9, replicaState: { replicaId: 9, replicaEpoch: -1 } }),
  )
  await play.every(
    'by a debugging consumer',
    fetch,
    of({}, { replicaId: -2, replicaState: { replicaId: -2, replicaEpoch: -1 } }),
  )
  await play.every('with a cluster id', fetch, of({}, { clusterId: 'another' }), { from: 12 })
  const metadataTopic = { name: '__cluster_metadata', id: 'AAAAAAAAAAAAAAAAAAAAAQ' }
  await play.every('of the metadata log, at a broker', fetch, fetching([metadataTopic]))
  await play.every('of a topic, at the controller', fetch, of(), { to: CONTROLLER })
}

async function sessions(play: Play): Promise<void> {
  const name = 'session'
  const id = await play.topic(name, [[1], [1], [1]])
  await fill(play, { name }, [['a'], ['b']])
  const all = [0, 1, 2].map(partition => ({ name, id, partition }))
  for (let version = 7; version <= fetch.versions.max; version++) {
    const step = (title: string, body: Fetching) => play.ask(title, fetch, version, body)
    const opened = await step('opens a session', fetching(all, { sessionId: 0, sessionEpoch: 0 }))
    const sessionId = opened!.sessionId
    const next = (sessionEpoch: number, wanted: readonly Wanted[] = [], more: Partial<Fetching> = {}) =>
      fetching(wanted, { sessionId, sessionEpoch, ...more })
    await step('goes on', next(1))
    await step('goes on, further', next(2, [{ name, id, offset: 2 }]))
    await step('goes on, with nothing new', next(3))
    await step('with an epoch of before', next(2))
    await step('with an epoch too high', next(9))
    await step('forgets', next(4, [], { forgottenTopicsData: forgetting(name, id, 1) }))
    await step(
      'forgets what it never had',
      next(5, [], { forgottenTopicsData: forgetting('never-was', UNKNOWN_ID, 7) }),
    )
    await step('adds what is unknown', next(6, [{ name, id, partition: 9 }]))
    await step('is told of it again', next(7))
    await step('forgets everything', next(8, [], { forgottenTopicsData: forgetting(name, id, 0, 1, 2, 9) }))
    await step('of nothing', next(9))
    await step('is closed', next(-1))
    await step('that was closed', next(10))
    await step('that nobody knows', fetching([], { sessionId: 12_345, sessionEpoch: 1 }))
    await step('that nobody knows, closed', fetching([], { sessionId: 12_345, sessionEpoch: -1 }))
    await step('with an epoch and no id', fetching(all, { sessionId: 0, sessionEpoch: 5 }))
    await step('opened with an old id', fetching(all, { sessionId: 12_345, sessionEpoch: 0 }))
    await step('of none, full', fetching(all, { sessionId: 0, sessionEpoch: -1 }))
    await step('opened by nobody in particular', fetching([], { sessionId: 0, sessionEpoch: 0 }))
  }
}

async function followers(play: Play): Promise<void> {
  const name = 'followed'
  const id = await play.topic(name, [[1, 2]])
  await fill(play, { name }, [['a', 'b', 'c']])
  const at = (offset: number, more: Partial<Fetching> = {}) => fetching([{ name, id, offset }], more)
  await play.until('the follower knows the high watermark', async () => {
    const { responses } = await play.request(fetch, 11, at(0), { to: 2 })
    return responses[0]!.partitions[0]!.highWatermark === 3
  })
  await play.every('at a follower', fetch, at(0), { to: 2 })
  await play.every('at a follower, behind its end', fetch, at(9), { to: 2 })
  await play.every('at a broker without it', fetch, at(0), { to: 3 })
  await play.every('from the rack of a follower', fetch, at(0, { rackId: 'r2' }), { from: 11 })
  await play.every('from the rack of the leader', fetch, at(0, { rackId: 'r1' }), { from: 11 })
  await play.every('from a rack without a replica', fetch, at(0, { rackId: 'r3' }), { from: 11 })
  await play.every('from the rack of a follower, at the follower', fetch, at(0, { rackId: 'r2' }), { to: 2, from: 11 })
}

export const fetchingChapters: readonly Chapter[] = [
  { title: 'records are fetched', play: reading },
  { title: 'sessions of fetching', play: sessions },
  { title: 'fetching near by', play: followers },
]
