import { UsageError } from './flags.ts'

const meanings: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '0': '\0', '\\': '\\' }

/** Text as a shell hands it over: `\t` is a tab, `\x1f` an ASCII character. @throws {UsageError} for an escape that is not known */
export function unescaped(flag: string, text: string): string {
  return text.replaceAll(/\\(x[0-7][\da-f]|.|$)/gi, (written, what: string) => {
    const meaning = what.length === 3 ? String.fromCharCode(Number.parseInt(what.slice(1), 16)) : meanings[what]
    if (meaning !== undefined) return meaning
    throw new UsageError(`--${flag}: '${written}' is no escape; there are \\n, \\r, \\t, \\0, \\x00 to \\x7F and \\\\`)
  })
}
