import type { ClusterImage, Endpoint } from '../metadata/image.ts'
import type { Address, Carrier, Channel } from '../network/channel.ts'
import type { Gate } from '../node/gate.ts'
import { Receiver } from '../node/receive.ts'
import type { ListenerFacts, ReceiverOptions } from '../node/receiver-options.ts'
import { principalText, securityProtocols } from '../wire/principal.ts'
import { Authority, type KnownUsers } from './authentication/authority.ts'
import { SaslGate, type SaslMechanism } from './authentication/sasl-gate.ts'
import { ConnectionRates } from './connection-rates.ts'

/** One of the doors of a broker, under a name that all brokers of the cluster have it by. */
export interface BrokerListener extends ListenerFacts {
  /** What clients are told to connect to. */
  readonly address: Address
  /** Those that are enabled for who comes by a socket, and for who is in this process; undefined: nobody can authenticate. */
  readonly mechanisms: readonly SaslMechanism[] | undefined
  readonly insideMechanisms: readonly SaslMechanism[] | undefined
  /** Who is in this process need not say who they are, and may. */
  readonly trustsInside: boolean
  /** Connections per second that it accepts. */
  readonly maxConnectionCreationRate?: number | undefined
}

export interface ReceptionOptions<Node>
  extends Pick<ReceiverOptions<Node>, Exclude<keyof ReceiverOptions<Node>, 'side' | 'gate'>> {
  readonly listeners: readonly BrokerListener[]
  readonly users: KnownUsers
  readonly image: ClusterImage
  readonly config: () => {
    readonly 'connections.max.reauth.ms': number
    readonly 'connection.failed.authentication.delay.ms': number
    readonly 'sasl.server.max.receive.size': number
    readonly 'delegation.token.secret.key': string | null
    readonly 'quota.window.num': number
    readonly 'quota.window.size.seconds': number
    readonly 'max.connection.creation.rate': number
  }
}

/** Where clients come in: the listeners of a broker, and at each of them a gate for those who have to say who they are. */
export class Reception<Node> {
  readonly #options: ReceptionOptions<Node>
  readonly #receiver: Receiver<Node>
  readonly #authority: Authority
  readonly #rates: ConnectionRates

  constructor(options: ReceptionOptions<Node>) {
    const { users, image, config, life } = options
    const tokenKey = () => config()['delegation.token.secret.key']
    this.#options = options
    this.#authority = new Authority(users, image, tokenKey, n => life.choose('salt of a delegation token', n))
    this.#rates = new ConnectionRates({
      runtime: life,
      name: options.name,
      quotas: image.clientQuotas,
      config,
      innerListener: options.listeners.length > 1 ? options.listeners[0]!.name : undefined,
      isPeer: peer => options.peerId(peer) !== undefined,
    })
    this.#receiver = new Receiver({ ...options, side: 'broker', gate: (channel, at) => this.#gate(channel, at) })
  }

  listen(carrier: Carrier): void {
    for (const listener of this.#options.listeners) {
      carrier.listen(this.#options.name, listener.address, channel =>
        this.#rates.admit(channel, listener, () => this.#receiver.accept(channel, listener)),
      )
    }
  }

  #gate(channel: Channel, { name: listenerName }: ListenerFacts): Gate | undefined {
    const { listeners, life, name, config } = this.#options
    const listener = listeners.find(each => each.name === listenerName)!
    const { caller } = channel
    const isOutside = caller?.isOutside ?? false
    const mechanisms = isOutside ? listener.mechanisms : listener.insideMechanisms
    // Of who is in this process the test may have said who it is.
    if (mechanisms === undefined || (!isOutside && caller?.principal !== undefined)) return undefined
    const configs = config()
    return new SaslGate({
      runtime: life,
      authority: this.#authority,
      mechanisms,
      isOptional: !isOutside && listener.trustsInside,
      maxReauthMs: configs['connections.max.reauth.ms'],
      failureDelayMs: configs['connection.failed.authentication.delay.ms'],
      maxBytes: configs['sasl.server.max.receive.size'],
      authenticated: (principal, mechanism) => {
        // A token may have been looked at for longer than this broker lived.
        if (life.isOver) return
        caller?.authenticated?.()
        const as = principalText(principal)
        life.trace.add('connection', name, { what: 'authenticated', peer: channel.peer, as, by: mechanism })
      },
    })
  }
}

/** As brokers register them: the first is the one by which they reach each other. */
export function endpointsAt(listeners: readonly BrokerListener[]): Endpoint[] {
  return listeners.map(({ name, address: { host, port }, securityProtocol }) => {
    return { name, host, port, securityProtocol: securityProtocols[securityProtocol] }
  })
}

/** Where these brokers are for whoever came by a listener (W-40, F-12); those that do not have it are left out. */
export function endpointsOf(
  image: ClusterImage,
  brokerIds: Iterable<number>,
  listener: string,
): { nodeId: number; host: string; port: number; rack: string | null }[] {
  return [...brokerIds].flatMap(nodeId => {
    const broker = image.broker(nodeId)
    const endpoint = broker?.endpoints.find(({ name }) => name === listener)
    if (broker === undefined || endpoint === undefined) return []
    return [{ nodeId, host: endpoint.host, port: endpoint.port, rack: broker.rack }]
  })
}
