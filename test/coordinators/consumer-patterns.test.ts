import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { requireRegularExpression } from '../../src/coordinators/groups/consumer/regular-expressions.ts'
import { matchesWhole } from '../../src/coordinators/patterns/pattern.ts'
import { parsePattern } from '../../src/coordinators/patterns/pattern-parser.ts'

function refusal(regex: string): string | undefined {
  try {
    requireRegularExpression(regex)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

/** G-51: as a broker of 4.3.1 answers them, in RE2J's words. */
describe('a regular expression that RE2 has not got is refused with the reason', () => {
  test.each([
    ['(a', 'missing closing )'],
    [`${'('.repeat(3000)}t${')'.repeat(3000)}`, 'expression nests too deeply'],
    ['(?:a', 'missing closing )'],
    ['a)', 'regexp/syntax: internal error'],
    ['(?=a)', 'invalid or unsupported Perl syntax'],
    ['(?!a)', 'invalid or unsupported Perl syntax'],
    ['(?>a)', 'invalid or unsupported Perl syntax'],
    ['(?P=n)', 'invalid or unsupported Perl syntax'],
    ['(?x)a', 'invalid or unsupported Perl syntax'],
    ['(?i', 'invalid or unsupported Perl syntax'],
    ['(?', 'invalid or unsupported Perl syntax'],
    ['(?<=a)', 'invalid named capture'],
    ['(?P<n', 'invalid named capture'],
    ['(?P<>a)', 'invalid named capture'],
    ['(?P<é>a)', 'invalid named capture'],
    ['(?P<n>a)(?P<n>b)', 'duplicate capture group name'],
    ['\\1', 'invalid escape sequence'],
    ['(a)\\1', 'invalid escape sequence'],
    ['\\8', 'invalid escape sequence'],
    ['\\C', 'invalid escape sequence'],
    ['\\Z', 'invalid escape sequence'],
    ['\\y', 'invalid escape sequence'],
    ['\\x{110000}', 'invalid escape sequence'],
    ['[a-\\d]', 'invalid escape sequence'],
    ['\\', 'trailing backslash at end of expression'],
    ['a**', 'invalid nested repetition operator'],
    ['a*+', 'invalid nested repetition operator'],
    ['a++', 'invalid nested repetition operator'],
    ['x{2}{3}', 'invalid nested repetition operator'],
    ['*a', 'missing argument to repetition operator'],
    ['a|*', 'missing argument to repetition operator'],
    ['(*)', 'missing argument to repetition operator'],
    ['(?i)*', 'missing argument to repetition operator'],
    ['a{1001}', 'invalid repeat count'],
    ['a{2,1}', 'invalid repeat count'],
    ['[a', 'missing closing ]'],
    ['[a-', 'missing closing ]'],
    ['[^]', 'missing closing ]'],
    ['[z-a]', 'invalid character class range'],
    ['[[:foo:]]', 'invalid character class range'],
    ['\\pX', 'invalid character class range'],
    ['\\p{IsGreek}', 'invalid character class range'],
  ])('%s: %s', (regex, reason) => {
    expect(refusal(regex)).toBe(`SubscribedTopicRegex \`${regex}\` is not a valid regular expression: ${reason}.`)
  })
})

describe('a regular expression matches whole names', () => {
  test.each([
    ['orders', ['orders'], ['orders2', 'my-orders', '']],
    ['orders.*', ['orders', 'orders-dlq'], ['my-orders']],
    ['k[12]', ['k1', 'k2'], ['k3', 'k12']],
    ['[^a-c]x', ['dx', '-x'], ['ax', 'x']],
    ['[]a]+', [']', 'a]a'], ['b']],
    ['[a-]', ['a', '-'], ['b']],
    ['[\\d-z]', ['5', '-', 'z'], ['a']],
    ['a|bc|', ['a', 'bc', ''], ['ac', 'b']],
    ['(?i)Orders', ['orders', 'ORDERS'], ['order']],
    ['a(?i:b)c', ['abc', 'aBc'], ['Abc', 'abC']],
    ['(?i:a)b', ['Ab', 'ab'], ['AB']],
    ['a(?i)b|c', ['aB', 'C'], ['A']],
    ['x{2}', ['xx'], ['x', 'xxx']],
    ['x{2,}', ['xx', 'xxxx'], ['x']],
    ['x{1,3}?', ['x', 'xxx'], ['', 'xxxx']],
    ['a{,2}', ['a{,2}'], ['aa']],
    ['{', ['{'], ['']],
    ['\\Qa.b\\E+', ['a.b', 'a.bb'], ['axb']],
    ['\\Qa.b', ['a.b'], ['axb']],
    ['\\d\\D\\w\\W', ['1a_-'], ['11_-']],
    ['[[:alpha:]]+[[:^digit:]]', ['abc', 'ab-'], ['ab1', '1a']],
    ['\\p{Lu}\\pN', ['A1'], ['a1', 'AA']],
    ['\\P{L}\\p{^N}', ['1a'], ['a1']],
    ['\\p{Greek}', ['α'], ['a']],
    ['(?i)\\p{Lu}', ['a', 'A'], ['1']],
    ['\\x61\\x{62}\\141\\07?', ['aba'], ['ab']],
    ['^a$', ['a'], ['aa']],
    ['\\Aa\\z', ['a'], ['ba']],
    ['a\\b-\\Bb?', ['a-'], ['a-b']],
    ['(?P<year>\\d{4})-(?<month>\\d\\d)', ['2024-05'], ['24-5']],
    ['(|a)*b', ['b', 'aab'], ['a']],
    ['(^)*a', ['a'], ['aa']],
    ['.', ['a', 'é', '😀'], ['', '\n']],
    ['', [''], ['a']],
  ])('%s', (regex, matching, others) => {
    const pattern = parsePattern(regex)
    expect([...matching, ...others].filter(name => matchesWhole(pattern, name))).toEqual(matching)
  })

  test('one that sends others back and forth for ages is answered at once', () => {
    const startedAt = process.hrtime.bigint()
    expect(matchesWhole(parsePattern('((a+)+)+b'), 'a'.repeat(249))).toBe(false)
    expect(matchesWhole(parsePattern('(a?){200}a{200}'), 'a'.repeat(249))).toBe(true)
    expect(Number(process.hrtime.bigint() - startedAt) / 1e6).toBeLessThan(2000)
  })

  /** Where RE2 and JavaScript mean the same, so do we. */
  test('it means what it means to JavaScript, as far as both have it', () => {
    const atom = fc.oneof(
      fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\w', '\\d', 'x', '\\.'),
      fc.constantFrom('^', '$', '\\b'),
    )
    const expression = fc.letrec<{ any: string }>(tie => ({
      any: fc.oneof(
        { maxDepth: 4 },
        atom,
        fc.tuple(tie('any'), tie('any')).map(([one, other]) => one + other),
        fc.tuple(tie('any'), tie('any')).map(([one, other]) => `(?:${one}|${other})`),
        fc.tuple(tie('any'), fc.constantFrom('*', '+', '?', '{2}', '{1,2}')).map(([one, many]) => `(?:${one})${many}`),
      ),
    })).any
    const name = fc.array(fc.constantFrom('a', 'b', 'x', '.', '1', '-'), { maxLength: 6 }).map(parts => parts.join(''))
    fc.assert(
      fc.property(expression, name, (regex, text) => {
        expect(matchesWhole(parsePattern(regex), text)).toBe(new RegExp(`^(?:${regex})$`).test(text))
      }),
      { numRuns: 500 },
    )
  })
})

test('repetitions of repetitions of what may be empty end at once', () => {
  expect(matchesWhole(parsePattern('(((a?){1000}){1000}){1000}'), 'a'.repeat(249))).toBe(true)
  expect(matchesWhole(parsePattern('(((a?){1000}){1000}){1000}b'), 'a'.repeat(249))).toBe(false)
})
