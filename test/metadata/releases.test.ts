import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { advertisedBy, releaseOf, releases } from '../../src/metadata/releases.ts'

type Spans = Record<string, [number, number]>
const { apis, releases: table } = JSON.parse(
  readFileSync(new URL('../data/kafka/releases.json', import.meta.url), 'utf8'),
) as { apis: Record<string, string>; releases: Record<string, { zk?: Spans; kraft?: Spans }> }

test('every release that is known is in the table, oldest first', () => {
  expect(releases).toEqual(Object.keys(table))
})

test.each(releases)('Kafka %s advertises what its running broker did', release => {
  const expected = table[release]!.kraft ?? table[release]!.zk!
  const known = Object.keys(apis).flatMap(key => {
    const span = advertisedBy(release, Number(key))
    return span === undefined ? [] : [[key, [span.min, span.max]]]
  })
  expect(Object.fromEntries(known)).toEqual(expected)
})

test('a release is named with its patch level or without', () => {
  expect(['2.8', '2.8.1', '3.9.0', '4.3.1', '0.11.0.3'].map(releaseOf)).toEqual(['2.8', '2.8', '3.9', '4.3', '0.11.0'])
})

test('a release that is not known is refused with those that are', () => {
  for (const version of ['2.80', '5.0', '', '2', 'latest', '2.8.x']) {
    expect(() => releaseOf(version)).toThrow(
      `kafkaVersion ${JSON.stringify(version)} is not a release that is known: 0.11.0, 1.0, 1.1, 2.0,`,
    )
  }
})
