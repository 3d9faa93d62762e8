import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { joinGroup } from '../../src/apis/join-group.ts'
import type { Cluster } from '../../src/index.ts'
import { createCluster } from '../../src/index.ts'
import { ask, nameOf } from './asking.ts'
import { beat, described, type Joined, type Joining, join, joinAsNew, leave, stateOf, sync } from './classic-asking.ts'
import { keptOn } from './committing.ts'
import { answeredWithin } from './group-states.ts'

let cluster: Cluster

beforeAll(async () => {
  cluster = await createCluster({
    brokers: 1,
    configs: { 'group.initial.rebalance.delay.ms': 0, 'group.min.session.timeout.ms': 1_000, 'group.max.size': 5 },
    topics: keptOn(1),
  })
})

afterAll(() => cluster.close())

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}'

describe('what JoinGroup refuses (G-10)', () => {
  test.each<[string, Joining, string]>([
    ['a session timeout below group.min.session.timeout.ms', { sessionMs: 999 }, 'INVALID_SESSION_TIMEOUT'],
    ['a session timeout above group.max.session.timeout.ms', { sessionMs: 1_800_001 }, 'INVALID_SESSION_TIMEOUT'],
    ['an empty protocol type', { protocolType: '' }, 'INCONSISTENT_GROUP_PROTOCOL'],
    ['no protocols', { protocols: [] }, 'INCONSISTENT_GROUP_PROTOCOL'],
    ['an id where there is no group', { memberId: 'somebody' }, 'UNKNOWN_MEMBER_ID'],
  ])('%s', async (_, joining, error) => {
    const { answer } = await join(cluster, `refused-${error}`, joining)
    expect(nameOf(answer.errorCode)).toBe(error)
    const nothing = { generationId: -1, protocolType: null, protocolName: null, leader: '', members: [] }
    expect(answer).toMatchObject({ ...nothing, memberId: joining.memberId ?? '' })
  })

  test('an empty group id (G-3)', async () => {
    expect(await join(cluster, '', {})).toMatchObject({ error: 'INVALID_GROUP_ID', memberId: '' })
    const nobody = { memberId: 'a', generation: 1 }
    expect((await sync(cluster, '', nobody)).error).toBe('INVALID_GROUP_ID')
    expect(await beat(cluster, '', nobody)).toBe('INVALID_GROUP_ID')
    expect(await leave(cluster, '', { memberId: 'a' })).toEqual(['INVALID_GROUP_ID'])
  })

  test('before v7 with an empty protocol where later versions have none', async () => {
    for (const [version, protocolName] of [
      [0, ''],
      [6, ''],
      [7, null],
      [9, null],
    ] as const) {
      const { answer } = await join(cluster, 'nullable', { version, memberId: 'nobody' })
      expect(answer.protocolName).toBe(protocolName)
    }
  })

  test('one more than group.max.size, of which in a rebalance only those count who have joined again', async () => {
    const first = await joinAsNew(cluster, 'full', { rebalanceMs: 20_000 })
    const waiting: Promise<Joined>[] = []
    for (let i = 0; i < 5; i++) {
      waiting.push(joinAsNew(cluster, 'full', { rebalanceMs: 20_000 }))
      expect(await answeredWithin(cluster, waiting.at(-1)!, 10)).toBeUndefined()
    }
    expect(await join(cluster, 'full')).toMatchObject({ error: 'GROUP_MAX_SIZE_REACHED', memberId: '' })
    // The first member finds no room to come back, and is out with that: the others make the generation.
    expect((await join(cluster, 'full', { memberId: first.memberId })).error).toBe('GROUP_MAX_SIZE_REACHED')
    await cluster.clock.advance(20_000)
    const answers = await Promise.all(waiting)
    expect(answers.map(({ error, generation }) => [error, generation])).toEqual(Array(5).fill(['NONE', 2]))
    expect((await described(cluster, 'full')).members).toHaveLength(5)
    expect((await join(cluster, 'full')).error).toBe('GROUP_MAX_SIZE_REACHED')
  })
})

describe('the first join of a dynamic member (G-11)', () => {
  test('from v4 on is answered with an id, which is the client’s name and a uuid', async () => {
    for (const version of [4, 5, 9]) {
      const { error, memberId } = await join(cluster, 'ids', { version })
      expect(error).toBe('MEMBER_ID_REQUIRED')
      expect(memberId).toMatch(new RegExp(`^asker-${UUID}$`))
    }
  })

  test('before v4 joins at once', async () => {
    for (const version of [0, 1, 2, 3]) {
      const joined = await join(cluster, `at-once-${version}`, { version })
      expect(joined).toMatchObject({ error: 'NONE', generation: 1, leader: joined.memberId, protocol: 'range' })
      expect(joined.memberId).toMatch(new RegExp(`^asker-${UUID}$`))
    }
  })

  test('makes the id worth nothing but to join with, until the session timeout', async () => {
    const { memberId } = await join(cluster, 'pending', { sessionMs: 1_500 })
    const speaking = { memberId, generation: 0 }
    expect((await sync(cluster, 'pending', speaking)).error).toBe('UNKNOWN_MEMBER_ID')
    expect(await beat(cluster, 'pending', speaking)).toBe('UNKNOWN_MEMBER_ID')
    await cluster.clock.advance(1_400)
    expect(await join(cluster, 'pending', { memberId })).toMatchObject({ error: 'NONE', generation: 1 })

    const late = await join(cluster, 'late', { sessionMs: 1_500 })
    await cluster.clock.advance(1_501)
    const answer = await join(cluster, 'late', { memberId: late.memberId })
    expect(answer).toMatchObject({ error: 'UNKNOWN_MEMBER_ID', memberId: late.memberId })
  })

  test('is waited for by a rebalance, which ends without whoever forgets the id', async () => {
    const leader = await joinAsNew(cluster, 'waits')
    await join(cluster, 'waits', { sessionMs: 2_000 })
    const again = join(cluster, 'waits', { memberId: leader.memberId, topics: ['other'] })
    expect(await answeredWithin(cluster, again, 1_900)).toBeUndefined()
    await cluster.clock.advance(200)
    expect(await again).toMatchObject({ error: 'NONE', generation: 2, members: [leader.memberId] })
  })
})

describe('the initial rebalance delay (G-12, X-34)', () => {
  /** When each was answered, joining at these times, in milliseconds since the first joined. */
  async function answeredAt(times: readonly number[], joining: Joining = {}): Promise<[number, Joined][]> {
    await using delayed = await createCluster({ brokers: 1, topics: keptOn(1) })
    const ids = await Promise.all(times.map(() => join(delayed, 'g', joining)))
    const start = delayed.clock.now()
    return await Promise.all(
      times.map(async (time, i): Promise<[number, Joined]> => {
        await delayed.clock.advance(time)
        const joined = await join(delayed, 'g', { ...joining, memberId: ids[i]!.memberId })
        return [Math.floor((delayed.clock.now() - start) / 100) * 100, joined]
      }),
    )
  }
  const times = (answered: [number, Joined][]) => answered.map(([at]) => at)

  test('keeps a single member waiting for 3 s', async () => {
    expect(times(await answeredAt([0]))).toEqual([3_000])
  })

  test('is extended by 3 s when somebody came meanwhile: two, 1 s apart, are answered after 6 s', async () => {
    const answered = await answeredAt([0, 1_000])
    expect(times(answered)).toEqual([6_000, 6_000])
    const [first, second] = answered.map(([, joined]) => joined)
    expect([first!.generation, second!.generation]).toEqual([1, 1])
    expect([first!.leader, second!.leader]).toEqual([first!.memberId, first!.memberId])
    expect([first!.members.length, second!.members.length]).toEqual([2, 0])
  })

  test('goes on as long as members come: at 0, 2.5 and 5 s', async () => {
    expect(times(await answeredAt([0, 2_500, 5_000]))).toEqual([9_000, 9_000, 9_000])
  })

  test('ends with the rebalance timeout, without those who come later', async () => {
    const answered = await answeredAt([0, 2_000, 4_000, 6_000], { rebalanceMs: 7_000 })
    expect(times(answered)).toEqual([7_000, 7_000, 7_000, 7_000])
  })

  test('is never less than 3 s, also with a shorter rebalance timeout', async () => {
    expect(times(await answeredAt([0, 500], { rebalanceMs: 2_000 }))).toEqual([3_000, 3_000])
  })
})

describe('a rebalance (G-12, G-13, G-14)', () => {
  test('waits for the known members, and goes on without those who do not come back in time', async () => {
    const slow = await joinAsNew(cluster, 'slow', { rebalanceMs: 3_000 })
    await sync(cluster, 'slow', { memberId: slow.memberId, generation: 1 })
    const start = cluster.clock.now()
    const second = await joinAsNew(cluster, 'slow', { rebalanceMs: 3_000 })
    expect(Math.round((cluster.clock.now() - start) / 100)).toBe(30)
    expect(second).toMatchObject({ error: 'NONE', generation: 2, leader: second.memberId, members: [second.memberId] })
    expect(await beat(cluster, 'slow', slow)).toBe('UNKNOWN_MEMBER_ID')
    expect(await join(cluster, 'slow', { memberId: slow.memberId })).toMatchObject({
      error: 'UNKNOWN_MEMBER_ID',
      memberId: slow.memberId,
    })
  })

  test('waits as long as its most patient member wants', async () => {
    const first = await joinAsNew(cluster, 'patient', { rebalanceMs: 5_000 })
    await sync(cluster, 'patient', { memberId: first.memberId, generation: 1 })
    const start = cluster.clock.now()
    await joinAsNew(cluster, 'patient', { rebalanceMs: 2_000 })
    expect(Math.round((cluster.clock.now() - start) / 100)).toBe(50)
  })

  test('of v0 has the session timeout for its rebalance timeout', async () => {
    const first = await join(cluster, 'v0', { version: 0, sessionMs: 4_000 })
    await sync(cluster, 'v0', { ...first, version: 0 })
    const start = cluster.clock.now()
    await join(cluster, 'v0', { version: 0, sessionMs: 1_000 })
    expect(Math.round((cluster.clock.now() - start) / 100)).toBe(40)
  })

  test('takes as leader whoever has joined first, if the leader is gone', async () => {
    const leader = await joinAsNew(cluster, 'leaders')
    const second = joinAsNew(cluster, 'leaders')
    await answeredWithin(cluster, second, 10)
    const third = joinAsNew(cluster, 'leaders')
    await answeredWithin(cluster, third, 10)
    await leave(cluster, 'leaders', { memberId: leader.memberId })
    const [a, b] = await Promise.all([second, third])
    expect([a.leader, b.leader]).toEqual([a.memberId, a.memberId])
    expect([a.members, b.members]).toEqual([[a.memberId, b.memberId], []])
  })

  test('follows when the leader joins again as it was, since more may have changed than its metadata', async () => {
    const leader = await joinAsNew(cluster, 'again')
    await sync(cluster, 'again', { memberId: leader.memberId, generation: 1 })
    expect(await join(cluster, 'again', { memberId: leader.memberId })).toMatchObject({ error: 'NONE', generation: 2 })
  })

  test('chooses a protocol that all offer, by their votes', async () => {
    const first = await joinAsNew(cluster, 'votes', { protocols: ['range', 'sticky'] })
    expect(first.protocol).toBe('range')
    const second = joinAsNew(cluster, 'votes', { protocols: ['sticky', 'range'] })
    await answeredWithin(cluster, second, 10)
    const again = { memberId: first.memberId, protocols: ['range', 'sticky'] }
    expect((await join(cluster, 'votes', again)).protocol).toBe('sticky')
    expect((await second).protocol).toBe('sticky')
    expect((await join(cluster, 'votes', { protocols: ['roundrobin'] })).error).toBe('INCONSISTENT_GROUP_PROTOCOL')
  })

  test('answers a member that asks twice the second time; the first time, that a rebalance is on', async () => {
    const first = await joinAsNew(cluster, 'twice')
    const { memberId } = await join(cluster, 'twice')
    const once = join(cluster, 'twice', { memberId })
    await answeredWithin(cluster, once, 10)
    const twice = join(cluster, 'twice', { memberId })
    expect((await once).error).toBe('REBALANCE_IN_PROGRESS')
    expect(await join(cluster, 'twice', { memberId: first.memberId })).toMatchObject({ error: 'NONE', generation: 2 })
    expect(await twice).toMatchObject({ error: 'NONE', generation: 2, memberId })
  })

  test('of members whose metadata nobody can read is one like any other', async () => {
    // A list of topics that claims to be longer than the bytes: Kafka's coordinator leaves such a group stuck.
    const metadata = new Uint8Array([0, 1, 0x7f, 0xff, 0xff, 0xff])
    const first = await joinAsNew(cluster, 'unreadable')
    const second = joinAsNew(cluster, 'unreadable', { metadata })
    await answeredWithin(cluster, second, 10)
    const answer = await join(cluster, 'unreadable', { memberId: first.memberId })
    expect(answer).toMatchObject({ error: 'NONE', generation: 2 })
    expect(answer.answer.members.map(member => [...member.metadata])).toContainEqual([...metadata])
    expect(await stateOf(cluster, 'unreadable')).toBe('CompletingRebalance')
    expect((await leave(cluster, 'unreadable', { memberId: (await second).memberId }))[1]).toBe('NONE')
  })
})

test('a reason for joining is taken from v8 on, and changes nothing', async () => {
  const body = { groupId: 'reasons', sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 10_000, memberId: '' }
  const protocols = [{ name: 'range', metadata: new Uint8Array(0) }]
  for (const version of [7, 8, 9]) {
    const asked = { ...body, protocolType: 'consumer', protocols, ...(version >= 8 ? { reason: 'because' } : {}) }
    expect(nameOf((await ask(cluster, 1, joinGroup, asked, version)).errorCode)).toBe('MEMBER_ID_REQUIRED')
  }
})
