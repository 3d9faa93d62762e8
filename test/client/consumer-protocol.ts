import { consumerGroupHeartbeat } from '../../src/apis/consumer-group-heartbeat.ts'
import type { Cluster } from '../../src/index.ts'
import type { RequestOf } from '../../src/wire/api.ts'
import { type Member, type MemberConfig, member } from './group-story.ts'

export type Heartbeat = RequestOf<typeof consumerGroupHeartbeat>

/** A member of group `billing` by the protocol of KIP-848. */
export function newMember(cluster: Cluster, config: MemberConfig = {}): Member {
  return member(cluster, { 'group.protocol': 'consumer', ...config })
}

/** The heartbeats that brokers got from it, oldest first. */
export function heartbeatsOf(cluster: Cluster, { name }: Member): Heartbeat[] {
  return cluster.requests({ api: consumerGroupHeartbeat, from: name }).map(({ body }) => body)
}

/** What a heartbeat says besides who says it: the fields that are there. */
export function said({ groupId, memberId, memberEpoch, ...fields }: Heartbeat): string {
  const names = Object.entries(fields).filter(([, value]) => value !== null && value !== -1)
  return names.map(([name]) => name).join(' ')
}
