import { produce } from '../../src/apis/produce.ts'
import type { Cluster } from '../../src/cluster/cluster.ts'
import type { Plant } from '../../src/cluster/plant.ts'
import { Connection } from '../../src/network/connection.ts'
import type { AnyApi, RequestInput, ResponseOf } from '../../src/wire/api.ts'
import { type BatchOptions, batchOf } from '../../src/wire/batch-builder.ts'
import { errorOf, KafkaError } from '../../src/wire/errors.ts'
import { Records } from '../../src/wire/records.ts'

/** How long a test waits for an answer, in milliseconds of the cluster's time. */
const TIMEOUT_MS = 60_000

/** What the cluster stands on: its runtime, for calls that go around the protocol. */
export function plantOf(cluster: Cluster): Plant {
  return (cluster.controller as unknown as { readonly plant: Plant }).plant
}

/** One request to one broker (1000: the controller) on a connection of its own; the newest version unless said. */
export function ask<A extends AnyApi>(
  cluster: Cluster,
  nodeId: number,
  api: A,
  body: RequestInput<A>,
  version = api.versions.max,
): Promise<ResponseOf<A>> {
  const { runtime, network, controllerAddress } = plantOf(cluster)
  const address = nodeId === cluster.controller.id ? controllerAddress : cluster.broker(nodeId).address
  return runtime.drive(`${api.name} to ${nodeId}`, async () => {
    const channel = await network.connect('asker', address)
    const connection = new Connection(channel, { runtime, clientId: 'asker' })
    try {
      return await connection.request(api, version, body, TIMEOUT_MS)
    } finally {
      connection.close()
    }
  })
}

/** Appends one batch with a record per timestamp, acks=all; answers its base offset. */
export async function append(
  cluster: Cluster,
  topic: string,
  timestamps: readonly number[],
  options: BatchOptions & { readonly partition?: number; readonly to?: number; readonly acks?: number } = {},
): Promise<number> {
  const { partition = 0, to = cluster.leaderOf(topic, partition).id, acks = -1, ...batch } = options
  const records = timestamps.map(timestamp => ({ timestamp, key: 'key', value: new Uint8Array(10) }))
  const response = await ask(
    cluster,
    to,
    produce,
    {
      acks,
      timeoutMs: 30_000,
      topicData: [
        { name: topic, partitionData: [{ index: partition, records: Records.of([batchOf(records, batch)]) }] },
      ],
    },
    12,
  )
  const answer = response.responses[0]!.partitionResponses[0]!
  if (answer.errorCode !== 0) throw KafkaError.of(answer.errorCode)
  return answer.baseOffset
}

/** The name of a code, as the tables of expectations have it. */
export function nameOf(code: number): string {
  return errorOf(code).name
}
