import { listConfigResources as listConfigResourcesApi } from '../../apis/list-config-resources.ts'
import { resourceTypes } from '../../metadata/image.ts'
import { IllegalArgumentError } from '../../wire/errors.ts'
import { requireArray } from '../arguments.ts'
import type { AdminClient } from './admin-client.ts'
import type { ConfigResource } from './configs.ts'

const names = new Map<number, ConfigResource['type']>(
  Object.entries(resourceTypes).map(([name, code]) => [code, name as ConfigResource['type']]),
)

/** What has a configuration, of these types; of all when none is named (KIP-1142). */
export async function listConfigResources(
  client: AdminClient,
  types: readonly ConfigResource['type'][],
): Promise<ConfigResource[]> {
  requireArray('listConfigResources', types, "['topic', 'group']")
  const codes = types.map(type => {
    if (Object.hasOwn(resourceTypes, type)) return resourceTypes[type]
    const known = Object.keys(resourceTypes).join(', ')
    throw new IllegalArgumentError(`the type of a resource is one of ${known}, not ${type}`)
  })
  const body = { resourceTypes: codes }
  const { configResources } = await client.ask(listConfigResourcesApi, body, first => first.errorCode)
  return configResources.flatMap(({ resourceType, resourceName }) => {
    const type = names.get(resourceType)
    return type === undefined ? [] : [{ type, name: resourceName }]
  })
}
