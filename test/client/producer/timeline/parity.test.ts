import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { scenarios } from './stage.ts'

/** Scenarios that no test here shows, and why. Those of transactions have tests of their own. */
const without: Readonly<Record<string, string>> = {
  interrupt: 'there are no threads here that could be interrupted',
}

const here = new URL('.', import.meta.url)
const texts = readdirSync(here)
  .filter(name => name.endsWith('.test.ts') && name !== 'parity.test.ts')
  .map(name => readFileSync(new URL(name, here), 'utf8'))
const shown = new Set(
  texts.flatMap(text =>
    [...text.matchAll(/(?:asInKafka|linesOf|traceOf|scenarioOf)\('([^']+)'/g)]
      .map(([, id]) => id!)
      .filter(id => !id.startsWith('txn-')),
  ),
)
const told = scenarios.map(({ id }) => id).filter(id => !id.startsWith('txn-'))

test('every scenario of the Java producer without transactions is shown by a test, or has a reason not to be', () => {
  expect(told.filter(id => !shown.has(id) && !(id in without))).toEqual([])
  expect(told.length).toBeGreaterThan(90)
})

test('no scenario is shown that does not exist, nor excused that is shown', () => {
  expect([...shown].filter(id => !told.includes(id))).toEqual([])
  expect(Object.keys(without).filter(id => shown.has(id) || !told.includes(id))).toEqual([])
})
