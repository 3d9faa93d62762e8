import type { Group } from '../group-state.ts'
import type { CommittedOffset } from './offset-table.ts'

/**
 * From when on an offset's time runs (G-34), in milliseconds since the epoch; undefined: it does not run as things are.
 * Of a classic group that had members, since it became empty; with members, only where it is Stable and its subscriptions
 * can be read. Of all others since the commit.
 */
export function retentionStart(group: Group, { commitTimestamp }: CommittedOffset): number | undefined {
  if (group.type === 'consumer' || group.protocolType === null) return commitTimestamp
  // Old releases did not write when a group became empty.
  if (group.isEmpty) return group.stateSince === -1 ? commitTimestamp : group.stateSince
  return group.state === 'Stable' && group.subscribedTopics !== undefined ? commitTimestamp : undefined
}
