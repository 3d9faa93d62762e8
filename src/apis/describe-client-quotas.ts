import type { Broker } from '../broker/broker.ts'
import { type QuotaEntity, quotaEntityParts, quotaEntityTypes } from '../metadata/client-quotas.ts'
import { type Api, defineApi, type RequestContext } from '../wire/api.ts'
import { errorFields } from '../wire/error-fields.ts'
import { errorCodes, KafkaError } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, boolean, float64, int8, int16, int32, string } from '../wire/schema.ts'
import { allowsCluster } from './authorization.ts'

const request = {
  components: array({
    entityType: string,
    matchType: int8,
    match: string.nullable(),
  }),
  strict: boolean,
}

const response = {
  throttleTimeMs: int32,
  errorCode: int16,
  errorMessage: string.nullable(),
  entries: array({
    entity: array({
      entityType: string,
      entityName: string.nullable(),
    }),
    values: array({
      key: string,
      value: float64,
    }),
  }).nullable(),
}

/**
 * The quotas of the entities that match a filter (KIP-546): of every component exactly that name (0), the default (1) or any (2);
 * `strict` leaves out entities of further types. No component means all, and with `strict` none. v1 is the first flexible version. Any broker
 * answers, from its image.
 */
export const describeClientQuotas: Api<typeof request, typeof response> = defineApi({
  key: 48,
  name: 'DescribeClientQuotas',
  versions: '0-1',
  flexibleFrom: 1,
  request,
  response,
  broker: describe,
})

type Request = Decoded<typeof request>
type Component = Request['components'][number]
type Response = Encodable<typeof response>

const EXACT = 0
const DEFAULT = 1
const ANY = 2

function describe(broker: Broker, { components, strict }: Request, context: RequestContext): Response {
  if (!allowsCluster(broker, context, 'describeConfigs')) {
    const errorCode = errorCodes.CLUSTER_AUTHORIZATION_FAILED
    return { throttleTimeMs: 0, errorCode, errorMessage: null, entries: null }
  }
  try {
    checkFilter(components)
  } catch (error) {
    if (error instanceof KafkaError) return { throttleTimeMs: 0, ...errorFields(error), entries: null }
    throw error
  }
  const entries = [...broker.image.clientQuotas]
    .filter(({ entity }) => matches(entity, components, strict))
    .map(({ entity, values }) => ({
      entity: quotaEntityParts(entity),
      values: [...values].map(([key, value]) => ({ key, value })),
    }))
  return { throttleTimeMs: 0, errorCode: errorCodes.NONE, errorMessage: '', entries }
}

function matches(entity: QuotaEntity, components: readonly Component[], strict: boolean): boolean {
  if (strict && entity.size !== components.length) return false
  return components.every(({ entityType, matchType, match }) => {
    const name = entity.get(entityType)
    if (name === undefined) return false
    return matchType === ANY || name === (matchType === EXACT ? match : null)
  })
}

function checkFilter(components: readonly Component[]): void {
  const types = new Set<string>()
  for (const component of components) {
    const { entityType } = component
    if (entityType === '') throw new KafkaError('INVALID_REQUEST', 'Invalid empty entity type.')
    if (types.has(entityType)) {
      throw new KafkaError('INVALID_REQUEST', `Entity type ${entityType} cannot appear more than once in the filter.`)
    }
    if (!(quotaEntityTypes as readonly string[]).includes(entityType)) {
      throw new KafkaError('UNSUPPORTED_VERSION', `Unsupported entity type ${entityType}`)
    }
    types.add(entityType)
    checkMatch(component)
  }
  if (types.has('ip') && types.size > 1) {
    const rule = 'IP filter component should not be used with user or clientId filter component.'
    throw new KafkaError('INVALID_REQUEST', `Invalid entity filter component combination. ${rule}`)
  }
}

function checkMatch({ matchType, match }: Component): void {
  if (matchType === EXACT && match === null) {
    throw new KafkaError('INVALID_REQUEST', 'Request specified MATCH_TYPE_EXACT, but set match string to null.')
  }
  if ((matchType === DEFAULT || matchType === ANY) && match !== null) {
    const type = matchType === DEFAULT ? 'MATCH_TYPE_DEFAULT' : 'MATCH_TYPE_SPECIFIED'
    throw new KafkaError('INVALID_REQUEST', `Request specified ${type}, but also specified a match string.`)
  }
  if (matchType < EXACT || matchType > ANY) {
    throw new KafkaError('INVALID_REQUEST', `Unknown match type ${matchType}`)
  }
}
