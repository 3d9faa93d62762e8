import { consumerGroupHeartbeat } from '../../../src/apis/consumer-group-heartbeat.ts'
import { deleteGroups } from '../../../src/apis/delete-groups.ts'
import { joinGroup } from '../../../src/apis/join-group.ts'
import { listGroups } from '../../../src/apis/list-groups.ts'
import { offsetCommit } from '../../../src/apis/offset-commit.ts'
import { offsetDelete } from '../../../src/apis/offset-delete.ts'
import { offsetFetch } from '../../../src/apis/offset-fetch.ts'
import type { RequestInput } from '../../../src/wire/api.ts'
import { encodeSubscription } from '../../../src/wire/consumer-protocol.ts'
import type { Chapter, Play } from '../play.ts'
import { UNKNOWN_ID } from './bad-input.ts'

type Commit = RequestInput<typeof offsetCommit>
type Part = Commit['topics'][number]['partitions'][number]

async function commits(play: Play): Promise<void> {
  const topicId = await play.topic('committed', [[1], [2]])
  const group = 'commits'
  const to = await play.coordinator(group)
  const of = (partitions: Partial<Part>[], more: Partial<Commit> = {}): Commit => ({
    groupId: group,
    generationIdOrMemberEpoch: -1,
    memberId: '',
    topics: [
      {
        name: 'committed',
        topicId,
        partitions: partitions.map(part => ({
          partitionIndex: 0,
          committedOffset: 5,
          committedMetadata: 'm',
          ...part,
        })),
      },
    ],
    ...more,
  })
  const step = (title: string, body: Commit, options: object = {}) =>
    play.every(title, offsetCommit, body, { to, ...options })
  await step('of an offset', of([{}]))
  await step('of two', of([{}, { partitionIndex: 1, committedOffset: 7 }]))
  await step('with an epoch', of([{ committedLeaderEpoch: 3 }]))
  await step('of a negative offset', of([{ committedOffset: -1 }]))
  await step('without metadata', of([{ committedMetadata: null }]))
  await step('with much metadata', of([{ committedMetadata: 'x'.repeat(5_000) }]))
  await step('of a partition twice', of([{ committedOffset: 1 }, { committedOffset: 2 }]))
  await step('of an unknown partition', of([{ partitionIndex: 9 }]))
  await step('of a negative partition', of([{ partitionIndex: -1 }]))
  await step('of a good and an unknown partition', of([{}, { partitionIndex: 9 }]))
  const unknown = { name: 'never-was', topicId: UNKNOWN_ID }
  await step('of an unknown topic', { ...of([]), topics: [{ ...unknown, partitions: of([{}]).topics[0]!.partitions }] })
  await step('of a bad and a good topic', {
    ...of([]),
    topics: [{ ...unknown, partitions: of([{}]).topics[0]!.partitions }, ...of([{}]).topics],
  })
  await step('of nothing', { ...of([]), topics: [] })
  await step('of no partition', of([]))
  await step('by a member of nothing', of([{}], { memberId: 'nobody' }))
  await step('in a generation of nothing', of([{}], { generationIdOrMemberEpoch: 1 }))
  await step('by a member in a generation', of([{}], { memberId: 'nobody', generationIdOrMemberEpoch: 1 }))
  await step('by an instance of nothing', of([{}], { groupInstanceId: 'i' }), { from: 7 })
  await step('of the empty group', of([{}], { groupId: '' }))
  await step('at a broker that does not coordinate it', of([{}]), { to: await play.stranger(group) })
  await step('with a time to live', of([{}], { retentionTimeMs: 1_000_000 }), { until: 4 })
  await fetches(play, group, to, topicId)
}

async function fetches(play: Play, group: string, to: number, topicId: string): Promise<void> {
  type Topics =
    | readonly { readonly name: string; readonly topicId: string; readonly partitionIndexes: number[] }[]
    | null
  const of = (groupId: string, topics: Topics, more: object = {}) => ({
    groupId,
    topics,
    groups: [{ groupId, topics, memberId: null, memberEpoch: -1 }],
    requireStable: false,
    ...more,
  })
  const step = (title: string, body: RequestInput<typeof offsetFetch>, options: object = {}) =>
    play.every(title, offsetFetch, body, { to, ...options })
  const mine = { name: 'committed', topicId }
  await step('of an offset', of(group, [{ ...mine, partitionIndexes: [0] }]))
  await step('of several, known and unknown', of(group, [{ ...mine, partitionIndexes: [1, 0, 9, -1] }]))
  await step('of an unknown topic', of(group, [{ name: 'never-was', topicId: UNKNOWN_ID, partitionIndexes: [0] }]))
  await step('of everything', of(group, null), { from: 2 })
  await step('of nothing', of(group, []))
  await step('of no partition', of(group, [{ ...mine, partitionIndexes: [] }]))
  await step('of a partition twice', of(group, [{ ...mine, partitionIndexes: [0, 0] }]))
  await step(
    'of a topic twice',
    of(group, [
      { ...mine, partitionIndexes: [0] },
      { ...mine, partitionIndexes: [1] },
    ]),
  )
  await step('that are final', of(group, [{ ...mine, partitionIndexes: [0] }], { requireStable: true }), { from: 7 })
  await step('of the empty group', of('', [{ ...mine, partitionIndexes: [0] }]))
  await step('at a broker that does not coordinate it', of(group, [{ ...mine, partitionIndexes: [0] }]), {
    to: await play.stranger(group),
  })
  const never = await play.coordinator('commits-never')
  await step('of a group that never was', of('commits-never', [{ ...mine, partitionIndexes: [0] }]), { to: never })
  await step('of everything of a group that never was', of('commits-never', null), { to: never, from: 2 })
  type Groups = NonNullable<RequestInput<typeof offsetFetch>['groups']>
  const many = (...groups: Groups) => ({ groups, requireStable: false })
  await step('of no group', many(), { from: 8 })
  await step(
    'of a group twice',
    many({ groupId: group, topics: null }, { groupId: group, topics: [{ ...mine, partitionIndexes: [1] }] }),
    { from: 8 },
  )
  await step('by a member of nothing', many({ groupId: group, topics: null, memberId: 'nobody', memberEpoch: 1 }), {
    from: 9,
  })
}

async function deletions(play: Play): Promise<void> {
  const topicId = await play.topic('deleted-offsets', [[1], [2]])
  const commit = async (groupId: string) => {
    const partitions = [0, 1].map(partitionIndex => ({ partitionIndex, committedOffset: 5, committedMetadata: '' }))
    await play.request(
      offsetCommit,
      9,
      {
        groupId,
        generationIdOrMemberEpoch: -1,
        memberId: '',
        topics: [{ name: 'deleted-offsets', topicId, partitions }],
      },
      { to: await play.coordinator(groupId) },
    )
  }
  await commit('deletes')
  const to = await play.coordinator('deletes')
  const of = (groupId: string, ...topics: [string, number[]][]) => ({
    groupId,
    topics: topics.map(([name, indexes]) => ({
      name,
      partitions: indexes.map(partitionIndex => ({ partitionIndex })),
    })),
  })
  const step = (title: string, body: RequestInput<typeof offsetDelete>, at = to) =>
    play.every(title, offsetDelete, body, { to: at })
  await step('of an offset', of('deletes', ['deleted-offsets', [0]]))
  await step('of it again', of('deletes', ['deleted-offsets', [0]]))
  await step('of an unknown partition', of('deletes', ['deleted-offsets', [9]]))
  await step('of an unknown topic', of('deletes', ['never-was', [0]]))
  await step('of nothing', of('deletes'))
  await step('of no partition', of('deletes', ['deleted-offsets', []]))
  await step('of a partition twice', of('deletes', ['deleted-offsets', [1, 1]]))
  await step('of the empty group', of('', ['deleted-offsets', [0]]))
  await step(
    'of a group that never was',
    of('deletes-never', ['deleted-offsets', [0]]),
    await play.coordinator('deletes-never'),
  )
  await step(
    'at a broker that does not coordinate it',
    of('deletes', ['deleted-offsets', [0]]),
    await play.stranger('deletes'),
  )
  for (let version = 0; version <= 2; version++) {
    await commit(`deletes-v${version}`)
    const at = { to: await play.coordinator(`deletes-v${version}`) }
    await play.ask('of one with offsets', deleteGroups, version, { groupsNames: [`deletes-v${version}`] }, at)
    await play.ask('of it again', deleteGroups, version, { groupsNames: [`deletes-v${version}`] }, at)
  }
  await play.every(
    'of one that never was',
    deleteGroups,
    { groupsNames: ['deletes-never'] },
    { to: await play.coordinator('deletes-never') },
  )
  await play.every('of the empty one', deleteGroups, { groupsNames: [''] }, { to: await play.coordinator('') })
  await play.every('of none', deleteGroups, { groupsNames: [] }, { to })
  await play.every(
    'of one twice',
    deleteGroups,
    { groupsNames: ['deletes-none', 'deletes-none'] },
    { to: await play.coordinator('deletes-none') },
  )
  await play.every(
    'at a broker that does not coordinate it',
    deleteGroups,
    { groupsNames: ['deletes'] },
    { to: await play.stranger('deletes') },
  )
}

const MEMBER = 'bWVtYmVyLW9uZS1pcy1tZQ'

/** One group of each kind with a member in it: what may be done to it then. */
async function members(play: Play): Promise<void> {
  const topicId = await play.topic('kinds', [[1], [2]])
  const classic = 'kind-classic'
  const consumer = 'kind-consumer'
  const at = { [classic]: await play.coordinator(classic), [consumer]: await play.coordinator(consumer) }
  const metadata = encodeSubscription({ topics: ['kinds'] }, 1)
  const join = {
    sessionTimeoutMs: 30_000,
    rebalanceTimeoutMs: 30_000,
    memberId: '',
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata }],
  }
  const joined = await play.request(joinGroup, 3, { ...join, groupId: classic }, { to: at[classic]! })
  const beat = {
    memberId: MEMBER,
    memberEpoch: 0,
    rebalanceTimeoutMs: 30_000,
    subscribedTopicNames: ['kinds'],
    topicPartitions: [],
  }
  const heard = await play.request(consumerGroupHeartbeat, 1, { ...beat, groupId: consumer }, { to: at[consumer]! })
  const crossed = { ...beat, groupId: classic }
  await play.every('to a classic group that is not ready', consumerGroupHeartbeat, crossed, {
    to: at[classic]!,
    blur: ['partitions'],
  })
  await play.every(
    'of what is no subscription, to a consumer group',
    joinGroup,
    { ...join, groupId: consumer, protocolType: 'connect' },
    { to: at[consumer]! },
  )
  const inState = (group: keyof typeof at, state: string, options: object) =>
    play.every(
      `of the state of ${group}`,
      listGroups,
      { statesFilter: [state], typesFilter: [] },
      { to: at[group]!, ...options },
    )
  await inState(classic, 'CompletingRebalance', { from: 4 })
  await inState(consumer, 'Reconciling', { from: 4 })
  for (const [group, memberId, generation] of [
    [classic, joined.memberId, joined.generationId],
    [consumer, MEMBER, heard.memberEpoch],
  ] as const) {
    const to = at[group]!
    const topics = [
      { name: 'kinds', topicId, partitions: [{ partitionIndex: 0, committedOffset: 5, committedMetadata: '' }] },
    ]
    const commit = (title: string, who: string, epoch: number) =>
      play.every(
        `${title}, in ${group}`,
        offsetCommit,
        { groupId: group, memberId: who, generationIdOrMemberEpoch: epoch, topics },
        { to },
      )
    await commit('by its member', memberId, generation)
    await commit('by its member, a generation behind', memberId, generation - 1)
    await commit('by its member, a generation ahead', memberId, generation + 1)
    await commit('by another', 'another', generation)
    await commit('by nobody', '', -1)
    const groups = (who: string, epoch: number) => ({
      groupId: group,
      topics: [{ name: 'kinds', topicId, partitionIndexes: [0] }],
      groups: [
        {
          groupId: group,
          memberId: who,
          memberEpoch: epoch,
          topics: [{ name: 'kinds', topicId, partitionIndexes: [0] }],
        },
      ],
    })
    await play.every(`by its member, in ${group}`, offsetFetch, groups(memberId, generation), { to, from: 9 })
    await play.every(`by its member, a generation behind, in ${group}`, offsetFetch, groups(memberId, generation - 1), {
      to,
      from: 9,
    })
    await play.every(`by another, in ${group}`, offsetFetch, groups('another', generation), { to, from: 9 })
    const partitions = [{ partitionIndex: 0 }]
    await play.every(
      `of what is subscribed, in ${group}`,
      offsetDelete,
      { groupId: group, topics: [{ name: 'kinds', partitions }] },
      { to },
    )
    await play.every(`of ${group}`, deleteGroups, { groupsNames: [group] }, { to })
  }
  await play.request(consumerGroupHeartbeat, 1, { ...beat, groupId: consumer, memberEpoch: -1 }, { to: at[consumer]! })
}

/** What each broker lists depends on who coordinates what: only filters that nothing passes are alike. */
async function listings(play: Play): Promise<void> {
  await play.coordinator('anybody')
  const of = (statesFilter: string[], typesFilter: string[] = []) => ({ statesFilter, typesFilter })
  await play.every('of an unknown state', listGroups, of(['Lost']), { from: 4 })
  await play.every('of an unknown type', listGroups, of([], ['lost']), { from: 5 })
  await play.every('of a state that no group is in', listGroups, of(['Dead']), { from: 4 })
  await play.every('of an empty state', listGroups, of(['']), { from: 4 })
  await play.every('of a type and a state that exclude each other', listGroups, of(['Assigning'], ['classic']), {
    from: 5,
  })
  for (const to of [1, 2]) await play.every(`of anything, by ${to}`, listGroups, of([]), { blur: ['groups'], to })
}

export const offsetChapters: readonly Chapter[] = [
  { title: 'offsets are committed and fetched', play: commits },
  { title: 'offsets and groups are deleted', play: deletions },
  { title: 'what members of each kind may do', play: members },
  { title: 'groups are listed', play: listings },
]
