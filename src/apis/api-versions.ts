import { defineApi } from '../wire/api.ts'
import { array, boolean, int16, int32, int64, string } from '../wire/schema.ts'

/**
 * Which APIs a node takes, in which versions, and which features the cluster has finalized. The first request of
 * nearly every client. Any version is answered: an unknown one with error 35 in version 0 (W-11), and the response
 * header is always the old one (W-9), so that a client that guessed wrong can read it. v3 names the client's software
 * (W-13) and brings the features as tags (W-14). Broker and controller answer, each for itself.
 */
export const apiVersions = defineApi({
  key: 18,
  name: 'ApiVersions',
  versions: '0-4',
  flexibleFrom: 3,
  request: {
    clientSoftwareName: string.since(3).ignorable(),
    clientSoftwareVersion: string.since(3).ignorable(),
  },
  response: {
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
  },
})
