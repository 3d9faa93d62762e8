import { describeGroups } from '../../../src/apis/describe-groups.ts'
import { heartbeat } from '../../../src/apis/heartbeat.ts'
import { joinGroup } from '../../../src/apis/join-group.ts'
import { leaveGroup } from '../../../src/apis/leave-group.ts'
import { syncGroup } from '../../../src/apis/sync-group.ts'
import type { RequestInput } from '../../../src/wire/api.ts'
import { encodeAssignment, encodeSubscription } from '../../../src/wire/consumer-protocol.ts'
import type { Chapter, Play } from '../play.ts'

const metadata = encodeSubscription({ topics: ['t'] }, 1)
const assignment = encodeAssignment({ assignedPartitions: [{ topic: 't', partitions: [0] }] }, 1)

function joining(groupId: string, more: Partial<RequestInput<typeof joinGroup>> = {}) {
  return {
    groupId,
    sessionTimeoutMs: 30_000,
    rebalanceTimeoutMs: 30_000,
    memberId: '',
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata }],
    ...more,
  }
}

/** Who is nobody in the group, or says something wrong. */
async function refusals(play: Play): Promise<void> {
  const group = 'classic-refused'
  const to = await play.coordinator(group)
  let count = 0
  // Whoever comes stays, and the next would wait for it: a group for each.
  const join = async (title: string, more: Partial<RequestInput<typeof joinGroup>>, { from = 0 } = {}) => {
    count++
    for (let version = from; version <= joinGroup.versions.max; version++) {
      const groupId = more.groupId ?? `classic-refused-${count}-v${version}`
      await play.ask(title, joinGroup, version, joining(groupId, more), { to: await play.coordinator(groupId) })
    }
  }
  await join('with an unknown member id', { memberId: 'nobody' })
  await join('with too short a session', { sessionTimeoutMs: 10 })
  await join('with too long a session', { sessionTimeoutMs: 10_000_000 })
  await join('with no session', { sessionTimeoutMs: 0 })
  await join('to the empty group', { groupId: '' })
  await join('without protocols', { protocols: [] })
  await join('without a protocol type', { protocolType: '' })
  await join('with an unknown member id as an instance', { memberId: 'nobody', groupInstanceId: 'i' }, { from: 5 })
  await join('with an empty instance id', { groupInstanceId: '' }, { from: 5 })
  await join('with a bad instance id', { groupInstanceId: 'bad id' }, { from: 5 })
  await join('for the first time, without an id', {}, { from: 4 })
  const stranger = await play.stranger(group)
  await play.every('at a broker that does not coordinate it', joinGroup, joining(group), { to: stranger })
  const beat = { groupId: group, generationId: 1, memberId: 'nobody' }
  const sync = { ...beat, assignments: [] }
  await play.every('of nobody', heartbeat, beat, { to })
  await play.every(
    'of an unknown group',
    heartbeat,
    { ...beat, groupId: 'classic-never' },
    { to: await play.coordinator('classic-never') },
  )
  await play.every('of the empty group', heartbeat, { ...beat, groupId: '' }, { to })
  await play.every('at a broker that does not coordinate it', heartbeat, beat, { to: stranger })
  await play.every('of an unknown instance', heartbeat, { ...beat, groupInstanceId: 'i' }, { to, from: 3 })
  await play.every('of nobody', syncGroup, sync, { to, until: 4 })
  const protocol = { protocolType: 'consumer', protocolName: 'range' }
  await play.every('of nobody, with its protocol', syncGroup, { ...sync, ...protocol }, { to, from: 5 })
  await play.every('without its protocol', syncGroup, sync, { to, from: 5 })
  await play.every('of the empty group', syncGroup, { ...sync, ...protocol, groupId: '' }, { to })
  await play.every('at a broker that does not coordinate it', syncGroup, { ...sync, ...protocol }, { to: stranger })
  const leave = (...ids: string[]) => ({
    groupId: group,
    memberId: ids[0] ?? '',
    members: ids.map(memberId => ({ memberId })),
  })
  await play.every('of nobody', leaveGroup, leave('nobody'), { to })
  await play.every('of two nobodies', leaveGroup, leave('nobody', 'no one'), { to, from: 3 })
  await play.every('of no members', leaveGroup, leave(), { to, from: 3 })
  await play.every('of the empty group', leaveGroup, { ...leave('nobody'), groupId: '' }, { to })
  await play.every(
    'of a group that never was',
    leaveGroup,
    { ...leave('nobody'), groupId: 'classic-never' },
    { to: await play.coordinator('classic-never') },
  )
  await play.every('at a broker that does not coordinate it', leaveGroup, leave('nobody'), { to: stranger })
  const instance = { groupId: group, members: [{ memberId: '', groupInstanceId: 'i' }] }
  await play.every('of an unknown instance', leaveGroup, instance, { to, from: 3 })
}

/** The life of one member, with one version for all that it says. */
async function alone(play: Play, version: number): Promise<void> {
  const group = `classic-alone-v${version}`
  const to = await play.coordinator(group)
  const at = <A extends { versions: { max: number } }>(api: A) => Math.min(version, api.versions.max)
  const title = `in a group of v${version}`
  const join = (what: string, more: Partial<RequestInput<typeof joinGroup>>) =>
    play.ask(`${what} ${title}`, joinGroup, version, joining(group, more), { to })
  const first = await join('the first member', {})
  const joined =
    first!.errorCode === 79 ? await join('the first member, with its id', { memberId: first!.memberId }) : first
  const { memberId, generationId } = joined!
  const me = { groupId: group, memberId, generationId }
  const sync = (what: string, more: object) =>
    play.ask(
      `${what} ${title}`,
      syncGroup,
      at(syncGroup),
      { ...me, protocolType: 'consumer', protocolName: 'range', assignments: [{ memberId, assignment }], ...more },
      { to },
    )
  const beat = (what: string, more: object) =>
    play.ask(`${what} ${title}`, heartbeat, at(heartbeat), { ...me, ...more }, { to })
  const describe = (what: string) =>
    play.ask(
      `${what} ${title}`,
      describeGroups,
      at(describeGroups),
      { groups: [group], includeAuthorizedOperations: false },
      { to },
    )
  await beat('before it knows its part,', {})
  await describe('before it knows its part,')
  await sync('of an old generation', { generationId: 0 })
  await sync('of a generation to come', { generationId: 9 })
  if (version >= 5) {
    await sync('of another protocol type', { protocolType: 'connect' })
    await sync('of another protocol', { protocolName: 'sticky' })
  }
  await sync('its part', {})
  await sync('its part again', { assignments: [] })
  await describe('with its part,')
  await beat('in its generation', {})
  await beat('in an old generation', { generationId: 0 })
  await beat('in a generation to come', { generationId: 9 })
  await beat('by another', { memberId: 'another' })
  await join('of another protocol type', { protocolType: 'connect' })
  await join('of no protocol in common', { memberId, protocols: [{ name: 'sticky', metadata }] })
  const again = await join('again', { memberId })
  const now = { ...me, generationId: again!.generationId }
  await play.ask(`before its part ${title}`, heartbeat, at(heartbeat), now, { to })
  await sync('again its part', now)
  const leave = { groupId: group, memberId, members: [{ memberId }] }
  await play.ask(`its end ${title}`, leaveGroup, at(leaveGroup), leave, { to })
  await play.ask(`its end again ${title}`, leaveGroup, at(leaveGroup), leave, { to })
  await describe('when all have left,')
  await beat('after its end', now)
}

async function lives(play: Play): Promise<void> {
  for (let version = 0; version <= joinGroup.versions.max; version++) await alone(play, version)
}

/** Two members; the second makes the first join again. */
async function together(play: Play): Promise<void> {
  const group = 'classic-pair'
  const to = await play.coordinator(group)
  const protocols = (topic: string, ...names: string[]) =>
    names.map(name => ({ name, metadata: encodeSubscription({ topics: [topic] }, 1) }))
  const join = async (title: string, version: number, more: Partial<RequestInput<typeof joinGroup>>, line: string) => {
    const found = await play.ask(title, joinGroup, version, joining(group, more), { to, line })
    return found!
  }
  const one = await join('one comes', 3, { protocols: protocols('a', 'range', 'sticky') }, 'one')
  const sync = (
    title: string,
    who: { memberId: string; generationId: number },
    line: string,
    members: readonly string[] = [],
  ) =>
    play.ask(
      title,
      syncGroup,
      3,
      {
        groupId: group,
        generationId: who.generationId,
        memberId: who.memberId,
        assignments: members.map(memberId => ({ memberId, assignment })),
      },
      { to, line },
    )
  await sync('one gives itself its part', one, 'one', [one.memberId])
  const coming = join('two comes', 2, { protocols: protocols('b', 'sticky', 'roundrobin') }, 'two')
  await play.until('the group rebalances', async () => {
    const body = { groupId: group, generationId: one.generationId, memberId: one.memberId }
    return (await play.request(heartbeat, 3, body, { to })).errorCode === 27
  })
  const me = { groupId: group, generationId: one.generationId, memberId: one.memberId }
  await play.every('while it rebalances', heartbeat, me, { to })
  await play.every(
    'while it rebalances',
    syncGroup,
    { ...me, protocolType: 'consumer', protocolName: 'range', assignments: [] },
    { to },
  )
  const [again, two] = await Promise.all([
    join('one comes again', 3, { memberId: one.memberId, protocols: protocols('a', 'range', 'sticky') }, 'one'),
    coming,
  ])
  const waiting = sync('two waits for its part', two, 'two')
  await sync('one gives parts', again, 'one', [again.memberId, two.memberId])
  await waiting
  await play.every('of the pair', describeGroups, { groups: [group], includeAuthorizedOperations: true }, { to })
  await play.every(
    'of the pair, of nobody and of none',
    describeGroups,
    { groups: [group, 'classic-never-was', ''], includeAuthorizedOperations: false },
    { to, blur: ['errorCode', 'groupState', 'errorMessage'] },
  )
  await play.ask('two goes', leaveGroup, 1, { groupId: group, memberId: two.memberId, members: [] }, { to })
  await play.ask('of one, when two has gone', heartbeat, 3, { ...me, generationId: again.generationId }, { to })
}

/** A member with a name of its own keeps its place. */
async function instances(play: Play): Promise<void> {
  for (let version = 5; version <= joinGroup.versions.max; version++) {
    const group = `classic-static-v${version}`
    const to = await play.coordinator(group)
    const title = `in a group of v${version}`
    const join = (what: string, more: Partial<RequestInput<typeof joinGroup>>) =>
      play.ask(`${what} ${title}`, joinGroup, version, joining(group, { groupInstanceId: 'i', ...more }), { to })
    const first = (await join('an instance', {}))!
    const me = { groupId: group, generationId: first.generationId, groupInstanceId: 'i' }
    const protocol = { protocolType: 'consumer', protocolName: 'range' }
    const part = {
      ...me,
      ...protocol,
      memberId: first.memberId,
      assignments: [{ memberId: first.memberId, assignment }],
    }
    await play.ask(`its part ${title}`, syncGroup, 5, part, { to })
    const second = (await join('the same instance again', {}))!
    await play.ask(`of who was replaced ${title}`, heartbeat, 4, { ...me, memberId: first.memberId }, { to })
    await play.ask(`of who was replaced ${title}`, syncGroup, 5, part, { to })
    await join('who was replaced', { memberId: first.memberId })
    await play.ask(`of who replaced it ${title}`, heartbeat, 4, { ...me, memberId: second.memberId }, { to })
    await play.ask(
      `its part again ${title}`,
      syncGroup,
      5,
      { ...part, memberId: second.memberId, assignments: [] },
      { to },
    )
    const other = { ...me, groupInstanceId: 'j', memberId: second.memberId }
    await play.ask(`of an unknown instance ${title}`, heartbeat, 4, other, { to })
    await play.ask(`of it ${title}`, describeGroups, 6, { groups: [group], includeAuthorizedOperations: false }, { to })
    const leaving = [
      { memberId: first.memberId, groupInstanceId: 'i' },
      { memberId: '', groupInstanceId: 'i' },
      { memberId: '', groupInstanceId: 'i' },
      { memberId: '', groupInstanceId: 'j' },
      { memberId: second.memberId, groupInstanceId: null },
    ]
    await play.ask(`of several ${title}`, leaveGroup, 5, { groupId: group, members: leaving }, { to })
  }
}

export const classicGroupChapters: readonly Chapter[] = [
  { title: 'classic groups refuse', play: refusals },
  { title: 'the life of a classic member', play: lives },
  { title: 'two classic members', play: together },
  { title: 'static classic members', play: instances },
]
