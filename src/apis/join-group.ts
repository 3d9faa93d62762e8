import type { Broker } from '../broker/broker.ts'
import { type Api, defineApi, type RequestContext } from '../wire/api.ts'
import { KafkaError } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, boolean, bytes, int16, int32, string } from '../wire/schema.ts'
import { demand } from './authorization.ts'

const request = {
  groupId: string,
  sessionTimeoutMs: int32,
  rebalanceTimeoutMs: int32.since(1).default(-1).ignorable(),
  memberId: string,
  groupInstanceId: string.nullable().since(5).default(null),
  protocolType: string,
  protocols: array({
    name: string,
    metadata: bytes,
  }),
  reason: string.nullable().since(8).default(null).ignorable(),
}

const response = {
  throttleTimeMs: int32.since(2).ignorable(),
  errorCode: int16,
  generationId: int32.default(-1),
  protocolType: string.nullable().since(7).default(null).ignorable(),
  protocolName: string.nullable(7),
  leader: string,
  skipAssignment: boolean.since(9).default(false),
  memberId: string,
  members: array({
    memberId: string,
    groupInstanceId: string.nullable().since(5).default(null).ignorable(),
    metadata: bytes,
  }),
}

/**
 * Takes part in a group that assigns by itself (the classic protocol): answers once the join phase is over, to the leader with
 * all members (G-10…G-14). v1 has a rebalance timeout of its own, v4 answers MEMBER_ID_REQUIRED to a first join (KIP-394),
 * v5 knows static members (KIP-345), v7 says the protocol type, v8 takes a reason (which is not kept), v9 may tell the
 * leader not to assign (KIP-814). The group's coordinator.
 */
export const joinGroup: Api<typeof request, typeof response> = defineApi({
  key: 11,
  name: 'JoinGroup',
  versions: '0-9',
  flexibleFrom: 6,
  request,
  response,
  broker: answer,
})

type Request = Decoded<typeof request>
type Response = Encodable<typeof response>

/** From this version on there may be no protocol. */
const NULLABLE_PROTOCOL_VERSION = 7

function answer(broker: Broker, request: Request, context: RequestContext): Response | Promise<Response> {
  const answered = (joined: Response): Response =>
    joined.protocolName === null && context.version < NULLABLE_PROTOCOL_VERSION
      ? { ...joined, protocolName: '' }
      : joined
  const refused = (error: unknown): Response => {
    if (!(error instanceof KafkaError)) throw error
    return answered({
      throttleTimeMs: 0,
      errorCode: error.code,
      protocolName: null,
      leader: '',
      memberId: request.memberId,
      members: [],
    })
  }
  try {
    demand(broker, context, 'read', 'group', request.groupId)
    const joined = broker.groups.shardToJoin(request).classic.join(request, context)
    return joined instanceof Promise ? joined.then(answered, refused) : answered(joined)
  } catch (error) {
    return refused(error)
  }
}
