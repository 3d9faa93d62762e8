import { expect, test } from 'vitest'
import { isBetween, type Passage, Rules, type Verdict } from '../../src/network/rules.ts'

const passage: Passage = { from: 'a', to: 'b', what: 'frame', label: undefined, bytes: 1 }

function rules() {
  const fired: string[] = []
  let lifted = 0
  const all = new Rules(
    () => lifted++,
    (name, { from, to }, verdict) => fired.push(`${name}: ${from} ${to} ${JSON.stringify(verdict)}`),
  )
  return { all, fired, lifted: () => lifted }
}

test('the first verdict that is not pass wins, in the order of installation', () => {
  const { all, fired } = rules()
  const hits = (['pass', { afterMs: 5 }, 'reset'] as Verdict[]).map((verdict, i) =>
    all.install(`rule ${i}`, () => verdict),
  )
  expect(all.judge(passage)).toEqual({ afterMs: 5 })
  expect(hits.map(rule => rule.hits)).toEqual([0, 1, 0])
  expect(fired).toEqual(['rule 1: a b {"afterMs":5}'])
})

test('a disposed rule is asked no more; disposing it twice lifts it once', () => {
  const { all, lifted } = rules()
  const rule = all.install('reset', () => 'reset')
  rule.dispose()
  rule[Symbol.dispose]()
  expect([all.judge(passage), all.size, lifted()]).toEqual(['pass', 0, 1])
})

test('`using` lifts a rule at the end of its block', () => {
  const { all } = rules()
  {
    using rule = all.install('reset', () => 'reset')
    expect([all.judge(passage), rule.hits]).toEqual(['reset', 1])
  }
  expect(all.judge(passage)).toBe('pass')
})

test('two rules of one name and function are two', () => {
  const { all } = rules()
  const reset = () => 'reset' as const
  const [one, other] = [all.install('reset', reset), all.install('reset', reset)]
  one.dispose()
  expect([all.judge(passage), all.size, other.hits]).toEqual(['reset', 1, 1])
})

test('clear lifts all of them, with what they hold', () => {
  const { all, lifted } = rules()
  const rule = all.install('hold', () => 'hold')
  const hold = all.judge(passage)
  expect(hold).toMatchObject({ name: 'hold', lifted: false })
  all.clear()
  all.clear()
  rule.dispose()
  expect([hold, all.size, lifted()]).toEqual([expect.objectContaining({ lifted: true }), 0, 1])
})

test('between means either direction', () => {
  expect(isBetween(passage, 'b', 'a')).toBe(true)
  expect(isBetween({ ...passage, from: 'c' }, 'a', 'b')).toBe(false)
})
