import { consumerGroupDescribe } from '../../../src/apis/consumer-group-describe.ts'
import { consumerGroupHeartbeat } from '../../../src/apis/consumer-group-heartbeat.ts'
import type { RequestInput } from '../../../src/wire/api.ts'
import type { Chapter, Play } from '../play.ts'
import { UNKNOWN_ID } from './bad-input.ts'

type Beat = RequestInput<typeof consumerGroupHeartbeat>
const MEMBER = 'bWVtYmVyLW9uZS1pcy1tZQ'
const OTHER = 'bWVtYmVyLXR3by1pcy15dQ'

/** Each chapter has its own. */
const topicOf = (groupId: string) =>
  groupId === 'consumer-pair' ? 'consumed-by-two' : groupId.startsWith('consumer-life') ? 'consumed' : 'consumed-not'

const beating = (groupId: string, more: Partial<Beat> = {}): Beat => ({
  groupId,
  memberId: MEMBER,
  memberEpoch: 0,
  rebalanceTimeoutMs: 30_000,
  subscribedTopicNames: [topicOf(groupId)],
  topicPartitions: [],
  ...more,
})

/** What a member says that has nothing new to say. */
const calm = (groupId: string, memberEpoch: number, more: Partial<Beat> = {}): Beat =>
  beating(groupId, { memberEpoch, rebalanceTimeoutMs: -1, subscribedTopicNames: null, topicPartitions: null, ...more })

async function refusals(play: Play): Promise<void> {
  await play.topic('consumed-not', [[1], [2]])
  const to = await play.coordinator('consumer-refused')
  const stranger = await play.stranger('consumer-refused')
  const bad: Readonly<Record<string, Partial<Beat>>> = {
    'of the empty group': { groupId: '' },
    'of a blank group': { groupId: '  ' },
    'of a member that is not there': { memberEpoch: 3, subscribedTopicNames: null, topicPartitions: null },
    'below −2': { memberEpoch: -3 },
    'that leaves and never came': { memberEpoch: -1 },
    'that leaves for a while and has no name': { memberEpoch: -2 },
    'that leaves for a while and never came': { memberEpoch: -2, instanceId: 'i' },
    'with an empty instance id': { instanceId: '' },
    'with an empty rack': { rackId: '' },
    'without a time to rebalance': { rebalanceTimeoutMs: -1 },
    'with no time to rebalance': { rebalanceTimeoutMs: 0 },
    'without a subscription': { subscribedTopicNames: null },
    'without partitions': { topicPartitions: null },
    'with partitions at the beginning': { topicPartitions: [{ topicId: UNKNOWN_ID, partitions: [0] }] },
    'with an unknown assignor': { serverAssignor: 'best' },
    'with an empty assignor': { serverAssignor: '' },
  }
  for (const [title, more] of Object.entries(bad)) {
    const groupId = 'groupId' in more ? more.groupId! : 'consumer-refused'
    await play.every(title, consumerGroupHeartbeat, beating(groupId, more), { to })
    const leave = { ...beating(groupId), memberEpoch: -1 }
    if (groupId === 'consumer-refused') await play.request(consumerGroupHeartbeat, 1, leave, { to })
  }
  await play.every('without a member id', consumerGroupHeartbeat, beating('consumer-refused', { memberId: '' }), {
    to,
    from: 1,
  })
  await play.every('at a broker that does not coordinate it', consumerGroupHeartbeat, beating('consumer-refused'), {
    to: stranger,
  })
  const patterns = { 'with a pattern': 'consum.*', 'with a bad pattern': '(', 'with an empty pattern': '' }
  for (const [title, subscribedTopicRegex] of Object.entries(patterns)) {
    const group = `consumer-pattern-${Object.keys(patterns).indexOf(title)}`
    const at = { to: await play.coordinator(group), from: 1 }
    await play.every(
      title,
      consumerGroupHeartbeat,
      beating(group, { subscribedTopicNames: null, subscribedTopicRegex }),
      at,
    )
  }
}

/** One member comes, gets its partitions, is joined by another, and goes. */
async function life(play: Play, version: number, topicId: string): Promise<void> {
  const group = `consumer-life-v${version}`
  const to = await play.coordinator(group)
  const step = async (what: string, body: Beat) =>
    (await play.ask(`${what} in a group of v${version}`, consumerGroupHeartbeat, version, body, { to }))!
  const describe = (what: string) =>
    play.every(
      `${what} in a group of v${version}`,
      consumerGroupDescribe,
      { groupIds: [group], includeAuthorizedOperations: false },
      { to, from: version, until: version },
    )
  const come = version === 0 ? { memberId: MEMBER } : {}
  const first = await step('the first', beating(group, come))
  const owned = [{ topicId, partitions: [0, 1] }]
  await step('has its partitions', calm(group, first.memberEpoch, { topicPartitions: owned }))
  await step('says nothing new', calm(group, first.memberEpoch))
  await describe('alone')
  await step('is a generation behind', calm(group, first.memberEpoch - 1))
  await step('is two generations behind', calm(group, first.memberEpoch - 2))
  await step('is a generation ahead', calm(group, first.memberEpoch + 1))
  await step('comes again', beating(group, come))
  await step('says again what it wants', beating(group, { memberEpoch: first.memberEpoch }))
  await step(
    'wants what nobody has',
    beating(group, { memberEpoch: first.memberEpoch, subscribedTopicNames: ['never-was'], topicPartitions: owned }),
  )
  await describe('without what it wants')
  await step('goes', calm(group, -1))
  await describe('when all have gone')
  await step('has gone', calm(group, first.memberEpoch + 1))
  await step('goes again', calm(group, -1))
  const named = await step('comes with a name', beating(group, { instanceId: 'i' }))
  await step('comes with the name of another', beating(group, { memberId: OTHER, instanceId: 'i' }))
  await step('with a name, goes for a while', calm(group, -2, { instanceId: 'i' }))
  await step('is back under another id', beating(group, { memberId: OTHER, instanceId: 'i' }))
  await step('was replaced', calm(group, named.memberEpoch, { instanceId: 'i' }))
  await step('with a name, goes', calm(group, -1, { memberId: OTHER, instanceId: 'i' }))
}

async function lives(play: Play): Promise<void> {
  const topicId = await play.topic('consumed', [[1], [2]])
  for (const version of [0, 1]) await life(play, version, topicId)
  const to = await play.coordinator('consumer-life-v1')
  const of = (...groupIds: string[]) => ({ groupIds, includeAuthorizedOperations: true })
  await play.every('of one that was never there', consumerGroupDescribe, of('consumer-never'), {
    to: await play.coordinator('consumer-never'),
  })
  await play.every('of the empty one', consumerGroupDescribe, of(''), { to })
  await play.every('of none', consumerGroupDescribe, of(), { to })
  await play.every('of one twice', consumerGroupDescribe, of('consumer-life-v1', 'consumer-life-v1'), { to })
  await play.every('at a broker that does not coordinate it', consumerGroupDescribe, of('consumer-life-v1'), {
    to: await play.stranger('consumer-life-v1'),
  })
}

/** Two members share what there is. */
async function pair(play: Play): Promise<void> {
  const topicId = await play.topic('consumed-by-two', [[1], [2]])
  const group = 'consumer-pair'
  const to = await play.coordinator(group)
  const step = async (title: string, body: Beat) => (await play.ask(title, consumerGroupHeartbeat, 1, body, { to }))!
  const one = await step('one comes', beating(group))
  await step('one has both', calm(group, one.memberEpoch, { topicPartitions: [{ topicId, partitions: [0, 1] }] }))
  // Assignments are computed once a second at most.
  await play.world.sleep(1_500)
  const two = await step('two comes', beating(group, { memberId: OTHER }))
  const told = await step(
    'one is told to give up',
    calm(group, one.memberEpoch, { topicPartitions: [{ topicId, partitions: [0, 1] }] }),
  )
  await play.ask(
    'while one gives up',
    consumerGroupDescribe,
    1,
    { groupIds: [group], includeAuthorizedOperations: false },
    { to },
  )
  await step('two waits', calm(group, two.memberEpoch, { memberId: OTHER }))
  const kept = told.assignment?.topicPartitions ?? []
  const settled = await step('one has given up', calm(group, one.memberEpoch, { topicPartitions: kept }))
  await step('two has its share', calm(group, two.memberEpoch, { memberId: OTHER, topicPartitions: [] }))
  await play.ask(
    'when both have their share',
    consumerGroupDescribe,
    1,
    { groupIds: [group], includeAuthorizedOperations: false },
    { to },
  )
  await step(
    'one has what is the other’s',
    calm(group, settled.memberEpoch, { topicPartitions: [{ topicId, partitions: [0, 1] }] }),
  )
  await step('two goes', calm(group, -1, { memberId: OTHER }))
  await step('one goes', calm(group, -1))
}

export const consumerGroupChapters: readonly Chapter[] = [
  { title: 'consumer groups refuse', play: refusals },
  { title: 'the life of a consumer', play: lives },
  { title: 'two consumers', play: pair },
]
