import type { Socket } from 'node:net'
import { brokerLayers } from '../metadata/broker-layers.ts'
import { effectiveBrokerConfig } from '../metadata/config-values.ts'
import { type Address, addressText } from '../network/channel.ts'
import { Entrance } from '../network/entrance.ts'
import type { FrameLimit } from '../network/framing.ts'
import { connectionError, PairedStream } from '../network/stream-pair.ts'
import { TcpChannel } from '../network/tcp-channel.ts'
import { ConfigError } from '../wire/errors.ts'
import type { BrokerHandle } from './broker-handle.ts'
import { names } from './gateways.ts'
import type { Plant } from './plant.ts'

/**
 * What clients of others hold for sockets, where there is no port: streams that end in the in-process network. To the cluster
 * they come from outside, as over TCP: rules, verbs and the journal know them by their client id.
 */
export class InProcessSockets {
  readonly #plant: Plant
  readonly #brokers: readonly BrokerHandle[]
  readonly #frameLimit: FrameLimit
  readonly #channels = new Set<TcpChannel>()
  /** Stands for the port that a kernel would give. */
  #count = 0
  #closed = false

  /** @throws {ConfigError} on virtual time: a client that waits by timers of its own cannot ride it. */
  constructor(plant: Plant, brokers: readonly BrokerHandle[]) {
    const { runtime, configs } = plant
    if (runtime.time !== 'real') {
      throw new ConfigError(
        "a client with timers of its own cannot ride virtual time: createCluster({ time: 'real' }), which needs no port",
      )
    }
    this.#plant = plant
    this.#brokers = brokers
    const key = 'socket.request.max.bytes'
    this.#frameLimit = { bytes: effectiveBrokerConfig(brokerLayers(configs, new Map(), new Map()))[key], key }
  }

  /** A socket that will be connected, or will fail with ECONNREFUSED: never before this has returned. */
  connect(to: Address, onConnect: () => void): Socket {
    const { network, runtime } = this.#plant
    const [near, far] = PairedStream.pair()
    const where = addressText(to)
    const isThere = () => !this.#closed && network.isListening(to)
    const refuse = () => near.destroy(connectionError('connect', 'ECONNREFUSED', `${where}${this.#advice(where)}`))
    if (!isThere()) refuse()
    else {
      runtime.after(0, () => {
        if (near.destroyed) return
        if (!isThere()) refuse()
        else {
          this.#admit(far, to)
          onConnect()
        }
      })
    }
    return near as unknown as Socket
  }

  /** What is open ends. */
  close(): void {
    this.#closed = true
    for (const channel of this.#channels) channel.destroy()
    this.#channels.clear()
  }

  #admit(socket: PairedStream, to: Address): void {
    const { network, runtime } = this.#plant
    const peer = addressText({ host: '127.0.0.1', port: ++this.#count })
    const broker = this.#brokers.find(({ address }) => addressText(address) === addressText(to))!
    const gone = () => this.#channels.delete(channel)
    const channel = new TcpChannel({ runtime, socket, peer, frameLimit: this.#frameLimit, gone })
    this.#channels.add(channel)
    new Entrance({ runtime, network, name: broker.name, frameLimit: this.#frameLimit, ...names }).admit(channel, to)
  }

  /** A broker that is down refuses, as it should; an address of nobody is a mistake. */
  #advice(where: string): string {
    const addresses = this.#brokers.map(({ address }) => addressText(address))
    return addresses.includes(where) ? '' : `: brokers of this cluster are ${addresses.join(', ')}`
  }
}
