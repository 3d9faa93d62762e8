import type { Broker } from '../broker/broker.ts'
import type { Controller } from '../controller/controller.ts'
import { type Api, defineApi } from '../wire/api.ts'
import { errorFields } from '../wire/error-fields.ts'
import type { KafkaError } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, boolean, float64, int16, int32, string } from '../wire/schema.ts'
import { clusterRefusal } from './authorization.ts'
import { forwarded } from './forwarding.ts'

const request = {
  entries: array({
    entity: array({
      entityType: string,
      entityName: string.nullable(),
    }),
    ops: array({
      key: string,
      value: float64,
      remove: boolean,
    }),
  }),
  validateOnly: boolean,
}

const response = {
  throttleTimeMs: int32,
  entries: array({
    errorCode: int16,
    errorMessage: string.nullable(),
    entity: array({
      entityType: string,
      entityName: string.nullable(),
    }),
  }),
}

/**
 * Sets and removes quotas of users, client ids and addresses (KIP-546, M-30); a null name stands for all of that type without a
 * quota of their own. v1 is the first flexible version. A broker forwards it to the active controller.
 *
 * Simplification: quotas are kept and told, and hold nobody back yet.
 */
export const alterClientQuotas: Api<typeof request, typeof response> = defineApi({
  key: 49,
  name: 'AlterClientQuotas',
  versions: '0-1',
  flexibleFrom: 1,
  request,
  response,
  broker: (broker: Broker, request, context) =>
    forwarded(broker, alterClientQuotas, request, context, error => refused(request, error)),
  controller: (controller: Controller, request, context) => {
    const error = clusterRefusal(controller, context, 'alterConfigs')
    return error === undefined ? controller.administration.alterClientQuotas(request) : refused(request, error)
  },
})

function refused({ entries }: Decoded<typeof request>, error: KafkaError): Encodable<typeof response> {
  return { throttleTimeMs: 0, entries: entries.map(({ entity }) => ({ ...errorFields(error), entity })) }
}
