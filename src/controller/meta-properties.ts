/** What says whose a metadata log is: `meta.properties`, as `kafka-storage format` writes it beside the log (KIP-631). */

export const META_PROPERTIES = 'meta.properties'

export function metaProperties(clusterId: string, nodeId: number): Uint8Array {
  return Buffer.from(`cluster.id=${clusterId}\nnode.id=${nodeId}\nversion=1\n`)
}

export function clusterIdOf(properties: Uint8Array | undefined): string | undefined {
  if (properties === undefined) return undefined
  return /^cluster\.id=(.+)$/m.exec(Buffer.from(properties).toString())?.[1]
}
