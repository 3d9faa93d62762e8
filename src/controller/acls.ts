import type { createAcls } from '../apis/create-acls.ts'
import type { deleteAcls } from '../apis/delete-acls.ts'
import {
  type Acl,
  type AclFilter,
  aclOperations,
  aclPatternTypes,
  aclPermissions,
  aclResourceTypes,
  CLUSTER_RESOURCE,
  isMeantByFilter,
} from '../metadata/acls.ts'
import type { MetadataRecordInput } from '../metadata/records.ts'
import type { RequestOf, ResponseInput } from '../wire/api.ts'
import { KafkaError } from '../wire/errors.ts'
import { drawUuid } from '../wire/uuid.ts'
import type { Decision, Situation } from './decision.ts'
import { attempt, errorFields } from './refusal.ts'

/** Kafka's `AclControlManager.MAX_RECORDS_PER_USER_OP`. */
const MAX_RECORDS = 10_000

const types: readonly number[] = Object.values(aclResourceTypes).filter(code => code !== aclResourceTypes.any)
const patterns: readonly number[] = [aclPatternTypes.literal, aclPatternTypes.prefixed]
const operations: readonly number[] = Object.values(aclOperations).filter(code => code !== aclOperations.any)
const permissions: readonly number[] = [aclPermissions.allow, aclPermissions.deny]
const filterable = {
  types: Object.values(aclResourceTypes) as readonly number[],
  patterns: Object.values(aclPatternTypes) as readonly number[],
  operations: Object.values(aclOperations) as readonly number[],
  permissions: Object.values(aclPermissions) as readonly number[],
}

/** Makes ACLs (AclControlManager), each by itself; one that is there already needs no record. */
export function decideAcls(
  { creations }: RequestOf<typeof createAcls>,
  situation: Situation,
): Decision<ResponseInput<typeof createAcls>> {
  const known = new Set([...situation.image.acls.entries()].map(([, acl]) => keyOf(acl)))
  const records: MetadataRecordInput[] = []
  const results = creations.map(({ resourcePatternType: patternType, ...rest }) => {
    const acl: Acl = { ...rest, patternType }
    const error = attempt(() => {
      check(acl)
      const key = keyOf(acl)
      if (known.has(key)) return
      if (records.length === MAX_RECORDS)
        throw new KafkaError('POLICY_VIOLATION', `More than ${MAX_RECORDS} ACLs at once.`)
      known.add(key)
      const id = drawUuid(n => situation.choose('acl id', n))
      records.push({ type: 'AccessControlEntryRecord', id, ...acl })
    })
    return error === undefined ? { errorCode: 0, errorMessage: '' } : errorFields(error)
  })
  return { records, response: { throttleTimeMs: 0, results } }
}

/** Deletes what any of the filters means; what two of them mean is told of by both. */
export function decideAclDeletions(
  { filters }: RequestOf<typeof deleteAcls>,
  { image }: Situation,
): Decision<ResponseInput<typeof deleteAcls>> {
  const doomed = new Set<string>()
  const filterResults = filters.map(given => {
    const filter: AclFilter = {
      ...given,
      resourceType: given.resourceTypeFilter,
      resourceName: given.resourceNameFilter,
      patternType: given.patternTypeFilter,
      principal: given.principalFilter,
      host: given.hostFilter,
    }
    const matching: Acl[] = []
    const error = attempt(() => {
      checkFilter(filter)
      const found = [...image.acls.entries()].filter(([, acl]) => isMeantByFilter(acl, filter))
      if (new Set([...doomed, ...found.map(([id]) => id)]).size > MAX_RECORDS) {
        throw new KafkaError('POLICY_VIOLATION', `More than ${MAX_RECORDS} ACLs at once.`)
      }
      for (const [id, acl] of found) {
        doomed.add(id)
        matching.push(acl)
      }
    })
    return { ...errorFields(error), matchingAcls: matching.map(acl => ({ errorCode: 0, errorMessage: null, ...acl })) }
  })
  const records = [...doomed].map(id => ({ type: 'RemoveAccessControlEntryRecord', id }) as const)
  return { records, response: { throttleTimeMs: 0, filterResults } }
}

function keyOf(acl: Acl): string {
  const { resourceType, resourceName, patternType, principal, host, operation, permissionType } = acl
  return JSON.stringify([resourceType, resourceName, patternType, principal, host, operation, permissionType])
}

/** M-73. Kafka fails inside itself where a code is one that only filters have, for all ACLs of the request. */
function check({ resourceType, resourceName, patternType, principal, operation, permissionType }: Acl): void {
  refuseUnless(types.includes(resourceType), `No ACL has the resource type ${resourceType}.`)
  refuseUnless(patterns.includes(patternType), `No ACL has the pattern type ${patternType}.`)
  refuseUnless(operations.includes(operation), `No ACL has the operation ${operation}.`)
  refuseUnless(permissions.includes(permissionType), `No ACL has the permission type ${permissionType}.`)
  refuseUnless(resourceName !== '', 'Resource name should not be empty')
  refuseUnless(principal.includes(':'), `Could not parse principal from \`${principal}\`: it is written as User:name`)
  const isCluster = resourceType === aclResourceTypes.cluster
  refuseUnless(!isCluster || resourceName === CLUSTER_RESOURCE, `The only cluster is called ${CLUSTER_RESOURCE}.`)
}

function checkFilter({ resourceType, patternType, operation, permissionType }: AclFilter): void {
  const isPattern = filterable.types.includes(resourceType) && filterable.patterns.includes(patternType)
  refuseUnless(isPattern, 'Unknown patternFilter.')
  const isEntry = filterable.operations.includes(operation) && filterable.permissions.includes(permissionType)
  refuseUnless(isEntry, 'Unknown entryFilter.')
}

function refuseUnless(isLegal: boolean, why: string): void {
  if (!isLegal) throw new KafkaError('INVALID_REQUEST', why)
}
