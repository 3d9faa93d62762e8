import type { AnyApi, RequestInput } from '../../src/wire/api.ts'
import type { Place } from './place.ts'

/** One request, put by every subject in turn. */
export interface Question {
  /** The API, its version, and what for. */
  readonly title: string
  readonly api: AnyApi
  readonly version: number
  readonly body: (subject: string, place: Place) => RequestInput<AnyApi>
  /** Fields that mean nothing here. */
  readonly blur: readonly string[]
  /** What has to be there first. */
  /** Who asks; undefined: every subject. */
  readonly who: readonly string[] | undefined
  readonly before: ((place: Place) => Promise<void>) | undefined
}

export interface QuestionOptions {
  readonly blur?: readonly string[]
  readonly who?: readonly string[]
  readonly before?: (place: Place) => Promise<void>
}

export function question<A extends AnyApi>(
  what: string,
  api: A,
  version: number,
  body: RequestInput<A> | ((subject: string, place: Place) => RequestInput<A>),
  { blur = [], before, who }: QuestionOptions = {},
): Question {
  return {
    title: `${api.name} v${version} ${what}`,
    api,
    version,
    body: (typeof body === 'function' ? body : () => body) as Question['body'],
    blur,
    before,
    who,
  }
}
