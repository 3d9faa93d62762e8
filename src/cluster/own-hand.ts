import { SYSTEM } from '../metadata/authorizer.ts'
import type { Caller } from '../network/channel.ts'
import { Connection } from '../network/connection.ts'
import type { AnyApi, RequestInput, ResponseOf } from '../wire/api.ts'
import type { Plant } from './plant.ts'

const CALLER: Caller = { host: '127.0.0.1', principal: SYSTEM, isOutside: false }
const TIMEOUT_MS = 30_000

/** Has the controller do something that the test wants of the cluster itself, whoever may what. */
export async function order<A extends AnyApi>(plant: Plant, api: A, body: RequestInput<A>): Promise<ResponseOf<A>> {
  const channel = await plant.network.connect('cluster', plant.controllerAddress, undefined, CALLER)
  const connection = new Connection(channel, { runtime: plant.runtime, clientId: 'cluster' })
  try {
    return await connection.request(api, api.versions.max, body, TIMEOUT_MS)
  } finally {
    connection.close()
  }
}
