import type { BrokerHandle } from './broker-handle.ts'
import type { ControllerHandle } from './controller-handle.ts'
import type { Plant } from './plant.ts'

/** What `createCluster` made. */
export interface ClusterParts {
  readonly plant: Plant
  readonly brokers: readonly BrokerHandle[]
  readonly controller: ControllerHandle
  readonly seed: number
}
