import { expect, test } from 'vitest'
import { apiOf, apis } from '../../src/apis/registry.ts'
import { metadataRecords } from '../../src/metadata/records.ts'
import { differences, type KafkaMessage, protocol } from './protocol.ts'

const kafkaRequests = new Map(protocol.requests.map(message => [message.apiKey, message]))
const kafkaResponses = new Map(protocol.responses.map(message => [message.apiKey, message]))
const kafkaRecords = new Map(protocol.metadata.map(message => [message.name, message]))

test.each(apis.map(api => [api.name, api] as const))('%s is declared as Kafka defines it', (_, api) => {
  const request = kafkaRequests.get(api.key)!
  expect(`${api.name}Request`).toBe(request.name)
  expect(differences(api.request, request)).toEqual([])
  expect(differences(api.response, kafkaResponses.get(api.key)!)).toEqual([])
})

test('a version that Kafka calls unstable is not among the versions to be answered (W-15)', () => {
  const closed = apis.filter(api => api.versions.max < api.request.versions.max)
  expect(closed.map(api => api.name)).toEqual(
    apis.filter(api => kafkaRequests.get(api.key)!.latestVersionUnstable === true).map(api => api.name),
  )
  expect(closed.map(api => [api.name, api.versions.max, api.request.versions.max])).toEqual([['InitProducerId', 5, 6]])
})

test('SaslHandshake and OffsetDelete never become flexible (W-10)', () => {
  const never = apis.filter(api => api.flexibleFrom === Number.POSITIVE_INFINITY).map(api => api.name)
  expect(never).toEqual(['SaslHandshake', 'OffsetDelete'])
})

test.each(Object.entries(metadataRecords))('%s is declared as Kafka defines it', (type, schema) => {
  const kafka = kafkaRecords.get(type)!
  expect(schema.apiKey).toBe(kafka.apiKey)
  expect(differences(schema, kafka)).toEqual([])
})

test('the list of APIs is sorted by key, without a key twice, and finds each by its key', () => {
  const keys = apis.map(api => api.key)
  expect(keys).toEqual([...new Set(keys)].sort((a, b) => a - b))
  for (const api of apis) expect(apiOf(api.key)).toBe(api)
  expect(apiOf(4)).toBeUndefined()
  expect(apiOf(-1)).toBeUndefined()
})

test('a difference from Kafka is reported with message, field and version', () => {
  const fetch = apis.find(api => api.name === 'Fetch')!
  const kafka = kafkaRequests.get(1)!
  const altered = (change: (field: Record<string, unknown>) => void): KafkaMessage => {
    const copy = structuredClone(kafka)
    const walk = (fields: readonly object[]) => {
      for (const field of fields as Record<string, unknown>[]) {
        change(field)
        walk((field.fields as object[]) ?? [])
      }
    }
    walk(copy.fields)
    return copy
  }
  const changed = (name: string, values: object) =>
    differences(
      fetch.request,
      altered(field => field.name === name && Object.assign(field, values)),
    )
  expect(changed('LastFetchedEpoch', { versions: '18+' })[0]).toMatch(/^FetchRequest v12 fields: /)
  expect(changed('LastFetchedEpoch', { default: '-2' })).toEqual([
    'FetchRequest.topics.partitions.lastFetchedEpoch: declared {"default":-1,"ignorable":false}, Kafka has {"default":-2,"ignorable":false}',
  ])
  expect(changed('HighWatermark', { tag: 2 })).toEqual([
    'FetchRequest.topics.partitions.highWatermark v18: declared {"type":"int64","nullable":false,"tag":1}, Kafka has {"type":"int64","nullable":false,"tag":2}',
  ])
  expect(changed('RackId', { nullableVersions: '18+' })).toHaveLength(1)
  expect(changed('RackId', { ignorable: false })).toHaveLength(1)
  expect(changed('MaxBytes', { type: 'int64' })).toHaveLength(15)
})
