import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { alterClientQuotas } from '../../src/apis/alter-client-quotas.ts'
import { describeClientQuotas } from '../../src/apis/describe-client-quotas.ts'
import type { Cluster } from '../../src/index.ts'
import { createCluster } from '../../src/index.ts'
import { ask, nameOf } from './asking.ts'

let cluster: Cluster

beforeEach(async () => {
  cluster = await createCluster({ brokers: 2 })
})

afterEach(() => cluster.close())

type Parts = readonly (readonly [type: string, name: string | null])[]

const entityOf = (parts: Parts) => parts.map(([entityType, entityName]) => ({ entityType, entityName }))
const textOf = (entity: readonly { entityType: string; entityName: string | null }[]) =>
  entity.map(({ entityType, entityName }) => `${entityType}=${entityName ?? '<default>'}`).join(' ')

/** A null value removes. Answers error and message by entity. */
async function alter(
  entries: readonly (readonly [entity: Parts, values: Record<string, number | null>])[],
  { node = 1, version = 1, validateOnly = false } = {},
) {
  const body = {
    entries: entries.map(([entity, values]) => ({
      entity: entityOf(entity),
      ops: Object.entries(values).map(([key, value]) => ({ key, value: value ?? 0, remove: value === null })),
    })),
    validateOnly,
  }
  const answer = await ask(cluster, node, alterClientQuotas, body, version)
  return answer.entries.map(({ errorCode, errorMessage, entity }) => {
    const error = errorMessage === null ? nameOf(errorCode) : `${nameOf(errorCode)}: ${errorMessage}`
    return `${textOf(entity)}: ${error}`
  })
}

type Component = readonly [type: string, matchType: number, match?: string | null]

const EXACT = 0
const DEFAULT = 1
const ANY = 2

async function matching(components: readonly Component[], { strict = false, node = 1, version = 1 } = {}) {
  const body = {
    components: components.map(([entityType, matchType, match = null]) => ({ entityType, matchType, match })),
    strict,
  }
  const { errorCode, errorMessage, entries } = await ask(cluster, node, describeClientQuotas, body, version)
  if (entries === null) return `${nameOf(errorCode)}: ${errorMessage}`
  expect([errorCode, errorMessage]).toEqual([0, ''])
  const texts = entries.map(({ entity, values }) => [
    textOf(entity),
    Object.fromEntries(values.map(({ key, value }) => [key, value])),
  ])
  return Object.fromEntries(texts)
}

const alice: Parts = [['user', 'alice']]

test.each([0, 1])('quotas that are set are told by every broker, by entity (v%i)', async version => {
  const answers = await alter(
    [
      [alice, { producer_byte_rate: 1000, request_percentage: 0.5 }],
      [
        [
          ['user', 'alice'],
          ['client-id', 'c'],
        ],
        { consumer_byte_rate: 77 },
      ],
      [[['user', null]], { controller_mutation_rate: 5 }],
      [[['ip', '127.0.0.1']], { connection_creation_rate: 9 }],
      [[['ip', null]], { connection_creation_rate: 8 }],
    ],
    { version },
  )
  expect(answers).toEqual([
    'user=alice: NONE',
    'client-id=c user=alice: NONE',
    'user=<default>: NONE',
    'ip=127.0.0.1: NONE',
    'ip=<default>: NONE',
  ])
  for (const node of [1, 2]) {
    expect(await matching([], { node, version })).toEqual({
      'user=alice': { producer_byte_rate: 1000, request_percentage: 0.5 },
      'client-id=c user=alice': { consumer_byte_rate: 77 },
      'user=<default>': { controller_mutation_rate: 5 },
      'ip=127.0.0.1': { connection_creation_rate: 9 },
      'ip=<default>': { connection_creation_rate: 8 },
    })
  }
})

test('a quota that is removed is gone, with its entity when it was the last', async () => {
  await alter([[alice, { producer_byte_rate: 1, consumer_byte_rate: 2 }]])
  await alter([[alice, { producer_byte_rate: null }]], { node: 1000 })
  expect(await matching([])).toEqual({ 'user=alice': { consumer_byte_rate: 2 } })
  await alter([[alice, { consumer_byte_rate: null }]])
  expect(await matching([])).toEqual({})
})

test('what is so already is not written again, and removing what was never set is no error', async () => {
  await alter([[alice, { producer_byte_rate: 1 }]])
  const end = () => cluster.controller.controller!.endOffset
  const before = end()
  expect(await alter([[alice, { producer_byte_rate: 1, request_percentage: null, nosuch: null }]])).toEqual([
    'user=alice: NONE',
  ])
  expect(await alter([[alice, {}]])).toEqual(['user=alice: NONE'])
  expect(await alter([[alice, { producer_byte_rate: 2 }]], { validateOnly: true })).toEqual(['user=alice: NONE'])
  expect(end()).toBe(before)
})

describe('each entity as a whole, or not at all', () => {
  const cases: [entity: Parts, values: Record<string, number>, message: string][] = [
    [alice, { producer_byte_rate: 0 }, 'Quota producer_byte_rate must be greater than 0'],
    [alice, { producer_byte_rate: -1 }, 'Quota producer_byte_rate must be greater than 0'],
    [alice, { request_percentage: 5, producer_byte_rate: 1.5 }, 'producer_byte_rate cannot be a fractional value.'],
    [alice, { producer_byte_rate: 1e19 }, 'Proposed value for producer_byte_rate is too large for a LONG.'],
    [alice, { connection_creation_rate: 5 }, 'Invalid configuration key connection_creation_rate'],
    [alice, { nosuch: 5 }, 'Invalid configuration key nosuch'],
    [[], { producer_byte_rate: 5 }, 'Invalid empty client quota entity'],
    [[['nosuch', 'x']], { producer_byte_rate: 5 }, 'Unhandled client quota entity type: nosuch'],
    [[['user', '']], { producer_byte_rate: 5 }, 'Empty user not supported'],
    [[['client-id', '']], { producer_byte_rate: 5 }, 'Empty client-id not supported'],
    [[['ip', '']], { connection_creation_rate: 5 }, 'Empty ip not supported'],
    [[['ip', '10.0.0.300']], { connection_creation_rate: 5 }, '10.0.0.300 is not a valid IP or resolvable host.'],
    [[['ip', '::1']], { connection_creation_rate: 1.5 }, 'connection_creation_rate cannot be a fractional value.'],
    [
      [['ip', '::1']],
      { connection_creation_rate: 1e10 },
      'Proposed value for connection_creation_rate is too large for an INT.',
    ],
    [[['ip', 'localhost']], { producer_byte_rate: 5 }, 'Invalid configuration key producer_byte_rate'],
    [
      [
        ['ip', '::1'],
        ['user', 'a'],
      ],
      { producer_byte_rate: 5 },
      'Invalid quota entity combination, IP entity should not be combined with User or ClientId',
    ],
  ]

  test.each(cases)('%j with %j is INVALID_REQUEST', async (entity, values, message) => {
    const [bad, good] = await alter([
      [entity, values],
      [[['user', 'bob']], { producer_byte_rate: 6 }],
    ])
    expect(bad!.slice(bad!.indexOf(': ') + 2)).toBe(`INVALID_REQUEST: ${message}`)
    expect(good).toBe('user=bob: NONE')
    expect(await matching([])).toEqual({ 'user=bob': { producer_byte_rate: 6 } })
  })
})

test('an entity that is named twice is refused, and so is a key; of a type that is, the last counts', async () => {
  const twice = 'INVALID_REQUEST: Ignoring duplicate entity ClientQuotaEntity(entries={user=alice})'
  expect(
    await alter([
      [alice, { producer_byte_rate: 5 }],
      [alice, { producer_byte_rate: 6 }],
    ]),
  ).toEqual([`user=alice: ${twice}`])
  const ops = [5, 6].map(value => ({ key: 'producer_byte_rate', value, remove: false }))
  const entries = [{ entity: entityOf(alice), ops }]
  const answer = await ask(cluster, 1, alterClientQuotas, { entries, validateOnly: false })
  expect(answer.entries).toMatchObject([{ errorCode: 42 }])
  const both: Parts = [
    ['user', 'a'],
    ['user', 'b'],
  ]
  expect(await alter([[both, { producer_byte_rate: 5 }]])).toEqual(['user=b: NONE'])
})

describe('a filter', () => {
  beforeEach(() =>
    alter([
      [alice, { producer_byte_rate: 1 }],
      [
        [
          ['client-id', 'c'],
          ['user', 'alice'],
        ],
        { producer_byte_rate: 2 },
      ],
      [[['user', null]], { producer_byte_rate: 3 }],
      [[['client-id', null]], { producer_byte_rate: 4 }],
    ]),
  )
  const names = async (components: readonly Component[], strict = false) =>
    Object.keys((await matching(components, { strict })) as object)

  test('matches by name, by default or by type; strictly it leaves out entities of more types', async () => {
    expect(await names([['user', EXACT, 'alice']])).toEqual(['user=alice', 'client-id=c user=alice'])
    expect(await names([['user', EXACT, 'alice']], true)).toEqual(['user=alice'])
    expect(await names([['user', DEFAULT]])).toEqual(['user=<default>'])
    expect(await names([['user', ANY]])).toEqual(['user=alice', 'client-id=c user=alice', 'user=<default>'])
    expect(await names([['user', ANY]], true)).toEqual(['user=alice', 'user=<default>'])
    const both: Component[] = [
      ['user', ANY],
      ['client-id', EXACT, 'c'],
    ]
    expect(await names(both, true)).toEqual(['client-id=c user=alice'])
    expect(await names([['client-id', DEFAULT]])).toEqual(['client-id=<default>'])
    expect(await names([['user', EXACT, 'nobody']])).toEqual([])
    expect(await names([['ip', ANY]])).toEqual([])
    expect(await names([])).toHaveLength(4)
    expect(await names([], true)).toEqual([])
  })

  const wrong: [components: Component[], message: string][] = [
    [[['user', 3]], 'INVALID_REQUEST: Unknown match type 3'],
    [[['user', -1]], 'INVALID_REQUEST: Unknown match type -1'],
    [[['nosuch', ANY]], 'UNSUPPORTED_VERSION: Unsupported entity type nosuch'],
    [[['', ANY]], 'INVALID_REQUEST: Invalid empty entity type.'],
    [[['user', EXACT]], 'INVALID_REQUEST: Request specified MATCH_TYPE_EXACT, but set match string to null.'],
    [
      [['user', DEFAULT, 'x']],
      'INVALID_REQUEST: Request specified MATCH_TYPE_DEFAULT, but also specified a match string.',
    ],
    [
      [['user', ANY, 'x']],
      'INVALID_REQUEST: Request specified MATCH_TYPE_SPECIFIED, but also specified a match string.',
    ],
    [
      [
        ['user', ANY],
        ['user', DEFAULT],
      ],
      'INVALID_REQUEST: Entity type user cannot appear more than once in the filter.',
    ],
    [
      [
        ['user', ANY],
        ['ip', ANY],
      ],
      'INVALID_REQUEST: Invalid entity filter component combination. IP filter component should not be used with user or clientId filter component.',
    ],
  ]

  test.each(wrong)('%j is %s', async (components, message) => {
    expect(await matching(components)).toBe(message)
  })
})
