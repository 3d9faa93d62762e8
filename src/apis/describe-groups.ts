import type { Broker } from '../broker/broker.ts'
import { type Api, defineApi, type RequestContext } from '../wire/api.ts'
import { errorCodes, KafkaError } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, boolean, bytes, int16, int32, string } from '../wire/schema.ts'
import { authorizedOperations, demand } from './authorization.ts'

const request = {
  groups: array(string),
  includeAuthorizedOperations: boolean.since(3),
}

const response = {
  throttleTimeMs: int32.since(1).ignorable(),
  groups: array({
    errorCode: int16,
    errorMessage: string.nullable().since(6).default(null),
    groupId: string,
    groupState: string,
    protocolType: string,
    protocolData: string,
    members: array({
      memberId: string,
      groupInstanceId: string.nullable().since(4).default(null).ignorable(),
      clientId: string,
      clientHost: string,
      memberMetadata: bytes,
      memberAssignment: bytes,
    }),
    authorizedOperations: int32.since(3).default(-2147483648),
  }),
}

/**
 * Classic groups as they are: state, protocol, members with their subscriptions and assignments (G-41). v3 what the asker
 * may do, v4 static members, v6 GROUP_ID_NOT_FOUND with its reason where older versions say that the group is Dead. The
 * groups' coordinator. A group of another type is none.
 */
export const describeGroups: Api<typeof request, typeof response> = defineApi({
  key: 15,
  name: 'DescribeGroups',
  versions: '0-6',
  flexibleFrom: 5,
  request,
  response,
  broker: answer,
})

type DescribedGroup = Encodable<typeof response>['groups'][number]

/** First version in which a group that is not there is an error. */
const NOT_FOUND_VERSION = 6
const NOTHING = new Uint8Array(0)

function answer(
  broker: Broker,
  { groups, includeAuthorizedOperations }: Decoded<typeof request>,
  context: RequestContext,
): Encodable<typeof response> {
  return { throttleTimeMs: 0, groups: groups.map(id => described(broker, id, context, includeAuthorizedOperations)) }
}

function described(broker: Broker, groupId: string, context: RequestContext, withOperations: boolean): DescribedGroup {
  try {
    demand(broker, context, 'describe', 'group', groupId)
    const group = broker.groups.shardOf(groupId).directory.classicGroup(groupId)
    const isStable = group.state === 'Stable'
    return {
      errorCode: errorCodes.NONE,
      groupId,
      groupState: group.state,
      protocolType: group.protocolType ?? '',
      protocolData: (isStable ? group.protocol : null) ?? '',
      members: [...group.members.values()].map(member => ({
        memberId: member.id,
        groupInstanceId: member.instanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        memberMetadata: isStable ? member.metadataOf(group.protocol) : NOTHING,
        memberAssignment: member.assignment,
      })),
      ...(withOperations ? { authorizedOperations: authorizedOperations(broker, context, 'group', groupId) } : {}),
    }
  } catch (error) {
    if (error instanceof KafkaError) return refused(groupId, error, context.version)
    throw error
  }
}

function refused(groupId: string, { code, errorName, message }: KafkaError, version: number): DescribedGroup {
  const none = { groupId, protocolType: '', protocolData: '', members: [] }
  if (errorName !== 'GROUP_ID_NOT_FOUND') return { ...none, errorCode: code, groupState: '' }
  if (version < NOT_FOUND_VERSION) return { ...none, errorCode: errorCodes.NONE, groupState: 'Dead' }
  return { ...none, errorCode: code, errorMessage: message, groupState: 'Dead' }
}
