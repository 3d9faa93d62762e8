import { ConfigError } from '../wire/errors.ts'

/** `RULE:pattern/replacement/[LU]`, or `DEFAULT`; in pattern and replacement `\/` is a slash. */
const RULE = /\s*(?:(DEFAULT)|RULE:((?:\\.|[^\\/])*)\/((?:\\.|[^\\/])*)\/([LU]?))\s*(?:,|$)/y

interface Rule {
  /** Undefined: the name as it is. */
  readonly pattern: RegExp | undefined
  readonly replacement: string
  readonly letterCase: string
}

/**
 * What `ssl.principal.mapping.rules` makes of the name in a certificate (KIP-371; Kafka's SslPrincipalMapper): the first rule
 * that the whole name matches. Patterns are Java's, which JavaScript reads alike but for possessive quantifiers and the like.
 */
export class PrincipalMapping {
  readonly #rules: readonly Rule[]

  /** @throws {ConfigError} for what is no rule */
  constructor(text: string) {
    const rules: Rule[] = []
    RULE.lastIndex = 0
    while (RULE.lastIndex < text.length) {
      const at = RULE.lastIndex
      const match = RULE.exec(text)
      if (match === null) throw malformed(text.slice(at), 'a rule is DEFAULT, or RULE:pattern/replacement/ with L or U')
      const [, isDefault, pattern = '', replacement = '', letterCase = ''] = match
      rules.push({ pattern: isDefault === undefined ? patternOf(pattern) : undefined, replacement, letterCase })
    }
    this.#rules = rules
  }

  /** Undefined: no rule is for it. */
  nameOf(distinguishedName: string): string | undefined {
    for (const { pattern, replacement, letterCase } of this.#rules) {
      if (pattern === undefined) return distinguishedName
      const whole = new RegExp(`^(?:${pattern.source})$`)
      if (!whole.test(distinguishedName)) continue
      const mapped = distinguishedName.replaceAll(pattern, (...found) => filled(replacement, found as string[]))
      if (letterCase === 'L') return mapped.toLowerCase()
      return letterCase === 'U' ? mapped.toUpperCase() : mapped
    }
    return undefined
  }
}

function patternOf(text: string): RegExp {
  try {
    return new RegExp(text, 'g')
  } catch (error) {
    throw malformed(text, (error as Error).message)
  }
}

/** `$1` is what the first group found; behind a backslash everything is itself. */
function filled(replacement: string, found: readonly (string | undefined)[]): string {
  return replacement.replaceAll(
    /\\(.)|\$(\d)/g,
    (_, plain: string | undefined, group: string) => plain ?? found[Number(group)] ?? '',
  )
}

function malformed(rule: string, reason: string): ConfigError {
  return new ConfigError(`ssl.principal.mapping.rules: '${rule}': ${reason}`)
}
