/** Where a classic group stands (Kafka's ClassicGroupState). */
export type ClassicStateName = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'

/** From which states each may be entered: every other transition is a bug of ours. */
const legalFrom: { readonly [S in ClassicStateName]: readonly ClassicStateName[] } = {
  /** The join phase ended and nobody is left. */
  Empty: ['PreparingRebalance'],
  /** Somebody came, left, or wants something else; whoever stays has to join again. */
  PreparingRebalance: ['Empty', 'CompletingRebalance', 'Stable'],
  /** The join phase ended: a new generation, whose leader is to assign. */
  CompletingRebalance: ['PreparingRebalance'],
  /** The leader's assignment is written. */
  Stable: ['CompletingRebalance'],
  /** Deleted, converted into a group of another type, or given up with the partition that keeps it. */
  Dead: ['Empty', 'PreparingRebalance', 'CompletingRebalance', 'Stable'],
}

export function mayBecome(from: ClassicStateName, to: ClassicStateName): boolean {
  return legalFrom[to].includes(from)
}
