/** Of one character, by its code point. */
export type CharacterTest = (code: number) => boolean

/** What a class escape means; `.` takes no line break. */
export const perlClasses: Readonly<Record<string, CharacterTest>> = {
  d: isDigit,
  s: code => code === 32 || (code >= 9 && code <= 13 && code !== 11),
  w: isWord,
}

export const posixClasses: Readonly<Record<string, CharacterTest>> = {
  alnum: code => isDigit(code) || isLetter(code),
  alpha: isLetter,
  ascii: code => code < 128,
  blank: code => code === 9 || code === 32,
  cntrl: code => code < 32 || code === 127,
  digit: isDigit,
  graph: code => code > 32 && code < 127,
  lower: code => code >= 97 && code <= 122,
  print: code => code >= 32 && code < 127,
  punct: code => code > 32 && code < 127 && !isDigit(code) && !isLetter(code),
  space: code => code === 32 || (code >= 9 && code <= 13),
  upper: code => code >= 65 && code <= 90,
  word: isWord,
  xdigit: code => isDigit(code) || (code >= 65 && code <= 70) || (code >= 97 && code <= 102),
}

/** A general category or script of Unicode, such as `L`, `Lu`, `Greek`; undefined: there is no such thing. */
export function unicodeClass(name: string): CharacterTest | undefined {
  if (name === 'Any') return () => true
  for (const property of name.length <= 2 ? [name] : [`Script=${name}`]) {
    try {
      const expression = new RegExp(`^\\p{${property}}$`, 'u')
      return code => expression.test(String.fromCodePoint(code))
    } catch {
      // No such property.
    }
  }
  return undefined
}

/** The same, but upper and lower case are one. */
export function anyCase(test: CharacterTest): CharacterTest {
  return code => {
    if (test(code)) return true
    const text = String.fromCodePoint(code)
    return [text.toLowerCase(), text.toUpperCase()].some(
      other => other.length === text.length && test(other.codePointAt(0)!),
    )
  }
}

export function not(test: CharacterTest): CharacterTest {
  return code => !test(code)
}

export function isWord(code: number): boolean {
  return isDigit(code) || isLetter(code) || code === 95
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

function isLetter(code: number): boolean {
  return (code >= 65 && code <= 90) || (code >= 97 && code <= 122)
}
