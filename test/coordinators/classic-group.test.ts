import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ClassicGroup } from '../../src/coordinators/groups/classic/classic-group.ts'
import { ClassicMember } from '../../src/coordinators/groups/classic/classic-member.ts'
import { emptyGroupRecord, groupRecord, groupTombstone } from '../../src/coordinators/groups/classic/classic-records.ts'
import { type ClassicStateName, mayBecome } from '../../src/coordinators/groups/classic/classic-states.ts'
import { type GroupRecordInput, groupCodec } from '../../src/coordinators/groups/group-records.ts'
import { GroupState } from '../../src/coordinators/groups/group-state.ts'
import { encodeSubscription } from '../../src/wire/consumer-protocol.ts'

const NOW = 1_000
const place = { offset: 0, timestamp: NOW, producerId: -1, producerEpoch: -1 }

function replayed(...records: GroupRecordInput[]): GroupState {
  const state = new GroupState()
  for (const record of records) state.replay(groupCodec.decode(groupCodec.encode(record))!, place)
  return state
}

function member(id: string, topics: readonly string[], instanceId: string | null = null): ClassicMember {
  const metadata = encodeSubscription({ topics: [...topics] })
  return new ClassicMember(
    { id, instanceId, clientId: 'c', clientHost: '/127.0.0.1' },
    { protocols: [{ name: 'range', metadata }], rebalanceTimeoutMs: 60_000, sessionTimeoutMs: 10_000 },
  )
}

/** A group in its first generation, as its coordinator has it before the leader's SyncGroup. */
function groupOf(...members: ClassicMember[]): ClassicGroup {
  const group = new ClassicGroup('billing')
  for (const each of members) group.add(each, 'consumer')
  group.become('PreparingRebalance', NOW)
  group.beginGeneration(NOW)
  return group
}

test('a classic group goes from state to state as Kafka’s table says, and no other way', () => {
  const states: ClassicStateName[] = ['Empty', 'PreparingRebalance', 'CompletingRebalance', 'Stable', 'Dead']
  const legal = states.flatMap(from => states.filter(to => mayBecome(from, to)).map(to => `${from} → ${to}`))
  expect(legal).toEqual([
    'Empty → PreparingRebalance',
    'Empty → Dead',
    'PreparingRebalance → Empty',
    'PreparingRebalance → CompletingRebalance',
    'PreparingRebalance → Dead',
    'CompletingRebalance → PreparingRebalance',
    'CompletingRebalance → Stable',
    'CompletingRebalance → Dead',
    'Stable → PreparingRebalance',
    'Stable → Dead',
  ])
  expect(() => new ClassicGroup('billing').become('Stable', NOW)).toThrow(
    'group billing cannot go from Empty to Stable',
  )
})

describe('the record of a classic group (G-42)', () => {
  test('gives back what it was written from', () => {
    const name = fc.string({ minLength: 1, maxLength: 8 })
    const someone = fc.record({
      id: name,
      isStatic: fc.boolean(),
      topics: fc.array(name),
      assignment: fc.uint8Array({ maxLength: 9 }),
    })
    fc.assert(
      fc.property(fc.uniqueArray(someone, { minLength: 1, maxLength: 5, selector: ({ id }) => id }), all => {
        const members = all.map(({ id, isStatic, topics }) => member(id, topics, isStatic ? `i-${id}` : null))
        const group = groupOf(...members)
        const given = new Map(all.map(({ id, assignment }) => [id, assignment]))
        const record = groupRecord(group, NOW, members, group.leaderId, ({ id }) => given.get(id)!)
        const { groups } = replayed(record)
        const again = groups.get('billing') as ClassicGroup
        expect(again.state).toBe('Stable')
        const { generation, protocolType, protocol, leaderId, subscribedTopics, stateSince } = group
        expect(again).toMatchObject({ generation, protocolType, protocol, leaderId, subscribedTopics, stateSince })
        expect([...again.members.keys()]).toEqual(all.map(({ id }) => id))
        for (const { id, isStatic, assignment } of all) {
          const known = again.members.get(id)!
          expect(new Uint8Array(known.assignment)).toEqual(assignment)
          expect(known.offers(group.members.get(id)!.protocols)).toBe(true)
          expect(again.staticMemberId(`i-${id}`)).toBe(isStatic ? id : undefined)
        }
      }),
    )
  })

  test('says a generation of nobody when the last member is gone, and keeps the protocol type', () => {
    const group = groupOf(member('a', ['orders']))
    const all = groupRecord(group, NOW, group.members.values(), 'a', each => each.assignment)
    const again = replayed(all, emptyGroupRecord(group, NOW + 5)).groups.get('billing') as ClassicGroup
    expect([again.state, again.generation, again.protocolType, again.protocol, again.leaderId]).toEqual([
      'Empty',
      2,
      'consumer',
      null,
      null,
    ])
    expect([again.members.size, again.stateSince]).toEqual([0, NOW + 5])
  })

  test('that is a tombstone leaves no group, and one of a group that is not there changes nothing', () => {
    const group = groupOf(member('a', ['orders']))
    const record = groupRecord(group, NOW, group.members.values(), 'a', each => each.assignment)
    expect(replayed(record, groupTombstone('billing')).groups.size).toBe(0)
    expect(replayed(groupTombstone('billing')).groups.size).toBe(0)
  })

  test('written by an old broker, without a rebalance timeout, has the session timeout for it', () => {
    const group = groupOf(member('a', ['orders']))
    const record = groupRecord(group, NOW, group.members.values(), 'a', each => each.assignment)
    if (record.value === null) throw new Error('a record of a group has a value')
    const old = { ...record.value, members: record.value.members.map(each => ({ ...each, rebalanceTimeout: -1 })) }
    const again = replayed({ ...record, value: old }).groups.get('billing') as ClassicGroup
    expect(again.rebalanceTimeoutMs).toBe(10_000)
  })

  test('leaves what is written nowhere to the coordinator that acts', () => {
    const first = member('a', ['orders'])
    const range = first.protocols[0]!
    first.protocols = [range, { ...range, name: 'sticky' }]
    const group = groupOf(first)
    group.protocol = 'range'
    group.pendingMembers.set('b', NOW + 10_000)
    const state = new GroupState()
    state.groups.set('billing', group)
    const record = groupRecord(group, NOW, group.members.values(), 'a', () => new Uint8Array([7]))
    state.replay(groupCodec.decode(groupCodec.encode(record))!, place)
    expect(state.groups.get('billing')).toBe(group)
    expect(group.members.get('a')).toBe(first)
    expect([first.protocols.length, [...first.assignment], [...group.pendingMembers.keys()]]).toEqual([2, [7], ['b']])
  })
})

describe('topics that a group is subscribed to (G-35)', () => {
  test('are those of all members', () => {
    const group = groupOf(member('a', ['orders']), member('b', ['payments', 'orders']))
    expect(['orders', 'payments', 'other'].map(topic => group.isSubscribedTo(topic))).toEqual([true, true, false])
  })

  test('may be any while nobody can read what a member said', () => {
    const broken = member('b', [])
    // A list of topics that claims to be longer than the bytes.
    broken.protocols = [{ name: 'range', metadata: new Uint8Array([0, 1, 0x7f, 0xff, 0xff, 0xff]) }]
    const group = groupOf(member('a', ['orders']), broken)
    expect(group.state).toBe('CompletingRebalance')
    expect(group.isSubscribedTo('other')).toBe(true)
  })

  test('are none in a group that has never had members', () => {
    expect(new ClassicGroup('billing').isSubscribedTo('orders')).toBe(false)
  })
})
