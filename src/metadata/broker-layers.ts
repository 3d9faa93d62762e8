import type { BrokerConfigLayers, Overrides } from './config-values.ts'

/** Enough for the clusters of a test file; more are compiled again. */
const KEPT = 64
const kept = new Map<string, BrokerConfigLayers>()

/**
 * Layers of the same content are the same object, so that the brokers of a cluster, and one cluster after another, share
 * the values that were compiled from them.
 */
export function brokerLayers(
  fixed: Overrides,
  dynamicDefault: Overrides,
  dynamicBroker: Overrides,
): BrokerConfigLayers {
  const key = JSON.stringify([[...fixed], [...dynamicDefault], [...dynamicBroker]])
  const known = kept.get(key)
  if (known !== undefined) return known
  if (kept.size >= KEPT) kept.delete(kept.keys().next().value!)
  // A copy: the image's own maps go on changing.
  const layers = {
    static: new Map(fixed),
    dynamicDefault: new Map(dynamicDefault),
    dynamicBroker: new Map(dynamicBroker),
  }
  kept.set(key, layers)
  return layers
}
