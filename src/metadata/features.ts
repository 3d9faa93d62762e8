import type { FeatureSpan } from './image.ts'

/** Levels of features that a node of this release can work with (W-17): what it registers with, and what it tells. */
export const supportedFeatures: readonly FeatureSpan[] = [
  { name: 'metadata.version', minSupportedVersion: 7, maxSupportedVersion: 30 },
  { name: 'eligible.leader.replicas.version', minSupportedVersion: 0, maxSupportedVersion: 1 },
  { name: 'group.version', minSupportedVersion: 0, maxSupportedVersion: 1 },
  { name: 'kraft.version', minSupportedVersion: 0, maxSupportedVersion: 1 },
]
