import type { FeatureSpan } from './image.ts'

/**
 * Levels of features that a node of this release can work with (W-17): what it registers with, and what it tells. In the
 * order in which a 4.3 broker tells them.
 */
export const supportedFeatures: readonly FeatureSpan[] = [
  { name: 'group.version', minSupportedVersion: 0, maxSupportedVersion: 1 },
  { name: 'kraft.version', minSupportedVersion: 0, maxSupportedVersion: 1 },
  { name: 'metadata.version', minSupportedVersion: 7, maxSupportedVersion: 30 },
  { name: 'share.version', minSupportedVersion: 0, maxSupportedVersion: 1 },
  { name: 'streams.version', minSupportedVersion: 0, maxSupportedVersion: 1 },
  { name: 'transaction.version', minSupportedVersion: 0, maxSupportedVersion: 2 },
  { name: 'eligible.leader.replicas.version', minSupportedVersion: 0, maxSupportedVersion: 1 },
]
