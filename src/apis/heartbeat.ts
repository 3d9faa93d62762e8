import type { Broker } from '../broker/broker.ts'
import { type Api, defineApi, type RequestContext } from '../wire/api.ts'
import { errorCodes, KafkaError } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { int16, int32, string } from '../wire/schema.ts'
import { demand } from './authorization.ts'

const request = {
  groupId: string,
  generationId: int32,
  memberId: string,
  groupInstanceId: string.nullable().since(3).default(null),
}

const response = {
  throttleTimeMs: int32.since(1).ignorable(),
  errorCode: int16,
}

/**
 * A member of a classic group is alive, and hears whether it has to join again (G-16). v3 knows static members. The group's
 * coordinator; while it loads, it takes every heartbeat (G-2).
 */
export const heartbeat: Api<typeof request, typeof response> = defineApi({
  key: 12,
  name: 'Heartbeat',
  versions: '0-4',
  flexibleFrom: 4,
  request,
  response,
  broker: answer,
})

type Request = Decoded<typeof request>

function answer(broker: Broker, request: Request, context: RequestContext): Encodable<typeof response> {
  try {
    demand(broker, context, 'read', 'group', request.groupId)
    broker.groups.shardOfNamed(request.groupId).classic.heartbeat(request)
    return { throttleTimeMs: 0, errorCode: errorCodes.NONE }
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    const isLoading = error.errorName === 'COORDINATOR_LOAD_IN_PROGRESS'
    return { throttleTimeMs: 0, errorCode: isLoading ? errorCodes.NONE : error.code }
  }
}
