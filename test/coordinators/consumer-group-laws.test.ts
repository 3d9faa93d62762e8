import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ConsumerGroup } from '../../src/coordinators/groups/consumer/consumer-group.ts'
import { withoutEpochs } from '../../src/coordinators/groups/consumer/partition-sets.ts'
import { KafkaError } from '../../src/wire/errors.ts'
import { DrivenConsumers, idOf } from './driven-consumers.ts'

const SESSION_MS = 45_000
const REBALANCE_MS = 3_600_000

/** A member as slow to let go as it may be: it takes what it is given at once, and gives up when it is told to `settle`. */
class ModelMember {
  readonly id: string
  epoch = 0
  /** As in `topicId-0`. */
  owned = new Set<string>()
  heardAt = 0
  topics: readonly string[] = []
  #target: ReadonlySet<string> = new Set()
  #saysTopics = true
  /** An answer was lost: the next request says everything, so that the next answer does (G-56). */
  #saysAll = false

  constructor(id: string) {
    this.id = id
  }

  subscribe(topics: readonly string[]): void {
    this.topics = topics
    this.#saysTopics = true
  }

  /** `isLost`: the answer never comes. */
  beat(drive: DrivenConsumers, { isLost = false, isSilent = false } = {}): void {
    this.heardAt = drive.runtime.now()
    try {
      const topics = this.#saysTopics || this.#saysAll ? { subscribedTopicNames: this.topics } : {}
      const said = isSilent && !this.#saysAll ? {} : { topicPartitions: listed(this.owned) }
      const rest = this.#saysAll ? { rebalanceTimeoutMs: REBALANCE_MS } : {}
      const answer =
        this.epoch === 0
          ? drive.join(this.id, this.topics)
          : drive.heartbeat(this.id, this.epoch, { ...topics, ...said, ...rest })
      this.#saysAll = isLost
      if (isLost) return
      this.epoch = answer.memberEpoch
      this.#saysTopics = false
      if (answer.assignment == null) return
      this.#target = new Set(
        answer.assignment.topicPartitions.flatMap(({ topicId, partitions }) => partitions.map(p => `${topicId}-${p}`)),
      )
      for (const partition of this.#target) this.owned.add(partition)
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      this.abandon()
    }
  }

  settle(): void {
    this.owned = new Set([...this.owned].filter(partition => this.#target.has(partition)))
  }

  leave(drive: DrivenConsumers): void {
    const { epoch } = this
    this.abandon()
    try {
      if (epoch > 0) drive.heartbeat(this.id, -1)
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
    }
  }

  abandon(): void {
    this.owned = new Set()
    this.#target = new Set()
    this.#saysTopics = true
    this.epoch = 0
  }
}

function listed(owned: ReadonlySet<string>) {
  const topics = new Map<string, number[]>()
  for (const partition of owned) {
    const [topicId, index] = [partition.slice(0, 22), Number(partition.slice(23))]
    topics.set(topicId, [...(topics.get(topicId) ?? []), index])
  }
  return [...topics].map(([topicId, partitions]) => ({ topicId, partitions }))
}

const names = ['A', 'B', 'C', 'D']
type Step =
  | { readonly do: 'beat'; readonly member: string; readonly isLost: boolean; readonly isSilent: boolean }
  | { readonly do: 'settle' | 'leave'; readonly member: string }
  | { readonly do: 'subscribe'; readonly member: string; readonly topics: readonly string[] }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'grow' | 'fail over' }

const member = fc.constantFrom(...names)
const rarely = fc.nat(9).map(n => n === 0)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ do: fc.constant('beat' as const), member, isLost: rarely, isSilent: rarely }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('settle' as const), member }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), member }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('subscribe' as const), member, topics: fc.subarray(['t', 'u']) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(300, 1000, 20_000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('grow' as const, 'fail over' as const) }) },
)

function oneOwnerEach(members: ReadonlyMap<string, ModelMember>): string[] {
  const owners = new Map<string, string>()
  const witnesses: string[] = []
  for (const { id, owned } of members.values()) {
    for (const partition of owned) {
      if (owners.has(partition)) witnesses.push(`${partition} is ${owners.get(partition)}'s and ${id}'s`)
      owners.set(partition, id)
    }
  }
  return witnesses
}

/** All of it that is written, in plain words. */
function stateOf(group: ConsumerGroup | undefined) {
  if (group === undefined) return undefined
  const { groupEpoch, assignmentEpoch, assignmentTimestamp, metadataHash, members, targets } = group
  return { groupEpoch, assignmentEpoch, assignmentTimestamp, metadataHash, members, targets }
}

async function run(drive: DrivenConsumers, members: ReadonlyMap<string, ModelMember>, steps: readonly Step[]) {
  for (const step of steps) {
    if (step.do === 'beat') members.get(step.member)!.beat(drive, step)
    else if (step.do === 'settle') members.get(step.member)!.settle()
    else if (step.do === 'leave') members.get(step.member)!.leave(drive)
    else if (step.do === 'subscribe') members.get(step.member)!.subscribe(step.topics)
    else if (step.do === 'grow') drive.addPartitions('t', 1)
    else if (step.do === 'fail over') {
      const before = stateOf(drive.latest)
      drive.failOver()
      expect(stateOf(drive.latest)).toEqual(before)
    } else if (step.do === 'pass') await drive.pass(step.ms)
    // Who was not heard of for so long must not believe that it has anything.
    const now = drive.runtime.now()
    for (const each of members.values()) if (now - each.heardAt >= SESSION_MS) each.abandon()
    expect(stateOf(drive.committed)).toEqual(stateOf(drive.latest))
    expect(oneOwnerEach(members)).toEqual([])
  }
}

async function check(steps: readonly Step[]): Promise<void> {
  const drive = new DrivenConsumers({ topics: { t: 3, u: 2 } })
  const members = new Map(names.map(name => [name, new ModelMember(name)]))
  for (const each of members.values()) each.subscribe(['t'])
  await run(drive, members, steps)

  for (let round = 0; round < 12; round++) {
    for (const each of members.values()) {
      each.beat(drive)
      each.settle()
    }
    expect(oneOwnerEach(members)).toEqual([])
    await drive.pass(1000)
  }
  const group = drive.latest
  expect(group.state).toBe('Stable')
  const wanted = new Set([...members.values()].flatMap(({ topics }) => topics))
  const partitions = [...wanted].flatMap(topic => {
    return drive.image.topic(topic)!.partitions.map((_, index) => `${idOf(topic)}-${index}`)
  })
  expect([...members.values()].flatMap(({ owned }) => [...owned]).sort()).toEqual(partitions.sort())
  for (const [memberId, { assigned }] of group.members) {
    expect(withoutEpochs(assigned)).toEqual(group.targetOf(memberId))
  }
  await drive.runtime.close(new Error('over'))
}

/** X-34; G-52, G-53, G-54, G-55: whatever is lost, late, or started anew. */
test('no partition is ever two members, and in the end everybody has its share and all is taken', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), steps => check(steps)),
    { numRuns: 150 },
  )
}, 60_000)

/** A request of long ago arrives while its member has partitions to give up that it did not have then. */
async function lateRequest(mutants: readonly string[]): Promise<string[]> {
  const drive = new DrivenConsumers({ topics: { t: 3 }, mutants })
  const members = new Map(['A', 'B', 'C'].map(name => [name, new ModelMember(name)]))
  for (const each of members.values()) each.subscribe(['t'])
  const [A, B, C] = [...members.values()] as [ModelMember, ModelMember, ModelMember]
  B.beat(drive)
  await drive.pass(1000)
  A.beat(drive)
  const late = { memberId: A.id, epoch: A.epoch, topicPartitions: listed(A.owned) }
  B.beat(drive)
  B.settle()
  B.beat(drive)
  A.beat(drive)
  drive.addPartitions('t', 3)
  await drive.pass(1000)
  A.beat(drive)
  B.beat(drive)
  await drive.pass(1000)
  C.beat(drive)
  A.beat(drive)
  expect([late.epoch, A.epoch, A.owned.size]).toEqual([3, 4, 3])
  try {
    drive.heartbeat(late.memberId, late.epoch, { topicPartitions: late.topicPartitions })
  } catch (error) {
    expect((error as KafkaError).errorName).toBe('FENCED_MEMBER_EPOCH')
  }
  C.beat(drive)
  return oneOwnerEach(members)
}

test('a request of long ago gives nothing up in its members name; with the check of epochs off, it does (G-52)', async () => {
  expect(await lateRequest([])).toEqual([])
  expect(await lateRequest(['no-member-fencing'])).toEqual([`${idOf('t')}-5 is A's and C's`])
})
