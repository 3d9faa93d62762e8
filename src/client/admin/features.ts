import { updateFeatures as updateFeaturesApi } from '../../apis/update-features.ts'
import { IllegalArgumentError } from '../../wire/errors.ts'
import { refuseUnknown } from '../arguments.ts'
import type { AdminClient } from './admin-client.ts'

const upgradeTypes = { upgrade: 1, safeDowngrade: 2, unsafeDowngrade: 3 } as const

export interface FeatureUpdate {
  /** The level to finalize; 0 takes the feature away. */
  readonly maxVersionLevel: number
  /** `upgrade` unless said; `unsafeDowngrade` may lose metadata. */
  readonly upgradeType?: keyof typeof upgradeTypes
}

const example = "{ 'transaction.version': { maxVersionLevel: 2 } }"

/** All of them, or none. */
export async function updateFeatures(
  client: AdminClient,
  updates: Readonly<Record<string, FeatureUpdate>>,
  options: { readonly timeoutMs?: number; readonly validateOnly?: boolean },
): Promise<void> {
  if (typeof updates !== 'object' || updates === null || Array.isArray(updates)) {
    throw new IllegalArgumentError(`updateFeatures takes an object, name to level, as in ${example}`)
  }
  const featureUpdates = Object.entries(updates).map(([feature, update]) => {
    refuseUnknown(`an update of ${feature}, as in ${example}`, update, ['maxVersionLevel', 'upgradeType'])
    const { maxVersionLevel, upgradeType = 'upgrade' } = update
    if (!Object.hasOwn(upgradeTypes, upgradeType)) {
      const known = Object.keys(upgradeTypes).join(', ')
      throw new IllegalArgumentError(`upgradeType is one of ${known}, not ${upgradeType}`)
    }
    return { feature, maxVersionLevel, upgradeType: upgradeTypes[upgradeType] }
  })
  const timeoutMs = options.timeoutMs ?? client.configs['request.timeout.ms']
  const body = { timeoutMs, featureUpdates, validateOnly: options.validateOnly ?? false }
  await client.ask(updateFeaturesApi, body, first => first.errorCode)
}
