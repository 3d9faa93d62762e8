import type { AuthorizerConfigOptions } from '../metadata/authorizer-configs.ts'
import { ConfigError } from '../wire/errors.ts'
import { parsePrincipal } from '../wire/principal.ts'
import { refuseUnknown } from './options.ts'

/** Who may do everything, and what holds where nothing is said. */
export interface AuthorizerOptions {
  /** As in `'User:admin'`. Default: nobody. */
  readonly superUsers?: readonly string[]
  /** Whether a resource that no ACL is about is everybody's. Default: false. */
  readonly allowEveryoneIfNoAclFound?: boolean
}

const STANDARD = 'org.apache.kafka.metadata.authorizer.StandardAuthorizer'

/** Kafka's keys for it. @throws {ConfigError} */
export function authorizerConfigs(option: 'standard' | AuthorizerOptions | undefined): AuthorizerConfigOptions {
  if (option === undefined) return {}
  const options = option === 'standard' ? {} : option
  if (typeof options !== 'object' || options === null) {
    throw new ConfigError(`authorizer takes 'standard' or { superUsers, … }, not ${JSON.stringify(option)}`)
  }
  refuseUnknown('option of the authorizer', options, ['superUsers', 'allowEveryoneIfNoAclFound'])
  const { superUsers = [], allowEveryoneIfNoAclFound = false } = options
  if (!Array.isArray(superUsers)) throw new ConfigError("superUsers takes a list, as in ['User:admin']")
  return {
    'authorizer.class.name': STANDARD,
    ...(superUsers.length === 0 ? {} : { 'super.users': superUsers.map(superUser).join(';') }),
    ...(allowEveryoneIfNoAclFound ? { 'allow.everyone.if.no.acl.found': true } : {}),
  }
}

function superUser(text: string): string {
  const principal = parsePrincipal(text)
  if (principal === undefined || principal.name === '' || text.includes(';')) {
    throw new ConfigError(`a super user is written 'User:admin', not ${JSON.stringify(text)}`)
  }
  return text
}
