import { expect, test } from 'vitest'
import { listPartitionReassignments } from '../../src/apis/list-partition-reassignments.ts'
import { DrivenController } from './driven-controller.ts'

test('start, another target, cancel, start again, finish, shrink, grow: what the metadata log of Kafka 4.3.1 shows (R-49)', () => {
  const driven = DrivenController.withBrokers(4)
  driven.createTopic('reas', [[1, 2, 3]], { 'min.insync.replicas': 2 })
  expect(driven.reassign('reas', [2, 3, 4])).toBe('NONE')
  expect(driven.ask(listPartitionReassignments, { topics: null }).topics).toEqual([
    {
      name: 'reas',
      partitions: [{ partitionIndex: 0, replicas: [2, 3, 4, 1], addingReplicas: [4], removingReplicas: [1] }],
    },
  ])
  expect(driven.reassign('reas', [2, 3, 4])).toBe('NONE')
  expect(driven.reassign('reas', [1, 2, 4])).toBe('NONE')
  expect(driven.reassign('reas', null)).toBe('NONE')
  expect(driven.ask(listPartitionReassignments, { topics: null }).topics).toEqual([])
  expect(driven.reassign('reas', [2, 3, 4])).toBe('NONE')
  expect(driven.proposeInSync('reas', [1, 2, 3, 4])).toBe('NEW_LEADER_ELECTED')
  expect(driven.reassign('reas', [2])).toBe('NONE')
  expect(driven.reassign('reas', [2, 1])).toBe('NONE')
  expect(driven.proposeInSync('reas', [1, 2])).toBe('NONE')
  expect(driven.history('reas')).toEqual([
    'leader=1 le=0 pe=0 isr=[1,2,3] replicas=[1,2,3]',
    'leader=1 le=0 pe=1 isr=[1,2,3] adding=[4] removing=[1] replicas=[2,3,4,1]',
    'leader=1 le=0 pe=2 isr=[1,2,3] adding=[4] removing=[3] replicas=[1,2,4,3]',
    'leader=1 le=1 pe=3 isr=[1,2,3] replicas=[1,2,3]',
    'leader=1 le=1 pe=4 isr=[1,2,3] adding=[4] removing=[1] replicas=[2,3,4,1]',
    'leader=2 le=2 pe=5 isr=[2,3,4] replicas=[2,3,4]',
    'leader=2 le=3 pe=6 isr=[2] elr=[3,4] replicas=[2]',
    'leader=2 le=3 pe=7 isr=[2] adding=[1] removing=[] replicas=[2,1]',
    'leader=2 le=3 pe=8 isr=[1,2] replicas=[2,1]',
  ])
})

test('another order of the same replicas is immediate and moves nobody; the preferred election does (R-43)', () => {
  const driven = DrivenController.withBrokers(3)
  driven.createTopic('order', [[1, 2, 3]])
  expect(driven.reassign('order', [2, 1, 3])).toBe('NONE')
  expect(driven.state('order')).toBe('leader=1 le=0 pe=1 isr=[1,2,3] replicas=[2,1,3]')
  expect(driven.elect('preferred', 'order')).toBe('NONE')
  expect(driven.state('order')).toBe('leader=2 le=1 pe=2 isr=[1,2,3] replicas=[2,1,3]')
})

test('what may not be reassigned (M-15)', () => {
  const driven = DrivenController.withBrokers(4)
  driven.createTopic('a', [[1, 2]])
  expect(driven.reassign('nosuch', [1])).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  expect(driven.reassign('a', [1], { partition: 1 })).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  expect(driven.reassign('a', [1, 9])).toBe('INVALID_REPLICA_ASSIGNMENT')
  expect(driven.reassign('a', [1, 1])).toBe('INVALID_REPLICA_ASSIGNMENT')
  expect(driven.reassign('a', [])).toBe('INVALID_REPLICA_ASSIGNMENT')
  expect(driven.reassign('a', null)).toBe('NO_REASSIGNMENT_IN_PROGRESS')
  expect(driven.reassign('a', [1, 2])).toBe('NONE')
  expect(driven.reassign('a', [1, 2, 3], { mayChangeFactor: false })).toBe('INVALID_REPLICATION_FACTOR')
  expect(driven.history('a')).toEqual(['leader=1 le=0 pe=0 isr=[1,2] replicas=[1,2]'])
  expect(driven.reassign('a', [3, 4], { mayChangeFactor: false })).toBe('NONE')
})

test('a target that gives up what was being added: a cancel still restores the original replicas (R-49)', () => {
  const driven = DrivenController.withBrokers(5)
  driven.createTopic('a', [[1, 2, 3]])
  driven.reassign('a', [2, 3, 4])
  driven.reassign('a', [2, 3, 5])
  expect(driven.state('a')).toBe('leader=1 le=0 pe=2 isr=[1,2,3] adding=[4,5] removing=[1,4] replicas=[2,3,5,1,4]')
  driven.reassign('a', null)
  expect([...driven.partition('a').replicas].sort()).toEqual([1, 2, 3])
})

test('back to the original replicas as a target is a cancel, too (R-49)', () => {
  const driven = DrivenController.withBrokers(4)
  driven.createTopic('a', [[1, 2, 3]])
  driven.reassign('a', [2, 3, 4])
  driven.reassign('a', [1, 2, 3])
  expect(driven.state('a')).toBe('leader=1 le=1 pe=2 isr=[1,2,3] replicas=[1,2,3]')
})

test('when it ends, a leader that is removed gives way to the first of the target (R-49)', () => {
  const driven = DrivenController.withBrokers(4)
  driven.createTopic('a', [[1, 2]])
  driven.reassign('a', [3, 2])
  expect(driven.proposeInSync('a', [1, 2])).toBe('NONE')
  expect(driven.proposeInSync('a', [1, 2, 3])).toBe('NEW_LEADER_ELECTED')
  expect(driven.state('a')).toBe('leader=3 le=1 pe=2 isr=[2,3] replicas=[3,2]')
})

test('a cancel that would leave nobody in sync is refused, unless unclean election is on (R-49)', async () => {
  const driven = DrivenController.withBrokers(4)
  for (const [name, enable] of [
    ['clean', false],
    ['unclean', true],
  ] as const) {
    driven.createTopic(name, [[1]], { 'unclean.leader.election.enable': enable })
    driven.reassign(name, [2, 3])
    driven.proposeInSync(name, [1, 2])
  }
  await driven.loseBroker(1)
  expect(driven.reassign('clean', null)).toBe('INVALID_REPLICA_ASSIGNMENT')
  expect(driven.state('clean')).toBe('leader=2 le=1 pe=3 isr=[2] adding=[2,3] removing=[1] replicas=[2,3,1]')
  expect(driven.reassign('unclean', null)).toBe('NONE')
  expect(driven.partition('unclean').replicas).toEqual([1])
})

test('who was removed from the assignment while eligible does not keep the last leader from returning (R-45, R-49)', async () => {
  const driven = DrivenController.withBrokers(4)
  driven.createTopic('shrunk', [[1, 2, 3]], { 'min.insync.replicas': 2 })
  driven.reassign('shrunk', [1])
  expect(driven.state('shrunk')).toBe('leader=1 le=1 pe=1 isr=[1] elr=[2,3] replicas=[1]')
  await driven.loseBroker(1)
  expect(driven.state('shrunk')).toBe('leader=-1 le=2 pe=2 isr=[] elr=[1] lastKnownElr=[1] replicas=[1]')
  driven.startBroker(1)
  expect(driven.state('shrunk')).toBe('leader=1 le=3 pe=4 isr=[1] RECOVERING replicas=[1]')
})
