import type { Broker } from '../broker/broker.ts'
import { type Api, defineApi, type RequestContext } from '../wire/api.ts'
import { KafkaError } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, bytes, int16, int32, string } from '../wire/schema.ts'
import { demand } from './authorization.ts'

const request = {
  groupId: string,
  generationId: int32,
  memberId: string,
  groupInstanceId: string.nullable().since(3).default(null),
  protocolType: string.nullable().since(5).default(null).ignorable(),
  protocolName: string.nullable().since(5).default(null).ignorable(),
  assignments: array({
    memberId: string,
    assignment: bytes,
  }),
}

const response = {
  throttleTimeMs: int32.since(1).ignorable(),
  errorCode: int16,
  protocolType: string.nullable().since(5).default(null).ignorable(),
  protocolName: string.nullable().since(5).default(null).ignorable(),
  assignment: bytes,
}

/**
 * Hands in, as leader, what each member is to have, and answers to every member what it has, once that is committed (G-15).
 * v3 knows static members, v5 says the protocol, both ways. The group's coordinator.
 */
export const syncGroup: Api<typeof request, typeof response> = defineApi({
  key: 14,
  name: 'SyncGroup',
  versions: '0-5',
  flexibleFrom: 4,
  request,
  response,
  broker: answer,
})

type Request = Decoded<typeof request>
type Response = Encodable<typeof response>

/** From this version on the protocol has to be said, which is looked at before anything else. */
const PROTOCOL_VERSION = 5

function answer(broker: Broker, request: Request, context: RequestContext): Response | Promise<Response> {
  try {
    if (context.version >= PROTOCOL_VERSION && (request.protocolType === null || request.protocolName === null)) {
      throw new KafkaError('INCONSISTENT_GROUP_PROTOCOL')
    }
    demand(broker, context, 'read', 'group', request.groupId)
    const synced = broker.groups.shardOfNamed(request.groupId).classic.sync(request)
    return synced instanceof Promise ? synced.catch(refused) : synced
  } catch (error) {
    return refused(error)
  }
}

function refused(error: unknown): Response {
  if (!(error instanceof KafkaError)) throw error
  return {
    throttleTimeMs: 0,
    errorCode: error.code,
    protocolType: null,
    protocolName: null,
    assignment: new Uint8Array(0),
  }
}
