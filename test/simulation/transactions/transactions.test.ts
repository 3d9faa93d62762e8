import { expect, test } from 'vitest'
import { checkTransactions } from './transaction-property.ts'

const minutes = 60_000

for (const version of [2, 1] as const) {
  test(`with transaction.version ${version} X`, { timeout: 5 * minutes }, async () => {
    const t0 = Date.now()
    const verdict = await checkTransactions(Number(process.env.RUNS ?? 30), { version })
    console.log(verdict.runs, verdict.outcomes, Date.now() - t0)
    expect(verdict.counterexample?.text).toBeUndefined()
  })
}
