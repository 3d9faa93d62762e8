import { expect, test } from 'vitest'
import { FetchSession, type WantedPartition } from '../../src/client/consumer/fetch-session.ts'

const id = 'AAAAAAAAAAAAAAAAAAAAAQ'
const wanted = (partition: number, fetchOffset = 0, topicId = id): WantedPartition => ({
  topic: 'orders',
  topicId,
  partition,
  currentLeaderEpoch: 0,
  fetchOffset,
  partitionMaxBytes: 1000,
})
const partitionsOf = ({ topics }: ReturnType<FetchSession['next']>) =>
  topics.flatMap(topic => topic.partitions.map(({ partition }) => partition))

test('a session begins in full; then only what has changed is said, and what is not wanted any more (F-20, F-23)', () => {
  const session = new FetchSession()
  const first = session.next([wanted(0), wanted(1)], true)
  expect([first.sessionId, first.sessionEpoch, partitionsOf(first)]).toEqual([0, 0, [0, 1]])
  session.answered(7)
  const second = session.next([wanted(0), wanted(1, 5)], true)
  expect([second.sessionId, second.sessionEpoch, partitionsOf(second)]).toEqual([7, 1, [1]])
  session.answered(7)
  const third = session.next([wanted(1, 5), wanted(2)], true)
  expect([third.sessionEpoch, partitionsOf(third)]).toEqual([2, [2]])
  expect(third.forgottenTopicsData).toEqual([{ topic: 'orders', topicId: id, partitions: [0] }])
})

test('a broker without room for a session is asked in full every time (F-20)', () => {
  const session = new FetchSession()
  session.next([wanted(0)], true)
  session.answered(0)
  const second = session.next([wanted(0)], true)
  expect([second.sessionId, second.sessionEpoch, partitionsOf(second)]).toEqual([0, 0, [0]])
})

test('after a disagreement the old session is closed by the full request that opens the next (F-21, F-24)', () => {
  const session = new FetchSession()
  session.next([wanted(0)], true)
  session.answered(7)
  session.next([wanted(0)], true)
  session.broken(false)
  const closing = session.next([wanted(0)], true)
  expect([closing.sessionId, closing.sessionEpoch, partitionsOf(closing)]).toEqual([7, 0, [0]])
  session.broken(true)
  expect(session.next([wanted(0)], true).sessionId).toBe(0)
})

test('a topic that was made anew is forgotten under its old id and added under the new', () => {
  const session = new FetchSession()
  session.next([wanted(0)], true)
  session.answered(7)
  const other = 'AAAAAAAAAAAAAAAAAAAAAg'
  const next = session.next([wanted(0, 0, other)], true)
  expect(next.topics.map(({ topicId }) => topicId)).toEqual([other])
  expect(next.forgottenTopicsData?.map(({ topicId }) => topicId)).toEqual([id])
})

test('a session that is left is ended with epoch -1 (F-22)', () => {
  const session = new FetchSession()
  expect(session.last()).toBeUndefined()
  session.next([wanted(0)], true)
  session.answered(7)
  expect(session.last()).toMatchObject({ sessionId: 7, sessionEpoch: -1, topics: [] })
  expect(session.last()).toBeUndefined()
})
