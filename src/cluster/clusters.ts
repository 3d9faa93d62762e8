import type { Cluster } from './cluster.ts'

/** Told of clusters as they are made: how a door to a test runner learns which are its test's. */
export interface ClusterWatch {
  created(cluster: Cluster): void
}

/**
 * On the global object, so that a door meets the clusters of another copy of this package: a runner may load one as an
 * ES module and another as CommonJS.
 */
const KEY = Symbol.for('mini-kafka.watches')
type Global = typeof globalThis & { [KEY]?: Set<ClusterWatch> }

export function clusterWatches(): Set<ClusterWatch> {
  const root = globalThis as Global
  root[KEY] ??= new Set()
  return root[KEY]
}
