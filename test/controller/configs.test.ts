import { expect, test } from 'vitest'
import { incrementalAlterConfigs } from '../../src/apis/incremental-alter-configs.ts'
import { resourceTypes } from '../../src/metadata/image.ts'
import { errorOf } from '../../src/wire/errors.ts'
import { DrivenController } from './driven-controller.ts'

const set = (name: string, value: string | null) => ({ name, configOperation: 0, value })
type Operation = ReturnType<typeof set>

function alter(driven: DrivenController, resources: [number, string, Operation[]][], validateOnly = false): string[] {
  const { responses } = driven.ask(incrementalAlterConfigs, {
    resources: resources.map(([resourceType, resourceName, configs]) => ({ resourceType, resourceName, configs })),
    validateOnly,
  })
  return responses.map(response => errorOf(response.errorCode).name)
}

test('one bad key refuses its whole resource, and no other (M-22)', () => {
  const driven = DrivenController.withBrokers(1)
  driven.createTopic('a', [[1]])
  driven.createTopic('b', [[1]])
  const errors = alter(driven, [
    [2, 'a', [set('retention.ms', '5'), set('no.such.key', '1')]],
    [2, 'b', [set('retention.ms', '6')]],
  ])
  expect(errors).toEqual(['INVALID_CONFIG', 'NONE'])
  expect(driven.image.configsOf(resourceTypes.topic, 'a').size).toBe(0)
  expect(driven.image.configsOf(resourceTypes.topic, 'b').get('retention.ms')).toBe('6')
})

test('a resource named twice, an unknown one, and an operation that does not exist (M-22)', () => {
  const driven = DrivenController.withBrokers(1)
  driven.createTopic('a', [[1]])
  const one: [number, string, Operation[]] = [2, 'a', [set('retention.ms', '5')]]
  expect(alter(driven, [one, one])).toEqual(['INVALID_REQUEST', 'INVALID_REQUEST'])
  expect(alter(driven, [[2, 'nosuch', []]])).toEqual(['UNKNOWN_TOPIC_OR_PARTITION'])
  expect(alter(driven, [[4, '7', []]])).toEqual(['BROKER_ID_NOT_REGISTERED'])
  expect(alter(driven, [[4, 'seven', []]])).toEqual(['INVALID_REQUEST'])
  expect(alter(driven, [[99, 'a', []]])).toEqual(['INVALID_REQUEST'])
  // Kafka's controller fails inside itself and gives up its leadership.
  expect(alter(driven, [[2, 'a', [{ ...set('retention.ms', '5'), configOperation: 9 }]]])).toEqual(['INVALID_REQUEST'])
})

test('validateOnly changes nothing; DELETE brings the default back (M-22)', () => {
  const driven = DrivenController.withBrokers(1)
  driven.createTopic('a', [[1]], { 'retention.ms': 5 })
  expect(alter(driven, [[2, 'a', [set('retention.ms', '6')]]], true)).toEqual(['NONE'])
  expect(driven.image.configsOf(resourceTypes.topic, 'a').get('retention.ms')).toBe('5')
  expect(driven.setConfig({ type: 2, name: 'a' }, 'retention.ms', null)).toBe('NONE')
  expect(driven.image.configsOf(resourceTypes.topic, 'a').size).toBe(0)
})

test('the value that a topic has already is not written again; a broker reads its keys anew, so theirs are (M-22)', () => {
  const driven = DrivenController.withBrokers(1)
  driven.createTopic('a', [[1]], { 'retention.ms': 5 })
  const before = driven.image.offset
  driven.setConfig({ type: 2, name: 'a' }, 'retention.ms', '5')
  expect(driven.image.offset).toBe(before)
  driven.setConfig({ type: 4, name: '1' }, 'log.cleaner.threads', '1')
  driven.setConfig({ type: 4, name: '1' }, 'log.cleaner.threads', '1')
  expect(driven.image.offset).toBe(before + 2)
})

test('without eligible leader replicas the static min.insync.replicas counts, and no dynamic one is written (R-45)', () => {
  const driven = DrivenController.withBrokers(3, {
    features: { 'eligible.leader.replicas.version': 0 },
    configs: new Map([['min.insync.replicas', '2']]),
  })
  expect(driven.image.configsOf(resourceTypes.broker, '').size).toBe(0)
  expect(driven.controller.settings.minInsyncReplicas('any')).toBe(2)
  const everyBroker = { type: resourceTypes.broker, name: '' }
  expect(driven.setConfig(everyBroker, 'min.insync.replicas', '3')).toBe('NONE')
  expect(driven.controller.settings.minInsyncReplicas('any')).toBe(3)
  expect(driven.setConfig(everyBroker, 'min.insync.replicas', null)).toBe('NONE')
  driven.createTopic('a', [[1, 2, 3]])
  driven.proposeInSync('a', [1])
  expect(driven.state('a')).toBe('leader=1 le=0 pe=1 isr=[1] replicas=[1,2,3]')
})

test('features of a new cluster: metadata.version 30, transaction.version 2, eligible leader replicas and groups 1 (W-17)', () => {
  expect([...new DrivenController().image.features]).toEqual([
    ['metadata.version', 30],
    ['transaction.version', 2],
    ['eligible.leader.replicas.version', 1],
    ['group.version', 1],
  ])
  expect(
    new DrivenController({ features: { 'transaction.version': 1 } }).image.featureLevel('transaction.version'),
  ).toBe(1)
})
