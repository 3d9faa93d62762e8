import type { MetadataRecordOf } from './records.ts'

/** Codes of ACL operations (Kafka's AclOperation); 0 is unknown. */
export const aclOperations = {
  any: 1,
  all: 2,
  read: 3,
  write: 4,
  create: 5,
  delete: 6,
  alter: 7,
  describe: 8,
  clusterAction: 9,
  describeConfigs: 10,
  alterConfigs: 11,
  idempotentWrite: 12,
  createTokens: 13,
  describeTokens: 14,
  twoPhaseCommit: 15,
} as const
/** What can be asked for; `any` is for filters, `all` for ACLs. */
export type AclOperation = Exclude<keyof typeof aclOperations, 'any' | 'all'>

/** Codes of what an ACL can be about (ResourceType); 0 is unknown. */
export const aclResourceTypes = {
  any: 1,
  topic: 2,
  group: 3,
  cluster: 4,
  transactionalId: 5,
  delegationToken: 6,
  user: 7,
} as const
export type AclResourceType = Exclude<keyof typeof aclResourceTypes, 'any'>

/** Codes of how a name is meant (PatternType); 0 is unknown, the first two are for filters. */
export const aclPatternTypes = { any: 1, match: 2, literal: 3, prefixed: 4 } as const
/** Codes of AclPermissionType; 0 is unknown, the first is for filters. */
export const aclPermissions = { any: 1, deny: 2, allow: 3 } as const

/** In an ACL: every resource of the type, every host. */
export const WILDCARD = '*'
/** The only name that the cluster has. */
export const CLUSTER_RESOURCE = 'kafka-cluster'

/** Who may, or may not, do what with what, by Kafka's codes. */
export interface Acl {
  readonly resourceType: number
  readonly resourceName: string
  readonly patternType: number
  /** As in `User:alice`; `User:*` is everybody. */
  readonly principal: string
  /** An address, or `*`. */
  readonly host: string
  readonly operation: number
  readonly permissionType: number
}

/** What is `any`, or null, is not asked. */
export interface AclFilter {
  readonly resourceType: number
  readonly resourceName: string | null
  readonly patternType: number
  readonly principal: string | null
  readonly host: string | null
  readonly operation: number
  readonly permissionType: number
}

/** Whether a filter means it (AclBindingFilter). `match`: the name is one that the ACL's pattern applies to. */
export function isMeantByFilter(acl: Acl, filter: AclFilter): boolean {
  const { resourceType, operation, permissionType } = filter
  if (resourceType !== aclResourceTypes.any && resourceType !== acl.resourceType) return false
  if (operation !== aclOperations.any && operation !== acl.operation) return false
  if (permissionType !== aclPermissions.any && permissionType !== acl.permissionType) return false
  if (filter.principal !== null && filter.principal !== acl.principal) return false
  if (filter.host !== null && filter.host !== acl.host) return false
  return isMeantPattern(acl, filter)
}

function isMeantPattern(acl: Acl, { patternType, resourceName }: AclFilter): boolean {
  const isMatch = patternType === aclPatternTypes.match
  if (!isMatch && patternType !== aclPatternTypes.any && patternType !== acl.patternType) return false
  if (resourceName === null || resourceName === acl.resourceName) return true
  if (!isMatch) return false
  if (acl.patternType === aclPatternTypes.prefixed) return resourceName.startsWith(acl.resourceName)
  return acl.resourceName === WILDCARD
}

const NONE: readonly Acl[] = []

/** ACLs of one resource type, by what they name. */
class Patterns {
  readonly literal = new Map<string, Acl[]>()
  readonly prefixed = new Map<string, Acl[]>()

  of({ patternType }: Acl): Map<string, Acl[]> {
    return patternType === aclPatternTypes.prefixed ? this.prefixed : this.literal
  }
}

/** ACLs as the metadata log has them (KIP-801), in the order of their creation. */
export class Acls {
  readonly #acls = new Map<string, Acl>()
  readonly #types = new Map<number, Patterns>()

  set(record: MetadataRecordOf<'AccessControlEntryRecord'>): void {
    const { id, resourceType, resourceName, patternType, principal, host, operation, permissionType } = record
    const acl = { resourceType, resourceName, patternType, principal, host, operation, permissionType }
    this.#acls.set(id, acl)
    let patterns = this.#types.get(resourceType)
    if (patterns === undefined) {
      patterns = new Patterns()
      this.#types.set(resourceType, patterns)
    }
    const named = patterns.of(acl)
    named.set(resourceName, [...(named.get(resourceName) ?? NONE), acl])
  }

  remove({ id }: MetadataRecordOf<'RemoveAccessControlEntryRecord'>): void {
    const acl = this.#acls.get(id)
    if (acl === undefined) return
    this.#acls.delete(id)
    const named = this.#types.get(acl.resourceType)!.of(acl)
    const left = named.get(acl.resourceName)!.filter(other => other !== acl)
    if (left.length === 0) named.delete(acl.resourceName)
    else named.set(acl.resourceName, left)
  }

  get size(): number {
    return this.#acls.size
  }

  /** With their ids. */
  entries(): IterableIterator<[id: string, acl: Acl]> {
    return this.#acls.entries()
  }

  /** All that are about such resources. */
  *ofType(resourceType: number): Generator<Acl> {
    const patterns = this.#types.get(resourceType)
    if (patterns === undefined) return
    for (const acls of patterns.literal.values()) yield* acls
    for (const acls of patterns.prefixed.values()) yield* acls
  }

  /** All that apply to this resource: those of its name, of every beginning of it, and of all names (M-71). */
  *of(resourceType: number, name: string): Generator<Acl> {
    const patterns = this.#types.get(resourceType)
    if (patterns === undefined) return
    yield* patterns.literal.get(name) ?? NONE
    if (name !== WILDCARD) yield* patterns.literal.get(WILDCARD) ?? NONE
    if (patterns.prefixed.size === 0) return
    for (let length = 1; length <= name.length; length++) yield* patterns.prefixed.get(name.slice(0, length)) ?? NONE
  }
}
