import { brokerConfigs } from '../metadata/broker-configs.ts'
import { brokerLayers } from '../metadata/broker-layers.ts'
import { formatConfig } from '../metadata/config-definition.ts'
import { effectiveBrokerConfig, noOverrides, type Overrides } from '../metadata/config-values.ts'
import { CLUSTER_DEFAULT, resourceTypes } from '../metadata/image.ts'
import type { MetadataRecordInput } from '../metadata/records.ts'
import { ELR_FEATURE, MIN_INSYNC_REPLICAS } from './configs.ts'

/**
 * Levels that a new cluster of 4.3 with a fixed quorum finalizes (W-17); `share.version` and `streams.version`, which it
 * finalizes too, stay at 0, since there are no such groups here.
 */
export const defaultFeatures: Readonly<Record<string, number>> = {
  'metadata.version': 30,
  'transaction.version': 2,
  [ELR_FEATURE]: 1,
  'group.version': 1,
}

/**
 * The first records of a new cluster, as `kafka-storage format` writes them: the levels of its features (0 leaves one
 * out), and with eligible leader replicas the cluster's `min.insync.replicas`, which is a dynamic default from then on
 * (R-45, M-21).
 */
export function formatRecords(
  features: Readonly<Record<string, number>>,
  staticConfigs: Overrides,
): MetadataRecordInput[] {
  const levels = { ...defaultFeatures, ...features }
  const records: MetadataRecordInput[] = []
  for (const [name, featureLevel] of Object.entries(levels)) {
    if (featureLevel > 0) records.push({ type: 'FeatureLevelRecord', name, featureLevel })
  }
  if ((levels[ELR_FEATURE] ?? 0) > 0) {
    const layers = brokerLayers(staticConfigs, noOverrides, noOverrides)
    const minimum = effectiveBrokerConfig(layers)[MIN_INSYNC_REPLICAS]
    records.push({
      type: 'ConfigRecord',
      resourceType: resourceTypes.broker,
      resourceName: CLUSTER_DEFAULT,
      name: MIN_INSYNC_REPLICAS,
      value: formatConfig(brokerConfigs[MIN_INSYNC_REPLICAS], minimum),
    })
  }
  return records
}
