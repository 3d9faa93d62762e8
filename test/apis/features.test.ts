import { expect, test } from 'vitest'
import { apiVersions } from '../../src/apis/api-versions.ts'
import { updateFeatures } from '../../src/apis/update-features.ts'
import type { Cluster } from '../../src/index.ts'
import { createCluster } from '../../src/index.ts'
import { resourceTypes } from '../../src/metadata/image.ts'
import { ask, nameOf } from './asking.ts'

const UPGRADE = 1
const SAFE = 2
const UNSAFE = 3
const TX = 'transaction.version'
const ELR = 'eligible.leader.replicas.version'
const failed = 'The update failed for all features since the following feature had an error: '

type Wanted = readonly [feature: string, level: number, type?: number]

/** Answers the error's name and message. */
async function update(
  cluster: Cluster,
  wanted: readonly Wanted[],
  { node = 1, validateOnly = false, version = 2 } = {},
) {
  const featureUpdates = wanted.map(([feature, maxVersionLevel, upgradeType = UPGRADE]) => ({
    feature,
    maxVersionLevel,
    upgradeType,
  }))
  const answer = await ask(cluster, node, updateFeatures, { featureUpdates, validateOnly, timeoutMs: 1000 }, version)
  expect(version < 2 || answer.results.length === 0).toBe(true)
  return answer.errorMessage === null ? nameOf(answer.errorCode) : `${nameOf(answer.errorCode)}: ${answer.errorMessage}`
}

async function finalized(cluster: Cluster, broker = 1) {
  const software = { clientSoftwareName: 'mini', clientSoftwareVersion: '1.0' }
  const { finalizedFeatures } = await ask(cluster, broker, apiVersions, software)
  return Object.fromEntries(finalizedFeatures.map(({ name, maxVersionLevel }) => [name, maxVersionLevel]))
}

test('a feature goes down and up again, and every broker tells so (W-17)', async () => {
  await using cluster = await createCluster({ brokers: 2 })
  const before = await finalized(cluster)
  expect(before).toMatchObject({ 'metadata.version': 30, [TX]: 2, [ELR]: 1 })
  expect(await update(cluster, [[TX, 1, SAFE]])).toBe('NONE')
  expect(await finalized(cluster, 2)).toEqual({ ...before, [TX]: 1 })
  expect(await update(cluster, [[TX, 0, UNSAFE]], { node: 1000 })).toBe('NONE')
  expect(await finalized(cluster, 2)).not.toHaveProperty([TX])
  expect(await update(cluster, [[TX, 2]], { node: 2 })).toBe('NONE')
  expect(await finalized(cluster)).toMatchObject({ [TX]: 2 })
})

test('all or nothing: one bad update refuses all, and says which', async () => {
  await using cluster = await createCluster({ brokers: 1 })
  const unknown = 'Invalid update version 1 for feature nosuch. Local controller 1000 does not support this feature.'
  const wanted: Wanted[] = [
    [TX, 1, SAFE],
    ['nosuch', 1],
  ]
  expect(await update(cluster, wanted)).toBe(`INVALID_UPDATE_VERSION: ${failed}${unknown}`)
  expect(await finalized(cluster)).toMatchObject({ [TX]: 2 })
})

test('the last level counts of a feature that is named twice; nothing asked is no error', async () => {
  await using cluster = await createCluster({ brokers: 1 })
  const wanted: Wanted[] = [
    [TX, 0, SAFE],
    [TX, 1, SAFE],
  ]
  expect(await update(cluster, wanted)).toBe('NONE')
  expect(await finalized(cluster)).toMatchObject({ [TX]: 1 })
  expect(await update(cluster, [])).toBe('NONE')
})

const supports = 'Local controller 1000 only supports versions'
const needsType =
  "Can't downgrade the version of this feature without setting the upgrade type to either safe or unsafe downgrade."
const refusals: [wanted: Wanted, message: string][] = [
  [[TX, 3], `Invalid update version 3 for feature ${TX}. ${supports} 0-2`],
  [[TX, 1], `Invalid update version 1 for feature ${TX}. ${needsType}`],
  [[TX, 1, 0], `Invalid update version 1 for feature ${TX}. The controller does not support the given upgrade type.`],
  [[TX, 1, 9], `Invalid update version 1 for feature ${TX}. The controller does not support the given upgrade type.`],
  [[TX, -1, SAFE], `Invalid update version -1 for feature ${TX}. A feature version cannot be less than 0.`],
  [['metadata.version', 29], `Invalid update version 29 for feature metadata.version. ${needsType}`],
  [['metadata.version', 6, UNSAFE], `Invalid update version 6 for feature metadata.version. ${supports} 7-30`],
  [
    ['metadata.version', 29, SAFE],
    'Unsupported metadata.version downgrade from 30 to 29. Refusing to perform the requested downgrade because it might delete metadata information.',
  ],
  [
    ['metadata.version', 29, UNSAFE],
    'Unsupported metadata.version downgrade from 30 to 29. Unsafe metadata downgrade is not supported in this version.',
  ],
  [['kraft.version', 2], `Invalid update version 2 for feature kraft.version. ${supports} 0-1`],
]

test('levels that cannot be are INVALID_UPDATE_VERSION with Kafka’s words', async () => {
  await using cluster = await createCluster({ brokers: 1 })
  for (const [wanted, message] of refusals) {
    for (const node of [1, 1000]) {
      expect(await update(cluster, [wanted], { node })).toBe(`INVALID_UPDATE_VERSION: ${failed}${message}`)
    }
  }
  for (const same of [
    ['metadata.version', 30],
    [TX, 2],
    ['kraft.version', 0],
    [TX, 2, SAFE],
  ] as const) {
    expect(await update(cluster, [same])).toBe('NONE')
  }
})

test('kraft.version goes up and never down', async () => {
  await using cluster = await createCluster({ brokers: 1 })
  expect(await update(cluster, [['kraft.version', 1]])).toBe('NONE')
  expect(await finalized(cluster)).toMatchObject({ 'kraft.version': 1 })
  const never = "Invalid update version 0 for feature kraft.version. Can't downgrade the version of this feature."
  expect(await update(cluster, [['kraft.version', 0, SAFE]])).toBe(`INVALID_UPDATE_VERSION: ${failed}${never}`)
})

test('validateOnly finds errors and changes nothing', async () => {
  await using cluster = await createCluster({ brokers: 1 })
  expect(await update(cluster, [[TX, 0, SAFE]], { validateOnly: true })).toBe('NONE')
  expect(await update(cluster, [[TX, 7]], { validateOnly: true })).toMatch(/^INVALID_UPDATE_VERSION/)
  expect(await finalized(cluster)).toMatchObject({ [TX]: 2 })
})

test('v0 allows a downgrade by a flag; v0 and v1 have a result for each feature', async () => {
  await using cluster = await createCluster({ brokers: 1 })
  for (const node of [1, 1000]) {
    const v0 = (level: number, allowDowngrade: boolean) =>
      ask(
        cluster,
        node,
        updateFeatures,
        { timeoutMs: 1000, featureUpdates: [{ feature: TX, maxVersionLevel: level, allowDowngrade }] },
        0,
      )
    expect(await v0(1, false)).toMatchObject({ errorCode: 95, results: [] })
    const each = [{ feature: TX, errorCode: 0, errorMessage: 'NONE' }]
    expect(await v0(1, true)).toMatchObject({ errorCode: 0, results: each })
    expect(await v0(2, false)).toMatchObject({ errorCode: 0, results: each })
    const featureUpdates = [{ feature: TX, maxVersionLevel: 2 }]
    expect((await ask(cluster, node, updateFeatures, { timeoutMs: 1000, featureUpdates }, 1)).results).toEqual(each)
  }
})

test('eligible leader replicas, switched on again, make min.insync.replicas one for the cluster (R-45)', async () => {
  await using cluster = await createCluster({ brokers: 2, configs: { 'min.insync.replicas': 2 } })
  const { image } = cluster.broker(1).broker!
  const minimumOf = (name: string) => image.configsOf(resourceTypes.broker, name).get('min.insync.replicas')
  expect(await update(cluster, [[ELR, 0, SAFE]])).toBe('NONE')
  const admin = cluster.admin()
  const set = (name: string, operation: 'set' | 'delete', value: string | null) =>
    admin.incrementalAlterConfigs([
      { resource: { type: 'broker', name }, operations: [{ name: 'min.insync.replicas', operation, value }] },
    ])
  await set('1', 'set', '1')
  await set('', 'delete', null)
  expect([minimumOf(''), minimumOf('1')]).toEqual([undefined, '1'])
  expect(await update(cluster, [[ELR, 1]])).toBe('NONE')
  expect([minimumOf(''), minimumOf('1')]).toEqual(['2', undefined])
})
