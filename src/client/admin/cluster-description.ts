import { apiVersions } from '../../apis/api-versions.ts'
import { describeCluster as describeClusterApi } from '../../apis/describe-cluster.ts'
import { SOFTWARE_NAME, SOFTWARE_VERSION } from '../node-connection.ts'
import type { Node } from '../topic-partition.ts'
import type { AdminClient } from './admin-client.ts'

export interface ClusterDescription {
  readonly clusterId: string
  /** As a broker names it: some live broker that forwards to the controller (M-1). */
  readonly controllerId: number
  readonly nodes: readonly (Node & { readonly isFenced: boolean })[]
}

export async function describeCluster(
  client: AdminClient,
  options: { readonly includeFencedBrokers?: boolean },
): Promise<ClusterDescription> {
  const body = {
    includeClusterAuthorizedOperations: false,
    ...(options.includeFencedBrokers ? { includeFencedBrokers: true } : {}),
  }
  const response = await client.ask(describeClusterApi, body, first => first.errorCode)
  const nodes = response.brokers.map(({ brokerId, host, port, rack, isFenced }) => ({
    id: brokerId,
    host,
    port,
    rack,
    isFenced,
  }))
  return { clusterId: response.clusterId, controllerId: response.controllerId, nodes }
}

/** Levels of a feature. */
export interface FeatureVersions {
  readonly min: number
  readonly max: number
}

export interface FeatureDescription {
  /** What the cluster has agreed on: the levels in force, by the feature's name. */
  readonly finalized: ReadonlyMap<string, FeatureVersions>
  /** Goes up when `finalized` changes; undefined if the broker did not say. */
  readonly finalizedEpoch: number | undefined
  /** What the broker that was asked can work with. */
  readonly supported: ReadonlyMap<string, FeatureVersions>
}

/** As some broker answers ApiVersions (KIP-584). */
export async function describeFeatures(client: AdminClient): Promise<FeatureDescription> {
  const body = { clientSoftwareName: SOFTWARE_NAME, clientSoftwareVersion: SOFTWARE_VERSION }
  const { finalizedFeatures, finalizedFeaturesEpoch, supportedFeatures } = await client.ask(
    apiVersions,
    body,
    first => first.errorCode,
  )
  return {
    finalized: new Map(
      finalizedFeatures.map(each => [each.name, { min: each.minVersionLevel, max: each.maxVersionLevel }]),
    ),
    finalizedEpoch: finalizedFeaturesEpoch < 0 ? undefined : finalizedFeaturesEpoch,
    supported: new Map(supportedFeatures.map(each => [each.name, { min: each.minVersion, max: each.maxVersion }])),
  }
}
