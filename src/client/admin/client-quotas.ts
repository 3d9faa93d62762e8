import { alterClientQuotas as alterClientQuotasApi } from '../../apis/alter-client-quotas.ts'
import { describeClientQuotas as describeClientQuotasApi } from '../../apis/describe-client-quotas.ts'
import {
  type QuotaEntityType,
  quotaEntityKey,
  quotaEntityOf,
  quotaEntityParts,
  quotaEntityTypes,
} from '../../metadata/client-quotas.ts'
import { refuseUnknown, requireArray } from '../arguments.ts'
import { type AdminClient, type Answers, allOf, errorOfItem } from './admin-client.ts'
import { notController } from './topics.ts'

/** What a quota is for: `{ user: 'alice', 'client-id': null }`; null stands for all of that type without their own. */
export type ClientQuotaEntity = { readonly [T in QuotaEntityType]?: string | null }

/** `producer_byte_rate`, `consumer_byte_rate`, `request_percentage`, `controller_mutation_rate`; of addresses `connection_creation_rate`. */
export interface ClientQuotaDescription {
  readonly entity: ClientQuotaEntity
  readonly values: Readonly<Record<string, number>>
}

export interface ClientQuotaAlteration {
  readonly entity: ClientQuotaEntity
  /** By key; null removes. */
  readonly values: Readonly<Record<string, number | null>>
}

/** One type that an entity must have: with this name, with the default one (null), or left out with any. */
export interface ClientQuotaComponent {
  readonly type: QuotaEntityType
  readonly name?: string | null
}

export interface ClientQuotaFilter {
  readonly components?: readonly ClientQuotaComponent[]
  /** Only entities without further types. */
  readonly strict?: boolean
}

const EXACT = 0
const DEFAULT = 1
const ANY = 2

export async function describeClientQuotas(
  client: AdminClient,
  filter: ClientQuotaFilter,
): Promise<ClientQuotaDescription[]> {
  const { components = [], strict = false } = filter
  requireArray('components', components, "[{ type: 'user', name: 'alice' }]")
  const body = {
    components: components.map(component => {
      refuseUnknown("a component, as in { type: 'user', name: 'alice' }", component, ['type', 'name'])
      const { type, name } = component
      const matchType = name === undefined ? ANY : name === null ? DEFAULT : EXACT
      return { entityType: type, matchType, match: name ?? null }
    }),
    strict,
  }
  const { entries } = await client.ask(describeClientQuotasApi, body, first => first.errorCode)
  return (entries ?? []).map(({ entity, values }) => ({
    entity: Object.fromEntries(entity.map(({ entityType, entityName }) => [entityType, entityName])),
    values: Object.fromEntries(values.map(({ key, value }) => [key, value])),
  }))
}

export async function alterClientQuotas(
  client: AdminClient,
  alterations: readonly ClientQuotaAlteration[],
  options: { readonly validateOnly?: boolean },
): Promise<void> {
  const example = "{ entity: { user: 'alice' }, values: { producer_byte_rate: 1000 } }"
  requireArray('alterClientQuotas', alterations, `[${example}]`)
  const wanted = new Map<string, ClientQuotaAlteration>()
  const entries = alterations.map(alteration => {
    refuseUnknown(`an alteration, as in ${example}`, alteration, ['entity', 'values'])
    refuseUnknown('an entity', alteration.entity, quotaEntityTypes)
    refuseUnknown('values', alteration.values, Object.keys(alteration.values))
    const entity = partsOf(alteration.entity)
    wanted.set(quotaEntityKey(quotaEntityOf(entity)), alteration)
    const ops = Object.entries(alteration.values).map(([key, value]) => ({
      key,
      value: value ?? 0,
      remove: value === null,
    }))
    return { entity, ops }
  })
  const body = { entries, validateOnly: options.validateOnly ?? false }
  const response = await client.ask(alterClientQuotasApi, body, first => notController(first.entries))
  const answers: Answers<ClientQuotaAlteration, undefined> = new Map()
  for (const { entity, errorCode, errorMessage } of response.entries) {
    const alteration = wanted.get(quotaEntityKey(quotaEntityOf(entity)))
    if (alteration !== undefined) answers.set(alteration, errorOfItem(errorCode, errorMessage))
  }
  allOf(answers, ({ entity }) => `the quotas of ${JSON.stringify(entity)}`)
}

function partsOf(entity: ClientQuotaEntity) {
  const parts = Object.entries(entity).map(([entityType, entityName]) => ({
    entityType,
    entityName: entityName ?? null,
  }))
  return quotaEntityParts(quotaEntityOf(parts))
}
