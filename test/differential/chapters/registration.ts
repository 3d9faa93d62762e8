import { allocateProducerIds } from '../../../src/apis/allocate-producer-ids.ts'
import { alterPartition } from '../../../src/apis/alter-partition.ts'
import { brokerHeartbeat } from '../../../src/apis/broker-heartbeat.ts'
import { brokerRegistration } from '../../../src/apis/broker-registration.ts'
import { describeCluster } from '../../../src/apis/describe-cluster.ts'
import { unregisterBroker } from '../../../src/apis/unregister-broker.ts'
import { CONTROLLER } from '../../scenarios/world.ts'
import type { Chapter, Play } from '../play.ts'
import { UNKNOWN_ID } from './bad-input.ts'

const INCARNATION = 'aW5jYXJuYXRpb24tb25lLQ'
const DIRECTORY = 'ZGlyZWN0b3J5LW9uZS1pcw'
const to = CONTROLLER

/** What only brokers ask, and only of the controller: a broker that is none comes, is heard, and goes. */
async function comings(play: Play): Promise<void> {
  const { clusterId } = await play.request(describeCluster, 2, {
    includeClusterAuthorizedOperations: false,
    includeFencedBrokers: false,
  })
  const come = (brokerId: number, more: object = {}) => ({
    brokerId,
    clusterId,
    incarnationId: INCARNATION,
    listeners: [{ name: 'PLAINTEXT', host: '127.0.0.1', port: 9, securityProtocol: 0 }],
    features: [
      { name: 'metadata.version', minSupportedVersion: 7, maxSupportedVersion: 30 },
      { name: 'group.version', minSupportedVersion: 0, maxSupportedVersion: 1 },
      { name: 'transaction.version', minSupportedVersion: 0, maxSupportedVersion: 2 },
      { name: 'eligible.leader.replicas.version', minSupportedVersion: 0, maxSupportedVersion: 1 },
      { name: 'share.version', minSupportedVersion: 0, maxSupportedVersion: 1 },
      { name: 'streams.version', minSupportedVersion: 0, maxSupportedVersion: 1 },
    ],
    rack: 'r9',
    logDirs: [DIRECTORY],
    ...more,
  })
  const blur = ['brokerEpoch']
  await play.every('of another cluster', brokerRegistration, come(71, { clusterId: 'another' }), { to })
  await play.every('under the id of one that runs', brokerRegistration, come(1), { to })
  await play.every('without features', brokerRegistration, come(72, { features: [] }), { to, blur })
  await play.every(
    'that is too old',
    brokerRegistration,
    come(73, { features: [{ name: 'metadata.version', minSupportedVersion: 1, maxSupportedVersion: 7 }] }),
    { to },
  )
  await play.every('of a broker of ZooKeeper', brokerRegistration, come(74, { isMigratingZkBroker: true }), {
    to,
    from: 1,
  })
  await play.every('without directories', brokerRegistration, come(75, { logDirs: [] }), { to, from: 2, blur })
  await play.every('with a directory twice', brokerRegistration, come(76, { logDirs: [DIRECTORY, DIRECTORY] }), {
    to,
    from: 2,
    blur,
  })
  const registered = await play.every('of a new one', brokerRegistration, come(77), { to, from: 2, blur })
  const brokerEpoch = registered!.brokerEpoch
  await heard(play, 77, brokerEpoch)
  for (const brokerId of [72, 75, 76, 77]) await play.request(unregisterBroker, 0, { brokerId }, { to })
}

async function heard(play: Play, brokerId: number, brokerEpoch: number): Promise<void> {
  const beat = (more: object = {}) => ({
    brokerId,
    brokerEpoch,
    currentMetadataOffset: 1,
    wantFence: true,
    wantShutDown: false,
    ...more,
  })
  await play.every('of one that is behind', brokerHeartbeat, beat(), { to })
  await play.every('of another epoch', brokerHeartbeat, beat({ brokerEpoch: 1 }), { to })
  await play.every('of one that nobody knows', brokerHeartbeat, beat({ brokerId: 99 }), { to })
  await play.every('that wants to stop', brokerHeartbeat, beat({ wantShutDown: true }), { to })
  await play.every('for a broker', allocateProducerIds, { brokerId, brokerEpoch }, { to, blur: ['producerIdStart'] })
  await play.every('for a broker of another epoch', allocateProducerIds, { brokerId, brokerEpoch: 1 }, { to })
  await play.every('for one that nobody knows', allocateProducerIds, { brokerId: 99, brokerEpoch: 1 }, { to })
  const topicId = await play.topic('altered-by-a-stranger', [[1, 2]])
  const alter = (more: object, part: object = {}) => ({
    brokerId,
    brokerEpoch,
    topics: [
      {
        topicId,
        partitions: [
          {
            partitionIndex: 0,
            leaderEpoch: 0,
            newIsr: [1],
            newIsrWithEpochs: [{ brokerId: 1 }],
            leaderRecoveryState: 0,
            partitionEpoch: 0,
            ...part,
          },
        ],
      },
    ],
    ...more,
  })
  await play.every('by who does not lead', alterPartition, alter({}), { to })
  await play.every('by one of another epoch', alterPartition, alter({ brokerEpoch: 1 }), { to })
  await play.every('by one that nobody knows', alterPartition, alter({ brokerId: 99 }), { to })
  await play.every('with an epoch of the leader to come', alterPartition, alter({}, { leaderEpoch: 9 }), { to })
  await play.every('of an unknown partition', alterPartition, alter({}, { partitionIndex: 9 }), { to })
  const elsewhere = { ...alter({}), topics: [{ ...alter({}).topics[0]!, topicId: UNKNOWN_ID }] }
  await play.every('of an unknown topic', alterPartition, elsewhere, { to })
  await play.every('of nothing', alterPartition, { ...alter({}), topics: [] }, { to })
  await play.every('of one that is fenced', unregisterBroker, { brokerId })
  await play.every('of one that was unregistered', brokerHeartbeat, beat(), { to })
}

export const registrationChapters: readonly Chapter[] = [{ title: 'brokers come and go', play: comings }]
