import { apiOf } from '../apis/registry.ts'
import { brokerLayers } from '../metadata/broker-layers.ts'
import { effectiveBrokerConfig } from '../metadata/config-values.ts'
import { type Address, addressText } from '../network/channel.ts'
import type { EntranceOptions } from '../network/entrance.ts'
import { Gateway } from '../network/gateway.ts'
import { ConfigError } from '../wire/errors.ts'
import { refuseUnknown } from './options.ts'
import { brokerIdOf, brokerName, CONTROLLER_NAME, type Plant } from './plant.ts'

/** Where brokers listen on TCP; `true` stands for all defaults. */
export interface ListenOptions {
  /** A name or an address of this machine. Default `'127.0.0.1'`. Others than loopback's are allowed, with a warning. */
  readonly host?: string
  /** Of the first broker, in the order in which they are named; the next ones have those that follow. Default: free ones. */
  readonly port?: number
  /** One for each broker, instead of `port`; 0 is a free one. */
  readonly ports?: readonly number[]
  /** What clients are told to connect to. Default: `host`; where that is every address of the machine, `'localhost'`. */
  readonly advertisedHost?: string
}

export interface ListenPlan {
  readonly host: string
  readonly advertisedHost: string
  /** In the order of the brokers; 0: a free one. */
  readonly ports: readonly number[]
}

const LISTEN_OPTIONS: readonly (keyof ListenOptions)[] = ['host', 'port', 'ports', 'advertisedHost']
const MAX_PORT = 65_535
const DEFAULT_HOST = '127.0.0.1'
const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|::1|\[::1\])$/i
/** Every address of the machine: nobody can connect to it by that name. */
const WILDCARDS: readonly string[] = ['0.0.0.0', '::', '']

/** What connections from outside may not be called, and what their requests are. */
export const names: Pick<EntranceOptions, 'isNode' | 'apiName'> = {
  isNode: name => name === CONTROLLER_NAME || brokerIdOf(name) !== undefined,
  apiName: key => apiOf(key)?.name ?? `API ${key}`,
}

/** @throws {ConfigError} that names the option, and what would be right. */
export function planListening(listen: boolean | ListenOptions | undefined, brokers: number): ListenPlan | undefined {
  if (listen === undefined || listen === false) return undefined
  if (listen !== true && (typeof listen !== 'object' || listen === null)) {
    throw new ConfigError(`listen takes true, or options such as { port: 9092 }, not ${JSON.stringify(listen)}`)
  }
  const options = listen === true ? {} : listen
  refuseUnknown('option of listen', options, LISTEN_OPTIONS)
  const { host = DEFAULT_HOST, port, ports } = options
  for (const name of ['host', 'advertisedHost'] as const) {
    const value: unknown = options[name]
    if (value === undefined || (typeof value === 'string' && !/[\s/:]/.test(value.replace(/^\[?[\da-f:]+\]?$/i, ''))))
      continue
    throw new ConfigError(`listen: ${name} takes a name or an address, without a port, not ${JSON.stringify(value)}`)
  }
  if (port !== undefined && ports !== undefined) throw new ConfigError('listen takes port or ports, not both')
  if (ports !== undefined && ports.length !== brokers) {
    throw new ConfigError(`listen: ports takes one for each of the ${brokers} brokers, not ${ports.length}`)
  }
  const planned = ports ?? Array.from({ length: brokers }, (_, i) => (port === undefined || port === 0 ? 0 : port + i))
  for (const [index, each] of planned.entries()) {
    if (!Number.isInteger(each) || each < 0 || each > MAX_PORT) {
      throw new ConfigError(`listen: a port is a whole number from 0 (a free one) to ${MAX_PORT}, not ${each}`)
    }
    if (each !== 0 && planned.indexOf(each) < index) throw new ConfigError(`listen: port ${each} is named twice`)
  }
  const advertisedHost = options.advertisedHost ?? (WILDCARDS.includes(host) ? 'localhost' : host)
  return { host, advertisedHost, ports: planned }
}

/**
 * Opens the ports of all brokers. Answers their gateways, in the same order.
 *
 * @throws {ConfigError} for a port that cannot be opened, naming it and its broker; then none stays open.
 */
export async function openGateways(
  plant: Plant,
  plan: ListenPlan,
  ids: readonly number[],
  warn: (text: string) => void,
): Promise<BrokerGateway[]> {
  if (!LOOPBACK.test(plan.host)) {
    warn(
      `mini-kafka listens on ${plan.host === '' ? 'every address' : plan.host}, not only on loopback: ` +
        'whoever reaches this machine can read and write, there is no authentication',
    )
  }
  const gateways: BrokerGateway[] = []
  try {
    for (const [index, id] of ids.entries()) {
      const gateway = new BrokerGateway(plant, id, plan, plan.ports[index]!)
      await gateway.open()
      gateways.push(gateway)
    }
  } catch (error) {
    for (const gateway of gateways) gateway.close()
    throw error
  }
  return gateways
}

/** The port of one broker, over all of its lives. */
export class BrokerGateway extends Gateway {
  readonly #id: number
  readonly #host: string
  readonly #advertisedHost: string

  constructor(plant: Plant, id: number, { host, advertisedHost }: ListenPlan, port: number) {
    const config = effectiveBrokerConfig(brokerLayers(plant.configs, new Map(), new Map()))
    super({
      runtime: plant.runtime,
      network: plant.network,
      name: brokerName(id),
      at: { host: host.replaceAll(/[[\]]/g, ''), port },
      maxFrameBytes: config['socket.request.max.bytes'],
      idleMs: config['connections.max.idle.ms'],
      ...names,
    })
    this.#id = id
    this.#host = host
    this.#advertisedHost = advertisedHost
  }

  /** What clients connect to; known once the port is open. */
  get advertised(): Address {
    return { host: this.#advertisedHost.replaceAll(/[[\]]/g, ''), port: this.port }
  }

  override async open(): Promise<void> {
    try {
      await super.open()
    } catch (error) {
      const where = `${addressText({ host: this.#host, port: this.port })} for ${brokerName(this.#id)}`
      throw new ConfigError(`listen: cannot open ${where}: ${adviceOn(error as NodeJS.ErrnoException)}`, {
        cause: error,
      })
    }
  }
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
