import { type ClusterImage, NO_LEADER, type PartitionImage } from '../metadata/image.ts'
import type { Draft, Situation } from './decision.ts'
import { changePartition, type Election, type PartitionTarget } from './partition-change.ts'

/** What happened to a broker, as far as its partitions are concerned. */
export interface BrokerShift {
  /** Leaves in-sync sets and leads no more, though the image may still show it active. */
  readonly leaving?: number
  /** May lead, though the image still shows it fenced. */
  readonly joining?: number
  /** Leaves like `leaving`, and is not even eligible any more. */
  readonly uncleanShutdown?: number
}

export function partitionsOf(image: ClusterImage): PartitionImage[] {
  const partitions: PartitionImage[] = []
  for (const topic of image.topics.values()) partitions.push(...topic.partitions)
  return partitions
}

/** What a change of this partition goes by when nothing special is asked. */
export function targetOf(partition: PartitionImage, situation: Situation): PartitionTarget {
  const { settings, image } = situation
  const election: Election = settings.uncleanElectionEnabled(partition.topic) ? 'unclean' : 'online'
  return {
    election,
    isAcceptableLeader: replica => image.isActive(replica),
    minInsyncReplicas: settings.minInsyncReplicas(partition.topic),
    elrEnabled: settings.elrEnabled,
  }
}

/** Moves leaderships and in-sync sets of `partitions` to where they can be after what happened to a broker. */
export function addLeadershipRecords(
  shift: BrokerShift,
  partitions: Iterable<PartitionImage>,
  situation: Situation,
  draft: Draft,
): void {
  const { leaving, joining, uncleanShutdown } = shift
  const isAcceptableLeader = (replica: number) =>
    replica !== leaving && replica !== uncleanShutdown && (replica === joining || situation.image.isActive(replica))
  for (const listed of partitions) {
    const partition = draft.partition(listed)
    const record = changePartition(partition, {
      ...targetOf(partition, situation),
      isAcceptableLeader,
      inSyncReplicas: partition.inSyncReplicas.filter(replica => replica !== leaving && replica !== uncleanShutdown),
      ...(uncleanShutdown === undefined ? {} : { uncleanShutdown }),
    })
    if (record !== undefined) draft.change(partition, record)
  }
}

/** out of every in-sync set, and no leader any more. */
export function addRecordsOfLeaving(brokerId: number, situation: Situation, draft: Draft): void {
  const affected = partitionsOf(situation.image).filter(partition => partition.inSyncReplicas.includes(brokerId))
  addLeadershipRecords({ leaving: brokerId }, affected, situation, draft)
}

/** A life of a broker that is over has nothing any more: R-51 after a clean shutdown, R-45 after another. */
export function addRecordsOfShutdown(brokerId: number, isClean: boolean, situation: Situation, draft: Draft): void {
  if (isClean || !situation.settings.elrEnabled) {
    addRecordsOfLeaving(brokerId, situation, draft)
    return
  }
  const affected = partitionsOf(situation.image).filter(
    ({ inSyncReplicas, eligibleLeaderReplicas }) =>
      inSyncReplicas.includes(brokerId) || eligibleLeaderReplicas.includes(brokerId),
  )
  addLeadershipRecords({ uncleanShutdown: brokerId }, affected, situation, draft)
}

/** partitions without a leader may have one now. */
export function addRecordsOfJoining(brokerId: number, situation: Situation, draft: Draft): void {
  const leaderless = partitionsOf(situation.image).filter(partition => partition.leader === NO_LEADER)
  addLeadershipRecords({ joining: brokerId }, leaderless, situation, draft)
}

export function leadsAnything(brokerId: number, image: ClusterImage): boolean {
  for (const topic of image.topics.values()) {
    for (const partition of topic.partitions) if (partition.leader === brokerId) return true
  }
  return false
}
