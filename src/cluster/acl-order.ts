import { createAcls } from '../apis/create-acls.ts'
import { deleteAcls } from '../apis/delete-acls.ts'
import {
  type Acl,
  aclOperations,
  aclPatternTypes,
  aclPermissions,
  aclResourceTypes,
  CLUSTER_RESOURCE,
  WILDCARD,
} from '../metadata/acls.ts'
import { ConfigError, IllegalStateError, KafkaError } from '../wire/errors.ts'
import { parsePrincipal } from '../wire/principal.ts'
import { refuseUnknown } from './options.ts'
import { order } from './own-hand.ts'
import type { Plant } from './plant.ts'

/** What `allow` and `deny` are about; `all` is every operation there is. */
export type AccessOperation = Exclude<keyof typeof aclOperations, 'any'>

interface NamedResources {
  readonly topic: string
  readonly group: string
  readonly transactionalId: string
  readonly delegationToken: string
  readonly user: string
}

/**
 * The cluster, or a resource by its name: `{ topic: 'orders' }`. The name `*` stands for all of them; with `prefixed: true`
 * all names that begin so.
 */
export type AccessResource =
  | 'cluster'
  | {
      readonly [K in keyof NamedResources]: { readonly [k in K]: string } & { readonly prefixed?: boolean }
    }[keyof NamedResources]

export interface AccessOptions {
  /** Address of the host from which it is meant. Default: any. */
  readonly host?: string
}

/** A permission that a test has given or taken. */
export interface Access {
  /** It is no more; idempotent. */
  dispose(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export type AccessArguments = readonly [
  principal: string,
  operation: AccessOperation,
  resource: AccessResource,
  options?: AccessOptions,
]

const named: readonly (keyof NamedResources)[] = ['topic', 'group', 'transactionalId', 'delegationToken', 'user']
const operations = Object.keys(aclOperations).filter(name => name !== 'any')

/**
 * Makes one ACL; it holds on every broker when it has been answered.
 *
 * @throws {ConfigError} for a principal, an operation or a resource that there is not
 */
export async function orderAccess(
  plant: Plant,
  permission: 'allow' | 'deny',
  [principal, operation, resource, options = {}]: AccessArguments,
): Promise<Access> {
  refuseUnknown(`option of ${permission}`, options, ['host'])
  if (parsePrincipal(principal) === undefined) {
    throw new ConfigError(`a principal is written 'User:alice', not ${JSON.stringify(principal)}`)
  }
  if (!operations.includes(operation)) {
    throw new ConfigError(`there is no operation ${JSON.stringify(operation)}: there are ${operations.join(', ')}`)
  }
  const acl: Acl = {
    ...patternOf(resource),
    principal,
    host: options.host ?? WILDCARD,
    operation: aclOperations[operation],
    permissionType: aclPermissions[permission],
  }
  const { patternType: resourcePatternType, ...rest } = acl
  const { results } = await order(plant, createAcls, { creations: [{ ...rest, resourcePatternType }] })
  requireDone(permission, results[0]!)
  const dispose = async () => {
    const { resourceType, resourceName, patternType, host } = acl
    const filter = {
      ...acl,
      resourceTypeFilter: resourceType,
      resourceNameFilter: resourceName,
      patternTypeFilter: patternType,
      principalFilter: principal,
      hostFilter: host,
    }
    const { filterResults } = await plant.runtime.drive(`${permission}().dispose()`, () =>
      order(plant, deleteAcls, { filters: [filter] }),
    )
    requireDone(permission, filterResults[0]!)
  }
  return { dispose, [Symbol.asyncDispose]: dispose }
}

function patternOf(resource: AccessResource): Pick<Acl, 'resourceType' | 'resourceName' | 'patternType'> {
  const { literal, prefixed } = aclPatternTypes
  if (resource === 'cluster') {
    return { resourceType: aclResourceTypes.cluster, resourceName: CLUSTER_RESOURCE, patternType: literal }
  }
  if (typeof resource !== 'object' || resource === null) {
    throw new ConfigError(
      `a resource is 'cluster', or named as in { topic: 'orders' }, not ${JSON.stringify(resource)}`,
    )
  }
  refuseUnknown('kind of resource', resource, [...named, 'prefixed' as never])
  const given = named.filter(kind => kind in resource)
  const [kind] = given
  const name = kind === undefined ? undefined : (resource as Partial<NamedResources>)[kind]
  if (given.length !== 1 || typeof name !== 'string' || name === '') {
    throw new ConfigError(
      `a resource has one kind and a name, as in { topic: 'orders' }, not ${JSON.stringify(resource)}`,
    )
  }
  return {
    resourceType: aclResourceTypes[kind!],
    resourceName: name,
    patternType: resource.prefixed === true ? prefixed : literal,
  }
}

function requireDone(what: string, result: { readonly errorCode: number; readonly errorMessage: string | null }): void {
  if (result.errorCode === 0) return
  const error = KafkaError.of(result.errorCode, result.errorMessage ?? undefined)
  if (error.errorName !== 'SECURITY_DISABLED') throw error
  throw new IllegalStateError(`${what}() needs an authorizer: createCluster({ authorizer: 'standard' })`)
}
