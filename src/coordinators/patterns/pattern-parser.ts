import {
  anyCase,
  type CharacterTest,
  isWord,
  not,
  perlClasses,
  posixClasses,
  unicodeClass,
} from './character-classes.ts'
import type { PatternPart } from './pattern.ts'

/** An expression that RE2 would not take; `message` is RE2J's description. */
export class PatternError extends Error {}

const MAX_REPEAT = 1000
/** RE2's limit for how deep groups may lie in one another. */
const MAX_DEPTH = 1000
const places: Readonly<Record<string, PatternPart>> = {
  start: { kind: 'place', holds: (_, at) => at === 0 },
  end: { kind: 'place', holds: (text, at) => at === text.length },
  boundary: { kind: 'place', holds: isBoundary },
  inside: { kind: 'place', holds: (text, at) => !isBoundary(text, at) },
}
const controls: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 }

/**
 * Reads the syntax of RE2J, Kafka's library for subscriptions by regular expression: no backreferences, no lookaround, no
 * possessive quantifiers, flags in groups, POSIX and Unicode classes, `\Q…\E`, no repetition above 1,000.
 *
 * Simplification: `^` and `$` are the ends of the text in any mode, and greedy is as good as lazy: names of topics have no
 * line breaks, and all that is asked is whether a whole name matches.
 *
 * @throws {PatternError}
 */
export function parsePattern(source: string): PatternPart {
  return new PatternParser(source).whole()
}

class PatternParser {
  readonly #source: readonly string[]
  #at = 0
  #ignoreCase = false
  #depth = 0
  readonly #names = new Set<string>()

  constructor(source: string) {
    this.#source = Array.from(source)
  }

  whole(): PatternPart {
    const pattern = this.#choice()
    // RE2J fails inside itself over a parenthesis that closes nothing, and these are its words.
    if (this.#peek() !== undefined) throw new PatternError('regexp/syntax: internal error')
    return pattern
  }

  #peek(ahead = 0): string | undefined {
    return this.#source[this.#at + ahead]
  }

  #take(text: string): boolean {
    const found = [...text].every((character, index) => this.#peek(index) === character)
    if (found) this.#at += text.length
    return found
  }

  /** Everything up to `end`, which is taken too; undefined: it does not come. */
  #until(end: string): string | undefined {
    const at = this.#source.indexOf(end, this.#at)
    if (at < 0) return undefined
    const text = this.#source.slice(this.#at, at).join('')
    this.#at = at + 1
    return text
  }

  #choice(): PatternPart {
    const flags = this.#ignoreCase
    const parts = [this.#sequence()]
    while (this.#take('|')) parts.push(this.#sequence())
    this.#ignoreCase = flags
    return parts.length === 1 ? parts[0]! : { kind: 'choice', parts }
  }

  #sequence(): PatternPart {
    const parts: PatternPart[] = []
    for (;;) {
      const next = this.#peek()
      if (next === undefined || next === '|' || next === ')') return { kind: 'sequence', parts }
      if (this.#take('\\Q')) {
        const quoted = this.#quoted()
        const last = quoted.pop()
        parts.push(...quoted, ...(last === undefined ? [] : [this.#repeated(last)]))
        continue
      }
      const part = this.#atom()
      if (part !== undefined) parts.push(this.#repeated(part))
    }
  }

  #quoted(): PatternPart[] {
    const parts: PatternPart[] = []
    while (this.#peek() !== undefined && !this.#take('\\E')) {
      parts.push(this.#literal(this.#peek()!.codePointAt(0)!))
      this.#at++
    }
    return parts
  }

  /** Undefined: flags, which are no part. */
  #atom(): PatternPart | undefined {
    const next = this.#source[this.#at++]!
    switch (next) {
      case '^':
        return places.start!
      case '$':
        return places.end!
      case '.':
        return { kind: 'character', test: code => code !== 10 }
      case '(':
        return this.#group()
      case '[':
        return { kind: 'character', test: this.#class() }
      case '*':
      case '+':
      case '?':
        throw new PatternError('missing argument to repetition operator')
      case '{':
        this.#at--
        if (this.#counts() !== undefined) throw new PatternError('missing argument to repetition operator')
        this.#at++
        return this.#literal(123)
      case '\\':
        return this.#escaped()
      default:
        return this.#literal(next.codePointAt(0)!)
    }
  }

  #repeated(part: PatternPart): PatternPart {
    const counts = this.#quantifier()
    if (counts === undefined) return part
    this.#take('?')
    if (this.#quantifier() !== undefined) throw new PatternError('invalid nested repetition operator')
    return { kind: 'repeat', part, ...counts }
  }

  #quantifier(): { readonly min: number; readonly max: number } | undefined {
    if (this.#take('*')) return { min: 0, max: Number.POSITIVE_INFINITY }
    if (this.#take('+')) return { min: 1, max: Number.POSITIVE_INFINITY }
    if (this.#take('?')) return { min: 0, max: 1 }
    return this.#counts()
  }

  /** `{2}`, `{2,}`, `{2,5}`; anything else after a brace is plain text. */
  #counts(): { readonly min: number; readonly max: number } | undefined {
    const found = /^\{(\d+)(,?)(\d*)\}/.exec(this.#source.slice(this.#at, this.#at + 16).join(''))
    if (found === null) return undefined
    const [text, first, comma, second] = found as unknown as [string, string, string, string]
    this.#at += text.length
    const min = Number(first)
    const max = comma === '' ? min : second === '' ? Number.POSITIVE_INFINITY : Number(second)
    if (min > MAX_REPEAT || (max !== Number.POSITIVE_INFINITY && max > MAX_REPEAT) || min > max) {
      throw new PatternError('invalid repeat count')
    }
    return { min, max }
  }

  #group(): PatternPart | undefined {
    const flags = this.#ignoreCase
    if (this.#take('?P<') || (this.#peek() === '?' && this.#peek(1) === '<' && this.#take('?<'))) this.#name()
    else if (this.#take('?')) {
      if (this.#flags()) return undefined
    }
    if (++this.#depth > MAX_DEPTH) throw new PatternError('expression nests too deeply')
    const inside = this.#choice()
    this.#depth--
    this.#ignoreCase = flags
    if (!this.#take(')')) throw new PatternError('missing closing )')
    return inside
  }

  #name(): void {
    const name = this.#until('>')
    if (name === undefined || !/^\w+$/.test(name)) throw new PatternError('invalid named capture')
    if (this.#names.has(name)) throw new PatternError('duplicate capture group name')
    this.#names.add(name)
  }

  /** `i)` for all that follows in this group, or `i:` for the group that begins here. Whether it was the former. */
  #flags(): boolean {
    let on = true
    for (let seen = 0; ; seen++) {
      const flag = this.#source[this.#at++]
      if (flag === undefined) throw new PatternError('invalid or unsupported Perl syntax')
      if (flag === ')' && seen > 0) return true
      if (flag === ':') return false
      if (flag === '-' && on) on = false
      else if (flag === 'i') this.#ignoreCase = on
      else if (flag !== 'm' && flag !== 's' && flag !== 'U') {
        throw new PatternError('invalid or unsupported Perl syntax')
      }
    }
  }

  #escaped(): PatternPart {
    const next = this.#peek()
    const place = { A: places.start, z: places.end, b: places.boundary, B: places.inside }[next ?? '']
    if (place !== undefined) {
      this.#at++
      return place
    }
    const test = this.#classEscape()
    if (test !== undefined) return { kind: 'character', test }
    return this.#literal(this.#characterEscape())
  }

  /** `\d`, `\W`, `\pL`, `\P{Greek}` behind its backslash. */
  #classEscape(): CharacterTest | undefined {
    const letter = this.#peek()
    if (letter === undefined) return undefined
    const perl = Object.hasOwn(perlClasses, letter.toLowerCase()) ? perlClasses[letter.toLowerCase()] : undefined
    if (perl !== undefined) {
      this.#at++
      return letter === letter.toLowerCase() ? perl : not(perl)
    }
    if (letter !== 'p' && letter !== 'P') return undefined
    this.#at++
    let name = this.#take('{') ? this.#until('}') : this.#source[this.#at++]
    const negated = name?.startsWith('^') === true
    if (negated) name = name!.slice(1)
    const test = name === undefined ? undefined : unicodeClass(name)
    if (test === undefined) throw new PatternError('invalid character class range')
    const cased = this.#ignoreCase ? anyCase(test) : test
    return negated === (letter === 'P') ? cased : not(cased)
  }

  /** A single character behind a backslash. */
  #characterEscape(): number {
    const next = this.#source[this.#at++]
    if (next === undefined) throw new PatternError('trailing backslash at end of expression')
    if (next >= '0' && next <= '7') {
      // A digit alone is a backreference, which RE2 has not got; with another, or from zero on, it is an octal number.
      if (next !== '0' && !/[0-7]/.test(this.#peek() ?? '')) throw new PatternError('invalid escape sequence')
      let octal = next
      while (octal.length < 3 && /^[0-7]$/.test(this.#peek() ?? '')) octal += this.#source[this.#at++]
      return Number.parseInt(octal, 8)
    }
    if (next === 'x') return this.#hexadecimal()
    const control = Object.hasOwn(controls, next) ? controls[next] : undefined
    if (control !== undefined) return control
    if (/[A-Za-z0-9]/.test(next)) throw new PatternError('invalid escape sequence')
    return next.codePointAt(0)!
  }

  #hexadecimal(): number {
    const digits = this.#take('{') ? this.#until('}') : [this.#source[this.#at++], this.#source[this.#at++]].join('')
    const code = digits !== undefined && /^[0-9a-fA-F]+$/.test(digits) ? Number.parseInt(digits, 16) : Number.NaN
    if (!(code <= 0x10ffff)) throw new PatternError('invalid escape sequence')
    return code
  }

  #literal(literal: number): PatternPart {
    const test: CharacterTest = code => code === literal
    return { kind: 'character', test: this.#ignoreCase ? anyCase(test) : test }
  }

  #class(): CharacterTest {
    const negated = this.#take('^')
    const tests: CharacterTest[] = []
    for (let first = true; first || this.#peek() !== ']'; first = false) {
      if (this.#peek() === undefined) throw new PatternError('missing closing ]')
      tests.push(this.#classPart())
    }
    this.#at++
    const test: CharacterTest = code => tests.some(part => part(code))
    const cased = this.#ignoreCase ? anyCase(test) : test
    return negated ? not(cased) : cased
  }

  #classPart(): CharacterTest {
    const posix = /^\[:(\^?)(\w*):\]/.exec(this.#source.slice(this.#at, this.#at + 16).join(''))
    if (posix !== null) {
      const named = Object.hasOwn(posixClasses, posix[2]!) ? posixClasses[posix[2]!] : undefined
      if (named === undefined) throw new PatternError('invalid character class range')
      this.#at += posix[0].length
      return posix[1] === '' ? named : not(named)
    }
    if (this.#take('\\')) {
      const test = this.#classEscape()
      if (test !== undefined) return test
      this.#at--
    }
    const from = this.#classCharacter()
    if (this.#peek() !== '-' || this.#peek(1) === ']') return code => code === from
    this.#at++
    const to = this.#classCharacter()
    if (to < from) throw new PatternError('invalid character class range')
    return code => code >= from && code <= to
  }

  #classCharacter(): number {
    if (this.#take('\\')) return this.#characterEscape()
    const next = this.#source[this.#at++]
    if (next === undefined) throw new PatternError('missing closing ]')
    return next.codePointAt(0)!
  }
}

function isBoundary(text: readonly number[], at: number): boolean {
  const before = at > 0 && isWord(text[at - 1]!)
  const after = at < text.length && isWord(text[at]!)
  return before !== after
}
