import { expect, test } from 'vitest'
import { alterClientQuotas } from '../../src/apis/alter-client-quotas.ts'
import { alterConfigs } from '../../src/apis/alter-configs.ts'
import { alterUserScramCredentials } from '../../src/apis/alter-user-scram-credentials.ts'
import { unregisterBroker } from '../../src/apis/unregister-broker.ts'
import { updateFeatures } from '../../src/apis/update-features.ts'
import { quotaEntityOf } from '../../src/metadata/client-quotas.ts'
import type { ClusterImage } from '../../src/metadata/image.ts'
import { DrivenController } from './driven-controller.ts'

const alice = [{ entityType: 'user', entityName: 'alice' }]

const set = (key: string, value: number) => ({
  entries: [{ entity: alice, ops: [{ key, value, remove: false }] }],
  validateOnly: false,
})
const remove = (key: string) => ({
  entries: [{ entity: alice, ops: [{ key, value: 0, remove: true }] }],
  validateOnly: false,
})
const credential = (name: string, mechanism: number) => ({
  deletions: [],
  upsertions: [{ name, mechanism, iterations: 4096, salt: new Uint8Array([1]), saltedPassword: new Uint8Array([2]) }],
})

test('quotas and credentials are what the log says, in a second image and after a restart', () => {
  const driven = DrivenController.withBrokers(1)
  driven.ask(alterClientQuotas, set('producer_byte_rate', 5))
  driven.ask(alterClientQuotas, set('request_percentage', 6))
  driven.ask(alterClientQuotas, set('consumer_byte_rate', 7))
  driven.ask(alterClientQuotas, remove('consumer_byte_rate'))
  driven.ask(alterUserScramCredentials, credential('bob', 1))
  driven.ask(alterUserScramCredentials, credential('bob', 2))
  driven.ask(alterUserScramCredentials, credential('carol', 1))
  driven.ask(alterUserScramCredentials, { deletions: [{ name: 'bob', mechanism: 1 }], upsertions: [] })
  const facts = ({ clientQuotas, scramCredentials }: ClusterImage) => ({
    quotas: [...(clientQuotas.of(quotaEntityOf(alice)) ?? [])],
    users: [...scramCredentials.users].map(user => [user, [...scramCredentials.of(user).keys()]]),
  })
  const expected = {
    quotas: [
      ['producer_byte_rate', 5],
      ['request_percentage', 6],
    ],
    users: [
      ['bob', [2]],
      ['carol', [1]],
    ],
  }
  expect(facts(driven.image)).toEqual(expected)
  expect(facts(driven.replayed())).toEqual(expected)
  driven.restartController()
  expect(facts(driven.image)).toEqual(expected)
})

test('a feature needs every registered broker, a fenced one too; who names none has each at level 0', async () => {
  const driven = DrivenController.withBrokers(2)
  const update = (maxVersionLevel: number, upgradeType: number) => {
    const featureUpdates = [{ feature: 'transaction.version', maxVersionLevel, upgradeType }]
    return driven.ask(updateFeatures, { featureUpdates }).errorMessage
  }
  expect(update(1, 2)).toMatch(/Invalid update version 1 .* Broker 1 does not support this feature\.$/)
  expect(update(0, 2)).toBeNull()
  await driven.loseBroker(1)
  expect(update(2, 1)).toMatch(/Broker 1 does not support this feature\.$/)
  for (const brokerId of [1, 2]) driven.ask(unregisterBroker, { brokerId })
  expect(update(2, 1)).toBeNull()
  expect(driven.image.featureLevel('transaction.version')).toBe(2)
})

test('a configuration that is replaced writes what changes, and forgets eligible leader replicas with another minimum (R-45)', async () => {
  const driven = DrivenController.withBrokers(2)
  driven.createTopic('t', [[1, 2]], { 'min.insync.replicas': 2, 'retention.ms': 1000 })
  await driven.loseBroker(2)
  expect(driven.state('t')).toContain('elr=[2]')
  const replace = (configs: Record<string, string>) => {
    const entries = Object.entries(configs).map(([name, value]) => ({ name, value }))
    const resources = [{ resourceType: 2, resourceName: 't', configs: entries }]
    const before = driven.image.offset
    expect(driven.ask(alterConfigs, { resources, validateOnly: false }).responses[0]!.errorCode).toBe(0)
    return driven.image.offset - before
  }
  expect(replace({ 'min.insync.replicas': '2', 'retention.ms': '1000' })).toBe(0)
  expect(replace({ 'min.insync.replicas': '2' })).toBe(1)
  expect(driven.state('t')).toContain('elr=[2]')
  expect(replace({ 'retention.ms': '1000' })).toBe(3)
  expect(driven.state('t')).not.toContain('elr')
})

test('what is unregistered leaves in-sync sets and leaderships, and registers again as somebody new (R-51)', () => {
  const driven = DrivenController.withBrokers(2)
  driven.createTopic('t', [[1, 2]])
  expect(driven.ask(unregisterBroker, { brokerId: 1 })).toMatchObject({ errorCode: 0, errorMessage: '' })
  expect(driven.image.broker(1)).toBeUndefined()
  expect(driven.state('t')).toBe('leader=2 le=1 pe=1 isr=[2] replicas=[1,2]')
  expect(driven.heartbeat(1).error).toBe('STALE_BROKER_EPOCH')
  expect(driven.register(1)).toBe('NONE')
  expect(driven.image.broker(1)?.fenced).toBe(true)
})
