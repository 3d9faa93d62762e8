import { expect, test } from 'vitest'
import { checkGroups } from './group-property.ts'
import type { GroupOptions } from './group-universe.ts'

const minutes = 60_000

const groups: readonly (GroupOptions & { name: string; runs: number })[] = [
  {
    name: 'a classic group that stops at each rebalance',
    protocol: 'classic',
    assignor: 'range',
    runs: 100,
  },
  {
    name: 'a classic group that rebalances by and by',
    protocol: 'classic',
    assignor: 'cooperative-sticky',
    runs: 100,
  },
  { name: 'a consumer group (KIP-848)', protocol: 'consumer', runs: 100 },
]

/** Invariant 13, and what at-least-once promises a group whose members commit after their work (G-13…G-17, G-30, G-54). */
for (const { name, runs, ...options } of groups) {
  test(`${name} skips nothing, shares nothing, never commits backwards, and becomes stable, whatever befalls it`, {
    timeout: 10 * minutes,
  }, async () => {
    const verdict = await checkGroups(runs, options)
    expect(verdict.counterexample?.text).toBeUndefined()
    expect(verdict.processed).toBeGreaterThan(runs)
  })
}
