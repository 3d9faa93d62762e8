/**
 * `sasl.jaas.config`, in the form of Java's login modules (JaasConfig):
 * `org.apache.kafka.common.security.plain.PlainLoginModule required username="alice" password="secret";`
 */
import { ConfigError } from '../../wire/errors.ts'

export interface LoginModule {
  /** The class, which says nothing here: the mechanism is `sasl.mechanism`. */
  readonly name: string
  readonly options: ReadonlyMap<string, string>
}

const FLAGS = ['required', 'requisite', 'sufficient', 'optional']
const EXAMPLE = 'org.apache.kafka.common.security.plain.PlainLoginModule required username="alice" password="secret";'
/** A quoted text, a sign, or a word. */
const TOKEN = /\s*(?:"((?:\\.|[^"\\\n])*)"|'((?:\\.|[^'\\\n])*)'|([;=])|([^\s;="']+))/y
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' }

interface Token {
  readonly text: string
  readonly isSign: boolean
}

/** The message never holds the text itself: there are passwords in it. */
function malformed(reason: string): ConfigError {
  return new ConfigError(`sasl.jaas.config: ${reason}; it is written like this: ${EXAMPLE}`)
}

/** @throws {ConfigError} for another form, and for more than one module */
export function parseJaas(text: string): LoginModule {
  const tokens = tokensOf(text)
  let at = 0
  const next = (what: string): string => {
    const token = tokens[at++]
    if (token === undefined || token.isSign) throw malformed(`${what} is missing`)
    return token.text
  }
  const takes = (sign: string) => {
    const token = tokens[at]
    if (token?.isSign !== true || token.text !== sign) return false
    at++
    return true
  }
  const name = next('the login module')
  const flag = next('the control flag')
  if (!FLAGS.includes(flag.toLowerCase())) throw malformed(`the control flag is one of ${FLAGS.join(', ')}`)
  const options = new Map<string, string>()
  while (!takes(';')) {
    if (at >= tokens.length) throw malformed('the ; at its end is missing')
    const key = next('the name of an option')
    if (!takes('=')) throw malformed(`the = after ${key} is missing`)
    options.set(key, next(`the value of ${key}`))
  }
  if (at < tokens.length) throw malformed('there is more than one login module')
  return { name, options }
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = []
  TOKEN.lastIndex = 0
  const end = text.trimEnd().length
  while (TOKEN.lastIndex < end) {
    const match = TOKEN.exec(text)
    if (match === null) throw malformed('a quote is not closed')
    const quoted = match[1] ?? match[2]
    if (quoted !== undefined) tokens.push({ text: unescaped(quoted), isSign: false })
    else tokens.push({ text: (match[3] ?? match[4])!, isSign: match[3] !== undefined })
  }
  return tokens
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(.)/g, (_, character: string) => ESCAPES[character] ?? character)
}
