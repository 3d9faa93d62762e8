/**
 * kafkajs without a port: its `socketFactory`, over the network in process. What is tested is the same kafkajs, byte for byte;
 * no socket is opened. kafkajs is not imported here: it is yours.
 */
import type { Socket } from 'node:net'
import type { Cluster } from './cluster/cluster.ts'

/** What kafkajs asks its `socketFactory` for. */
export interface SocketRequest {
  readonly host: string
  readonly port: number
  readonly ssl?: unknown
  readonly onConnect: () => void
}

/**
 * For `new Kafka({ brokers: cluster.addresses, socketFactory: socketFactory(cluster) })`.
 *
 * The cluster must be on real time (`createCluster({ time: 'real' })`), and need not listen.
 *
 * @throws {ConfigError} for a cluster on virtual time; what it answers throws one where kafkajs is told to use `ssl`.
 */
export function socketFactory(cluster: Cluster): (request: SocketRequest) => Socket {
  const { sockets } = cluster
  return ({ host, port, ssl, onConnect }) => {
    if (ssl) throw new Error('there is no TLS in process: leave ssl out')
    return sockets.connect({ host, port }, onConnect)
  }
}
