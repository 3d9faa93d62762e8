import type { Broker } from '../broker/broker.ts'
import type { Controller } from '../controller/controller.ts'
import { supportedFeatures } from '../metadata/features.ts'
import type { ClusterImage } from '../metadata/image.ts'
import { type AnyApi, type Api, defineApi, type RequestContext } from '../wire/api.ts'
import { errorCodes } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, boolean, int16, int32, int64, string } from '../wire/schema.ts'

const request = {
  clientSoftwareName: string.since(3).ignorable(),
  clientSoftwareVersion: string.since(3).ignorable(),
}

const response = {
  errorCode: int16,
  apiKeys: array({
    apiKey: int16,
    minVersion: int16,
    maxVersion: int16,
  }),
  throttleTimeMs: int32.since(1).ignorable(),
  supportedFeatures: array({
    name: string,
    minVersion: int16,
    maxVersion: int16,
  })
    .since(3)
    .tagged(0)
    .ignorable(),
  finalizedFeaturesEpoch: int64.since(3).default(-1).tagged(1).ignorable(),
  finalizedFeatures: array({
    name: string,
    maxVersionLevel: int16,
    minVersionLevel: int16,
  })
    .since(3)
    .tagged(2)
    .ignorable(),
  zkMigrationReady: boolean.since(3).default(false).tagged(3).ignorable(),
}

/**
 * Which APIs a node takes, in which versions, and which features the cluster has finalized. The first request of
 * nearly every client. Any version is answered: an unknown one with error 35 in version 0 (W-11), and the response
 * header is always the old one (W-9), so that a client that guessed wrong can read it. v3 names the client's software
 * (W-13) and brings the features as tags (W-14). Broker and controller answer, each for itself.
 */
export const apiVersions: Api<typeof request, typeof response> = defineApi({
  key: 18,
  name: 'ApiVersions',
  versions: '0-4',
  flexibleFrom: 3,
  request,
  response,
  broker: (broker: Broker, request, context) => answer(broker, request, context),
  controller: (controller: Controller, request, context) => answer(controller, request, context),
})

interface Node {
  readonly apis: ReadonlyMap<number, AnyApi>
  readonly image: ClusterImage
}

/** First version that names the client's software (W-13). */
const SOFTWARE_VERSION = 3
/** Up to this version a feature whose lowest level is 0 is left out: older clients refuse it (W-14). */
const NO_LEVEL_ZERO_VERSION = 3
const SOFTWARE = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

function answer(
  { apis, image }: Node,
  { clientSoftwareName, clientSoftwareVersion }: Decoded<typeof request>,
  { version }: Pick<RequestContext, 'version'>,
): Encodable<typeof response> {
  if (version >= SOFTWARE_VERSION && !(SOFTWARE.test(clientSoftwareName) && SOFTWARE.test(clientSoftwareVersion))) {
    return { errorCode: errorCodes.INVALID_REQUEST, apiKeys: [] }
  }
  return {
    errorCode: errorCodes.NONE,
    apiKeys: [...apis.values()].map(({ key, advertised }) => ({
      apiKey: key,
      minVersion: advertised.min,
      maxVersion: advertised.max,
    })),
    supportedFeatures: supportedFeatures
      .filter(feature => version > NO_LEVEL_ZERO_VERSION || feature.minSupportedVersion > 0)
      .map(({ name, minSupportedVersion: minVersion, maxSupportedVersion: maxVersion }) => ({
        name,
        minVersion,
        maxVersion,
      })),
    finalizedFeaturesEpoch: image.offset,
    finalizedFeatures: [...image.features].map(([name, level]) => ({
      name,
      maxVersionLevel: level,
      minVersionLevel: level,
    })),
  }
}
