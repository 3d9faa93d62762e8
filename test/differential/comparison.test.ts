import { expect, test } from 'vitest'
import { differences, expectation, isWording, lineOf } from './comparison.ts'
import { NormalForm } from './normal-form.ts'

const form = () => new NormalForm({ addresses: [{ host: 'h', port: 9 }], startedAt: 1e12, endedAt: 1e12 + 5 })

test('every field that differs is one difference, and so is a step that only one side has', () => {
  const kafka = { 'A v1 x': { a: [{ b: 1 }, { b: 2 }], c: null }, 'A v2 x': 'closed' }
  const ours = { 'A v1 x': { a: [{ b: 1 }, { b: 3 }], c: 'text' }, 'A v3 x': {} }
  expect(differences(kafka, ours).map(lineOf)).toEqual([
    'A v1 x | a.1.b | kafka: 2 | ours: 3',
    'A v1 x | c | kafka: null | ours: "text"',
    'A v2 x |  | kafka: "closed" | ours: nothing',
    'A v3 x |  | kafka: nothing | ours: {}',
  ])
})

test('a list of another length is that, and what both have is compared', () => {
  const lines = differences({ s: { a: [1, 2, 3] } }, { s: { a: [1, 4] } }).map(lineOf)
  expect(lines).toEqual(['s | a.length | kafka: 3 | ours: 2', 's | a.1 | kafka: 2 | ours: 4'])
})

test('words of our own are allowed where they are listed, an empty text or none for a text nowhere', () => {
  const at = (kafka: string | null, ours: string | null) => ({
    step: 'Produce v9 x',
    path: 'errorMessage',
    kafka,
    ours,
  })
  expect(expectation(at('a', 'b'))).toBe('Produce')
  expect(expectation({ ...at('a', 'b'), step: 'Metadata v9 x' })).toBeUndefined()
  expect([at('a', ''), at('a', null), at('', 'b')].map(isWording)).toEqual([false, false, false])
  expect(differences({ s: { errorMessage: '…' } }, { s: { errorMessage: 'any' } })).toEqual([])
  expect(differences({ s: { errorMessage: '…' } }, { s: { errorMessage: '' } })).toHaveLength(1)
})

test('chance is named by its first appearance, times by the play, addresses by whose they are', () => {
  const normal = form()
  const topicId = 'YWJjZGVmZ2hpamtsbW5vcA'
  const answer = {
    topics: [{ name: 't', topicId }],
    leader: 'm-0b5f5a3e-0000-4000-8000-000000000001',
    timestamp: 1e12 + 1,
    before: 1e12 - 30,
    brokers: [
      { nodeId: 1, host: 'h', port: 9 },
      { nodeId: 2, host: 'h', port: 9 },
    ],
    throttleTimeMs: 0,
  }
  expect(normal.of('Metadata v1 x', answer, ['throttleTimeMs'])).toEqual({
    topics: [{ name: 't', topicId: '<id of t>' }],
    leader: 'm-<uuid 1>',
    timestamp: 'now',
    before: '30 ms ago',
    brokers: [
      { nodeId: 1, host: 'its host', port: 'its port' },
      { nodeId: 2, host: 'h', port: 9 },
    ],
    throttleTimeMs: '~',
  })
  expect(normal.of('Fetch v13 x', { topicId }, [])).toEqual({ topicId: '<id of t>' })
})
