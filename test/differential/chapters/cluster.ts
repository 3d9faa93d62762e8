import { apiVersions } from '../../../src/apis/api-versions.ts'
import { describeCluster } from '../../../src/apis/describe-cluster.ts'
import { describeQuorum } from '../../../src/apis/describe-quorum.ts'
import { findCoordinator } from '../../../src/apis/find-coordinator.ts'
import { saslAuthenticate } from '../../../src/apis/sasl-authenticate.ts'
import { saslHandshake } from '../../../src/apis/sasl-handshake.ts'
import { unregisterBroker } from '../../../src/apis/unregister-broker.ts'
import { updateFeatures } from '../../../src/apis/update-features.ts'
import { CONTROLLER } from '../../scenarios/world.ts'
import type { Chapter, Play } from '../play.ts'

/** Where the metadata log is, and when somebody was last heard of. */
const QUORUM_CHANCE = [
  'leaderEpoch',
  'highWatermark',
  'logEndOffset',
  'lastFetchTimestamp',
  'lastCaughtUpTimestamp',
  'replicaDirectoryId',
]

async function versions(play: Play): Promise<void> {
  const software = { clientSoftwareName: 'differential', clientSoftwareVersion: '1.0' }
  const blur = ['finalizedFeaturesEpoch']
  await play.every('of a broker', apiVersions, software, { blur })
  await play.every('of the controller', apiVersions, software, { blur, to: CONTROLLER })
  for (const name of ['', 'white space', '-dash', 'ünïcode', 'dots.and-dashes', 'a'.repeat(300)]) {
    const title = `from a client called '${name.slice(0, 20)}'`
    await play.every(
      title,
      apiVersions,
      { ...software, clientSoftwareName: name },
      { blur: [...blur, 'apiKeys'], from: 3 },
    )
  }
  const nameless = { ...software, clientSoftwareVersion: '' }
  await play.every('from a client without a version', apiVersions, nameless, { blur: [...blur, 'apiKeys'] })
}

async function description(play: Play): Promise<void> {
  const plain = { includeClusterAuthorizedOperations: false, endpointType: 1, includeFencedBrokers: false }
  await play.every('by a broker', describeCluster, plain)
  await play.every('by a broker, with operations', describeCluster, {
    ...plain,
    includeClusterAuthorizedOperations: true,
  })
  await play.every('by a broker, with fenced brokers', describeCluster, { ...plain, includeFencedBrokers: true })
  for (const endpointType of [0, 2, 99]) {
    await play.every(
      `by a broker, of endpoints ${endpointType}`,
      describeCluster,
      { ...plain, endpointType },
      { from: 1 },
    )
  }
  const ofControllers = { ...plain, endpointType: 2 }
  const blur = ['port']
  await play.every('by the controller', describeCluster, ofControllers, { to: CONTROLLER, from: 1, blur })
  await play.every('by the controller, of brokers', describeCluster, plain, { to: CONTROLLER, blur })
}

async function quorum(play: Play): Promise<void> {
  const of = (topicName: string, partitionIndex: number) => ({
    topics: [{ topicName, partitions: [{ partitionIndex }] }],
  })
  const blur = QUORUM_CHANCE
  for (const to of [1, CONTROLLER]) {
    const by = to === 1 ? 'by a broker' : 'by the controller'
    await play.every(`${by}`, describeQuorum, of('__cluster_metadata', 0), { to, blur: [...blur, 'port'] })
    await play.every(`${by}, of another partition`, describeQuorum, of('__cluster_metadata', 1), { to, blur })
    await play.every(`${by}, of another topic`, describeQuorum, of('no-such-topic', 0), { to, blur })
    await play.every(`${by}, of nothing`, describeQuorum, { topics: [] }, { to, blur })
    const empty = { topics: [{ topicName: '__cluster_metadata', partitions: [] }] }
    await play.every(`${by}, of no partition`, describeQuorum, empty, { to, blur })
    const two = { topics: [...of('__cluster_metadata', 0).topics, ...of('other', 0).topics] }
    await play.every(`${by}, of two topics`, describeQuorum, two, { to, blur })
  }
}

async function coordinators(play: Play): Promise<void> {
  await play.coordinator('found')
  const of = (key: string, keyType = 0) => ({ key, keyType, coordinatorKeys: [key] })
  const blur = ['host', 'port']
  await play.every('of a group', findCoordinator, of('found'), { blur })
  await play.every('of the empty group', findCoordinator, of(''), { blur })
  await play.every('of an unknown kind', findCoordinator, of('found', 9), { blur, from: 1 })
  await play.every('of a negative kind', findCoordinator, of('found', -1), { blur, from: 1 })
  await play.every('of a share partition, in v5 and below unknown', findCoordinator, of('found', 2), {
    from: 1,
    until: 5,
    blur,
  })
  await play.every('of a share partition without a key of its form', findCoordinator, of('found', 2), { from: 6, blur })
  await play.every('of nobody', findCoordinator, { keyType: 0, coordinatorKeys: [] }, { from: 4, blur })
  const two = { keyType: 0, coordinatorKeys: ['found', '', 'found', 'lost'] }
  await play.every('of many', findCoordinator, two, { from: 4, blur })
}

async function sasl(play: Play): Promise<void> {
  for (const mechanism of ['PLAIN', 'SCRAM-SHA-256', '', 'no such']) {
    await play.every(`with '${mechanism}'`, saslHandshake, { mechanism })
  }
  await play.every('with PLAIN at the controller', saslHandshake, { mechanism: 'PLAIN' }, { to: CONTROLLER })
  const token = new TextEncoder().encode('\0user\0secret')
  await play.every('without a handshake', saslAuthenticate, { authBytes: token })
  await play.every('without bytes', saslAuthenticate, { authBytes: new Uint8Array(0) })
  await play.every('at the controller', saslAuthenticate, { authBytes: token }, { to: CONTROLLER })
}

async function features(play: Play): Promise<void> {
  const of = (
    feature: string,
    maxVersionLevel: number,
    more: { upgradeType?: number; allowDowngrade?: boolean } = {},
  ) => ({
    timeoutMs: 10_000,
    featureUpdates: [{ feature, maxVersionLevel, upgradeType: 1, allowDowngrade: false, ...more }],
    validateOnly: true,
  })
  await play.every('of nothing', updateFeatures, { timeoutMs: 10_000, featureUpdates: [], validateOnly: true })
  await play.every('of one that nobody knows', updateFeatures, of('no.such.feature', 1))
  await play.every('without a name', updateFeatures, of('', 1))
  await play.every('to a level that nobody has', updateFeatures, of('metadata.version', 999))
  await play.every('to a level below 0', updateFeatures, of('group.version', -5))
  await play.every('down, without saying so', updateFeatures, of('group.version', 0), { from: 1 })
  await play.every('in an unknown way', updateFeatures, of('group.version', 1, { upgradeType: 9 }), { from: 1 })
  await play.every('to where it is', updateFeatures, of('group.version', 1), { from: 1 })
  await play.every('down, safely, only checked', updateFeatures, of('group.version', 0, { upgradeType: 2 }), {
    from: 1,
  })
  await play.every('to where it is, as a downgrade', updateFeatures, of('group.version', 1, { upgradeType: 2 }), {
    from: 1,
  })
  await play.every('with no time', updateFeatures, { ...of('group.version', 1), timeoutMs: 0 })
  const twice = {
    ...of('group.version', 1),
    featureUpdates: [...of('group.version', 1).featureUpdates, ...of('group.version', 1).featureUpdates],
  }
  await play.every('twice the same', updateFeatures, twice)
  await play.every('asked of the controller', updateFeatures, of('no.such.feature', 1), { to: CONTROLLER })
}

async function removal(play: Play): Promise<void> {
  await play.every('of one that nobody knows', unregisterBroker, { brokerId: 77 })
  await play.every('of a negative id', unregisterBroker, { brokerId: -1 })
  await play.every(
    'of one that nobody knows, at the controller',
    unregisterBroker,
    { brokerId: 78 },
    { to: CONTROLLER },
  )
}

export const clusterChapters: readonly Chapter[] = [
  { title: 'versions', play: versions },
  { title: 'the cluster', play: description },
  { title: 'the quorum', play: quorum },
  { title: 'who coordinates', play: coordinators },
  { title: 'SASL on a plain listener', play: sasl },
  { title: 'features', play: features },
  { title: 'removal of brokers', play: removal },
]
