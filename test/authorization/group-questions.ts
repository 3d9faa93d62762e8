import { consumerGroupDescribe } from '../../src/apis/consumer-group-describe.ts'
import { consumerGroupHeartbeat } from '../../src/apis/consumer-group-heartbeat.ts'
import { deleteGroups } from '../../src/apis/delete-groups.ts'
import { describeGroups } from '../../src/apis/describe-groups.ts'
import { findCoordinator } from '../../src/apis/find-coordinator.ts'
import { heartbeat } from '../../src/apis/heartbeat.ts'
import { joinGroup } from '../../src/apis/join-group.ts'
import { leaveGroup } from '../../src/apis/leave-group.ts'
import { listGroups } from '../../src/apis/list-groups.ts'
import { offsetCommit } from '../../src/apis/offset-commit.ts'
import { offsetDelete } from '../../src/apis/offset-delete.ts'
import { offsetFetch } from '../../src/apis/offset-fetch.ts'
import { syncGroup } from '../../src/apis/sync-group.ts'
import { type Question, question } from './questions.ts'
import { joinConsumerGroups } from './setting.ts'
import { topics } from './topic-questions.ts'

const groups = ['g-open', 'h-closed']
const ids = [...groups, 'g-none', 'h-none']
const committed = {
  topics: topics.map(name => ({
    name,
    partitions: [{ partitionIndex: 0, committedOffset: 0, committedMetadata: 'm' }],
  })),
}
const commit = (groupId: string) => ({ groupId, memberId: '', ...committed })
const asked = topics.map(name => ({ name, partitionIndexes: [0] }))
const joining = (groupId: string) => ({
  groupId,
  sessionTimeoutMs: 6000,
  rebalanceTimeoutMs: 6000,
  memberId: '',
  protocolType: 'consumer',
  protocols: [{ name: 'range', metadata: new Uint8Array(0) }],
})
const member = { memberId: 'nobody-there', generationId: 1 }
const beat = (groupId: string, more: object = {}) => ({
  groupId,
  memberId: 'AAAAAAAAAAAAAAAAAAAAAA',
  memberEpoch: 5,
  ...more,
})

export const groupQuestions: readonly Question[] = [
  question('of groups', findCoordinator, 4, { keyType: 0, coordinatorKeys: ids }),
  question('of one group', findCoordinator, 2, { key: 'g-open', keyType: 0 } as never),
  question('of another group', findCoordinator, 0, { key: 'h-closed' } as never),
  question('of transactional ids', findCoordinator, 4, { keyType: 1, coordinatorKeys: ['x-open', 'y-closed'] }),
  question('of one transactional id', findCoordinator, 3, { key: 'y-closed', keyType: 1 } as never),
  ...groups.flatMap(groupId => [
    question(`to ${groupId}`, offsetCommit, 8, commit(groupId)),
    question(`of ${groupId}`, offsetFetch, 7, { groupId, topics: asked } as never),
    question(`of all in ${groupId}`, offsetFetch, 7, { groupId, topics: null } as never),
    question(`to ${groupId}`, joinGroup, 9, joining(`${groupId}-joined`), { blur: ['memberId'] }),
    question(`in ${groupId}`, syncGroup, 5, { groupId, ...member, assignments: [] }),
    question(`in ${groupId}`, heartbeat, 4, { groupId, ...member }),
    question(`of ${groupId}`, leaveGroup, 4, { groupId, members: [{ memberId: 'nobody-there' }] }),
    question(`of ${groupId}`, leaveGroup, 2, { groupId, memberId: 'nobody-there' } as never),
    question(`of ${groupId}`, offsetDelete, 0, {
      groupId,
      topics: topics.map(name => ({ name, partitions: [{ partitionIndex: 9 }] })),
    }),
    question(
      `of a member that is not there, ${groupId}`,
      consumerGroupHeartbeat,
      0,
      beat(groupId, { subscribedTopicNames: ['t-open'] }),
    ),
    question(
      `for what is closed, ${groupId}`,
      consumerGroupHeartbeat,
      0,
      beat(groupId, { subscribedTopicNames: ['t-open', 'u-closed'] }),
    ),
    question(`for a pattern, ${groupId}`, consumerGroupHeartbeat, 1, beat(groupId, { subscribedTopicRegex: 'u-.*' })),
    question(`that leaves ${groupId}`, consumerGroupHeartbeat, 1, beat(groupId, { memberEpoch: -1 })),
  ]),
  question('old', offsetCommit, 2, commit('h-closed')),
  question('by id', offsetCommit, 10, (_, place) => ({
    groupId: 'g-open',
    memberId: '',
    topics: topics.map(name => ({
      topicId: place.topicIds.get(name) ?? 'AAAAAAAAAAAAAAAAAAAABA',
      partitions: [{ partitionIndex: 0, committedOffset: 0, committedMetadata: 'm' }],
    })),
  })),
  question('of several', offsetFetch, 9, {
    groups: ids.flatMap(groupId => [{ groupId, topics: asked }]),
  }),
  question('of all in several', offsetFetch, 8, { groups: ids.map(groupId => ({ groupId, topics: null })) }),
  question('by id', offsetFetch, 10, (_, place) => ({
    groups: groups.map(groupId => ({
      groupId,
      topics: topics.map(name => ({
        topicId: place.topicIds.get(name) ?? 'AAAAAAAAAAAAAAAAAAAABA',
        partitionIndexes: [0],
      })),
    })),
  })),
  question('of some', describeGroups, 6, { groups: ids, includeAuthorizedOperations: true }),
  question('of some, old', describeGroups, 2, { groups: ids }),
  question('of all', listGroups, 4, { statesFilter: ['Empty'] }),
  question('that are not there', deleteGroups, 2, { groupsNames: ['g-none', 'h-none'] }),
  question(
    'of consumers',
    consumerGroupDescribe,
    0,
    {
      groupIds: ['g-consumers', 'g-others', 'h-consumers', 'g-none'],
      includeAuthorizedOperations: true,
    },
    {
      before: joinConsumerGroups,
      blur: [
        'memberId',
        'memberEpoch',
        'targetAssignment',
        'assignment',
        'groupEpoch',
        'assignmentEpoch',
        'groupState',
      ],
    },
  ),
]
