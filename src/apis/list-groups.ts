import type { Broker } from '../broker/broker.ts'
import { type Api, defineApi, type RequestContext } from '../wire/api.ts'
import { errorCodes, KafkaError } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, int16, int32, string } from '../wire/schema.ts'
import { allowed, allowsCluster } from './authorization.ts'

const request = {
  statesFilter: array(string).since(4),
  typesFilter: array(string).since(5),
}

const response = {
  throttleTimeMs: int32.since(1).ignorable(),
  errorCode: int16,
  groups: array({
    groupId: string,
    protocolType: string,
    groupState: string.since(4).ignorable(),
    groupType: string.since(5).ignorable(),
  }),
}

/**
 * The groups that this broker coordinates, of every type (G-41). v4 filters by state and says it, v5 by type; upper and
 * lower case are the same, and what nobody knows matches nothing. Every broker for itself: a client asks all.
 */
export const listGroups: Api<typeof request, typeof response> = defineApi({
  key: 16,
  name: 'ListGroups',
  versions: '0-5',
  flexibleFrom: 3,
  request,
  response,
  broker: answer,
})

function answer(
  broker: Broker,
  { statesFilter: states, typesFilter: types }: Decoded<typeof request>,
  context: RequestContext,
): Encodable<typeof response> {
  try {
    const all = broker.groups.list({ states, types })
    const groups = allowsCluster(broker, context, 'describe')
      ? all
      : allowed(broker, context, 'describe', 'group', all, group => group.groupId)
    return { throttleTimeMs: 0, errorCode: errorCodes.NONE, groups }
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    return { throttleTimeMs: 0, errorCode: error.code, groups: [] }
  }
}
