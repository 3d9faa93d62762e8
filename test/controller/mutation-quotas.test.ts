import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createPartitions } from '../../src/apis/create-partitions.ts'
import { createTopics } from '../../src/apis/create-topics.ts'
import { deleteTopics } from '../../src/apis/delete-topics.ts'
import { metadata } from '../../src/apis/metadata.ts'
import { type Cluster, createCluster } from '../../src/index.ts'
import { zeroUuid } from '../../src/wire/uuid.ts'
import { type Rude, rudeClient } from '../broker/quota-story.ts'

let cluster: Cluster
let client: Rude

const THROTTLED = 89

beforeEach(async () => {
  cluster = await createCluster({
    brokers: 1,
    topics: { t: {} },
    quotas: [{ clientId: 'c', controllerMutationRate: 1 }],
  })
  client = await rudeClient(cluster, 'c')
})
afterEach(() => cluster.close())

/** Answers throttle time, and each topic's error. */
async function create(topics: Readonly<Record<string, number>>, version = 7, validateOnly = false) {
  const wanted = Object.entries(topics).map(([name, numPartitions]) => {
    return { name, numPartitions, replicationFactor: 1, assignments: [], configs: [] }
  })
  const answer = await client.ask(createTopics, { topics: wanted, timeoutMs: 10_000, validateOnly }, version)
  const errors = answer.topics.map(({ errorCode }) => errorCode)
  return { ms: answer.throttleTimeMs, errors, messages: answer.topics.map(({ errorMessage }) => errorMessage) }
}

function expectAbout(actual: number, ms: number): void {
  expect(actual).toBeLessThanOrEqual(ms)
  expect(actual).toBeGreaterThan(ms - 60)
}

describe('controller_mutation_rate (M-32, KIP-599), as Apache Kafka 4.3.1 was seen to do', () => {
  test('eleven seconds’ worth are there at first; whoever finds a token is served, however many he takes', async () => {
    expect(await create({ a: 3 }, 7, true)).toMatchObject({ ms: 0, errors: [0] })
    expect(await create({ b: 12 })).toMatchObject({ ms: 0, errors: [0] })
    // What was only validated counts too: 3 + 12 were taken of 11.
    const refused = await create({ c: 2, d: 1 })
    expect(refused).toMatchObject({ errors: [THROTTLED, THROTTLED], messages: [null, null] })
    expectAbout(refused.ms, 4000)
    expect(cluster.topicNames).toEqual(['t', 'b'])
  })

  test('the connection is mute for so long; then the debt is paid', async () => {
    await create({ a: 15 })
    const { ms } = await create({ b: 1 })
    expectAbout(ms, 4000)
    const { tookMs } = await client.ask(metadata, { topics: [] })
    expectAbout(tookMs, ms)
    expect(await create({ b: 1 })).toMatchObject({ ms: 0, errors: [0] })
  })

  test('what is asked in an older version is done, and throttled', async () => {
    expect(await create({ a: 10 }, 5)).toMatchObject({ ms: 0, errors: [0] })
    const late = await create({ b: 3 }, 5)
    expect(late.errors).toEqual([0])
    expectAbout(late.ms, 2000)
  })

  test('partitions that are added and deleted count as well: strictly since v3 and v5', async () => {
    await create({ a: 13 })
    const grow = (version: number) =>
      client.ask(
        createPartitions,
        { topics: [{ name: 'a', count: 14, assignments: null }], timeoutMs: 1000, validateOnly: false },
        version,
      )
    expect((await grow(3)).results).toMatchObject([{ errorCode: THROTTLED, errorMessage: null }])
    const done = await grow(2)
    expect(done.results).toMatchObject([{ errorCode: 0 }])
    expectAbout(done.throttleTimeMs, 1000)
    const topics = [{ name: 'a', topicId: zeroUuid }]
    // Fourteen tokens for fourteen partitions, and then nothing is left for the next.
    expect((await client.ask(deleteTopics, { topics, timeoutMs: 1000 }, 6)).responses).toMatchObject([{ errorCode: 0 }])
    const refused = await client.ask(deleteTopics, { topics: [{ name: 't', topicId: zeroUuid }], timeoutMs: 1000 }, 6)
    expect(refused.responses).toMatchObject([{ name: 't', errorCode: THROTTLED }])
    expectAbout(refused.throttleTimeMs, 14_000)
    const old = await client.ask(deleteTopics, { topicNames: ['t'], timeoutMs: 1000 }, 4)
    expect(old.responses).toMatchObject([{ name: 't', errorCode: 0 }])
  })

  test('a topic that is refused for another reason costs nothing', async () => {
    for (let i = 0; i < 30; i++) expect((await create({ t: 5 })).ms).toBe(0)
    expect(await create({ a: 5 })).toMatchObject({ ms: 0, errors: [0] })
  })

  test('the test itself, and clients without a quota, are not limited', async () => {
    await create({ a: 15 })
    await cluster.createTopic({ name: 'mine', partitions: 20 })
    const free = cluster.admin({ 'client.id': 'free' })
    await free.createTopics([{ name: 'free', partitions: 50 }])
    expect(cluster.topicNames).toContain('free')
  })

  test('asked directly, the controller keeps the same account, and mutes the same', async () => {
    await create({ a: 15 })
    client = await rudeClient(cluster, 'c', { node: 1000 })
    const refused = await create({ b: 1 })
    expectAbout(refused.ms, 4000)
    expect(await create({ b: 1 })).toMatchObject({ ms: 0, errors: [0] })
  })
})

describe('our admin client', () => {
  test('asks again for what was refused, as soon as it may (KIP-599)', async () => {
    const admin = cluster.admin({ 'client.id': 'c' })
    await admin.createTopics([{ name: 'a', partitions: 15 }])
    const before = cluster.clock.now()
    await admin.createTopics([{ name: 'b' }])
    expectAbout(cluster.clock.now() - before, 4060)
    await admin.createPartitions({ b: { count: 5 } })
    await admin.deleteTopics(['a', 'b'])
    expect(cluster.topicNames).toEqual(['t'])
  })

  test('not beyond default.api.timeout.ms: then the error says why, and nothing is made later', async () => {
    await cluster.quota({ clientId: 'c' }, { controllerMutationRate: 0.1 })
    const admin = cluster.admin({ 'client.id': 'c' })
    await admin.createTopics([{ name: 'a', partitions: 15 }])
    const before = cluster.clock.now()
    const refused = admin.createTopics([{ name: 'b' }])
    await expect(refused).rejects.toMatchObject({ errorName: 'THROTTLING_QUOTA_EXCEEDED' })
    expect(cluster.clock.now() - before).toBe(60_000)
    await cluster.clock.advance(300_000)
    expect(cluster.topicNames).toEqual(['t', 'a'])
  })

  test('unless it is told not to: then the error says what it is', async () => {
    const admin = cluster.admin({ 'client.id': 'c' })
    await admin.createTopics([{ name: 'a', partitions: 15 }], { retryOnQuotaViolation: false })
    const refused = admin.createTopics([{ name: 'b' }], { retryOnQuotaViolation: false })
    await expect(refused).rejects.toMatchObject({ errorName: 'THROTTLING_QUOTA_EXCEEDED' })
  })
})

test('a topic that is made because somebody writes to it waits for its quota as well', async () => {
  const admin = cluster.admin({ 'client.id': 'c' })
  await admin.createTopics([{ name: 'a', partitions: 16 }])
  const producer = cluster.producer({ 'client.id': 'c' })
  const before = cluster.clock.now()
  await producer.send({ topic: 'made', value: 'a' })
  expect(cluster.clock.now() - before).toBeGreaterThan(4000)
  expect(cluster.clock.now() - before).toBeLessThan(8000)
})
