import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Assignor, MemberSubscription, TopicPartitions } from '../../src/client/consumer/assignors/assignor.ts'
import { decodeStickyUserData, encodeStickyUserData } from '../../src/client/consumer/assignors/sticky-assignor.ts'
import { assignorsOf, rebalanceProtocolOf } from '../../src/client/consumer/assignors/strategies.ts'
import { partitionText, type TopicPartition } from '../../src/client/topic-partition.ts'
import type { ClassValue } from '../../src/metadata/config-definition.ts'
import { ConfigError } from '../../src/wire/errors.ts'

interface Case {
  readonly assignor: string
  readonly topics: Readonly<Record<string, number | readonly string[]>>
  readonly members: Readonly<Record<string, CaseMember>>
  readonly assignment: Readonly<Record<string, readonly string[]>>
}

interface CaseMember {
  readonly topics: readonly string[]
  readonly owned?: readonly string[]
  readonly generation?: number
  readonly rack?: string
  readonly instance?: string
}

const data = JSON.parse(readFileSync(new URL('../data/kafka/assignments.json', import.meta.url), 'utf8'))
const cases: readonly Case[] = data.cases

function partitionOf(text: string): TopicPartition {
  const at = text.lastIndexOf('-')
  return { topic: text.slice(0, at), partition: Number(text.slice(at + 1)) }
}

function topicsOf(topics: Case['topics']): Map<string, TopicPartitions> {
  return new Map(
    Object.entries(topics).map(([topic, said]) => {
      if (typeof said === 'number') return [topic, { partitionCount: said }]
      return [topic, { partitionCount: said.length, racks: said.map(racks => racks.split('+')) }]
    }),
  )
}

function memberOf(assignor: string, member: CaseMember): MemberSubscription {
  const { topics, owned = [], generation: generationId = -1, rack, instance } = member
  const partitions = owned.map(partitionOf)
  const isSticky = assignor === 'sticky'
  return {
    topics,
    userData: isSticky && member.owned !== undefined ? encodeStickyUserData({ partitions, generationId }) : null,
    ownedPartitions: isSticky ? [] : partitions,
    generationId,
    rackId: rack ?? null,
    groupInstanceId: instance ?? null,
  }
}

function assigned(given: Omit<Case, 'assignment'>): Record<string, string[]> {
  const [assignor] = assignorsOf([given.assignor])
  const members = new Map(Object.entries(given.members).map(([id, member]) => [id, memberOf(given.assignor, member)]))
  const assignment = assignor!.assign(topicsOf(given.topics), members)
  return Object.fromEntries([...assignment].map(([id, partitions]) => [id, partitions.map(partitionText)]))
}

const sorted = (assignment: Case['assignment']) =>
  Object.fromEntries(Object.entries(assignment).map(([id, partitions]) => [id, [...partitions].sort()]))

test.for(['range', 'roundrobin', 'sticky', 'cooperative-sticky'])(
  '%s gives every drawn group what the Java assignor gives it',
  name => {
    const drawn = cases.filter(({ assignor }) => assignor === name)
    expect(drawn.length).toBeGreaterThan(50)
    for (const drawnCase of drawn) {
      expect(sorted(assigned(drawnCase)), JSON.stringify(drawnCase)).toEqual(sorted(drawnCase.assignment))
    }
  },
)

test('range splits topics of as many partitions alike, so that they can be joined', () => {
  const members = { a: { topics: ['orders', 'payments'] }, b: { topics: ['orders', 'payments'] } }
  expect(assigned({ assignor: 'range', topics: { orders: 3, payments: 3 }, members })).toEqual({
    a: ['orders-0', 'orders-1', 'payments-0', 'payments-1'],
    b: ['orders-2', 'payments-2'],
  })
})

test('range deals in the order of instance ids, so that a static member that comes back gets what it had', () => {
  const topics = { orders: 3 }
  const before = { z: { topics: ['orders'], instance: 'one' }, a: { topics: ['orders'] } }
  expect(assigned({ assignor: 'range', topics, members: before })).toEqual({
    z: ['orders-0', 'orders-1'],
    a: ['orders-2'],
  })
})

test('range reads within a rack where it can (KIP-881)', () => {
  const topics = { orders: ['east', 'west', 'east', 'west'] }
  const members = { a: { topics: ['orders'], rack: 'west' }, b: { topics: ['orders'], rack: 'east' } }
  expect(assigned({ assignor: 'range', topics, members })).toEqual({
    a: ['orders-1', 'orders-3'],
    b: ['orders-0', 'orders-2'],
  })
})

test('round robin deals all topics around, passing over those who did not subscribe', () => {
  const members = { a: { topics: ['x'] }, b: { topics: ['x', 'y'] }, c: { topics: ['y'] } }
  expect(assigned({ assignor: 'roundrobin', topics: { x: 3, y: 3 }, members })).toEqual({
    a: ['x-0', 'x-2'],
    b: ['x-1', 'y-0', 'y-2'],
    c: ['y-1'],
  })
})

test('sticky moves only the partitions of the member that left', () => {
  const members = {
    a: { topics: ['orders'], owned: ['orders-0', 'orders-3'], generation: 7 },
    c: { topics: ['orders'], owned: ['orders-2', 'orders-5'], generation: 7 },
  }
  expect(sorted(assigned({ assignor: 'sticky', topics: { orders: 6 }, members }))).toEqual({
    a: ['orders-0', 'orders-1', 'orders-3'],
    c: ['orders-2', 'orders-4', 'orders-5'],
  })
})

test('of two members that claim a partition, the one with the newer generation keeps it', () => {
  const members = {
    a: { topics: ['orders'], owned: ['orders-0', 'orders-1'], generation: 4 },
    b: { topics: ['orders'], owned: ['orders-1', 'orders-2'], generation: 5 },
  }
  expect(sorted(assigned({ assignor: 'sticky', topics: { orders: 4 }, members }))).toEqual({
    a: ['orders-0', 'orders-3'],
    b: ['orders-1', 'orders-2'],
  })
})

test('cooperative-sticky gives a new member nothing that another still reads; the next rebalance does (KIP-429)', () => {
  const topics = { orders: 4 }
  const subscribed = { topics: ['orders'], generation: 3 }
  const all = ['orders-0', 'orders-1', 'orders-2', 'orders-3']
  const first = { a: { ...subscribed, owned: all }, b: subscribed }
  expect(assigned({ assignor: 'cooperative-sticky', topics, members: first })).toEqual({
    a: ['orders-0', 'orders-1'],
    b: [],
  })
  const second = { a: { ...subscribed, owned: ['orders-0', 'orders-1'] }, b: subscribed }
  expect(assigned({ assignor: 'cooperative-sticky', topics, members: second })).toEqual({
    a: ['orders-0', 'orders-1'],
    b: ['orders-2', 'orders-3'],
  })
})

test('what two members of the same generation both claim is taken from both first', () => {
  const members = {
    a: { topics: ['orders'], owned: ['orders-0'], generation: 3 },
    b: { topics: ['orders'], owned: ['orders-0', 'orders-1'], generation: 3 },
  }
  expect(assigned({ assignor: 'cooperative-sticky', topics: { orders: 2 }, members })).toEqual({
    a: [],
    b: ['orders-1'],
  })
})

test('sticky tells its last assignment as StickyAssignorUserData, and reads that of older clients', () => {
  const [sticky] = assignorsOf(['sticky'])
  expect(sticky!.subscriptionUserData!(['orders'])).toBeNull()
  sticky!.onAssignment!([{ topic: 'ab', partition: 2 }], {
    groupId: 'g',
    generationId: 9,
    memberId: 'm',
    groupInstanceId: null,
  })
  const userData = sticky!.subscriptionUserData!(['ab'])!
  expect(Buffer.from(userData).toString('hex')).toBe('00000001' + '00026162' + '00000001' + '00000002' + '00000009')
  expect(decodeStickyUserData(userData)).toEqual({ partitions: [{ topic: 'ab', partition: 2 }], generationId: 9 })
  const older = userData.subarray(0, userData.length - 4)
  expect(decodeStickyUserData(older)).toEqual({ partitions: [{ topic: 'ab', partition: 2 }], generationId: -1 })
  expect(decodeStickyUserData(Buffer.from('nonsense'))).toEqual({ partitions: [], generationId: -1 })
})

test('cooperative-sticky tells its generation as user data, for leaders that know no field for it', () => {
  const [assignor] = assignorsOf(['cooperative-sticky'])
  expect(Buffer.from(assignor!.subscriptionUserData!([])!).toString('hex')).toBe('ffffffff')
  assignor!.onAssignment!([], { groupId: 'g', generationId: 5, memberId: 'm', groupInstanceId: null })
  const userData = assignor!.subscriptionUserData!([])
  const member = { topics: ['orders'], rackId: null, groupInstanceId: null, generationId: -1, userData }
  const newer = { ...member, ownedPartitions: [{ topic: 'orders', partition: 0 }] }
  const older = { ...newer, userData: Buffer.from('00000004', 'hex') }
  const assignment = assignor!.assign(
    new Map([['orders', { partitionCount: 1 }]]),
    new Map([
      ['a', older],
      ['b', newer],
    ]),
  )
  expect(assignment.get('b')).toEqual([{ topic: 'orders', partition: 0 }])
})

test('assignors go by the name on the wire, by Java names, or are your own', () => {
  const own: Assignor = { name: 'mine', assign: () => new Map() }
  class Another implements Assignor {
    readonly name = 'another'
    assign() {
      return new Map()
    }
  }
  const names = (...values: ClassValue[]) => assignorsOf(values).map(({ name }) => name)
  expect(names('range', 'cooperative-sticky')).toEqual(['range', 'cooperative-sticky'])
  expect(names('org.apache.kafka.clients.consumer.RoundRobinAssignor', 'StickyAssignor')).toEqual([
    'roundrobin',
    'sticky',
  ])
  expect(names(own, Another)).toEqual(['mine', 'another'])
  // Each consumer has its own: they remember.
  expect(assignorsOf(['sticky'])[0]).not.toBe(assignorsOf(['sticky'])[0])
})

test('an assignor that nobody knows is refused with the names of those that are known', () => {
  const known = 'known are range, roundrobin, sticky, cooperative-sticky'
  expect(() => assignorsOf(['rang'])).toThrow(
    new ConfigError(`partition.assignment.strategy 'rang' is not known: ${known}; did you mean 'range'?`),
  )
  expect(() => assignorsOf(['com.example.Own'])).toThrow(
    new ConfigError(`partition.assignment.strategy 'com.example.Own' is not known: ${known}`),
  )
  expect(() => assignorsOf([{ name: 'x' }])).toThrow(ConfigError)
  expect(() => assignorsOf(['range', 'RangeAssignor'])).toThrow(
    new ConfigError("partition.assignment.strategy: the name 'range' is used in more than one assignor"),
  )
})

test('a member rebalances cooperatively only if all its assignors can', () => {
  expect(rebalanceProtocolOf(assignorsOf(['range', 'cooperative-sticky']))).toBe('eager')
  expect(rebalanceProtocolOf(assignorsOf(['cooperative-sticky']))).toBe('cooperative')
  const cooperativeOnly: Assignor = { name: 'new', supportedProtocols: ['cooperative'], assign: () => new Map() }
  expect(() => rebalanceProtocolOf(assignorsOf(['range', cooperativeOnly]))).toThrow(
    new ConfigError('partition.assignment.strategy: the assignors range, new have no rebalance protocol in common'),
  )
})
