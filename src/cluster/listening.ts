import type { SaslMechanism } from '../broker/authentication/sasl-gate.ts'
import { ConfigError } from '../wire/errors.ts'
import type { SecurityProtocol } from '../wire/principal.ts'
import { refuseUnknown } from './options.ts'
import { checkSasl, mechanismsOf, planSasl, type SaslOptions, type SaslPlan } from './sasl-options.ts'
import { checkTls, type TlsOptions } from './tls-options.ts'

/** Where brokers listen on TCP; `true` stands for all defaults. */
export interface ListenOptions {
  /** Of the listener, where there are several. Default: what is spoken there, `'PLAINTEXT'`, `'SSL'`, `'SASL_SSL'`, … */
  readonly name?: string
  /** A name or an address of this machine. Default `'127.0.0.1'`. Others than loopback's are allowed, with a warning. */
  readonly host?: string
  /** Of the first broker, in the order in which they are named; the next ones have those that follow. Default: free ones. */
  readonly port?: number
  /** One for each broker, instead of `port`; 0 is a free one. */
  readonly ports?: readonly number[]
  /** What clients are told to connect to. Default: `host`; where that is every address of the machine, `'localhost'`. */
  readonly advertisedHost?: string
  /** Connections are encrypted: true for certificates that are made for the run, with `cluster.ca` to trust. Default: false. */
  readonly tls?: boolean | TlsOptions
  /** Clients have to say who they are: true for the users of `createCluster({ sasl })`. Default: false. */
  readonly sasl?: boolean | SaslOptions
  /** Connections per second that it accepts; those that come too early wait (KIP-612). Default: no limit. */
  readonly maxConnectionCreationRate?: number
}

export interface ListenerPlan {
  readonly name: string
  readonly securityProtocol: SecurityProtocol
  readonly host: string
  readonly advertisedHost: string
  /** In the order of the brokers; 0: a free one. */
  readonly ports: readonly number[]
  readonly tls: true | TlsOptions | undefined
  /** Undefined: nobody has to say who they are. */
  readonly mechanisms: readonly SaslMechanism[] | undefined
  readonly maxConnectionCreationRate: number | undefined
}

const LISTEN_OPTIONS: readonly (keyof ListenOptions)[] = [
  'name',
  'host',
  'port',
  'ports',
  'advertisedHost',
  'tls',
  'sasl',
  'maxConnectionCreationRate',
]
const MAX_PORT = 65_535
const DEFAULT_HOST = '127.0.0.1'
/** As Kafka has them; the controller's is not for others. */
const NAME = /^[\w.-]+$/
/** Every address of the machine: nobody can connect to it by that name. */
const WILDCARDS: readonly string[] = ['0.0.0.0', '::', '']

/** All that a cluster lets in. */
export interface AdmissionPlan {
  /** Undefined: only clients of this process. */
  readonly listeners: readonly ListenerPlan[] | undefined
  readonly sasl: SaslPlan
}

/** @throws {ConfigError} that names the option, and what would be right. */
export function planAdmission(
  listen: boolean | ListenOptions | readonly ListenOptions[] | undefined,
  sasl: SaslOptions | undefined,
  brokers: number,
): AdmissionPlan {
  if (sasl !== undefined) checkSasl('sasl', sasl)
  if (listen === undefined || listen === false) return { listeners: undefined, sasl: planSasl(sasl, []) }
  const isList = Array.isArray(listen)
  if (listen !== true && !isList && (typeof listen !== 'object' || listen === null)) {
    throw new ConfigError(`listen takes true, or options such as { port: 9092 }, not ${JSON.stringify(listen)}`)
  }
  if (isList && listen.length === 0) throw new ConfigError('listen takes at least one listener')
  const all: readonly ListenOptions[] = isList ? listen : [listen === true ? {} : (listen as ListenOptions)]
  const listeners = all.map(options => planListener(options, sasl, brokers))
  for (const [index, { name, ports }] of listeners.entries()) {
    const before = listeners.slice(0, index)
    if (before.some(other => other.name.toUpperCase() === name.toUpperCase())) {
      throw new ConfigError(`listen: there are two listeners ${name}: give one of them another name`)
    }
    const taken = ports.find(port => port !== 0 && before.some(other => other.ports.includes(port)))
    if (taken !== undefined) throw new ConfigError(`listen: port ${taken} is named twice`)
  }
  const own = all.flatMap(options => (typeof options.sasl === 'object' ? [options.sasl] : []))
  return { listeners, sasl: planSasl(sasl, own) }
}

function planListener(options: ListenOptions, shared: SaslOptions | undefined, brokers: number): ListenerPlan {
  refuseUnknown('option of listen', options, LISTEN_OPTIONS)
  const { host = DEFAULT_HOST, tls = false, sasl = false } = options
  checkTls(tls)
  const authentication = saslOf(sasl, shared)
  const securityProtocol: SecurityProtocol = protocolOf(tls !== false, authentication !== undefined)
  const { name = securityProtocol } = options
  if (typeof name !== 'string' || !NAME.test(name) || name.toUpperCase() === 'CONTROLLER') {
    throw new ConfigError(
      `listen: name takes letters, digits, '.', '_' and '-', and is not CONTROLLER, not ${JSON.stringify(name)}`,
    )
  }
  for (const key of ['host', 'advertisedHost'] as const) {
    const value: unknown = options[key]
    if (value === undefined || (typeof value === 'string' && !/[\s/:]/.test(value.replace(/^\[?[\da-f:]+\]?$/i, ''))))
      continue
    throw new ConfigError(`listen: ${key} takes a name or an address, without a port, not ${JSON.stringify(value)}`)
  }
  return {
    name,
    securityProtocol,
    host,
    advertisedHost: options.advertisedHost ?? (WILDCARDS.includes(host) ? 'localhost' : host),
    ports: planPorts(options, brokers),
    tls: tls === false ? undefined : tls,
    mechanisms: authentication && mechanismsOf(authentication),
    maxConnectionCreationRate: rateOf(options),
  }
}

function rateOf({ maxConnectionCreationRate: rate }: ListenOptions): number | undefined {
  if (rate === undefined || (Number.isInteger(rate) && rate >= 1)) return rate
  throw new ConfigError(`listen: maxConnectionCreationRate is a whole number, 1 or more, not ${JSON.stringify(rate)}`)
}

function protocolOf(hasTls: boolean, hasSasl: boolean): SecurityProtocol {
  if (hasSasl) return hasTls ? 'SASL_SSL' : 'SASL_PLAINTEXT'
  return hasTls ? 'SSL' : 'PLAINTEXT'
}

function saslOf(sasl: boolean | SaslOptions, shared: SaslOptions | undefined): SaslOptions | undefined {
  if (sasl === false) return undefined
  if (sasl === true) return shared ?? {}
  checkSasl('sasl of listen', sasl)
  if (sasl.required !== undefined) {
    throw new ConfigError(
      'sasl of listen: required is for clients in this process: createCluster({ sasl: { required } })',
    )
  }
  return sasl
}

function planPorts({ port, ports }: ListenOptions, brokers: number): number[] {
  if (port !== undefined && ports !== undefined) throw new ConfigError('listen takes port or ports, not both')
  if (ports !== undefined && ports.length !== brokers) {
    throw new ConfigError(`listen: ports takes one for each of the ${brokers} brokers, not ${ports.length}`)
  }
  const planned = [
    ...(ports ?? Array.from({ length: brokers }, (_, i) => (port === undefined || port === 0 ? 0 : port + i))),
  ]
  for (const [index, each] of planned.entries()) {
    if (!Number.isInteger(each) || each < 0 || each > MAX_PORT) {
      throw new ConfigError(`listen: a port is a whole number from 0 (a free one) to ${MAX_PORT}, not ${each}`)
    }
    if (each !== 0 && planned.indexOf(each) < index) throw new ConfigError(`listen: port ${each} is named twice`)
  }
  return planned
}
