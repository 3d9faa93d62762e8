import type { AnyApi, RequestOf } from '../../wire/api.ts'
import { apiNamed } from '../api-name.ts'
import { refuseUnknown } from '../options.ts'
import type { RequestFilter, SeenRequest } from '../request-journal.ts'
import { counted, requireCount } from './delivered.ts'
import { isLike, show } from './likeness.ts'
import { clusterOf, type MatcherContext, type MatcherResult, within } from './matcher.ts'
import { becomes, type MatcherWait } from './offsets.ts'

type Partial<T> = T extends readonly (infer E)[]
  ? readonly Partial<E>[]
  : T extends object
    ? { readonly [K in keyof T]?: Partial<T[K]> }
    : T

/** A part of the body, compared as far as it goes; or a function of the request. */
export type ExpectedRequest<A extends AnyApi = AnyApi> = Partial<RequestOf<A>> | ((request: SeenRequest<A>) => boolean)

export interface ReceivedRequestOptions extends Omit<RequestFilter, 'api' | 'outcome'>, MatcherWait {
  /** Exactly so many; looked at when everything has settled. Default: one or more. */
  readonly times?: number
}

const SHOWN = 10

/** Nodes have received such a request, from clients or from one another. Waits until it is so. */
export async function toHaveReceivedRequest<A extends AnyApi>(
  this: MatcherContext | void,
  received: unknown,
  api: A | string,
  expected: ExpectedRequest<A> = {} as ExpectedRequest<A>,
  options: ReceivedRequestOptions = {},
): Promise<MatcherResult> {
  const cluster = clusterOf(received, 'toHaveReceivedRequest')
  const names = ['times', 'timeoutMs', 'from', 'to', 'clientId', 'topic', 'partition']
  refuseUnknown('option of toHaveReceivedRequest', options, names)
  const { name } = apiNamed(api)
  const { times, timeoutMs: _, ...filter } = options
  if (times !== undefined) requireCount('times', times)
  const all = () => cluster.requests<A>({ ...filter, api })
  const isMeant = (request: SeenRequest<A>) =>
    typeof expected === 'function' ? expected(request) : isLike(expected, request.body, true)
  const count = () => all().filter(isMeant).length
  let pass: boolean
  if (times === undefined) pass = await becomes(cluster, this, () => count() > 0, options)
  else {
    if (!this?.isNot) await becomes(cluster, this, () => count() >= times, options)
    await cluster.settle()
    pass = count() === times
  }
  return {
    pass,
    message: () => {
      const like = typeof expected === 'function' ? 'that fulfil the condition' : `like ${show(expected)}`
      const wanted = times === undefined ? 'one or more' : String(times)
      const not = pass ? 'not to have received' : 'to have received'
      const waited = pass ? '' : ` ${within(cluster, options)}`
      const requests = all()
      const head = `expected the cluster ${not} ${wanted} ${name} requests ${like}${waited}, there were ${count()}`
      const lines = requests.slice(-SHOWN).map(request => `  ${isMeant(request) ? '=' : ' '} ${showRequest(request)}`)
      const seen = requests.length === 0 ? 'none at all' : `${counted(requests.length, 'request')} of this API`
      return [head, '', `received: ${seen}`, ...lines].join('\n')
    },
  }
}

function showRequest({ number, api, version, from, to, body, outcome, errors }: SeenRequest): string {
  const end = errors.length > 0 ? errors.join(', ') : outcome
  return `#${number} ${from} → ${to} ${api} v${version} ${show(body)} → ${end}`
}
