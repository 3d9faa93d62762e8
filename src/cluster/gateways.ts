import { apiOf } from '../apis/registry.ts'
import type { BrokerListener } from '../broker/reception.ts'
import { brokerLayers } from '../metadata/broker-layers.ts'
import { effectiveBrokerConfig } from '../metadata/config-values.ts'
import { type Address, addressText, type Carrier, type Channel } from '../network/channel.ts'
import type { EntranceOptions } from '../network/entrance.ts'
import { Gateway } from '../network/gateway.ts'
import type { ServerTls } from '../network/tls.ts'
import { ConfigError } from '../wire/errors.ts'
import type { ListenerPlan } from './listening.ts'
import { brokerIdOf, brokerName, CONTROLLER_NAME, type Plant } from './plant.ts'
import { serverTls } from './tls-options.ts'

const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|::1|\[::1\])$/i
const OWN_HOSTS: readonly string[] = ['localhost', '127.0.0.1', '::1']

/** What connections from outside may not be called, and what their requests are. */
export const names: Pick<EntranceOptions, 'isNode' | 'apiName'> = {
  isNode: name => name === CONTROLLER_NAME || brokerIdOf(name) !== undefined,
  apiName: key => apiOf(key)?.name ?? `API ${key}`,
}

/**
 * Opens the ports of all brokers. Answers the gateways of each, in the same order.
 *
 * @throws {ConfigError} for a port that cannot be opened, naming it and its broker; then none stays open.
 */
export async function openGateways(
  plant: Plant,
  listeners: readonly ListenerPlan[],
  ids: readonly number[],
): Promise<BrokerGateways[]> {
  const open = listeners.find(({ host, mechanisms, tls }) => {
    return !LOOPBACK.test(host) && mechanisms === undefined && (tls === undefined || tls === true || !tls.requestCert)
  })
  if (open !== undefined) {
    plant.warn(
      `mini-kafka listens on ${open.host === '' ? 'every address' : open.host}, not only on loopback: ` +
        'whoever reaches this machine can read and write, there is no authentication',
    )
  }
  const config = effectiveBrokerConfig(brokerLayers(plant.configs, new Map(), new Map()))
  const tlsOf = new Map(
    listeners.map(listener => {
      const { tls, host, advertisedHost } = listener
      const hosts = [...OWN_HOSTS, host, advertisedHost].map(plain).filter(each => each !== '')
      return [listener, tls && serverTls(tls, config, plant.certificates, hosts)]
    }),
  )
  const all: BrokerGateways[] = []
  try {
    for (const [index, id] of ids.entries()) {
      const gateways = new BrokerGateways(
        listeners.map(listener => new BrokerGateway(plant, id, listener, listener.ports[index]!, tlsOf.get(listener))),
      )
      // Ports that are open already have to be closed if one of the next ones cannot be.
      all.push(gateways)
      await gateways.open()
    }
  } catch (error) {
    for (const gateways of all) gateways.close()
    throw error
  }
  return all
}

/** The ports of one broker, over all of its lives: one for each listener. */
export class BrokerGateways implements Carrier {
  readonly #gateways: readonly BrokerGateway[]

  constructor(gateways: readonly BrokerGateway[]) {
    this.#gateways = gateways
  }

  /** Known once the ports are open. */
  get listeners(): BrokerListener[] {
    return this.#gateways.map(gateway => gateway.listener)
  }

  /** Sockets that are open. */
  get size(): number {
    return this.#gateways.reduce((size, gateway) => size + gateway.size, 0)
  }

  async open(): Promise<void> {
    for (const gateway of this.#gateways) await gateway.open()
  }

  close(): void {
    for (const gateway of this.#gateways) gateway.close()
  }

  async ended(): Promise<void> {
    await Promise.all(this.#gateways.map(gateway => gateway.ended()))
  }

  connect(from: string, to: Address): Promise<Channel> {
    return this.#gateways[0]!.connect(from, to)
  }

  listen(name: string, at: Address, accept: (channel: Channel) => void): { close(): void } {
    const text = addressText(at)
    return this.#gateways.find(({ listener }) => addressText(listener.address) === text)!.listen(name, at, accept)
  }
}

class BrokerGateway extends Gateway {
  readonly #id: number
  readonly #plan: ListenerPlan
  readonly #trustsInside: boolean
  readonly #insideMechanisms: BrokerListener['mechanisms']

  constructor(plant: Plant, id: number, plan: ListenerPlan, port: number, tls: ServerTls | undefined) {
    const config = effectiveBrokerConfig(brokerLayers(plant.configs, new Map(), new Map()))
    const key = 'sasl.server.max.receive.size'
    const first = plan.mechanisms === undefined ? undefined : { bytes: config[key], key }
    super({
      runtime: plant.runtime,
      network: plant.network,
      name: brokerName(id),
      at: { host: plain(plan.host), port },
      frameLimit: { bytes: config['socket.request.max.bytes'], key: 'socket.request.max.bytes' },
      firstFrameLimit: first,
      idleMs: config['connections.max.idle.ms'],
      tls,
      ...names,
    })
    this.#id = id
    this.#plan = plan
    this.#trustsInside = !plant.sasl.required
    this.#insideMechanisms = plan.mechanisms ?? plant.sasl.mechanisms
  }

  get listener(): BrokerListener {
    const { name, securityProtocol, advertisedHost, mechanisms, maxConnectionCreationRate } = this.#plan
    return {
      name,
      securityProtocol,
      address: { host: plain(advertisedHost), port: this.port },
      mechanisms,
      insideMechanisms: this.#insideMechanisms,
      trustsInside: this.#trustsInside,
      maxConnectionCreationRate,
    }
  }

  override async open(): Promise<void> {
    try {
      await super.open()
    } catch (error) {
      const where = `${addressText({ host: this.#plan.host, port: this.port })} for ${brokerName(this.#id)}`
      throw new ConfigError(`listen: cannot open ${where}: ${adviceOn(error as NodeJS.ErrnoException)}`, {
        cause: error,
      })
    }
  }
}

/** The door of a broker that has no port. */
export function insideListener(id: number, port: number, { mechanisms, required }: Plant['sasl']): BrokerListener {
  const securityProtocol = required ? 'SASL_PLAINTEXT' : 'PLAINTEXT'
  return {
    name: securityProtocol,
    securityProtocol,
    address: { host: brokerName(id), port },
    mechanisms,
    insideMechanisms: mechanisms,
    trustsInside: !required,
  }
}

/** Without the brackets of an address of IPv6. */
function plain(host: string): string {
  return host.replaceAll(/[[\]]/g, '')
}

function adviceOn({ code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'EADDRINUSE':
      return 'the port is in use; end what listens there, or leave the port out for a free one'
    case 'EACCES':
      return 'this user may not open that port; take one above 1023'
    case 'EADDRNOTAVAIL':
      return 'that is no address of this machine'
    case 'ENOTFOUND':
      return 'no address is known for that name'
    default:
      return message
  }
}
