import { type SaslMechanism, saslMechanisms } from '../broker/authentication/sasl-gate.ts'
import type { SaslOptions } from '../cluster/sasl-options.ts'
import { nearestName } from '../metadata/nearest-name.ts'
import { UsageError } from './flags.ts'

export const SASL_FORM = 'USER:PASSWORD[:MECHANISM]'
const EXAMPLE = '--sasl alice:secret:SCRAM-SHA-256'
/** What looks like the name of a mechanism is meant to be one, and no password. */
const LIKE_A_MECHANISM = /^(?:PLAIN|SCRAM|OAUTH|GSSAPI)[A-Z\d-]*$/i
/** OAUTHBEARER has no passwords. */
const withPasswords = saslMechanisms.filter(each => each !== 'OAUTHBEARER')

/**
 * The users of `--sasl`, and the mechanisms that were named; undefined: it was not said. A password may hold colons.
 *
 * @throws {UsageError} that never holds a password
 */
export function saslArguments(texts: readonly string[]): SaslOptions | undefined {
  if (texts.length === 0) return undefined
  const users: Record<string, string> = {}
  const mechanisms = new Set<SaslMechanism>()
  for (const text of texts) {
    const [user = '', ...rest] = text.split(':')
    const named = rest.length > 1 && LIKE_A_MECHANISM.test(rest.at(-1)!) ? rest.pop()! : undefined
    const password = rest.join(':')
    if (user === '' || password === '') throw new UsageError(`--sasl takes ${SASL_FORM}, as in ${EXAMPLE}`)
    if (Object.hasOwn(users, user)) throw new UsageError(`--sasl: the user '${user}' is given twice: leave one out`)
    users[user] = password
    if (named !== undefined) mechanisms.add(mechanismOf(named))
  }
  return mechanisms.size === 0 ? { users } : { users, mechanisms: [...mechanisms] }
}

function mechanismOf(named: string): SaslMechanism {
  const found = withPasswords.find(each => each === named.toUpperCase())
  if (found !== undefined) return found
  const nearest = nearestName(named, withPasswords)
  const advice = nearest === undefined ? `there are ${withPasswords.join(', ')}` : `did you mean ${nearest}?`
  throw new UsageError(`--sasl: there is no mechanism ${named} with passwords here: ${advice}`)
}
