import type { SecureContextOptions } from 'node:tls'
import { secureOptionsOf } from '../client/authentication/tls-settings.ts'
import type { BrokerConfigs } from '../metadata/broker-configs.ts'
import { PrincipalMapping } from '../metadata/principal-mapping.ts'
import { subjectOf } from '../network/distinguished-name.ts'
import type { ServerTls } from '../network/tls.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { ConfigError, IllegalStateError } from '../wire/errors.ts'
import { USER } from '../wire/principal.ts'
import { type Certificate, CertificateAuthority } from './certificates/certificate.ts'
import { refuseUnknown } from './options.ts'

/** TLS of a listener. */
export interface TlsOptions {
  /** The brokers' certificate and its key, in PEM. Default: made for the run, and vouched for by `cluster.ca`. */
  readonly cert?: string | Uint8Array
  readonly key?: string | Uint8Array
  readonly passphrase?: string
  /** Who may have vouched for clients' certificates, in PEM. Default: `cluster.ca`. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[]
  /**
   * Clients are asked for a certificate, and are then who it says: `'requested'` lets others in as `User:ANONYMOUS`, true is
   * `'required'`. Default: `ssl.client.auth` of `configs`, which is `'none'`.
   */
  readonly requestCert?: boolean | 'requested' | 'required'
}

const OPTIONS: readonly (keyof TlsOptions)[] = ['cert', 'key', 'passphrase', 'ca', 'requestCert']
const DAY_MS = 86_400_000
/** No clock is wrong by more than a day, and no test lasts ten years. */
const LIFETIME_MS = 3650 * DAY_MS
const SERIAL_BYTES = 16

/** @throws {ConfigError} for an option that is misspelt, or half a pair */
export function checkTls(tls: boolean | TlsOptions): void {
  if (typeof tls === 'boolean') return
  if (typeof tls !== 'object' || tls === null) {
    throw new ConfigError(`listen: tls takes true, or options such as { cert, key }, not ${typeof tls}`)
  }
  refuseUnknown('option of tls', tls, OPTIONS)
  const { cert, key, requestCert } = tls
  if ((cert === undefined) !== (key === undefined)) {
    throw new ConfigError(`listen: tls has ${cert === undefined ? 'a key without its cert' : 'a cert without its key'}`)
  }
  if (requestCert === undefined || [true, false, 'requested', 'required'].includes(requestCert)) return
  throw new ConfigError(
    `listen: requestCert of tls takes true, false, 'requested' or 'required', not ${JSON.stringify(requestCert)}`,
  )
}

/** The certificates of one run: nobody else's authority has vouched for them. Made when they are first needed. */
export class RunCertificates {
  readonly #runtime: Runtime
  readonly #clusterId: string
  #authority: CertificateAuthority | undefined

  constructor(runtime: Runtime, clusterId: string) {
    this.#runtime = runtime
    this.#clusterId = clusterId
  }

  /** Whom to trust, in PEM. */
  get ca(): string {
    return this.#made.cert
  }

  issue(subject: string, hosts: readonly string[] = []): Certificate {
    return this.#made.issue(this.#request(subject, hosts))
  }

  get #made(): CertificateAuthority {
    if (this.#runtime.time !== 'real') {
      throw new IllegalStateError(
        'certificates are for TLS, and TLS is for sockets: createCluster({ listen: { tls: true } })',
      )
    }
    this.#authority ??= new CertificateAuthority(this.#request(`CN=mini-kafka ${this.#clusterId}`, []))
    return this.#authority
  }

  #request(subject: string, hosts: readonly string[]) {
    const now = this.#runtime.now()
    const serial = Uint8Array.from({ length: SERIAL_BYTES }, () => this.#runtime.choose('serial of a certificate', 256))
    // Positive, and never beginning with a zero.
    serial[0] = (serial[0]! & 0x3f) | 0x40
    return { subject, hosts, serial, from: now - DAY_MS, until: now + LIFETIME_MS }
  }
}

/**
 * How the brokers speak TLS at a listener. What the option leaves out is in the brokers' configuration (`ssl.*`), or made.
 *
 * @throws {ConfigError} for certificates and keys that are none, and rules that are none
 */
export function serverTls(
  tls: true | TlsOptions,
  configs: BrokerConfigs,
  certificates: RunCertificates,
  hosts: readonly string[],
): ServerTls {
  const { cert, key, passphrase, ca, requestCert } = tls === true ? ({} as TlsOptions) : tls
  const hasStore = configs['ssl.keystore.location'] !== null || configs['ssl.keystore.key'] !== null
  const hasTrust = configs['ssl.truststore.location'] !== null || configs['ssl.truststore.certificates'] !== null
  const given: SecureContextOptions = {}
  if (cert !== undefined) Object.assign(given, { cert: pem(cert), key: pem(key!), ...(passphrase && { passphrase }) })
  else if (!hasStore) Object.assign(given, certificates.issue('CN=mini-kafka broker', [...new Set(hosts)]))
  if (ca !== undefined) given.ca = Array.isArray(ca) ? ca.map(pem) : pem(ca as string)
  else if (!hasTrust) given.ca = certificates.ca
  const mapping = new PrincipalMapping(configs['ssl.principal.mapping.rules'])
  return {
    options: secureOptions(configs, given),
    clientCertificate: clientCertificateOf(requestCert, configs['ssl.client.auth']),
    principalOf: certificate => {
      const subject = subjectOf(certificate)
      const name = mapping.nameOf(subject)
      if (name === undefined) throw new Error(`no rule of ssl.principal.mapping.rules is for '${subject}'`)
      return { type: USER, name }
    },
  }
}

function secureOptions(configs: BrokerConfigs, given: SecureContextOptions): SecureContextOptions {
  try {
    return secureOptionsOf(configs, given)
  } catch (error) {
    if (given.cert === undefined) throw error
    throw new ConfigError(`listen: cert, key or ca of tls cannot be used: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

function clientCertificateOf(
  requestCert: TlsOptions['requestCert'],
  configured: string,
): ServerTls['clientCertificate'] {
  if (requestCert === undefined) return configured as ServerTls['clientCertificate']
  if (typeof requestCert === 'boolean') return requestCert ? 'required' : 'none'
  return requestCert
}

const pem = (text: string | Uint8Array): string | Buffer => (typeof text === 'string' ? text : Buffer.from(text))
