import { didYouMean } from '../../metadata/nearest-name.ts'
import { IllegalArgumentError } from '../../wire/errors.ts'
import { refuseUnknown, requireArray, textOf } from '../arguments.ts'
import { checkPartition, checkPartitions } from '../consumer/subscription.ts'
import type { RemoveMembersOptions } from './group-members.ts'
import type { GroupPartitions, NewGroupOffset, NewGroupOffsets } from './group-offsets.ts'
import { groupStates, groupTypes, type ListGroupsOptions } from './groups.ts'

/*
 * What calls about groups are handed, checked before anything is asked. All of these throw IllegalArgumentError.
 */

export function checkGroupId(call: string, groupId: unknown): void {
  if (typeof groupId === 'string') return
  throw new IllegalArgumentError(`${call} takes the id of a group, as in 'billing', not ${JSON.stringify(groupId)}`)
}

export function checkGroupIds(call: string, groupIds: readonly string[]): void {
  requireArray(call, groupIds, "['billing', 'audit']")
  for (const groupId of groupIds) checkGroupId(call, groupId)
}

export function checkListing({ states, types, protocolTypes }: ListGroupsOptions): void {
  checkNames('states', states, groupStates)
  checkNames('types', types, groupTypes)
  checkNames('protocolTypes', protocolTypes)
}

function checkNames(field: string, given: readonly string[] | undefined, known?: readonly string[]): void {
  if (given === undefined) return
  requireArray(field, given, known === undefined ? "['consumer']" : `['${known[1]}']`)
  for (const name of given) {
    if (typeof name === 'string' && (known === undefined || known.includes(name))) continue
    const there = known === undefined ? 'is text' : `is one of ${known.join(', ')}`
    const hint = known === undefined || typeof name !== 'string' ? '' : didYouMean(name, known)
    throw new IllegalArgumentError(`each of ${field} ${there}, not ${JSON.stringify(name)}${hint}`)
  }
}

const example = "{ billing: [{ topic: 'orders', partition: 0 }], audit: null }"

/** A group by its id, or several with what is asked of each. */
export function checkGroupPartitions(call: string, groups: string | GroupPartitions): void {
  if (typeof groups === 'string') return
  if (typeof groups !== 'object' || groups === null || Array.isArray(groups)) {
    throw new IllegalArgumentError(`${call} takes the id of a group, or groups with their partitions, as in ${example}`)
  }
  for (const [groupId, partitions] of Object.entries(groups)) {
    if (partitions !== null) checkPartitions(`${call} of '${groupId}', as in ${example},`, partitions)
  }
}

/** A list, or a Map from partitions to offsets, as a list. */
export function checkNewOffsets(given: NewGroupOffsets): readonly NewGroupOffset[] {
  const call = 'alterConsumerGroupOffsets'
  const offsets = given instanceof Map ? listed(given) : (given as readonly NewGroupOffset[])
  requireArray(call, offsets, "[{ topic: 'orders', partition: 0, offset: 7 }]")
  for (const item of offsets) {
    refuseUnknown(call, item, ['topic', 'partition', 'offset', 'leaderEpoch', 'metadata'])
    checkPartition(item)
    const { topic, partition, offset, leaderEpoch = 0, metadata = '' } = item
    const name = `${call} of ${topic}-${partition}`
    if (!Number.isSafeInteger(offset) || offset < 0) {
      throw new IllegalArgumentError(`${name}: the offset is a number from 0 on, not ${textOf(offset)}`)
    }
    if (!Number.isSafeInteger(leaderEpoch) || leaderEpoch < -1) {
      throw new IllegalArgumentError(
        `${name}: the leaderEpoch is a number from 0 on, or −1 for none, not ${textOf(leaderEpoch)}`,
      )
    }
    if (typeof metadata !== 'string')
      throw new IllegalArgumentError(`${name}: the metadata is text, not ${textOf(metadata)}`)
  }
  return offsets
}

function listed(offsets: Exclude<NewGroupOffsets, readonly NewGroupOffset[]>): NewGroupOffset[] {
  return [...offsets].map(([partition, value]) => {
    checkPartition(partition)
    const place = { topic: partition.topic, partition: partition.partition }
    return typeof value === 'object' && value !== null ? { ...place, ...value } : { ...place, offset: value as number }
  })
}

export function checkRemoval({ groupInstanceIds }: RemoveMembersOptions): void {
  if (groupInstanceIds === undefined) return
  checkGroupIdsOfMembers(groupInstanceIds)
  if (groupInstanceIds.length > 0) return
  throw new IllegalArgumentError('groupInstanceIds names at least one member; left out, every member is removed')
}

function checkGroupIdsOfMembers(groupInstanceIds: readonly string[]): void {
  requireArray('groupInstanceIds', groupInstanceIds, "['billing-1']")
  for (const id of groupInstanceIds) {
    if (typeof id === 'string') continue
    throw new IllegalArgumentError(`groupInstanceIds are texts, as in ['billing-1'], not ${JSON.stringify(id)}`)
  }
}
