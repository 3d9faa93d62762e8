import { describe, expect, test } from 'vitest'
import { apis } from '../../src/apis/registry.ts'
import { merged, overlaid, type Refusal, splitRequest } from '../../src/cluster/refusals.ts'
import { levelOf, mentions, type RequestScope } from '../../src/cluster/request-scope.ts'
import {
  AlterClientQuotas,
  AlterReplicaLogDirs,
  AlterUserScramCredentials,
  CreateAcls,
  Fetch,
  ListOffsets,
  Metadata,
  Produce,
} from '../../src/index.ts'
import type { AnyApi } from '../../src/wire/api.ts'
import { Reader } from '../../src/wire/reader.ts'
import type { AnyField, Fields } from '../../src/wire/schema.ts'
import { Writer } from '../../src/wire/writer.ts'

const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ'

/** A request that names one of everything. */
function sample(fields: Fields): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, sampleOf(field)]))
}

function sampleOf(field: AnyField): unknown {
  switch (field.kind) {
    case 'array':
      return [sampleOf(field.element!)]
    case 'struct':
      return sample(field.fields!)
    case 'string':
      return 'orders'
    case 'uuid':
      return TOPIC_ID
    case 'boolean':
      return false
    case 'bytes':
      return new Uint8Array(0)
    case 'records':
      return null
    default:
      return 1
  }
}

function roundTrip(api: AnyApi, version: number, answer: object): unknown {
  const writer = new Writer()
  const codec = api.response.codec(version)
  codec.write(writer, answer as never)
  return codec.read(new Reader(writer.finish().slices))
}

function codesIn(value: unknown): number[] {
  if (Array.isArray(value)) return value.flatMap(codesIn)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) => {
    return name === 'errorCode' || name === 'partitionErrorCode' ? [inner as number] : codesIn(inner)
  })
}

const versioned = apis.flatMap(api => {
  const { min, max } = api.versions
  return Array.from({ length: max - min + 1 }, (_, index) => [api.name, min + index, api] as const)
})

test.for(versioned)('a refusal of %s v%i is an answer that its codec takes, and says the code', ([, version, api]) => {
  const refusal: Refusal = { api, version, code: 41, level: levelOf(api, version, undefined), scope: undefined }
  const { refused, rest } = splitRequest(refusal, sample(api.request.fields))

  expect(rest).toBeUndefined()
  expect(codesIn(roundTrip(api, version, refused!))).toContain(41)
})

describe('a request in two', () => {
  const partition = (index: number) => ({ index, records: null })
  const request = {
    transactionalId: null,
    acks: -1,
    timeoutMs: 1,
    topicData: [
      { name: 'orders', topicId: TOPIC_ID, partitionData: [partition(0), partition(1)] },
      { name: 'bills', topicId: 'AAAAAAAAAAAAAAAAAAAAAg', partitionData: [partition(0)] },
    ],
  }
  const refusalOf = (scope: RequestScope): Refusal => {
    return { api: Produce, version: 9, code: 19, level: levelOf(Produce, 9, scope), scope }
  }

  test('one partition is refused, all others are left, and the answers are put together again', () => {
    const { refused, rest } = splitRequest(refusalOf({ topic: 'orders', topicId: TOPIC_ID, partition: 1 }), request)

    expect(rest).toEqual({
      ...request,
      topicData: [{ ...request.topicData[0], partitionData: [partition(0)] }, request.topicData[1]],
    })
    const real = {
      responses: [
        { name: 'orders', partitionResponses: [{ index: 0, errorCode: 0, baseOffset: 7 }] },
        { name: 'bills', partitionResponses: [{ index: 0, errorCode: 0, baseOffset: 8 }] },
      ],
    }
    const answer = merged(['responses', 'partitionResponses'], real, refused!) as typeof real
    expect(answer.responses.map(({ name }) => name)).toEqual(['orders', 'bills'])
    expect(answer.responses[0]!.partitionResponses).toMatchObject([
      { index: 0, errorCode: 0, baseOffset: 7 },
      { index: 1, errorCode: 19, baseOffset: -1 },
    ])
  })

  test('a whole topic is refused; where nothing else was asked for, nothing is left', () => {
    const scope = { topic: 'orders', topicId: TOPIC_ID, partition: undefined }
    expect(splitRequest(refusalOf(scope), request).rest).toEqual({ ...request, topicData: [request.topicData[1]] })

    const only = { ...request, topicData: [request.topicData[0]] }
    expect(splitRequest(refusalOf(scope), only).rest).toBeUndefined()
  })

  test('topics that go by id are found by id', () => {
    const byId = { ...request, topicData: request.topicData.map(topic => ({ ...topic, name: '' })) }
    const scope = { topic: 'orders', topicId: TOPIC_ID, partition: 0 }

    expect(mentions(Produce, 13, byId, scope)).toBe(true)
    expect(mentions(Produce, 13, byId, { ...scope, topicId: 'AAAAAAAAAAAAAAAAAAAAAw' })).toBe(false)
    expect(mentions(Produce, 13, byId, { ...scope, partition: 2 })).toBe(false)
  })
})

test('a request for all topics names each of them', () => {
  expect(mentions(Metadata, 12, { topics: null }, { topic: 'orders', topicId: undefined, partition: 3 })).toBe(true)
})

test('a Fetch that fails afterwards has neither records nor bounds (F-10)', () => {
  const scope = { topic: 'orders', topicId: TOPIC_ID, partition: 0 }
  const refusal: Refusal = { api: Fetch, version: 12, code: 6, level: levelOf(Fetch, 12, scope), scope }
  const partition = { partitionIndex: 0, errorCode: 0, highWatermark: 4, lastStableOffset: 4, records: 'all of them' }
  const other = { ...partition, partitionIndex: 1 }
  const answer = overlaid(refusal, { errorCode: 0, responses: [{ topic: 'orders', partitions: [partition, other] }] })

  expect(answer.errorCode).toBe(0)
  expect(answer.responses[0].partitions[0]).toMatchObject({
    errorCode: 6,
    partitionIndex: 0,
    highWatermark: -1,
    lastStableOffset: -1,
  })
  expect(answer.responses[0].partitions[0].records).not.toBe('all of them')
  expect(answer.responses[0].partitions[1]).toBe(other)
})

test('the bounds of a ListOffsets that is refused are those that Kafka says: -1', () => {
  const refusal: Refusal = {
    api: ListOffsets,
    version: 9,
    code: 6,
    level: levelOf(ListOffsets, 9, undefined),
    scope: undefined,
  }
  const { refused } = splitRequest(refusal, {
    replicaId: -1,
    isolationLevel: 0,
    topics: [{ name: 'orders', partitions: [{ partitionIndex: 2, currentLeaderEpoch: 5, timestamp: -1 }] }],
  })
  expect(refused!.topics).toEqual([
    { name: 'orders', partitions: [{ partitionIndex: 2, errorCode: 6, timestamp: -1, offset: -1, leaderEpoch: -1 }] },
  ])
})

describe('lists that are called otherwise in the answer', () => {
  const refused = (api: AnyApi, request: object, scope?: RequestScope) => {
    const version = api.versions.max
    const refusal: Refusal = { api, version, code: 41, level: levelOf(api, version, scope), scope }
    return splitRequest(refusal, request as never)
  }

  test('every ACL is refused, every quota under its entity, every user by name', () => {
    const acl = { resourceType: 2 }
    expect(refused(CreateAcls, { creations: [acl, acl] }).refused).toMatchObject({
      results: [{ errorCode: 41 }, { errorCode: 41 }],
    })
    const entity = [{ entityType: 'user', entityName: 'alice' }]
    const quotas = refused(AlterClientQuotas, { entries: [{ entity, ops: [] }], validateOnly: false })
    expect(quotas.refused).toMatchObject({ entries: [{ errorCode: 41, entity }] })
    const users = { deletions: [{ name: 'a', mechanism: 1 }], upsertions: [{ name: 'b', mechanism: 1 }] }
    expect(refused(AlterUserScramCredentials, users).refused).toMatchObject({
      results: [
        { user: 'a', errorCode: 41 },
        { user: 'b', errorCode: 41 },
      ],
    })
  })

  test('a topic that is asked for below its directory is refused, and the rest is left', () => {
    const topics = ['orders', 'audit'].map(name => ({ name, partitions: [0] }))
    const request = { dirs: [{ path: '/a', topics }] }
    const split = refused(AlterReplicaLogDirs, request, { topic: 'orders' } as RequestScope)
    expect(split.refused).toMatchObject({
      results: [{ topicName: 'orders', partitions: [{ partitionIndex: 0, errorCode: 41 }] }],
    })
    expect(split.rest).toEqual({ dirs: [{ path: '/a', topics: [topics[1]] }] })
  })
})
