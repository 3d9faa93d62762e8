import { apis } from '../apis/registry.ts'
import { didYouMean } from '../metadata/nearest-name.ts'
import type { AnyApi } from '../wire/api.ts'
import { ConfigError } from '../wire/errors.ts'

/**
 * The API that is meant: the value that `mini-kafka` exports (`Produce`), or its name.
 *
 * @throws {ConfigError} with the nearest name.
 */
export function apiNamed(api: AnyApi | string): AnyApi {
  const named = typeof api === 'string' ? apis.find(each => each.name === api) : apis.find(each => each === api)
  if (named !== undefined) return named
  if (typeof api !== 'string') throw new ConfigError(`an API is a value such as Produce, or its name, not ${api}`)
  const names = apis.map(each => each.name)
  throw new ConfigError(`there is no API '${api}'${didYouMean(api, names)}`)
}
