import { describe, expect, test } from 'vitest'
import { alterPartition } from '../../src/apis/alter-partition.ts'
import { DrivenController } from './driven-controller.ts'

/** Sent by hand to the controller of Kafka 4.3.1: three replicas, broker 4 alive and none of them. */
describe('a leader proposes another in-sync set', () => {
  const setUp = () => {
    const driven = DrivenController.withBrokers(4)
    driven.createTopic('reg', [[1, 2, 3]])
    return driven
  }

  test('every check refuses with its own error, and changes nothing (R-23)', () => {
    const driven = setUp()
    const propose = driven.proposeInSync.bind(driven, 'reg')
    expect(propose([1, 2], { brokerEpoch: driven.epochOf(1) - 1 })).toBe('top STALE_BROKER_EPOCH')
    expect(propose([1, 2], { sender: 77, brokerEpoch: 5 })).toBe('top STALE_BROKER_EPOCH')
    expect(propose([1, 2], { topicId: 'ZZZZZZZZZZZZZZZZZZZZZQ' })).toBe('UNKNOWN_TOPIC_ID')
    expect(propose([1, 2], { partition: 1 })).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    expect(propose([1, 2], { leaderEpoch: 1 })).toBe('NOT_CONTROLLER')
    expect(propose([1, 2], { partitionEpoch: 1 })).toBe('NOT_CONTROLLER')
    expect(propose([1, 2], { leaderEpoch: -1 })).toBe('FENCED_LEADER_EPOCH')
    expect(propose([1, 2], { sender: 2 })).toBe('INVALID_REQUEST')
    expect(propose([1, 2], { partitionEpoch: -1 })).toBe('INVALID_UPDATE_VERSION')
    expect(propose([1, 4])).toBe('INVALID_REQUEST')
    expect(propose([])).toBe('INVALID_REQUEST')
    expect(propose([1, 2, 2])).toBe('INVALID_REQUEST')
    expect(propose([2, 3])).toBe('INVALID_REQUEST')
    expect(propose([1, 2], { recoveryState: 1 })).toBe('INVALID_REQUEST')
    expect(propose([1], { recoveryState: 1 })).toBe('INVALID_REQUEST')
    expect(propose([1, [2, driven.epochOf(2) + 1]])).toBe('INELIGIBLE_REPLICA')
    expect(driven.history('reg')).toEqual(['leader=1 le=0 pe=0 isr=[1,2,3] replicas=[1,2,3]'])
  })

  test('the checks come in this order (R-23)', () => {
    const driven = setUp()
    const propose = driven.proposeInSync.bind(driven, 'reg')
    expect(propose([], { leaderEpoch: -1, partitionEpoch: 1, sender: 2 })).toBe('NOT_CONTROLLER')
    expect(propose([], { leaderEpoch: -1, partitionEpoch: -1, sender: 2 })).toBe('FENCED_LEADER_EPOCH')
    expect(propose([], { partitionEpoch: -1, sender: 2 })).toBe('INVALID_REQUEST')
    expect(propose([], { partitionEpoch: -1 })).toBe('INVALID_UPDATE_VERSION')
  })

  test('success raises the partition epoch and leaves the leader epoch; −1 passes for any life of a member (R-24, R-43)', () => {
    const driven = setUp()
    expect(driven.proposeInSync('reg', [1, [2, -1]])).toBe('NONE')
    expect(driven.state('reg')).toBe('leader=1 le=0 pe=1 isr=[1,2] replicas=[1,2,3]')
    expect(driven.proposeInSync('reg', [1], { partitionEpoch: 0 })).toBe('INVALID_UPDATE_VERSION')
    expect(driven.state('reg')).toBe('leader=1 le=0 pe=1 isr=[1,2] replicas=[1,2,3]')
  })

  test('the answer tells the state that the leader goes by from now on (R-24)', () => {
    const driven = setUp()
    const { topics } = driven.ask(
      alterPartition,
      {
        brokerId: 1,
        brokerEpoch: driven.epochOf(1),
        topics: [
          {
            topicId: driven.partition('reg').topicId,
            partitions: [{ partitionIndex: 0, leaderEpoch: 0, newIsr: [1, 3], partitionEpoch: 0 }],
          },
        ],
      },
      2,
    )
    expect(topics[0]!.partitions[0]).toEqual({
      partitionIndex: 0,
      errorCode: 0,
      leaderId: 1,
      leaderEpoch: 0,
      isr: [1, 3],
      leaderRecoveryState: 0,
      partitionEpoch: 1,
    })
  })

  test('a fenced, a leaving and a restarted member are not eligible (R-20, R-23)', async () => {
    const driven = setUp()
    driven.createTopic('led-by-2', [[2]])
    await driven.loseBroker(3)
    expect(driven.proposeInSync('reg', [1, 2, 3])).toBe('INELIGIBLE_REPLICA')
    const before = driven.epochOf(3)
    driven.startBroker(3)
    expect(driven.proposeInSync('reg', [1, 2, [3, before]])).toBe('INELIGIBLE_REPLICA')
    expect(driven.proposeInSync('reg', [1, 2, 3])).toBe('NONE')
    driven.silence(2)
    driven.heartbeat(2, { wantShutDown: true })
    expect(driven.state('reg')).toBe('leader=1 le=0 pe=3 isr=[1,3] replicas=[1,2,3]')
    expect(driven.proposeInSync('reg', [1, 2, 3])).toBe('INELIGIBLE_REPLICA')
  })

  test('a change that ends a reassignment may take the leadership away: NEW_LEADER_ELECTED, and it happens (R-24, R-49)', () => {
    const driven = setUp()
    driven.reassign('reg', [2, 3, 4])
    expect(driven.proposeInSync('reg', [1, 2, 3, 4])).toBe('NEW_LEADER_ELECTED')
    expect(driven.state('reg')).toBe('leader=2 le=1 pe=2 isr=[2,3,4] replicas=[2,3,4]')
  })

  test('a mutant that skips the epoch checks takes an old leader at its word (R-23)', async () => {
    const driven = DrivenController.withBrokers(3, { mutants: new Set(['no-alter-partition-epoch-check']) })
    driven.createTopic('reg', [[1, 2, 3]])
    driven.proposeInSync('reg', [1, 2])
    expect(driven.proposeInSync('reg', [1, 3], { partitionEpoch: 0, leaderEpoch: 5 })).toBe('NONE')
    expect(driven.state('reg')).toBe('leader=1 le=0 pe=2 isr=[1,3] replicas=[1,2,3]')
  })
})
