import type { Broker } from '../broker/broker.ts'
import type { Controller } from '../controller/controller.ts'
import type { RequestContext } from '../wire/api.ts'
import { type Api, defineApi } from '../wire/api.ts'
import { errorFields } from '../wire/error-fields.ts'
import { errorCodes, type KafkaError } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, boolean, int8, int16, int32, string } from '../wire/schema.ts'
import { clusterRefusal } from './authorization.ts'
import { forwarded } from './forwarding.ts'

const request = {
  timeoutMs: int32.default(60000),
  featureUpdates: array({
    feature: string,
    maxVersionLevel: int16,
    allowDowngrade: boolean.until(0),
    upgradeType: int8.since(1).default(1),
  }),
  validateOnly: boolean.since(1).default(false),
}

const response = {
  throttleTimeMs: int32,
  errorCode: int16,
  errorMessage: string.nullable(),
  results: array({
    feature: string,
    errorCode: int16,
    errorMessage: string.nullable(),
  })
    .until(1)
    .ignorable(),
}

/**
 * Finalizes features at other levels (KIP-584): all that are named, or none. v0 may allow a downgrade, from v1 on an update
 * says whether it goes up (1), safely down (2) or down whatever is lost (3), and can be tried out; v2 has no results for each
 * (KIP-1022). A broker forwards it to the active controller.
 */
export const updateFeatures: Api<typeof request, typeof response> = defineApi({
  key: 57,
  name: 'UpdateFeatures',
  versions: '0-2',
  flexibleFrom: 0,
  request,
  response,
  broker: forward,
  controller: answer,
})

type Request = Decoded<typeof request>
type Response = Encodable<typeof response>

const UPGRADE = 1
const SAFE_DOWNGRADE = 2
/** Up to this version each feature has a result. */
const RESULTS_VERSION = 1

async function forward(broker: Broker, request: Request, context: RequestContext): Promise<Response> {
  const { version } = context
  const refused = (error: KafkaError): Response => ({ throttleTimeMs: 0, ...errorFields(error) })
  return inVersion(
    version,
    request,
    await forwarded(broker, updateFeatures, modern(request, version), context, refused),
  )
}

function answer(controller: Controller, request: Request, context: RequestContext): Response | Promise<Response> {
  const { version } = context
  const error = clusterRefusal(controller, context, 'alter')
  if (error !== undefined) return { throttleTimeMs: 0, ...errorFields(error) }
  const updated = controller.administration.updateFeatures(modern(request, version))
  if (updated instanceof Promise) return updated.then(response => inVersion(version, request, response))
  return inVersion(version, request, updated)
}

/** As the newest version says it. */
function modern(request: Request, version: number): Request {
  if (version > 0) return request
  const featureUpdates = request.featureUpdates.map(({ allowDowngrade, ...update }) => ({
    ...update,
    allowDowngrade: false,
    upgradeType: allowDowngrade ? SAFE_DOWNGRADE : UPGRADE,
  }))
  return { ...request, featureUpdates }
}

function inVersion(version: number, { featureUpdates }: Request, response: Response): Response {
  if (version > RESULTS_VERSION || response.errorCode !== errorCodes.NONE) return response
  // "NONE" is what Kafka says there.
  const results = featureUpdates.map(({ feature }) => ({ feature, errorCode: errorCodes.NONE, errorMessage: 'NONE' }))
  return { ...response, results }
}
