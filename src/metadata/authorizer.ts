import { aclHost } from '../wire/ip-address.ts'
import { type Principal, principalText } from '../wire/principal.ts'
import {
  type Acl,
  type AclOperation,
  type AclResourceType,
  type Acls,
  aclOperations,
  aclPatternTypes,
  aclPermissions,
  aclResourceTypes,
  WILDCARD,
} from './acls.ts'

/** Who asks, and from where. */
export interface Subject {
  readonly principal: Principal
  /** Address of the host. */
  readonly host: string
}

export interface AuthorizerSettings {
  /** As in `User:admin`. */
  readonly superUsers: ReadonlySet<string>
  /** Whether a resource that no ACL is about is everybody's (`allow.everyone.if.no.acl.found`). */
  readonly allowEveryoneIfNoAclFound: boolean
  /** @internal Rules that are switched off, for tests of the laws. */
  readonly mutants?: ReadonlySet<string>
}

/**
 * The test's own hand: whatever the options of a cluster ask for is made in its name. No certificate and no mechanism makes
 * a principal that is no user.
 */
export const SYSTEM: Principal = { type: 'System', name: 'cluster' }

const EVERYBODY = `User:${WILDCARD}`
/** No resource has to be called so: what applies to it applies to all (Authorizer.authorizeByResourceType). */
const ANY_NAME = 'hardcode'

const { read, write, alter, describe, describeConfigs, alterConfigs, all } = aclOperations
/** What else an ALLOW of these is good for (M-71). */
const describing: ReadonlySet<number> = new Set([read, write, aclOperations.delete, alter])

/**
 * Kafka's StandardAuthorizer (KIP-801) over the ACLs of an image: super users may do everything; then a matching DENY
 * decides, then a matching ALLOW; a resource that no ACL is about, for nobody, is as `allowEveryoneIfNoAclFound` says; what
 * is left is denied (M-70). Nothing is remembered between two questions: what the image has is what counts.
 *
 * Simplification: of principals only the type and the name are looked at, as there are no groups of them in Kafka either.
 */
export class Authorizer {
  readonly #acls: Acls
  readonly #settings: AuthorizerSettings

  constructor(acls: Acls, settings: AuthorizerSettings) {
    this.#acls = acls
    this.#settings = settings
  }

  allows(subject: Subject, operation: AclOperation, type: AclResourceType, name: string): boolean {
    const { superUsers, allowEveryoneIfNoAclFound, mutants } = this.#settings
    const principal = principalText(subject.principal)
    if (superUsers.has(principal)) return true
    const host = aclHost(subject.host)
    let isAllowed = false
    let isKnown = false
    for (const acl of this.#acls.of(aclResourceTypes[type], name)) {
      isKnown = true
      if (!isMeant(acl, principal, host) || !covers(acl, aclOperations[operation], mutants)) continue
      if (acl.permissionType === aclPermissions.allow) isAllowed = true
      else if (!mutants?.has('deny before allow')) return false
    }
    return isKnown || mutants?.has('no acl is no answer') ? isAllowed : allowEveryoneIfNoAclFound
  }

  /**
   * Whether there may be a resource of this type that the subject may do this with (KIP-679): what an idempotent producer is
   * asked. An ALLOW counts unless a DENY takes away everything that it names. Unlike `allows`, nothing is implied here.
   */
  allowsSome(subject: Subject, operation: AclOperation, type: AclResourceType): boolean {
    if (this.allows(subject, operation, type, ANY_NAME)) return true
    const principal = principalText(subject.principal)
    const code = aclOperations[operation]
    const host = aclHost(subject.host)
    const allowed: Acl[] = []
    const denied = { literal: new Set<string>(), prefixed: new Set<string>() }
    for (const acl of this.#acls.ofType(aclResourceTypes[type])) {
      if (!isMeant(acl, principal, host) || (acl.operation !== code && acl.operation !== all)) continue
      if (acl.permissionType === aclPermissions.allow) allowed.push(acl)
      else denied[isPrefixed(acl) ? 'prefixed' : 'literal'].add(acl.resourceName)
    }
    if (denied.literal.has(WILDCARD)) return false
    return allowed.some(acl => {
      const { resourceName: name } = acl
      if (!isPrefixed(acl) && name === WILDCARD) return true
      if (!isPrefixed(acl) && denied.literal.has(name)) return false
      for (let length = 1; length <= name.length; length++) if (denied.prefixed.has(name.slice(0, length))) return false
      return true
    })
  }
}

function isPrefixed({ patternType }: Acl): boolean {
  return patternType === aclPatternTypes.prefixed
}

function isMeant(acl: Acl, principal: string, host: string): boolean {
  return (acl.principal === principal || acl.principal === EVERYBODY) && (acl.host === WILDCARD || acl.host === host)
}

/** A DENY means what it says, and no more. */
function covers(acl: Acl, operation: number, mutants: ReadonlySet<string> | undefined): boolean {
  if (acl.operation === all || acl.operation === operation) return true
  if (acl.permissionType !== aclPermissions.allow && !mutants?.has('deny implies nothing')) return false
  if (operation === describe) return describing.has(acl.operation)
  return operation === describeConfigs && acl.operation === alterConfigs
}

/**
 * The authorizer of a node by its static configuration, under Kafka's keys; undefined where it has none.
 *
 * Simplification: there is one authorizer to choose, whatever the class is called.
 */
export function authorizerOf(acls: Acls, configs: ReadonlyMap<string, string>): Authorizer | undefined {
  if ((configs.get('authorizer.class.name') ?? '') === '') return undefined
  return new Authorizer(acls, {
    superUsers: new Set([principalText(SYSTEM), ...superUsersOf(configs.get('super.users') ?? '')]),
    allowEveryoneIfNoAclFound: configs.get('allow.everyone.if.no.acl.found')?.toLowerCase() === 'true',
  })
}

/** `User:admin;User:root`: a semicolon, since distinguished names have commas. */
function superUsersOf(text: string): string[] {
  const names = text.split(';').map(name => name.trim())
  return names.filter(name => name !== '')
}
