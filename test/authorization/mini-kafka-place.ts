import type { Cluster } from '../../src/cluster/cluster.ts'
import { Connection } from '../../src/network/connection.ts'
import { plantOf } from '../apis/asking.ts'
import { pollUntil } from '../scenarios/line.ts'
import type { Place } from './place.ts'

const ANSWERED_MS = 60_000

/** Subjects ask in process, under the names that they give. */
export function miniKafkaPlace(cluster: Cluster): Place {
  const { runtime, network } = plantOf(cluster)
  const { address } = cluster.brokers[0]!
  const connections = new Map<string, Connection>()
  const connect = async (name: string): Promise<Connection> => {
    const caller = { host: '127.0.0.1', principal: { type: 'User', name }, isOutside: false }
    const channel = await network.connect(name, address, undefined, caller)
    const connection = new Connection(channel, { runtime, clientId: 'story' })
    connections.set(name, connection)
    return connection
  }
  return {
    address,
    ask: (subject, api, version, body) =>
      runtime.drive(`${api.name} of ${subject}`, async () => {
        const known = connections.get(subject)
        const connection = known === undefined || known.isClosed ? await connect(subject) : known
        return connection.request(api, version, body, ANSWERED_MS)
      }),
    now: () => runtime.now(),
    eventually: (what, condition) => pollUntil(runtime, what, condition, 40_000, 50),
    topicIds: new Map(),
  }
}
