import { serverAddresses } from '../metadata/bootstrap-servers.ts'
import type { Address } from '../network/channel.ts'
import { TcpCarrier } from '../network/tcp.ts'
import { freshSeed, RealRuntime } from '../runtime/real.ts'
import { ConfigError, IllegalStateError } from '../wire/errors.ts'
import { securityConfigsOf, usesTls } from './authentication/security.ts'
import { tlsSettingsOf } from './authentication/tls-settings.ts'
import type { ClientEnvironment } from './environment.ts'

/** Clients that were made in this process, by kind: Java's clients are named `producer-1`, `producer-2`, … */
const made = new Map<string, number>()

/** Where a client lives that belongs to no cluster of this process: real time, and TCP, for itself alone. */
export class OwnEnvironment implements ClientEnvironment {
  readonly runtime = new RealRuntime({ seed: freshSeed(), traceLimit: 0 })
  readonly carrier: TcpCarrier
  readonly speaksTls = true
  readonly bootstrap: readonly Address[]
  readonly clientName: string

  /** @throws {ConfigError} without servers, for one that is no `host:port`, and for certificates that are none. */
  constructor(kind: string, config: { readonly 'bootstrap.servers'?: unknown }) {
    const security = securityConfigsOf(config)
    const tls = usesTls(security) ? tlsSettingsOf(security) : undefined
    this.carrier = new TcpCarrier({ runtime: this.runtime, tls })
    this.bootstrap = serverAddresses(serversOf(config['bootstrap.servers']))
    if (this.bootstrap.length === 0) {
      throw new ConfigError("bootstrap.servers must name at least one broker, as in 'localhost:9092'")
    }
    const count = (made.get(kind) ?? 0) + 1
    made.set(kind, count)
    this.clientName = `${kind}-${count}`
  }

  /** No timer and no socket is left. What was handed to a socket is sent first, if its broker reads within a second. */
  readonly closed = async (): Promise<void> => {
    await this.carrier.close()
    await this.runtime.close(new IllegalStateError(`${this.clientName} is closed`))
  }
}

function serversOf(given: unknown): string[] {
  const listed = typeof given === 'string' ? given.split(',') : Array.isArray(given) ? given.map(String) : []
  return listed.map(server => server.trim()).filter(server => server !== '')
}
