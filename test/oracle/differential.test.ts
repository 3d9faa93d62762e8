import { afterAll, expect, inject, test } from 'vitest'
import { deleteTopics } from '../../src/apis/delete-topics.ts'
import { metadata } from '../../src/apis/metadata.ts'
import { zeroUuid } from '../../src/wire/uuid.ts'
import { chapters } from '../differential/chapters.ts'
import { differences, expectation, lineOf } from '../differential/comparison.ts'
import { expectedDifferences, ownWords } from '../differential/expected-differences.ts'
import type { Transcript } from '../differential/normal-form.ts'
import { type Chapter, Play } from '../differential/play.ts'
import { record, recordedAnswers } from '../differential/recorded-answers.ts'
import { listeningMiniKafka } from '../scenarios/mini-kafka-world.ts'
import type { World } from '../scenarios/world.ts'
import { apacheKafka } from './kafka-world.ts'
import type {} from './setup.ts'

/** `RECORD=1`: what Kafka answers is kept, for runs without it (test/differential/recorded.test.ts). */
const records = process.env.RECORD !== undefined
const { dir, missing } = inject('oracle')!
const answers: Record<string, Transcript> = {}
const occurred = new Set<unknown>()
let worlds: readonly World[] | undefined
let played = 0

/** Of a cluster that goes on: stories find no topics of the play. */
async function withoutTopics(world: World): Promise<void> {
  const all = { topics: null, allowAutoTopicCreation: false, includeTopicAuthorizedOperations: false }
  const { topics } = await world.request(1, metadata, 12, all)
  const named = topics.filter(topic => !topic.isInternal).map(({ name }) => ({ name, topicId: zeroUuid }))
  await world.request(1, deleteTopics, 6, { topics: named, topicNames: [], timeoutMs: 30_000 })
}

async function playOn(world: World, chapter: Chapter): Promise<Transcript> {
  const play = new Play(world)
  await chapter.play(play)
  return play.close()
}

afterAll(async () => {
  if (worlds !== undefined) await withoutTopics(worlds[0]!)
  for (const world of worlds ?? []) await world.close()
  if (!records) return
  // Chapters that were not played this time stay as they are.
  const before = recordedAnswers()
  record(Object.fromEntries(chapters.map(({ title }) => [title, answers[title] ?? before[title] ?? {}])))
})

for (const chapter of chapters) {
  test(`Apache Kafka and mini-kafka answer alike: ${chapter.title}`, async context => {
    if (missing !== undefined) context.skip(missing)
    worlds ??= await Promise.all([apacheKafka(dir, missing).open(), listeningMiniKafka.open()])
    const [kafka, ours] = await Promise.all(worlds.map(world => playOn(world, chapter)))
    answers[chapter.title] = kafka!
    played++
    const unexpected = differences(kafka!, ours!).filter(difference => {
      const expected = expectation(difference)
      occurred.add(expected)
      return expected === undefined
    })
    expect(unexpected.map(lineOf)).toEqual([])
  })
}

test('every difference that is listed occurs', context => {
  if (played < chapters.length) context.skip('not all chapters were played')
  expect([...expectedDifferences, ...ownWords].filter(each => !occurred.has(each))).toEqual([])
})
