import { describeConfigs as describeConfigsApi } from '../../apis/describe-configs.ts'
import { incrementalAlterConfigs as incrementalAlterConfigsApi } from '../../apis/incremental-alter-configs.ts'
import { IllegalArgumentError } from '../../wire/errors.ts'
import { type AdminClient, type Answers, allOf, errorOfItem } from './admin-client.ts'

const types = { topic: 2, broker: 4, brokerLogger: 8, clientMetrics: 16, group: 32 } as const
const sources = [
  'unknown',
  'dynamicTopic',
  'dynamicBroker',
  'dynamicDefaultBroker',
  'staticBroker',
  'default',
  'dynamicBrokerLogger',
  'clientMetrics',
  'group',
] as const
const operations = { set: 0, delete: 1, append: 2, subtract: 3 } as const

/** What has a configuration. `name` is the topic's or group's, or the broker's id; '' stands for all brokers. */
export interface ConfigResource {
  readonly type: keyof typeof types
  readonly name: string
}

export interface ConfigSynonym {
  readonly name: string
  readonly value: string | null
  readonly source: (typeof sources)[number]
}

export interface ConfigEntry {
  readonly name: string
  /** Null also for what is sensitive. */
  readonly value: string | null
  readonly source: (typeof sources)[number]
  readonly isDefault: boolean
  readonly isReadOnly: boolean
  readonly isSensitive: boolean
  readonly synonyms: readonly ConfigSynonym[]
}

export interface ConfigAlteration {
  readonly resource: ConfigResource
  readonly operations: readonly {
    readonly name: string
    /** `set` unless said. */
    readonly operation?: keyof typeof operations
    readonly value?: string | number | boolean | null
  }[]
}

export interface DescribeConfigsOptions {
  /** Only these keys; all unless given. */
  readonly keys?: readonly string[]
  readonly includeSynonyms?: boolean
  readonly includeDocumentation?: boolean
}

const resourceName = ({ type, name }: ConfigResource) => `${type} '${name}'`

/** A broker answers for itself alone; everything else any broker can answer. */
function byDestination<T>(items: readonly T[], resourceOf: (item: T) => ConfigResource): Map<number | undefined, T[]> {
  const groups = new Map<number | undefined, T[]>()
  for (const item of items) {
    const { type, name } = resourceOf(item)
    if (!Object.hasOwn(types, type)) {
      throw new IllegalArgumentError(`the type of a resource is one of ${Object.keys(types).join(', ')}, not ${type}`)
    }
    const isOneBroker = (type === 'broker' && name !== '') || type === 'brokerLogger'
    if (isOneBroker && !/^\d+$/.test(name)) throw new IllegalArgumentError(`a broker is named by its id, not '${name}'`)
    const destination = isOneBroker ? Number(name) : undefined
    groups.set(destination, [...(groups.get(destination) ?? []), item])
  }
  return groups
}

export async function describeConfigs(
  client: AdminClient,
  resources: readonly ConfigResource[],
  options: DescribeConfigsOptions,
): Promise<Map<ConfigResource, Map<string, ConfigEntry>>> {
  const answers: Answers<ConfigResource, Map<string, ConfigEntry>> = new Map()
  for (const [nodeId, here] of byDestination(resources, resource => resource)) {
    const body = {
      resources: here.map(({ type, name }) => ({
        resourceType: types[type],
        resourceName: name,
        configurationKeys: options.keys ?? null,
      })),
      includeSynonyms: options.includeSynonyms ?? false,
      ...(options.includeDocumentation ? { includeDocumentation: true } : {}),
    }
    const asked =
      nodeId === undefined ? client.ask(describeConfigsApi, body) : client.askBroker(nodeId, describeConfigsApi, body)
    for (const { resourceType, resourceName: name, errorCode, errorMessage, configs } of (await asked).results) {
      const resource = here.find(item => types[item.type] === resourceType && item.name === name)
      if (resource === undefined) continue
      const entries = new Map(configs.map(config => [config.name, entryOf(config)]))
      answers.set(resource, errorOfItem(errorCode, errorMessage) ?? entries)
    }
  }
  return allOf(answers, resourceName)
}

function entryOf(config: {
  readonly name: string
  readonly value: string | null
  readonly readOnly: boolean
  readonly configSource: number
  readonly isSensitive: boolean
  readonly synonyms: readonly { readonly name: string; readonly value: string | null; readonly source: number }[]
}): ConfigEntry {
  const source = sources[config.configSource] ?? 'unknown'
  return {
    name: config.name,
    value: config.value,
    source,
    isDefault: source === 'default',
    isReadOnly: config.readOnly,
    isSensitive: config.isSensitive,
    synonyms: config.synonyms.map(({ name, value, source: from }) => ({
      name,
      value,
      source: sources[from] ?? 'unknown',
    })),
  }
}

export async function incrementalAlterConfigs(
  client: AdminClient,
  alterations: readonly ConfigAlteration[],
  options: { readonly validateOnly?: boolean },
): Promise<void> {
  const answers: Answers<ConfigResource, undefined> = new Map()
  for (const [nodeId, here] of byDestination(alterations, ({ resource }) => resource)) {
    const body = {
      resources: here.map(({ resource, operations: wanted }) => ({
        resourceType: types[resource.type],
        resourceName: resource.name,
        configs: wanted.map(({ name, operation = 'set', value = null }) => {
          if (!Object.hasOwn(operations, operation)) {
            const known = Object.keys(operations).join(', ')
            throw new IllegalArgumentError(`an operation is one of ${known}, not ${operation}`)
          }
          return { name, configOperation: operations[operation], value: value === null ? null : String(value) }
        }),
      })),
      validateOnly: options.validateOnly ?? false,
    }
    const asked =
      nodeId === undefined
        ? client.ask(incrementalAlterConfigsApi, body)
        : client.askBroker(nodeId, incrementalAlterConfigsApi, body)
    for (const { resourceType, resourceName: name, errorCode, errorMessage } of (await asked).responses) {
      const found = here.find(({ resource }) => types[resource.type] === resourceType && resource.name === name)
      if (found !== undefined) answers.set(found.resource, errorOfItem(errorCode, errorMessage))
    }
  }
  allOf(answers, resourceName)
}
