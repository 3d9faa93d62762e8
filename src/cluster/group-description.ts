import { partitionText } from '../client/topic-partition.ts'
import type { ClusterImage } from '../metadata/image.ts'
import { OFFSETS_TOPIC } from '../metadata/topic-names.ts'
import { lineOf, type TraceEvent, type TraceKind } from '../runtime/trace.ts'
import { IllegalStateError } from '../wire/errors.ts'
import { keptGroup, partitionOf } from './coordinator-lookup.ts'
import { consumerLines, consumersOf } from './group-consumers.ts'
import type { GroupHandle, GroupHost } from './group-handle.ts'
import type { GroupPartitionView } from './group-lag.ts'
import type { FoundGroup } from './group-lookup.ts'
import type { GroupMemberView } from './group-membership.ts'

const MEMBERS = 10
const PARTITIONS = 20
const EVENTS = 12

/** How a group stands, for somebody who waited in vain: who is in, what each has, how far it is, what happened last. */
export function describeGroup(
  group: GroupHandle,
  { runtime, image, members }: GroupHost,
  seen: FoundGroup | undefined,
): string {
  const { id } = group
  const committed = (topic: string, partition: number) =>
    seen?.shard.shard.committed.offsets.get(id, topic, partition)?.offset
  const lines = consumerLines(consumersOf(members, id), runtime.now(), seen?.membership, committed)
  const lacking = lines.length === 0 ? [] : ['consumers of this cluster:', ...cut(lines, PARTITIONS, 'lines')]
  return [...standing(group), ...lacking, ...story(id, keptIn(image(), id), runtime.trace.events())].join('\n')
}

/** The partition that keeps a group; undefined before there is one. */
function keptIn(image: ClusterImage, group: string): string | undefined {
  if (image.topic(OFFSETS_TOPIC) === undefined) return undefined
  return partitionText(partitionOf(image, keptGroup(group)))
}

/** Without what happened: lines. */
export function standing(group: GroupHandle): string[] {
  try {
    const { type, state, generation, protocol, members, partitions, coordinator } = group
    const count = type === 'classic' ? `generation ${generation}` : `group epoch ${generation}`
    const by = protocol === '' ? '' : `, assigned by ${protocol}`
    const head = `group '${group.id}' (${type}): ${state}, ${count}${by}, coordinator ${coordinator.name}`
    return [
      head,
      ...cut(members.map(memberLine), MEMBERS, 'members'),
      ...(members.length === 0 ? ['  no members'] : []),
      ...cut(partitions.map(partitionLine), PARTITIONS, 'partitions'),
    ]
  } catch (error) {
    // Nobody can say: that is how it stands.
    if (error instanceof RangeError || error instanceof IllegalStateError) return [error.message]
    throw error
  }
}

function memberLine({ memberId, groupInstanceId, clientId, host, assignment, memberEpoch }: GroupMemberView): string {
  const instance = groupInstanceId === undefined ? '' : `, instance ${groupInstanceId}`
  const epoch = memberEpoch === undefined ? '' : `, epoch ${memberEpoch}`
  const has = assignment.length === 0 ? 'nothing' : assignment.map(partitionText).join(', ')
  return `  member ${memberId} (client ${clientId} at ${host}${instance}${epoch}) has ${has}`
}

/** `orders-0: committed 5 of 9, 4 records left, read by consumer-1-…`. */
export function partitionLine(partition: GroupPartitionView): string {
  const { committedOffset, endOffset, lag, owner } = partition
  const committed = committedOffset === undefined ? 'nothing committed' : `committed ${committedOffset}`
  const end = endOffset === undefined ? 'an unknown end' : `${endOffset}`
  const left =
    lag === undefined ? 'nobody knows how many records are left' : `${lag} record${lag === 1 ? '' : 's'} left`
  const reader = owner === undefined ? 'read by nobody' : `read by ${owner}`
  return `  ${partitionText(partition)}: ${committed} of ${end}, ${left}, ${reader}`
}

function cut(lines: readonly string[], most: number, noun: string): string[] {
  if (lines.length <= most) return [...lines]
  return [...lines.slice(0, most), `  … and ${lines.length - most} ${noun} more`]
}

const KINDS: ReadonlySet<TraceKind> = new Set<TraceKind>(['group', 'coordinator', 'node', 'fault', 'bug', 'leader'])

/** What happened to a group, to the partition that keeps it, and to the nodes. */
function story(group: string, partition: string | undefined, events: readonly TraceEvent[]): string[] {
  const told = events.filter(({ kind, fields: { what, ...fields } }) => {
    if (!KINDS.has(kind)) return false
    if (kind === 'group') return what === group
    if (kind === 'node') return what !== 'starts' && what !== 'stopped'
    if (kind !== 'leader' && kind !== 'coordinator') return true
    return fields.partition === partition || `${what}`.split(' ', 1)[0] === partition
  })
  if (told.length === 0) return []
  return ['what happened last:', ...told.slice(-EVENTS).map(event => `  ${lineOf(event)}`)]
}
