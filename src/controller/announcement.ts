import { NO_LEADER, RECOVERING } from '../metadata/image.ts'
import type { PartitionChange } from '../metadata/image-changes.ts'
import type { MetadataRecord } from '../metadata/records.ts'
import type { Trace } from '../runtime/trace.ts'

const WHO = 'controller'

/** What one record means, for the trace; partitions have an announcement of their own. */
export function announceRecord(trace: Trace, record: MetadataRecord, topicName: (id: string) => string): void {
  switch (record.type) {
    case 'RegisterBrokerRecord': {
      const { brokerId: broker, brokerEpoch, rack } = record
      trace.add('registered', WHO, { broker, brokerEpoch, ...(rack === null ? {} : { rack }) })
      break
    }
    case 'BrokerRegistrationChangeRecord': {
      const { brokerId: broker, brokerEpoch } = record
      if (record.fenced > 0) trace.add('fenced', WHO, { broker, brokerEpoch })
      if (record.fenced < 0) trace.add('unfenced', WHO, { broker, brokerEpoch })
      if (record.inControlledShutdown > 0) {
        trace.add('metadata', WHO, { what: 'controlled shutdown', broker, brokerEpoch })
      }
      break
    }
    case 'TopicRecord':
      trace.add('topic', WHO, { what: 'created', topic: record.name, topicId: record.topicId })
      break
    case 'RemoveTopicRecord':
      trace.add('topic', WHO, { what: 'deleted', topic: topicName(record.topicId), topicId: record.topicId })
      break
    case 'ConfigRecord': {
      const { resourceType, resourceName, name: key, value } = record
      trace.add('config', WHO, { resourceType, resourceName, key, value })
      break
    }
    case 'ClearElrRecord':
      trace.add('metadata', WHO, { what: 'eligible leader replicas cleared', topic: record.topicName })
      break
    case 'FeatureLevelRecord':
      trace.add('metadata', WHO, { what: 'feature', name: record.name, level: record.featureLevel })
      break
    case 'UnregisterBrokerRecord':
      trace.add('metadata', WHO, { what: 'unregistered', broker: record.brokerId, brokerEpoch: record.brokerEpoch })
      break
    case 'ClientQuotaRecord': {
      const { entity, key, value, remove } = record
      const whom = entity.map(({ entityType, entityName }) => `${entityType}=${entityName ?? '<default>'}`).join(' ')
      trace.add('config', WHO, { what: 'quota', entity: whom, key, value: remove ? null : value })
      break
    }
    case 'UserScramCredentialRecord':
    case 'RemoveUserScramCredentialRecord': {
      const what = record.type === 'UserScramCredentialRecord' ? 'scram credential' : 'scram credential removed'
      trace.add('metadata', WHO, { what, user: record.name, mechanism: record.mechanism })
      break
    }
    case 'DelegationTokenRecord': {
      const { tokenId, owner, expirationTimestamp } = record
      trace.add('metadata', WHO, { what: 'delegation token', tokenId, owner, expirationTimestamp })
      break
    }
    case 'RemoveDelegationTokenRecord':
      trace.add('metadata', WHO, { what: 'delegation token removed', tokenId: record.tokenId })
      break
    case 'ProducerIdsRecord':
      trace.add('metadata', WHO, {
        what: 'producer ids',
        broker: record.brokerId,
        nextProducerId: record.nextProducerId,
      })
      break
    default:
      break
  }
}

/** Elections, in-sync changes, reassignments. */
export function announcePartition(trace: Trace, { partition, previous }: PartitionChange): void {
  const name = `${partition.topic}-${partition.partition}`
  const { leader, leaderEpoch, partitionEpoch, inSyncReplicas, eligibleLeaderReplicas } = partition
  const state = {
    leaderEpoch,
    partitionEpoch,
    inSyncReplicas,
    ...(eligibleLeaderReplicas.length === 0 ? {} : { eligibleLeaderReplicas }),
  }
  if (previous === undefined || previous.leaderEpoch !== leaderEpoch) {
    const from = previous?.leader ?? NO_LEADER
    const unclean = partition.recoveryState === RECOVERING && previous?.recoveryState !== RECOVERING
    trace.add('election', WHO, { partition: name, leader, from, ...state, ...(unclean ? { unclean } : {}) })
  } else if (!same(previous.inSyncReplicas, inSyncReplicas)) {
    trace.add('isr-change', WHO, { partition: name, leader, before: previous.inSyncReplicas, ...state })
  }
  if (previous !== undefined && previous.replicas !== partition.replicas) {
    const { replicas, addingReplicas, removingReplicas } = partition
    trace.add('reassignment', WHO, { partition: name, replicas, addingReplicas, removingReplicas })
  }
}

function same(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every(replica => b.includes(replica))
}
