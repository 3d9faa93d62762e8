import { createAcls as createAclsApi } from '../../apis/create-acls.ts'
import { deleteAcls as deleteAclsApi } from '../../apis/delete-acls.ts'
import { describeAcls as describeAclsApi } from '../../apis/describe-acls.ts'
import {
  aclOperations as operations,
  aclPatternTypes as patternTypes,
  aclPermissions as permissions,
  aclResourceTypes as resourceTypes,
} from '../../metadata/acls.ts'
import { IllegalArgumentError } from '../../wire/errors.ts'
import { refuseUnknown, requireArray } from '../arguments.ts'
import { type AdminClient, type Answers, allOf, errorOfItem } from './admin-client.ts'
import { notController } from './topics.ts'

/** Who may do what with what: `{ principal: 'User:alice', operation: 'read', permission: 'allow', resourceType: 'topic', resourceName: 'orders' }`. */
export interface AclBinding {
  readonly resourceType: Exclude<keyof typeof resourceTypes, 'any'>
  readonly resourceName: string
  /** `literal` unless said. */
  readonly patternType?: 'literal' | 'prefixed'
  readonly principal: string
  /** Any host (`*`) unless said. */
  readonly host?: string
  readonly operation: Exclude<keyof typeof operations, 'any'>
  readonly permission: Exclude<keyof typeof permissions, 'any'>
}

/** What is left out matches anything. `match`: every pattern that applies to the name. */
export interface AclFilter {
  readonly resourceType?: keyof typeof resourceTypes
  readonly resourceName?: string
  readonly patternType?: keyof typeof patternTypes
  readonly principal?: string
  readonly host?: string
  readonly operation?: keyof typeof operations
  readonly permission?: keyof typeof permissions
}

const fields: readonly (keyof AclBinding)[] = [
  'resourceType',
  'resourceName',
  'patternType',
  'principal',
  'host',
  'operation',
  'permission',
]

export async function describeAcls(client: AdminClient, filter: AclFilter): Promise<AclBinding[]> {
  const { resources } = await client.ask(describeAclsApi, filterOf(filter), first => first.errorCode)
  return resources.flatMap(({ resourceType, resourceName, patternType, acls }) =>
    acls.map(acl => bindingOf({ ...acl, resourceType, resourceName, patternType })),
  )
}

export async function createAcls(client: AdminClient, bindings: readonly AclBinding[]): Promise<void> {
  requireArray('createAcls', bindings, "[{ principal: 'User:alice', operation: 'read', … }]")
  const creations = bindings.map(binding => {
    refuseUnknown('an ACL', binding, fields)
    return {
      resourceType: codeOf('resourceType', resourceTypes, binding.resourceType),
      resourceName: binding.resourceName,
      resourcePatternType: codeOf('patternType', patternTypes, binding.patternType ?? 'literal'),
      principal: binding.principal,
      host: binding.host ?? '*',
      operation: codeOf('operation', operations, binding.operation),
      permissionType: codeOf('permission', permissions, binding.permission),
    }
  })
  const { results } = await client.ask(createAclsApi, { creations }, first => notController(first.results))
  const answers: Answers<AclBinding, undefined> = new Map()
  for (const [i, { errorCode, errorMessage }] of results.entries()) {
    answers.set(bindings[i]!, errorOfItem(errorCode, errorMessage))
  }
  allOf(answers, binding => JSON.stringify(binding))
}

/** Answers what was deleted, by the very filters that were given. */
export async function deleteAcls(
  client: AdminClient,
  filters: readonly AclFilter[],
): Promise<Map<AclFilter, AclBinding[]>> {
  requireArray('deleteAcls', filters, "[{ principal: 'User:alice' }]")
  const { filterResults } = await client.ask(deleteAclsApi, { filters: filters.map(filterOf) }, first =>
    notController(first.filterResults),
  )
  const answers: Answers<AclFilter, AclBinding[]> = new Map()
  for (const [i, { errorCode, errorMessage, matchingAcls }] of filterResults.entries()) {
    const failed = matchingAcls.find(acl => acl.errorCode !== 0)
    const error = errorOfItem(errorCode, errorMessage) ?? errorOfItem(failed?.errorCode ?? 0, failed?.errorMessage)
    answers.set(filters[i]!, error ?? matchingAcls.map(bindingOf))
  }
  return allOf(answers, filter => JSON.stringify(filter))
}

function filterOf(filter: AclFilter) {
  refuseUnknown('a filter of ACLs', filter, fields)
  return {
    resourceTypeFilter: codeOf('resourceType', resourceTypes, filter.resourceType ?? 'any'),
    resourceNameFilter: filter.resourceName ?? null,
    patternTypeFilter: codeOf('patternType', patternTypes, filter.patternType ?? 'any'),
    principalFilter: filter.principal ?? null,
    hostFilter: filter.host ?? null,
    operation: codeOf('operation', operations, filter.operation ?? 'any'),
    permissionType: codeOf('permission', permissions, filter.permission ?? 'any'),
  }
}

function codeOf(what: string, table: Readonly<Record<string, number>>, name: string): number {
  const code = Object.hasOwn(table, name) ? table[name] : undefined
  if (code !== undefined) return code
  throw new IllegalArgumentError(`${what} is one of ${Object.keys(table).join(', ')}, not ${name}`)
}

function nameOf<T extends Readonly<Record<string, number>>>(table: T, code: number): Exclude<keyof T, 'any'> {
  const found = Object.entries(table).find(([, each]) => each === code)
  return (found?.[0] ?? `unknown (${code})`) as Exclude<keyof T, 'any'>
}

function bindingOf(acl: {
  readonly resourceType: number
  readonly resourceName: string
  readonly patternType: number
  readonly principal: string
  readonly host: string
  readonly operation: number
  readonly permissionType: number
}): AclBinding {
  return {
    resourceType: nameOf(resourceTypes, acl.resourceType),
    resourceName: acl.resourceName,
    patternType: nameOf(patternTypes, acl.patternType) as 'literal' | 'prefixed',
    principal: acl.principal,
    host: acl.host,
    operation: nameOf(operations, acl.operation),
    permission: nameOf(permissions, acl.permissionType),
  }
}
