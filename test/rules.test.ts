/**
 * Which rules of Kafka have a test that names them. Tests cite a rule by its id in a title or in the comment beside it:
 * `R-12`. What is not cited stands here with the reason, and leaves this table as soon as a test cites it.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const here = fileURLToPath(new URL('.', import.meta.url))
const rules = JSON.parse(readFileSync(join(here, 'data/kafka/rules.json'), 'utf8')) as Record<string, string>

/** Reason → ids, one by one or as spans. */
const uncovered: Readonly<Record<string, string>> = {
  'share groups: there are none': 'G-60…G-62',
  'metrics of brokers: clients have theirs': 'P-25',
  'no broker here asks its clients to bootstrap again': 'M-6',
  'an exception that is no KafkaError is a bug here, and ends the run loudly instead of being answered': 'W-51',
}

/** `T-1…T-6 T-11` → every id of the table between the two, and the single ones. */
function idsOf(text: string): string[] {
  const known = Object.keys(rules)
  return text
    .split(/\s+/)
    .filter(part => part !== '')
    .flatMap(part => {
      const [first, last = first] = part.split('…') as [string, string?]
      const [from, to] = [known.indexOf(first), known.indexOf(last!)]
      if (from < 0 || to < from) throw new Error(`'${part}' in the table of this test names no rules`)
      return known.slice(from, to + 1)
    })
}

function testFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return entry.name === 'data' ? [] : testFiles(path)
    return entry.name.endsWith('.ts') && entry.name !== 'rules.test.ts' ? [path] : []
  })
}

/** Ids in a test's text; a span such as `F-1…F-27` is no citation, since nobody can say what of it is tested. */
function citedIn(text: string): string[] {
  const single = text.replaceAll(/[A-Z]-\d+(?:…|–| to )[A-Z]-\d+/g, '')
  return [...single.matchAll(/(?<![\w-])([BCFGIMPRSTVWX]-\d+)(?![\w-])/g)].map(match => match[1]!)
}

const cited = new Set(testFiles(here).flatMap(path => citedIn(readFileSync(path, 'utf8'))))
const reasons = new Map(Object.entries(uncovered).flatMap(([reason, text]) => idsOf(text).map(id => [id, reason])))

test('every rule has a test that names it, or a reason here why not', () => {
  const missing = Object.keys(rules).filter(id => !cited.has(id) && !reasons.has(id))
  expect(missing.map(id => `${id} (${rules[id]}): no test names it, and it has no reason`)).toEqual([])
})

test('no reason is given for a rule that a test names', () => {
  const stale = [...reasons].filter(([id]) => cited.has(id))
  expect(stale.map(([id, reason]) => `${id}: a test names it; take it out of '${reason}'`)).toEqual([])
})

test('tests name no rule that does not exist', () => {
  expect([...cited].filter(id => !(id in rules))).toEqual([])
})

test('a span of ids is no citation, a single one is', () => {
  expect(citedIn('(X-1, R-12) and F-1…F-27, UTF-8, KIP-101, S-30')).toEqual(['X-1', 'R-12', 'S-30'])
})
