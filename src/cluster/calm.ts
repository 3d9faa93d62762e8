import type { LivingMember } from '../client/environment.ts'
import type { BrokerHandle } from './broker-handle.ts'
import type { ControllerHandle } from './controller-handle.ts'
import type { Plant } from './plant.ts'

/**
 * Whether idle housekeeping would change nothing, so that virtual time may leap over it: no fault is in force, every node
 * takes part, every replica of every partition has all that its leader has, and whoever is a member of a group lives here
 * and is well: its heartbeats would come.
 */
export function isCalm(
  nodes: { readonly brokers: readonly BrokerHandle[]; readonly controller: ControllerHandle },
  members: Iterable<LivingMember>,
  plant: Plant,
): boolean {
  const { network, interceptors } = plant
  if (network.rules.size > 0 || network.isHolding || interceptors.size > 0) return false
  const controller = nodes.controller.controller
  if (!nodes.controller.isReady || controller === undefined) return false
  const living = new Set<string>()
  for (const { steadyMemberId } of members) if (steadyMemberId !== undefined) living.add(steadyMemberId)
  for (const handle of nodes.brokers) {
    const { broker } = handle
    if (!handle.isReady || broker === undefined || broker.image.offset !== controller.image.offset) return false
    for (const shard of broker.groups.shards.values()) if (!shard.isQuiet(living)) return false
    for (const partition of broker.replicas) {
      const { log, inSync, state } = partition
      if (!partition.isLeader) {
        if (partition.leader < 0 || log.highWatermark !== log.endOffset) return false
        continue
      }
      if (inSync.pending !== undefined || inSync.committed.length < state.replicas.length) return false
      if (log.highWatermark !== log.endOffset || partition.hasLaggard()) return false
      // Followers learn where the log begins from their idle fetches.
      if (partition.deletions.lowWatermark < log.startOffset) return false
    }
  }
  return true
}
