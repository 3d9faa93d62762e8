import { describe, expect, test } from 'vitest'
import { ClusterImage, resourceTypes } from '../../src/metadata/image.ts'
import { applyBatch, metadataBatch } from '../../src/metadata/metadata-batch.ts'
import type { MetadataRecordInput } from '../../src/metadata/records.ts'

const TOPIC_ID = 'BBBBBBBBBBBBBBBBBBBBBA'
const INCARNATION = 'CCCCCCCCCCCCCCCCCCCCCA'

/** A topic of one partition, as a controller writes it. */
const created: MetadataRecordInput[] = [
  { type: 'TopicRecord', name: 'orders', topicId: TOPIC_ID },
  {
    type: 'PartitionRecord',
    partitionId: 0,
    topicId: TOPIC_ID,
    replicas: [1, 2],
    isr: [1, 2],
    removingReplicas: [],
    addingReplicas: [],
    leader: 1,
    leaderEpoch: 0,
    partitionEpoch: 0,
  },
]

const registered: MetadataRecordInput = {
  type: 'RegisterBrokerRecord',
  brokerId: 1,
  incarnationId: INCARNATION,
  brokerEpoch: 7,
  endPoints: [{ name: 'PLAINTEXT', host: 'localhost', port: 9092, securityProtocol: 0 }],
  features: [],
  rack: 'a',
}

function imageOf(...records: MetadataRecordInput[]): ClusterImage {
  const image = new ClusterImage()
  replay(image, ...records)
  return image
}

function replay(image: ClusterImage, ...records: MetadataRecordInput[]): void {
  applyBatch(image, metadataBatch(records, { baseOffset: image.offset + 1, leaderEpoch: 1, timestamp: 0 }))
}

function change(fields: Partial<Extract<MetadataRecordInput, { type: 'PartitionChangeRecord' }>>): MetadataRecordInput {
  return { type: 'PartitionChangeRecord', partitionId: 0, topicId: TOPIC_ID, ...fields }
}

describe('what the records of the metadata log add up to', () => {
  test('brokers: fenced when they register, with the place of their registration (R-50)', () => {
    const image = imageOf(...created, registered)
    expect(image.broker(1)).toEqual({
      brokerId: 1,
      brokerEpoch: 7,
      incarnationId: INCARNATION,
      endpoints: [{ name: 'PLAINTEXT', host: 'localhost', port: 9092, securityProtocol: 0 }],
      features: [],
      rack: 'a',
      fenced: true,
      inControlledShutdown: false,
      logDirs: [],
      registrationOffset: 2,
    })
    replay(image, { type: 'BrokerRegistrationChangeRecord', brokerId: 1, brokerEpoch: 7, fenced: -1 })
    expect([image.isUnfenced(1), image.isActive(1)]).toEqual([true, true])
    replay(image, { type: 'BrokerRegistrationChangeRecord', brokerId: 1, brokerEpoch: 7, inControlledShutdown: 1 })
    expect([image.isUnfenced(1), image.isActive(1)]).toEqual([true, false])
    replay(image, { type: 'UnregisterBrokerRecord', brokerId: 1, brokerEpoch: 7 })
    expect(image.broker(1)).toBeUndefined()
  })

  test('a change without a leader raises the partition epoch only, one with a leader both (R-43)', () => {
    const image = imageOf(...created, change({ isr: [1] }))
    expect(image.partition('orders', 0)).toMatchObject({ leader: 1, leaderEpoch: 0, partitionEpoch: 1 })
    replay(image, change({ leader: 1 }))
    expect(image.partition('orders', 0)).toMatchObject({ leader: 1, leaderEpoch: 1, partitionEpoch: 2 })
    replay(image, change({ leader: -1, isr: [], lastKnownElr: [1] }))
    expect(image.partition('orders', 0)).toMatchObject({
      leader: -1,
      leaderEpoch: 2,
      inSyncReplicas: [],
      lastKnownElr: [1],
    })
  })

  test('a partition that changes becomes a new object, the others stay the same', () => {
    const image = imageOf(...created, { ...created[1]!, partitionId: 1 } as MetadataRecordInput)
    const [zero, one] = image.topic('orders')!.partitions
    replay(image, change({ isr: [1] }))
    expect(image.partition('orders', 0)).not.toBe(zero)
    expect(image.partition('orders', 1)).toBe(one)
  })

  test('cleared eligible leader replicas raise the partition epoch where there were any (R-45)', () => {
    const other = 'DDDDDDDDDDDDDDDDDDDDDA'
    const image = imageOf(
      ...created,
      { type: 'TopicRecord', name: 'other', topicId: other },
      { ...created[1]!, topicId: other } as MetadataRecordInput,
      change({ isr: [1], eligibleLeaderReplicas: [2] }),
      { type: 'ClearElrRecord', topicName: '' },
    )
    expect(image.partition('orders', 0)).toMatchObject({
      eligibleLeaderReplicas: [],
      partitionEpoch: 2,
      leaderEpoch: 0,
    })
    expect(image.partition('other', 0)).toMatchObject({ partitionEpoch: 0 })
  })

  test('a deleted topic takes its partitions and configurations along (M-14)', () => {
    const config: MetadataRecordInput = {
      type: 'ConfigRecord',
      resourceType: resourceTypes.topic,
      resourceName: 'orders',
      name: 'retention.ms',
      value: '5',
    }
    const image = imageOf(...created, config)
    expect([...image.configsOf(resourceTypes.topic, 'orders')]).toEqual([['retention.ms', '5']])
    replay(image, { type: 'RemoveTopicRecord', topicId: TOPIC_ID })
    expect(image.topic('orders')).toBeUndefined()
    expect(image.topicById(TOPIC_ID)).toBeUndefined()
    expect(image.partitionById(TOPIC_ID, 0)).toBeUndefined()
    expect(image.configsOf(resourceTypes.topic, 'orders').size).toBe(0)
  })

  test('a configuration that changes is a new map; a null value unsets it', () => {
    const set = (value: string | null): MetadataRecordInput => ({
      type: 'ConfigRecord',
      resourceType: resourceTypes.broker,
      resourceName: '',
      name: 'min.insync.replicas',
      value,
    })
    const image = imageOf(set('1'))
    const before = image.configsOf(resourceTypes.broker, '')
    replay(image, set('2'))
    expect([...before.values(), ...image.configsOf(resourceTypes.broker, '').values()]).toEqual(['1', '2'])
    replay(image, set(null))
    expect(image.configsOf(resourceTypes.broker, '').size).toBe(0)
  })

  test('features and producer ids', () => {
    const image = imageOf(
      { type: 'FeatureLevelRecord', name: 'metadata.version', featureLevel: 30 },
      { type: 'ProducerIdsRecord', brokerId: 1, brokerEpoch: 7, nextProducerId: 1000 },
    )
    expect([image.featureLevel('metadata.version'), image.featureLevel('none'), image.nextProducerId]).toEqual([
      30, 0, 1000,
    ])
    replay(image, { type: 'FeatureLevelRecord', name: 'metadata.version', featureLevel: 0 })
    expect(image.features.size).toBe(0)
  })

  test('a batch that is handed over twice is replayed once', () => {
    const image = new ClusterImage()
    const batch = metadataBatch([...created, change({ isr: [1] })], { baseOffset: 0, leaderEpoch: 1, timestamp: 0 })
    applyBatch(image, batch)
    applyBatch(image, batch)
    expect(image.partition('orders', 0)!.partitionEpoch).toBe(1)
    expect([image.offset, image.epoch]).toEqual([2, 1])
  })

  test('a record about what the log has not introduced is a bug, said aloud', () => {
    expect(() => imageOf(change({ isr: [1] }))).toThrow(TOPIC_ID)
  })
})

describe('what changed', () => {
  test('a partition that changed twice appears once, from its first to its last state', () => {
    const image = imageOf(...created)
    image.takeChanges()
    const before = image.partition('orders', 0)
    replay(image, change({ isr: [1] }), change({ leader: 2, isr: [2] }))
    const { partitions } = image.takeChanges()
    expect([...partitions.values()]).toEqual([{ partition: image.partition('orders', 0), previous: before }])
    expect(image.takeChanges().isEmpty).toBe(true)
  })

  test('of a deleted topic only the deletion is left', () => {
    const image = imageOf(...created)
    image.takeChanges()
    replay(image, change({ isr: [1] }), { type: 'RemoveTopicRecord', topicId: TOPIC_ID })
    const changes = image.takeChanges()
    expect(changes.partitions.size).toBe(0)
    expect(changes.deletedTopics.map(topic => topic.name)).toEqual(['orders'])
  })

  test('brokers, configurations and features are named', () => {
    const image = imageOf(
      registered,
      { type: 'ConfigRecord', resourceType: 4, resourceName: '1', name: 'log.cleaner.threads', value: '2' },
      { type: 'FeatureLevelRecord', name: 'metadata.version', featureLevel: 30 },
    )
    const { brokers, configs, features } = image.takeChanges()
    expect([[...brokers], [...configs.values()], [...features]]).toEqual([
      [1],
      [{ type: 4, name: '1' }],
      ['metadata.version'],
    ])
  })
})
