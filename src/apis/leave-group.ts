import type { Broker } from '../broker/broker.ts'
import type { Left } from '../coordinators/groups/classic/classic-protocol.ts'
import { type Api, defineApi, type RequestContext } from '../wire/api.ts'
import { errorCodes, KafkaError } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, int16, int32, string } from '../wire/schema.ts'
import { demand } from './authorization.ts'

const request = {
  groupId: string,
  memberId: string.until(2),
  members: array({
    memberId: string,
    groupInstanceId: string.nullable().default(null),
    reason: string.nullable().since(5).default(null).ignorable(),
  }).since(3),
}

const response = {
  throttleTimeMs: int32.since(1).ignorable(),
  errorCode: int16,
  members: array({
    memberId: string,
    groupInstanceId: string.nullable(),
    errorCode: int16,
  }).since(3),
}

/**
 * Members leave a classic group, or somebody removes static ones by their instance ids (G-19). v3 takes many, with an
 * answer for each (KIP-345), v5 a reason (which stands in the trace). The group's coordinator.
 */
export const leaveGroup: Api<typeof request, typeof response> = defineApi({
  key: 13,
  name: 'LeaveGroup',
  versions: '0-5',
  flexibleFrom: 4,
  request,
  response,
  broker: answer,
})

type Response = Encodable<typeof response>

/** First version with many members, and their errors beside the request's. */
const MANY_MEMBERS_VERSION = 3

function answer(
  broker: Broker,
  { groupId, memberId, members }: Decoded<typeof request>,
  context: RequestContext,
): Response | Promise<Response> {
  const isMany = context.version >= MANY_MEMBERS_VERSION
  const answered = (left: readonly Left[]): Response => {
    if (!isMany) return { throttleTimeMs: 0, errorCode: errorCodes[left[0]!.error] }
    const answers = left.map(({ error, ...member }) => ({ ...member, errorCode: errorCodes[error] }))
    return { throttleTimeMs: 0, errorCode: errorCodes.NONE, members: answers }
  }
  const refused = (error: unknown): Response => {
    if (!(error instanceof KafkaError)) throw error
    return { throttleTimeMs: 0, errorCode: error.code, ...(isMany ? { members: [] } : {}) }
  }
  try {
    demand(broker, context, 'read', 'group', groupId)
    const leaving = isMany ? members : [{ memberId, groupInstanceId: null, reason: null }]
    const left = broker.groups.shardOfNamed(groupId).classic.leave(groupId, leaving)
    return left instanceof Promise ? left.then(answered, refused) : answered(left)
  } catch (error) {
    return refused(error)
  }
}
