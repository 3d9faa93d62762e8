import { expect, test } from 'vitest'
import { commitsThatWentBack, skipped } from './group-laws.ts'
import { checkGroups, type GroupLaw } from './group-property.ts'
import type { GroupOptions } from './group-universe.ts'

/**
 * Each property fails once the rule is off that it stands for; a rule whose loss nobody notices is not tested. That of
 * generations is proved by `classic-groups-laws.test.ts`: our own consumers never say an old one.
 */

const minutes = 60_000

const planted: readonly { mistake: string; options: GroupOptions; laws: readonly GroupLaw[]; witness: RegExp }[] = [
  {
    mistake: 'a member commits before it works, and dies in between',
    options: { protocol: 'classic', commitsFirst: true },
    laws: [skipped],
    witness: /was never worked on/,
  },
  {
    mistake: 'a commit is taken from whoever sends it, member or not (G-30 off)',
    options: { protocol: 'classic', mutants: ['no-offset-commit-fencing'] },
    laws: [commitsThatWentBack],
    witness: /went back from \d+ to \d+/,
  },
  {
    mistake: 'members of another epoch are served (G-31, G-52 off)',
    options: { protocol: 'consumer', mutants: ['no-member-fencing', 'no-offset-commit-fencing'] },
    laws: [commitsThatWentBack],
    witness: /went back from \d+ to \d+/,
  },
]

for (const { mistake, options, laws, witness } of planted) {
  test(`${mistake}: a property fails within 400 seeds`, { timeout: 10 * minutes }, async () => {
    const verdict = await checkGroups(400, options, laws, { shrink: false })
    expect(verdict.counterexample?.witnesses).toMatch(witness)
  })
}
