import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { apis } from '../../src/apis/registry.ts'
import { protocol } from './protocol.ts'

type Ranges = Record<string, [min: number, max: number]>

const { releases } = JSON.parse(readFileSync(new URL('../data/kafka/releases.json', import.meta.url), 'utf8')) as {
  releases: Record<string, { kraft: Ranges }>
}
const kafka = releases['4.3']!.kraft
const listeners = new Map(
  (protocol.requests as readonly { apiKey: number; listeners?: string[] }[]).map(r => [r.apiKey, r.listeners ?? []]),
)

const forBrokers = apis.filter(api => listeners.get(api.key)!.includes('broker'))
const forControllersOnly = apis.filter(api => !listeners.get(api.key)!.includes('broker'))

test.each(forBrokers.map(api => [api.name, api] as const))('%s is advertised as a 4.3 broker does (W-15)', (_, api) => {
  expect([api.advertised.min, api.advertised.max]).toEqual(kafka[api.key])
})

test('what only controllers are asked is in no broker’s answer (W-15)', () => {
  expect(forControllersOnly.map(api => api.name)).toEqual([
    'AlterPartition',
    'Envelope',
    'BrokerRegistration',
    'BrokerHeartbeat',
    'AllocateProducerIds',
  ])
  for (const api of forControllersOnly) expect(kafka[api.key]).toBeUndefined()
})

test('Produce is advertised from version 0 on, though it is taken from version 3 on (W-12)', () => {
  const produce = apis.find(api => api.name === 'Produce')!
  expect(produce.advertised).toEqual({ min: 0, max: 13 })
  expect(produce.versions).toEqual({ min: 3, max: 13 })
  const narrowed = apis.filter(
    api => api.advertised.min !== api.versions.min || api.advertised.max !== api.versions.max,
  )
  expect(narrowed).toEqual([produce])
})
