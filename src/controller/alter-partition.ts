import type { alterPartition } from '../apis/alter-partition.ts'
import { type PartitionImage, RECOVERED, RECOVERING } from '../metadata/image.ts'
import type { RequestOf, ResponseInput } from '../wire/api.ts'
import { type ErrorName, errorCodes } from '../wire/errors.ts'
import { registeredBroker } from './brokers.ts'
import { type Decision, Draft, type Situation } from './decision.ts'
import { targetOf } from './leadership.ts'
import { changePartition } from './partition-change.ts'

type Request = RequestOf<typeof alterPartition>
type Response = ResponseInput<typeof alterPartition>
type PartitionRequest = Request['topics'][number]['partitions'][number]
type PartitionAnswer = Response['topics'][number]['partitions'][number]

interface Member {
  readonly brokerId: number
  /** −1 passes for every life of the broker. */
  readonly brokerEpoch: number
}

/**
 * A leader proposes another in-sync set (KIP-497; R-22 … R-24).
 *
 * @throws {KafkaError} STALE_BROKER_EPOCH for the whole request.
 */
export function decideAlterPartition(request: Request, version: number, situation: Situation): Decision<Response> {
  registeredBroker(request.brokerId, request.brokerEpoch, situation)
  const draft = new Draft()
  const topics = request.topics.map(({ topicId, partitions }) => ({
    topicId,
    partitions: partitions.map(proposal => {
      const { partitionIndex } = proposal
      const topic = situation.image.topicById(topicId)
      if (topic === undefined) return refused(partitionIndex, 'UNKNOWN_TOPIC_ID')
      const listed = topic.partitions[partitionIndex]
      if (listed === undefined) return refused(partitionIndex, 'UNKNOWN_TOPIC_OR_PARTITION')
      const members =
        version >= 3 ? proposal.newIsrWithEpochs : proposal.newIsr.map(brokerId => ({ brokerId, brokerEpoch: -1 }))
      return propose(draft.partition(listed), proposal, members, request.brokerId, situation, draft)
    }),
  }))
  return { records: draft.records, response: { throttleTimeMs: 0, errorCode: 0, topics } }
}

function propose(
  partition: PartitionImage,
  proposal: PartitionRequest,
  members: readonly Member[],
  sender: number,
  situation: Situation,
  draft: Draft,
): PartitionAnswer {
  const error = check(partition, proposal, members, sender, situation)
  if (error !== undefined) return refused(proposal.partitionIndex, error)
  const record = changePartition(partition, {
    ...targetOf(partition, situation),
    inSyncReplicas: members.map(member => member.brokerId),
    recoveryState: proposal.leaderRecoveryState,
  })
  const changed = record === undefined ? partition : draft.change(partition, record)
  // The change ended a reassignment that takes the leadership from the sender: it happens, and the sender is told to look.
  if (changed.leader !== partition.leader) return refused(proposal.partitionIndex, 'NEW_LEADER_ELECTED')
  return {
    partitionIndex: proposal.partitionIndex,
    errorCode: 0,
    leaderId: changed.leader,
    leaderEpoch: changed.leaderEpoch,
    isr: changed.inSyncReplicas,
    leaderRecoveryState: changed.recoveryState,
    partitionEpoch: changed.partitionEpoch,
  }
}

/** R-23, in Kafka's order (ReplicationControlManager.validateAlterPartitionData). */
function check(
  partition: PartitionImage,
  proposal: PartitionRequest,
  members: readonly Member[],
  sender: number,
  situation: Situation,
): ErrorName | undefined {
  const checksEpochs = !situation.mutants.has('no-alter-partition-epoch-check')
  if (checksEpochs) {
    // Only a newer controller can have told the sender: this one is not the active one any more.
    if (proposal.leaderEpoch > partition.leaderEpoch) return 'NOT_CONTROLLER'
    if (proposal.partitionEpoch > partition.partitionEpoch) return 'NOT_CONTROLLER'
    if (proposal.leaderEpoch < partition.leaderEpoch) return 'FENCED_LEADER_EPOCH'
  }
  if (sender !== partition.leader) return 'INVALID_REQUEST'
  if (checksEpochs && proposal.partitionEpoch < partition.partitionEpoch) return 'INVALID_UPDATE_VERSION'
  const ids = new Set(members.map(member => member.brokerId))
  if (ids.size === 0 || ids.size !== members.length) return 'INVALID_REQUEST'
  for (const id of ids) if (!partition.replicas.includes(id)) return 'INVALID_REQUEST'
  if (!ids.has(partition.leader)) return 'INVALID_REQUEST'
  if (proposal.leaderRecoveryState !== RECOVERED && proposal.leaderRecoveryState !== RECOVERING)
    return 'INVALID_REQUEST'
  if (proposal.leaderRecoveryState === RECOVERING) {
    if (ids.size > 1 || partition.recoveryState === RECOVERED) return 'INVALID_REQUEST'
  }
  return members.every(member => isEligible(member, situation)) ? undefined : 'INELIGIBLE_REPLICA'
}

/** alive, staying, and the very life that the leader has heard of (KIP-903). */
function isEligible(member: Member, situation: Situation): boolean {
  const broker = situation.image.broker(member.brokerId)
  if (broker === undefined || broker.fenced || broker.inControlledShutdown) return false
  return member.brokerEpoch === -1 || member.brokerEpoch === broker.brokerEpoch
}

function refused(partitionIndex: number, error: ErrorName): PartitionAnswer {
  return { partitionIndex, errorCode: errorCodes[error], leaderId: 0, leaderEpoch: 0, isr: [], partitionEpoch: 0 }
}
