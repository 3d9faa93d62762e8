import { expect, test } from 'vitest'
import { apis } from '../../src/apis/registry.ts'
import { miniKafka } from '../scenarios/mini-kafka-world.ts'
import { chapters } from './chapters.ts'
import { differences, expectation, lineOf } from './comparison.ts'
import { expectedDifferences } from './expected-differences.ts'
import { Play } from './play.ts'
import { recordedAnswers } from './recorded-answers.ts'

/** Answered in whatever version. */
const API_VERSIONS = 18
const recorded = recordedAnswers()
const occurred = new Set<unknown>()
const world = await miniKafka.open()

for (const chapter of chapters) {
  test(`as a real Kafka answered: ${chapter.title}`, { timeout: 60_000 }, async () => {
    const play = new Play(world)
    await chapter.play(play)
    const found = differences(recorded[chapter.title] ?? {}, play.close())
    const unexpected = found.filter(difference => {
      const expected = expectation(difference)
      occurred.add(expected)
      return expected === undefined
    })
    expect(unexpected.map(lineOf)).toEqual([])
  })
}

test('every version of every API is asked, more than once, and one before and behind are', () => {
  const steps = Object.values(recorded).flatMap(transcript => Object.keys(transcript))
  const count = (beginning: string) => steps.filter(step => step.startsWith(beginning)).length
  for (const { name, key, versions } of apis) {
    for (let version = versions.min; version <= versions.max; version++) {
      expect([name, version, count(`${name} v${version} `) >= 2]).toEqual([name, version, true])
    }
    if (key !== API_VERSIONS) expect([name, count(`${name} in version `)]).not.toEqual([name, 0])
  }
})

test('every difference that is listed occurs', () => {
  expect(expectedDifferences.filter(each => !occurred.has(each))).toEqual([])
})
