import { describeCluster as describeClusterApi } from '../../apis/describe-cluster.ts'
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
