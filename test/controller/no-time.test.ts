import { expect, test } from 'vitest'
import { alterPartitionReassignments } from '../../src/apis/alter-partition-reassignments.ts'
import { createPartitions } from '../../src/apis/create-partitions.ts'
import { createTopics } from '../../src/apis/create-topics.ts'
import { deleteTopics } from '../../src/apis/delete-topics.ts'
import { electLeaders } from '../../src/apis/elect-leaders.ts'
import { DrivenController } from './driven-controller.ts'

const TIMED_OUT = { errorCode: 7 }

test.each([0, -1])('with a timeout of %i ms nothing is done, and every item is told REQUEST_TIMED_OUT', timeoutMs => {
  const driven = DrivenController.withBrokers(2)
  driven.createTopic('there', [[1, 2]])
  const before = driven.controller.endOffset
  const made = { name: 'made', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
  expect(driven.ask(createTopics, { topics: [made], timeoutMs }).topics).toMatchObject([
    { name: 'made', ...TIMED_OUT, numPartitions: -1, replicationFactor: -1, configs: [] },
  ])
  expect(driven.ask(deleteTopics, { topicNames: ['there'], timeoutMs }, 5).responses).toMatchObject([
    { name: 'there', ...TIMED_OUT },
  ])
  const more = { topics: [{ name: 'there', count: 2, assignments: null }], timeoutMs, validateOnly: false }
  expect(driven.ask(createPartitions, more).results).toMatchObject([{ name: 'there', ...TIMED_OUT }])
  const partitions = [{ partitionIndex: 0, replicas: [2, 1] }]
  expect(driven.ask(alterPartitionReassignments, { topics: [{ name: 'there', partitions }], timeoutMs })).toMatchObject(
    {
      ...TIMED_OUT,
      responses: [{ name: 'there', partitions: [{ partitionIndex: 0, ...TIMED_OUT }] }],
    },
  )
  const topicPartitions = [{ topic: 'there', partitions: [0] }]
  expect(driven.ask(electLeaders, { electionType: 0, topicPartitions, timeoutMs })).toMatchObject({
    ...TIMED_OUT,
    replicaElectionResults: [{ topic: 'there', partitionResult: [{ partitionId: 0, ...TIMED_OUT }] }],
  })
  expect(driven.controller.endOffset).toBe(before)
})
