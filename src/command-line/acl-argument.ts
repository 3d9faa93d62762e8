import type { AccessArguments, AccessOperation, AccessResource } from '../cluster/acl-order.ts'
import { aclOperations } from '../metadata/acls.ts'
import { didYouMean } from '../metadata/nearest-name.ts'
import { UsageError } from './flags.ts'

export const ACL_FORM = '[deny:]USER:OPERATION:RESOURCE'
const EXAMPLE = "--acl 'alice:write:topic:orders-*'"

/** One `--acl`. */
export interface AclArgument {
  readonly permission: 'allow' | 'deny'
  readonly access: AccessArguments
}

const operations = Object.keys(aclOperations).filter(name => name !== 'any') as AccessOperation[]
const kinds = ['topic', 'group', 'transactionalId', 'delegationToken', 'user'] as const

/**
 * `alice:read:topic:orders`: a name that ends in `*` stands for all that begin so, `*` for all, as a user too; the cluster has
 * no name (`alice:create:cluster`). A name may hold colons.
 *
 * @throws {UsageError}
 */
export function aclArgument(text: string): AclArgument {
  const isDenial = text.startsWith('deny:')
  const [user = '', operation = '', kind = '', ...rest] = text.slice(isDenial ? 'deny:'.length : 0).split(':')
  if (user === '' || operation === '' || kind === '') throw new UsageError(`--acl takes ${ACL_FORM}, as in ${EXAMPLE}`)
  const access = [`User:${user}`, operationNamed(operation), resourceOf(kind, rest.join(':'))] as const
  return { permission: isDenial ? 'deny' : 'allow', access }
}

/** Upper or lower case, and as Kafka's own tools write them: `DescribeConfigs`, `DESCRIBE_CONFIGS`. */
function operationNamed(text: string): AccessOperation {
  const plain = (name: string) => name.replaceAll(/[_-]/g, '').toLowerCase()
  const found = operations.find(name => plain(name) === plain(text))
  if (found !== undefined) return found
  const advice = didYouMean(text, operations) || `: there are ${operations.join(', ')}`
  throw new UsageError(`--acl: there is no operation '${text}'${advice}`)
}

function resourceOf(kind: string, name: string): AccessResource {
  if (kind === 'cluster' && name === '') return 'cluster'
  const found = kinds.find(each => each === kind)
  if (found === undefined || name === '') {
    const forms = [...kinds.map(each => `${each}:NAME`), 'cluster'].join(', ')
    throw new UsageError(
      `--acl: a resource is one of ${forms}, not '${[kind, name].filter(each => each !== '').join(':')}'`,
    )
  }
  const isPrefix = name.length > 1 && name.endsWith('*')
  return { [found]: isPrefix ? name.slice(0, -1) : name, prefixed: isPrefix } as never
}
