import { describe, expect, test } from 'vitest'
import { electLeaders } from '../../src/apis/elect-leaders.ts'
import { resourceTypes } from '../../src/metadata/image.ts'
import { errorOf } from '../../src/wire/errors.ts'
import { DrivenController } from './driven-controller.ts'

const topic = (name: string) => ({ type: resourceTypes.topic, name })
const everyBroker = { type: resourceTypes.broker, name: '' }

describe('who leads', () => {
  test('a lost leader is followed by the first live in-sync replica in the order of the assignment (R-40, R-43)', async () => {
    const driven = DrivenController.withBrokers(4)
    driven.createTopic('orders', [[1, 2, 3]])
    driven.proposeInSync('orders', [1, 3, 2])
    await driven.loseBroker(1)
    expect(driven.history('orders').at(-1)).toBe('leader=2 le=1 pe=2 isr=[3,2] replicas=[1,2,3]')
    await driven.loseBroker(2)
    expect(driven.history('orders').at(-1)).toBe('leader=3 le=2 pe=3 isr=[3] replicas=[1,2,3]')
  })

  test('a returning first replica does not lead again by itself (R-40: the current leader is kept)', async () => {
    const driven = DrivenController.withBrokers(3)
    driven.createTopic('orders', [[1, 2, 3]])
    await driven.loseBroker(1)
    driven.resume(1)
    driven.proposeInSync('orders', [1, 2, 3])
    expect(driven.state('orders')).toBe('leader=2 le=1 pe=2 isr=[1,2,3] replicas=[1,2,3]')
  })

  test.each([
    ['', {}, 'isr=[] elr=[1] lastKnownElr=[1]'],
    [', without eligible leader replicas', { 'eligible.leader.replicas.version': 0 }, 'isr=[1]'],
  ])(
    'an unclean election on demand: RECOVERING until a follower joins (R-42, R-48)%s',
    async (_, features, leaderless) => {
      const driven = DrivenController.withBrokers(4, { features })
      driven.createTopic('uncl', [[1, 2]])
      driven.proposeInSync('uncl', [1])
      expect(driven.elect('unclean', 'uncl')).toBe('ELECTION_NOT_NEEDED')
      expect(driven.elect('preferred', 'uncl')).toBe('ELECTION_NOT_NEEDED')
      expect(driven.elect('preferred', 'nosuch')).toBe('UNKNOWN_TOPIC_OR_PARTITION')
      expect(driven.elect('preferred', 'uncl', 1)).toBe('UNKNOWN_TOPIC_OR_PARTITION')
      await driven.loseBroker(1)
      expect(driven.elect('preferred', 'uncl')).toBe('PREFERRED_LEADER_NOT_AVAILABLE')
      expect(driven.elect('unclean', 'uncl')).toBe('NONE')
      expect(driven.state('uncl')).toBe('leader=2 le=2 pe=3 isr=[2] RECOVERING replicas=[1,2]')
      driven.startBroker(1)
      driven.proposeInSync('uncl', [1, 2])
      expect(driven.elect('preferred', 'uncl')).toBe('NONE')
      expect(driven.elect('preferred', 'uncl')).toBe('ELECTION_NOT_NEEDED')
      expect(driven.history('uncl')).toEqual([
        'leader=1 le=0 pe=0 isr=[1,2] replicas=[1,2]',
        'leader=1 le=0 pe=1 isr=[1] replicas=[1,2]',
        `leader=-1 le=1 pe=2 ${leaderless} replicas=[1,2]`,
        'leader=2 le=2 pe=3 isr=[2] RECOVERING replicas=[1,2]',
        'leader=2 le=2 pe=4 isr=[1,2] replicas=[1,2]',
        'leader=1 le=3 pe=5 isr=[1,2] replicas=[1,2]',
      ])
    },
  )

  test('alone, an unclean leader stays RECOVERING, and its own next proposal ends that (R-42)', async () => {
    const driven = DrivenController.withBrokers(2)
    driven.createTopic('uncl', [[1, 2]])
    driven.proposeInSync('uncl', [1])
    await driven.loseBroker(1)
    driven.elect('unclean', 'uncl')
    await driven.advance(60_000)
    expect(driven.state('uncl')).toBe('leader=2 le=2 pe=3 isr=[2] RECOVERING replicas=[1,2]')
    expect(driven.proposeInSync('uncl', [2], { recoveryState: 0 })).toBe('NONE')
    expect(driven.state('uncl')).toBe('leader=2 le=2 pe=4 isr=[2] replicas=[1,2]')
  })

  test.each([
    ['', {}],
    [', without eligible leader replicas', { 'eligible.leader.replicas.version': 0 }],
  ])(
    'with unclean election on, a leader is taken at once when the last in sync is lost (R-46)%s',
    async (_, features) => {
      const driven = DrivenController.withBrokers(3, { features })
      driven.createTopic('orders', [[1, 2, 3]], { 'unclean.leader.election.enable': true })
      driven.proposeInSync('orders', [1])
      await driven.loseBroker(1)
      driven.proposeInSync('orders', [2, 3])
      expect(driven.history('orders')).toEqual([
        'leader=1 le=0 pe=0 isr=[1,2,3] replicas=[1,2,3]',
        'leader=1 le=0 pe=1 isr=[1] replicas=[1,2,3]',
        'leader=2 le=1 pe=2 isr=[2] RECOVERING replicas=[1,2,3]',
        'leader=2 le=1 pe=3 isr=[2,3] replicas=[1,2,3]',
      ])
    },
  )

  test('turned on while leaderless, unclean election waits for the next tick of its interval (R-46)', async () => {
    const driven = DrivenController.withBrokers(4)
    driven.createTopic('late', [[4, 3]])
    driven.proposeInSync('late', [4])
    await driven.loseBroker(4)
    const sinceActive = 12_000
    expect(driven.setConfig(topic('late'), 'unclean.leader.election.enable', 'true')).toBe('NONE')
    await driven.advance(300_000 - sinceActive - 1)
    expect(driven.state('late')).toBe('leader=-1 le=1 pe=2 isr=[] elr=[4] lastKnownElr=[4] replicas=[4,3]')
    await driven.advance(1)
    expect(driven.state('late')).toBe('leader=3 le=2 pe=3 isr=[3] RECOVERING replicas=[4,3]')
  })

  test('off by default: a leaderless partition waits for ever (R-46)', async () => {
    const driven = DrivenController.withBrokers(2)
    driven.createTopic('orders', [[1, 2]])
    driven.proposeInSync('orders', [1])
    await driven.loseBroker(1)
    await driven.advance(1_000_000)
    expect(driven.partition('orders').leader).toBe(-1)
  })

  test('every 300 s preferred replicas lead again (R-47)', async () => {
    const driven = DrivenController.withBrokers(3)
    driven.createTopic('orders', [[1, 2, 3]])
    await driven.loseBroker(1)
    driven.resume(1)
    driven.proposeInSync('orders', [1, 2, 3])
    await driven.advance(300_000 - 12_000 - 1)
    expect(driven.partition('orders').leader).toBe(2)
    await driven.advance(1)
    expect(driven.state('orders')).toBe('leader=1 le=2 pe=3 isr=[1,2,3] replicas=[1,2,3]')
  })

  test('without auto.leader.rebalance.enable they do not (R-47)', async () => {
    const driven = DrivenController.withBrokers(2, { configs: new Map([['auto.leader.rebalance.enable', 'false']]) })
    driven.createTopic('orders', [[1, 2]])
    await driven.loseBroker(1)
    driven.resume(1)
    driven.proposeInSync('orders', [1, 2])
    await driven.advance(700_000)
    expect(driven.partition('orders').leader).toBe(2)
  })

  test('preferred elections need the first replica alive and in sync (R-41)', async () => {
    const driven = DrivenController.withBrokers(2)
    driven.createTopic('orders', [[1, 2]])
    await driven.loseBroker(1)
    expect(driven.elect('preferred', 'orders')).toBe('PREFERRED_LEADER_NOT_AVAILABLE')
    driven.resume(1)
    expect(driven.elect('preferred', 'orders')).toBe('PREFERRED_LEADER_NOT_AVAILABLE')
    driven.proposeInSync('orders', [1, 2])
    expect(driven.elect('preferred', 'orders')).toBe('NONE')
    expect(driven.partition('orders').leader).toBe(1)
  })

  test('with nobody alive there is nobody to elect, and a killed one that is back is no candidate (R-48)', async () => {
    const driven = DrivenController.withBrokers(4, { configs: new Map([['min.insync.replicas', '2']]) })
    driven.createTopic('pair', [[1, 2]])
    await driven.loseBroker(2)
    await driven.loseBroker(1)
    expect(driven.elect('preferred', 'pair')).toBe('PREFERRED_LEADER_NOT_AVAILABLE')
    expect(driven.elect('unclean', 'pair')).toBe('ELIGIBLE_LEADERS_NOT_AVAILABLE')
    driven.startBroker(2)
    expect(driven.state('pair')).toBe('leader=-1 le=1 pe=3 isr=[] elr=[1] lastKnownElr=[1] replicas=[1,2]')
    expect(driven.elect('preferred', 'pair')).toBe('PREFERRED_LEADER_NOT_AVAILABLE')
    driven.startBroker(1)
    driven.proposeInSync('pair', [1, 2])
    expect(driven.history('pair')).toEqual([
      'leader=1 le=0 pe=0 isr=[1,2] replicas=[1,2]',
      'leader=1 le=0 pe=1 isr=[1] elr=[2] replicas=[1,2]',
      'leader=-1 le=1 pe=2 isr=[] elr=[1,2] lastKnownElr=[1] replicas=[1,2]',
      'leader=-1 le=1 pe=3 isr=[] elr=[1] lastKnownElr=[1] replicas=[1,2]',
      'leader=-1 le=1 pe=4 isr=[] lastKnownElr=[1] replicas=[1,2]',
      'leader=1 le=2 pe=5 isr=[1] RECOVERING replicas=[1,2]',
      'leader=1 le=2 pe=6 isr=[1,2] replicas=[1,2]',
    ])
  })

  test('for all partitions, those that need no election are left out, their topics are named (R-48)', async () => {
    const driven = DrivenController.withBrokers(3)
    driven.createTopic('led', [[1, 2]])
    driven.createTopic('moved', [
      [2, 1],
      [1, 2],
    ])
    await driven.loseBroker(2)
    const { errorCode, replicaElectionResults } = driven.ask(electLeaders, { electionType: 0, topicPartitions: null })
    expect(errorCode).toBe(0)
    expect(
      replicaElectionResults.map(({ topic, partitionResult }) => [
        topic,
        partitionResult.map(result => [result.partitionId, errorOf(result.errorCode).name]),
      ]),
    ).toEqual([
      ['led', []],
      ['moved', [[0, 'PREFERRED_LEADER_NOT_AVAILABLE']]],
    ])
  })

  test('an unknown type of election refuses the request (R-48)', () => {
    const driven = DrivenController.withBrokers(1)
    const { errorCode } = driven.ask(electLeaders, { electionType: 7, topicPartitions: null })
    expect(errorOf(errorCode).name).toBe('INVALID_REQUEST')
  })
})

describe('min.insync.replicas and who is eligible (R-45)', () => {
  test('altering it for a topic empties both sets; a leaderless partition then needs an unclean election', async () => {
    const driven = DrivenController.withBrokers(4)
    driven.createTopic('one', [[2]])
    driven.createTopic('pair', [[2, 3]], { 'min.insync.replicas': 2 })
    await driven.loseBroker(3)
    await driven.loseBroker(2)
    expect(driven.setConfig(topic('one'), 'min.insync.replicas', '1')).toBe('NONE')
    expect(driven.setConfig(topic('pair'), 'min.insync.replicas', '1')).toBe('NONE')
    driven.resume(2)
    driven.resume(3)
    expect(driven.history('one')).toEqual([
      'leader=2 le=0 pe=0 isr=[2] replicas=[2]',
      'leader=-1 le=1 pe=1 isr=[] elr=[2] lastKnownElr=[2] replicas=[2]',
      'leader=-1 le=1 pe=2 isr=[] replicas=[2]',
    ])
    expect(driven.history('pair').slice(1)).toEqual([
      'leader=2 le=0 pe=1 isr=[2] elr=[3] replicas=[2,3]',
      'leader=-1 le=1 pe=2 isr=[] elr=[2,3] lastKnownElr=[2] replicas=[2,3]',
      'leader=-1 le=1 pe=3 isr=[] replicas=[2,3]',
    ])
    expect(driven.elect('preferred', 'one')).toBe('PREFERRED_LEADER_NOT_AVAILABLE')
    expect(driven.elect('unclean', 'one')).toBe('NONE')
    expect(driven.state('one')).toBe('leader=2 le=2 pe=3 isr=[2] RECOVERING replicas=[2]')
  })

  test('altering the cluster default does so for every topic, also to the value that it has (M-21)', () => {
    const driven = DrivenController.withBrokers(3)
    for (const name of ['a', 'b']) {
      driven.createTopic(name, [[1, 2, 3]], { 'min.insync.replicas': 2 })
      driven.proposeInSync(name, [1])
    }
    expect(driven.state('a')).toBe('leader=1 le=0 pe=1 isr=[1] elr=[2,3] replicas=[1,2,3]')
    expect(driven.setConfig(everyBroker, 'min.insync.replicas', '1')).toBe('NONE')
    for (const name of ['a', 'b']) expect(driven.state(name)).toBe('leader=1 le=0 pe=2 isr=[1] replicas=[1,2,3]')
  })

  test('a topic so emptied and deleted does not keep a killed broker from coming back, as it does in Kafka', async () => {
    const driven = DrivenController.withBrokers(2)
    driven.createTopic('one', [[2]])
    await driven.loseBroker(2)
    driven.setConfig(topic('one'), 'min.insync.replicas', '1')
    driven.deleteTopic('one')
    driven.startBroker(2)
    expect(driven.image.isActive(2)).toBe(true)
  })

  test('it is a dynamic default of a new cluster, from the static value, and only that (M-21)', () => {
    const driven = DrivenController.withBrokers(2, { configs: new Map([['min.insync.replicas', '2']]) })
    expect(driven.image.configsOf(resourceTypes.broker, '').get('min.insync.replicas')).toBe('2')
    expect(driven.setConfig({ type: resourceTypes.broker, name: '1' }, 'min.insync.replicas', '1')).toBe(
      'INVALID_CONFIG',
    )
    expect(driven.setConfig(everyBroker, 'min.insync.replicas', null)).toBe('INVALID_CONFIG')
  })
})
