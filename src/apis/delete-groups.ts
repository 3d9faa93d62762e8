import type { Broker } from '../broker/broker.ts'
import { type Api, defineApi, type RequestContext } from '../wire/api.ts'
import { errorCodes, KafkaError } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, int16, int32, string } from '../wire/schema.ts'
import { demand } from './authorization.ts'

const request = {
  groupsNames: array(string),
}

const response = {
  throttleTimeMs: int32,
  results: array({
    groupId: string,
    errorCode: int16,
  }),
}

/**
 * Deletes groups that have no members, with all that they have committed (G-35). The groups' coordinator.
 */
export const deleteGroups: Api<typeof request, typeof response> = defineApi({
  key: 42,
  name: 'DeleteGroups',
  versions: '0-2',
  flexibleFrom: 2,
  request,
  response,
  broker: answer,
})

type Result = Encodable<typeof response>['results'][number]

function answer(
  broker: Broker,
  { groupsNames }: Decoded<typeof request>,
  context: RequestContext,
): Encodable<typeof response> | Promise<Encodable<typeof response>> {
  const results = [...new Set(groupsNames)].map(groupId => deleted(broker, groupId, context))
  const isAtOnce = (result: Result | Promise<Result>): result is Result => !(result instanceof Promise)
  if (results.every(isAtOnce)) return { throttleTimeMs: 0, results }
  return broker.life.guard(Promise.all(results)).then(settled => ({ throttleTimeMs: 0, results: settled }))
}

function deleted(broker: Broker, groupId: string, context: RequestContext): Result | Promise<Result> {
  const done = (): Result => ({ groupId, errorCode: errorCodes.NONE })
  const refused = (error: unknown): Result => {
    if (error instanceof KafkaError) return { groupId, errorCode: error.code }
    throw error
  }
  try {
    demand(broker, context, 'delete', 'group', groupId)
    const written = broker.groups.shardOf(groupId).directory.delete(groupId)
    return written instanceof Promise ? written.then(done, refused) : done()
  } catch (error) {
    return refused(error)
  }
}
