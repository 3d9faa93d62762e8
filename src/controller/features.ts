import type { updateFeatures } from '../apis/update-features.ts'
import { brokerConfigs } from '../metadata/broker-configs.ts'
import { formatConfig } from '../metadata/config-definition.ts'
import { supportedFeatures } from '../metadata/features.ts'
import { CLUSTER_DEFAULT, type FeatureSpan, resourceTypes } from '../metadata/image.ts'
import type { MetadataRecordInput } from '../metadata/records.ts'
import type { RequestOf, ResponseInput } from '../wire/api.ts'
import { KafkaError } from '../wire/errors.ts'
import { ELR_FEATURE, MIN_INSYNC_REPLICAS } from './configs.ts'
import type { Decision, Situation } from './decision.ts'
import { attempt } from './refusal.ts'

type Request = RequestOf<typeof updateFeatures>
type Response = ResponseInput<typeof updateFeatures>
type Update = Request['featureUpdates'][number]

const UPGRADE = 1
const SAFE_DOWNGRADE = 2
const UNSAFE_DOWNGRADE = 3
const METADATA_VERSION = 'metadata.version'
const KRAFT_VERSION = 'kraft.version'

/**
 * Finalizes features at other levels (KIP-584, KIP-1022): all of them, or none. A level must be one that the controller and
 * every registered broker support; 0 takes the feature away. One that is named twice gets the last level.
 *
 * Simplification: `metadata.version` goes up only. From 30, the level of a new cluster, Kafka refuses every way down too,
 * since metadata might be lost; from some lower levels it would go down by one or two.
 */
export function decideFeatures(request: Request, nodeId: number, situation: Situation): Decision<Response> {
  const updates = new Map(request.featureUpdates.map(update => [update.feature, update]))
  const records: MetadataRecordInput[] = []
  for (const update of updates.values()) {
    const error = attempt(() => {
      records.push(...finalization(update, nodeId, situation))
    })
    if (error === undefined) continue
    const failed = 'The update failed for all features since the following feature had an error: '
    const response = { throttleTimeMs: 0, errorCode: error.code, errorMessage: failed + error.message }
    return { records: [], response }
  }
  return {
    records: request.validateOnly ? [] : records,
    response: { throttleTimeMs: 0, errorCode: 0, errorMessage: null },
  }
}

function finalization(update: Update, nodeId: number, situation: Situation): MetadataRecordInput[] {
  const { feature: name, maxVersionLevel: featureLevel, upgradeType } = update
  const refuse = (why: string): never => {
    throw new KafkaError('INVALID_UPDATE_VERSION', `Invalid update version ${featureLevel} for feature ${name}. ${why}`)
  }
  if (upgradeType < UPGRADE || upgradeType > UNSAFE_DOWNGRADE) {
    refuse('The controller does not support the given upgrade type.')
  }
  if (featureLevel < 0) refuse('A feature version cannot be less than 0.')
  const before = situation.image.featureLevel(name)
  const missing = lackOf(name, featureLevel, nodeId, situation)
  if (missing !== undefined) refuse(missing)
  if (featureLevel < before) {
    if (upgradeType === UPGRADE) {
      const rule = 'setting the upgrade type to either safe or unsafe downgrade'
      refuse(`Can't downgrade the version of this feature without ${rule}.`)
    }
    if (name === KRAFT_VERSION) refuse("Can't downgrade the version of this feature.")
    if (name === METADATA_VERSION) {
      const why =
        upgradeType === SAFE_DOWNGRADE
          ? 'Refusing to perform the requested downgrade because it might delete metadata information.'
          : 'Unsafe metadata downgrade is not supported in this version.'
      const what = `Unsupported ${METADATA_VERSION} downgrade from ${before} to ${featureLevel}.`
      throw new KafkaError('INVALID_UPDATE_VERSION', `${what} ${why}`)
    }
  } else if (featureLevel > before && upgradeType !== UPGRADE) {
    refuse("Can't downgrade to a newer version.")
  }
  // Of these two, what is so already is not written again.
  if (featureLevel === before && (name === METADATA_VERSION || name === KRAFT_VERSION)) return []
  const records: MetadataRecordInput[] = []
  if (name === ELR_FEATURE && featureLevel > before) records.push(...oneMinimum(situation))
  return [...records, { type: 'FeatureLevelRecord', name, featureLevel }]
}

/** With eligible leader replicas `min.insync.replicas` is one for the whole cluster, and always set (R-45, M-21). */
function oneMinimum({ image, settings }: Situation): MetadataRecordInput[] {
  const resourceType = resourceTypes.broker
  const records: MetadataRecordInput[] = []
  if (!image.configsOf(resourceType, CLUSTER_DEFAULT).has(MIN_INSYNC_REPLICAS)) {
    const value = formatConfig(brokerConfigs[MIN_INSYNC_REPLICAS], settings.values[MIN_INSYNC_REPLICAS])
    records.push({
      type: 'ConfigRecord',
      resourceType,
      resourceName: CLUSTER_DEFAULT,
      name: MIN_INSYNC_REPLICAS,
      value,
    })
  }
  for (const resourceName of image.configuredNames(resourceType)) {
    if (resourceName === CLUSTER_DEFAULT || !image.configsOf(resourceType, resourceName).has(MIN_INSYNC_REPLICAS))
      continue
    records.push({ type: 'ConfigRecord', resourceType, resourceName, name: MIN_INSYNC_REPLICAS, value: null })
  }
  return records
}

/** Who cannot work with that level. */
function lackOf(name: string, level: number, nodeId: number, { image }: Situation): string | undefined {
  const own = lackIn(supportedFeatures, name, level)
  if (own !== undefined) return `Local controller ${nodeId} ${own}`
  for (const { brokerId, features } of image.brokers.values()) {
    const theirs = lackIn(features, name, level)
    if (theirs !== undefined) return `Broker ${brokerId} ${theirs}`
  }
  return undefined
}

/** A feature that a node does not name is one that it has at level 0. */
function lackIn(features: readonly FeatureSpan[], name: string, level: number): string | undefined {
  const span = features.find(feature => feature.name === name)
  const { minSupportedVersion: min = 0, maxSupportedVersion: max = 0 } = span ?? {}
  if (level >= min && level <= max) return undefined
  return max === 0 ? 'does not support this feature.' : `only supports versions ${min}-${max}`
}
