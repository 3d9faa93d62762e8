import type { AclOperation } from '../metadata/acls.ts'
import type { RequestOf, ResponseInput } from '../wire/api.ts'
import { errorFields } from '../wire/error-fields.ts'
import { KafkaError } from '../wire/errors.ts'
import { type Asker, clusterRefusal, type Guarded } from './authorization.ts'
import type { createAcls } from './create-acls.ts'
import type { deleteAcls } from './delete-acls.ts'

/** Why a node has nothing to do with ACLs, or not with this asker's; `where` ends the sentence of the former. */
export function aclRefusal(node: Guarded, asker: Asker, operation: AclOperation, where = '.'): KafkaError | undefined {
  if (node.authorizer !== undefined) return clusterRefusal(node, asker, operation)
  return new KafkaError('SECURITY_DISABLED', `No Authorizer is configured${where}`)
}

/**
 * Codes of an ACL or a filter. With a 0 among them, which stands for what nobody knows, Kafka reads no further and closes
 * the connection; without an authorizer that is said here, as of every other.
 *
 * @throws {KafkaError} which closes it here.
 */
export function requireCodes({ authorizer }: Guarded, ...codes: readonly number[]): void {
  if (authorizer !== undefined && codes.includes(0))
    throw new KafkaError('INVALID_REQUEST', 'an ACL has unknown elements')
}

export function aclsRefused(
  { creations }: RequestOf<typeof createAcls>,
  error: KafkaError,
): ResponseInput<typeof createAcls> {
  return { throttleTimeMs: 0, results: creations.map(() => errorFields(error)) }
}

export function aclDeletionsRefused(
  { filters }: RequestOf<typeof deleteAcls>,
  error: KafkaError,
): ResponseInput<typeof deleteAcls> {
  return { throttleTimeMs: 0, filterResults: filters.map(() => ({ ...errorFields(error), matchingAcls: [] })) }
}
