import { advertisedBy, isBefore, type KafkaRelease } from '../metadata/releases.ts'
import type { AnyApi, ResponseInput } from '../wire/api.ts'
import { errorCodes } from '../wire/errors.ts'
import type { Versions } from '../wire/message.ts'

const API_VERSIONS = 18
/** From here on the answer to an unknown version of ApiVersions says which ones there are (KIP-511). */
const SAYS_RANGE_SINCE = '2.4'

/**
 * The APIs as a broker of that release has them: narrower spans, and without those that came later. What the release took
 * and this code does not speak (versions below Kafka 4's floors) is not there either.
 */
export function apisOfRelease(apis: ReadonlyMap<number, AnyApi>, release: KafkaRelease): ReadonlyMap<number, AnyApi> {
  const capped = new Map<number, AnyApi>()
  for (const [key, api] of apis) {
    const span = advertisedBy(release, key)
    if (span === undefined) continue
    const min = Math.max(span.min, api.versions.min)
    const max = Math.min(span.max, api.versions.max)
    if (min > max) continue
    const advertised = { min: Math.max(span.min, api.advertised.min), max: Math.min(span.max, api.advertised.max) }
    const isWhole = api.versions.min === min && api.versions.max === max && isSame(api.advertised, advertised)
    capped.set(key, isWhole ? api : { ...api, versions: { min, max }, advertised })
  }
  return capped
}

function isSame(a: Versions, b: Versions): boolean {
  return a.min === b.min && a.max === b.max
}

/** The answer to an ApiVersions request of a version that nobody knows (W-11). */
export function unknownApiVersions(apis: ReadonlyMap<number, AnyApi>, release: KafkaRelease): ResponseInput<AnyApi> {
  const { advertised } = apis.get(API_VERSIONS)!
  const range = { apiKey: API_VERSIONS, minVersion: advertised.min, maxVersion: advertised.max }
  return {
    errorCode: errorCodes.UNSUPPORTED_VERSION,
    apiKeys: isBefore(release, SAYS_RANGE_SINCE) ? [] : [range],
  }
}
