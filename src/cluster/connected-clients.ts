import type { ClientEnvironment, LivingMember } from '../client/environment.ts'
import type { Caller, Carrier } from '../network/channel.ts'
import type { LinkNetwork } from '../network/link.ts'
import { ConfigError } from '../wire/errors.ts'
import { parsePrincipal } from '../wire/principal.ts'
import type { BrokerHandle } from './broker-handle.ts'
import type { Client, Named } from './named-client.ts'
import type { Plant } from './plant.ts'

/** What clients of a cluster have that others have not. */
export interface InProcessOptions {
  /** Who the brokers take it for, as in `'User:alice'`, without authentication. Default: `User:ANONYMOUS`, or who SASL says. */
  readonly principal?: string
}

const OWN_HOST = '127.0.0.1'

/** The clients that a cluster has made, as long as they are open. */
export class ConnectedClients {
  readonly members = new Set<LivingMember>()
  readonly #plant: Plant
  readonly #brokers: readonly BrokerHandle[]
  readonly #open = new Set<Client>()

  constructor(plant: Plant, brokers: readonly BrokerHandle[]) {
    this.#plant = plant
    this.#brokers = brokers
  }

  /** @throws {ConfigError} for what is no principal, and whatever `make` throws */
  connect<C extends Omit<Client, 'name'>, Config extends InProcessOptions>(
    clientName: string,
    config: Config,
    make: (config: Omit<Config, 'principal'>, environment: ClientEnvironment) => C,
  ): Named<C> {
    const { network, runtime, warn, mutants } = this.#plant
    const { principal, ...own } = config
    const client = make(own, {
      runtime,
      carrier: principal === undefined ? network : carrierFor(network, principal),
      bootstrap: this.#brokers.map(broker => broker.address),
      clientName,
      members: this.members,
      warn,
      mutants,
      closed: () => void this.#open.delete(named),
    })
    const named: Named<C> = Object.assign(client, { name: clientName })
    this.#open.add(named)
    return named
  }

  /** Whatever they say, they end here; their pending calls reject. */
  async close(): Promise<void> {
    for (const client of this.#open) await client.close({ timeoutMs: 0 }).catch(() => {})
  }
}

function carrierFor(network: LinkNetwork, text: string): Carrier {
  const principal = parsePrincipal(text)
  if (principal === undefined || principal.name === '') {
    throw new ConfigError(`principal is written 'User:alice', not ${JSON.stringify(text)}`)
  }
  const caller: Caller = { host: OWN_HOST, principal, isOutside: false }
  return {
    connect: (from, to) => network.connect(from, to, undefined, caller),
    listen: (name, at, accept) => network.listen(name, at, accept),
  }
}
