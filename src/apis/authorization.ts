import { type AclOperation, type AclResourceType, aclOperations, CLUSTER_RESOURCE } from '../metadata/acls.ts'
import type { Authorizer } from '../metadata/authorizer.ts'
import type { RequestContext } from '../wire/api.ts'
import { type ErrorFields, errorFields } from '../wire/error-fields.ts'
import { type ErrorName, KafkaError } from '../wire/errors.ts'

/** Who asks. */
export type Asker = Pick<RequestContext, 'principal' | 'host' | 'peer'>

/** A broker or a controller. */
export interface Guarded {
  /** Undefined: everybody may do everything. */
  readonly authorizer: Authorizer | undefined
}

/** What is answered where somebody may not (M-73). */
const refusals: Readonly<Record<AclResourceType, ErrorName>> = {
  topic: 'TOPIC_AUTHORIZATION_FAILED',
  group: 'GROUP_AUTHORIZATION_FAILED',
  cluster: 'CLUSTER_AUTHORIZATION_FAILED',
  transactionalId: 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
  delegationToken: 'DELEGATION_TOKEN_AUTHORIZATION_FAILED',
  user: 'DELEGATION_TOKEN_AUTHORIZATION_FAILED',
}

/**
 * Whether whoever asks may do this with a resource (Kafka's AuthHelper). Brokers among themselves may do everything, as if
 * their principal were a super user: nobody else can speak for them, since they talk within the process.
 */
export function allows(
  { authorizer }: Guarded,
  asker: Asker,
  operation: AclOperation,
  type: AclResourceType,
  name: string,
): boolean {
  return authorizer === undefined || asker.peer !== undefined || authorizer.allows(asker, operation, type, name)
}

export function allowsCluster(node: Guarded, asker: Asker, operation: AclOperation): boolean {
  return allows(node, asker, operation, 'cluster', CLUSTER_RESOURCE)
}

/** Whether there is a resource of this type that the asker may do this with. */
export function allowsSome(
  { authorizer }: Guarded,
  asker: Asker,
  operation: AclOperation,
  type: AclResourceType,
): boolean {
  return authorizer === undefined || asker.peer !== undefined || authorizer.allowsSome(asker, operation, type)
}

/** Undefined where it is allowed; otherwise what is answered. */
export function refusalOf(
  node: Guarded,
  asker: Asker,
  operation: AclOperation,
  type: AclResourceType,
  name: string,
): KafkaError | undefined {
  return allows(node, asker, operation, type, name) ? undefined : new KafkaError(refusals[type])
}

/** @throws {KafkaError} where it is not allowed. */
export function demand(
  node: Guarded,
  asker: Asker,
  operation: AclOperation,
  type: AclResourceType,
  name: string,
): void {
  const error = refusalOf(node, asker, operation, type, name)
  if (error !== undefined) throw error
}

/** The same for an operation on the cluster. */
export function clusterRefusal(node: Guarded, asker: Asker, operation: AclOperation): KafkaError | undefined {
  return refusalOf(node, asker, operation, 'cluster', CLUSTER_RESOURCE)
}

/** For the APIs of consumer groups (KIP-848): of a denial they say no more than the code. */
export function terseFields(error: KafkaError): ErrorFields {
  const isDenial = error.ownMessage === null && error.errorName.endsWith('_AUTHORIZATION_FAILED')
  return isDenial ? { errorCode: error.code, errorMessage: null } : errorFields(error)
}

/** What of these a subject may do this with; the very list where that is all. */
export function allowed<T>(
  node: Guarded,
  asker: Asker,
  operation: AclOperation,
  type: AclResourceType,
  items: readonly T[],
  nameOf: (item: T) => string,
): readonly T[] {
  if (node.authorizer === undefined) return items
  const kept = items.filter(item => allows(node, asker, operation, type, nameOf(item)))
  return kept.length === items.length ? items : kept
}

/** What can be done with a resource of these types at all (AclEntry.supportedOperations). */
const supported = {
  topic: ['read', 'write', 'create', 'describe', 'delete', 'alter', 'describeConfigs', 'alterConfigs'],
  group: ['read', 'describe', 'delete', 'describeConfigs', 'alterConfigs'],
  cluster: ['create', 'clusterAction', 'describeConfigs', 'alterConfigs', 'idempotentWrite', 'alter', 'describe'],
} as const satisfies Partial<Record<AclResourceType, readonly AclOperation[]>>

/** Bit field of what the asker may do with it, a bit per ACL operation (M-5). −2147483648 means that it was not asked for. */
export function authorizedOperations(
  node: Guarded,
  asker: Asker,
  type: keyof typeof supported,
  name: string = CLUSTER_RESOURCE,
): number {
  let bits = 0
  for (const operation of supported[type]) {
    if (allows(node, asker, operation, type, name)) bits |= 1 << aclOperations[operation]
  }
  return bits
}

/** Whoever may not describe the cluster may do nothing with it, as far as answers go that tell it. */
export function clusterOperations(node: Guarded, asker: Asker): number {
  return allowsCluster(node, asker, 'describe') ? authorizedOperations(node, asker, 'cluster') : 0
}
