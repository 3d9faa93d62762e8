import { deleteGroups } from '../../apis/delete-groups.ts'
import { listGroups as listGroupsApi } from '../../apis/list-groups.ts'
import { PROTOCOL_TYPE } from '../../wire/consumer-protocol.ts'
import { type AdminClient, allOf, errorOfItem } from './admin-client.ts'
import { atCoordinators, type GroupAnswers, groupText } from './coordinator-calls.ts'

/** In Kafka's words; `Assigning` and `Reconciling` are of the new protocol (KIP-848), the two rebalances of the classic. */
export const groupStates = [
  'Unknown',
  'PreparingRebalance',
  'CompletingRebalance',
  'Stable',
  'Dead',
  'Empty',
  'Assigning',
  'Reconciling',
  'NotReady',
] as const
export type GroupState = (typeof groupStates)[number]

export const groupTypes = ['unknown', 'classic', 'consumer', 'share', 'streams'] as const
/** `classic`: JoinGroup and SyncGroup, or offsets alone; `consumer`: KIP-848. */
export type GroupType = (typeof groupTypes)[number]

export interface GroupListing {
  readonly groupId: string
  readonly type: GroupType
  /** The protocol type: `consumer` for groups of consumers, '' for one that only keeps offsets. */
  readonly protocolType: string
  readonly state: GroupState
  /** It has offsets that somebody without a group protocol commits, and no members. */
  readonly isSimpleConsumerGroup: boolean
}

export interface ListConsumerGroupsOptions {
  /** Only groups in these states; in any unless given. */
  readonly states?: readonly GroupState[]
  /** Only groups of these types; of any unless given. */
  readonly types?: readonly GroupType[]
}

export interface ListGroupsOptions extends ListConsumerGroupsOptions {
  /** Only groups of these protocol types, as in `['consumer', 'connect']`; of any unless given. */
  readonly protocolTypes?: readonly string[]
}

/** Every broker knows the groups that it coordinates: all are asked (G-41). */
export async function listGroups(client: AdminClient, options: ListGroupsOptions): Promise<GroupListing[]> {
  const { states = [], types = [], protocolTypes = [] } = options
  const body = {
    ...(states.length > 0 ? { statesFilter: states } : {}),
    ...(types.length > 0 ? { typesFilter: types } : {}),
  }
  const responses = await client.askEveryBroker(listGroupsApi, body, ({ errorCode }) => errorCode)
  const listings = new Map<string, GroupListing>()
  for (const { groups } of responses) {
    for (const { groupId, protocolType, groupState, groupType } of groups) {
      if (protocolTypes.length > 0 && !protocolTypes.includes(protocolType)) continue
      const type = groupTypeOf(groupType)
      const isSimpleConsumerGroup = type === 'classic' && protocolType === ''
      listings.set(groupId, { groupId, type, protocolType, state: groupStateOf(groupState), isSimpleConsumerGroup })
    }
  }
  return [...listings.values()].sort((a, b) => (a.groupId < b.groupId ? -1 : 1))
}

/** Groups of consumers, and those that only keep offsets. */
export function listConsumerGroups(client: AdminClient, options: ListConsumerGroupsOptions): Promise<GroupListing[]> {
  return listGroups(client, { ...options, protocolTypes: [PROTOCOL_TYPE, ''] })
}

/** G-35: NON_EMPTY_GROUP while it has members. */
export async function deleteConsumerGroups(client: AdminClient, groupIds: readonly string[]): Promise<void> {
  const answers = await atCoordinators<undefined>(client, groupIds, {
    what: 'DeleteGroups',
    async ask(node, groupsNames) {
      const { results } = await client.connections.request(node, deleteGroups, () => ({ groupsNames }))
      const said: GroupAnswers<undefined> = new Map()
      for (const { groupId, errorCode } of results) said.set(groupId, errorOfItem(errorCode))
      return said
    },
  })
  allOf(answers, groupText)
}

export function groupStateOf(text: string): GroupState {
  return (groupStates as readonly string[]).includes(text) ? (text as GroupState) : 'Unknown'
}

function groupTypeOf(text: string): GroupType {
  return (groupTypes as readonly string[]).includes(text) ? (text as GroupType) : 'unknown'
}
