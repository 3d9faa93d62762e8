import type { Controller } from '../controller/controller.ts'
import { type Api, defineApi } from '../wire/api.ts'
import { array, int16, int32, string, uuid } from '../wire/schema.ts'

const request = {
  topics: array({
    name: string.nullable().default(null),
    topicId: uuid,
  }).since(6),
  topicNames: array(string).until(5).ignorable(),
  timeoutMs: int32,
}

const response = {
  throttleTimeMs: int32.ignorable(),
  responses: array({
    name: string.nullable(6),
    topicId: uuid.since(6).ignorable(),
    errorCode: int16,
    errorMessage: string.nullable().since(5).default(null).ignorable(),
  }),
}

/**
 * Deletes topics: by name up to v5, by name or id from v6 on (W-46), where exactly one of the two is set. A broker
 * forwards it to the active controller.
 */
export const deleteTopics: Api<typeof request, typeof response> = defineApi({
  key: 20,
  name: 'DeleteTopics',
  versions: '1-6',
  flexibleFrom: 4,
  request,
  response,
  controller: (controller: Controller, request, context) => controller.deleteTopics(request, context),
})
