/** What `ssl.*` comes to: which brokers our clients trust, and how they show who they are (Kafka's DefaultSslEngineFactory). */
import { readFileSync } from 'node:fs'
import { createSecureContext, type SecureContextOptions, type SecureVersion } from 'node:tls'
import type { TlsSettings } from '../../network/tls.ts'
import { ConfigError } from '../../wire/errors.ts'
import { opensslCipher } from './cipher-names.ts'
import type { SecurityConfigs } from './security.ts'

const VERSIONS: readonly SecureVersion[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']
const KEY_BLOCK = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]+?-----END [A-Z ]*PRIVATE KEY-----/
const CERTIFICATE_BLOCKS = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g

/** @throws {ConfigError} for files that are not there or cannot be read, and texts that are no certificates or keys */
export function tlsSettingsOf(configs: SecurityConfigs): TlsSettings {
  const checksHost = (configs['ssl.endpoint.identification.algorithm'] ?? '').trim() !== ''
  return { context: createSecureContext(secureOptionsOf(configs)), checksHost }
}

/** The keys that brokers have under the same names. */
export type TlsConfigs = Pick<
  SecurityConfigs,
  | 'ssl.enabled.protocols'
  | 'ssl.protocol'
  | 'ssl.cipher.suites'
  | 'ssl.key.password'
  | `ssl.keystore.${'type' | 'location' | 'password' | 'key' | 'certificate.chain'}`
  | `ssl.truststore.${'type' | 'location' | 'certificates'}`
>

/**
 * `given`: what is said elsewhere than in the configuration, and counts more.
 *
 * @throws {ConfigError} as `tlsSettingsOf`
 */
export function secureOptionsOf(configs: TlsConfigs, given: SecureContextOptions = {}): SecureContextOptions {
  const stores = { ...trustOf(configs), ...identityOf(configs) }
  const options: SecureContextOptions = { ...versionsOf(configs), ...stores, ...given }
  const ciphers = configs['ssl.cipher.suites'].map(opensslCipher)
  if (ciphers.length > 0) options.ciphers = ciphers.join(':')
  try {
    createSecureContext(options)
    return options
  } catch (error) {
    const keys = 'ssl.cipher.suites, ssl.keystore.* or ssl.truststore.*'
    throw new ConfigError(`one of ${keys} cannot be used: ${(error as Error).message}`, { cause: error })
  }
}

function versionsOf(configs: TlsConfigs): SecureContextOptions {
  const enabled = configs['ssl.enabled.protocols'].map(name => versionOf('ssl.enabled.protocols', name))
  const newest = versionOf('ssl.protocol', configs['ssl.protocol'])
  const usable = enabled.filter(index => index <= newest)
  if (usable.length === 0) {
    throw new ConfigError(`ssl.enabled.protocols has no version up to ssl.protocol, ${configs['ssl.protocol']}`)
  }
  return { minVersion: VERSIONS[Math.min(...usable)]!, maxVersion: VERSIONS[Math.max(...usable)]! }
}

function versionOf(key: string, name: string): number {
  const index = VERSIONS.indexOf((name === 'TLS' ? 'TLSv1.3' : name) as SecureVersion)
  if (index >= 0) return index
  throw new ConfigError(`${key}: there is no '${name}', but ${VERSIONS.join(', ')}`)
}

/** Without any, Node trusts those that browsers do. */
function trustOf(configs: TlsConfigs): SecureContextOptions {
  const type = configs['ssl.truststore.type'].toUpperCase()
  const text = configs['ssl.truststore.certificates']
  const location = configs['ssl.truststore.location']
  if (text !== null) {
    requirePem('ssl.truststore.certificates', type)
    if (location !== null)
      throw new ConfigError('ssl.truststore.location and ssl.truststore.certificates: set one of them')
    return { ca: certificatesIn('ssl.truststore.certificates', text) }
  }
  if (location === null) return {}
  if (type !== 'PEM') {
    const how = 'keytool or openssl pkcs12 -nokeys writes the certificates as PEM'
    throw new ConfigError(`ssl.truststore.type ${type} cannot be read by Node: set it to PEM; ${how}`)
  }
  return {
    ca: certificatesIn('ssl.truststore.location', readFile('ssl.truststore.location', location).toString('utf8')),
  }
}

/** Only brokers with `ssl.client.auth` ask for it. */
function identityOf(configs: TlsConfigs): SecureContextOptions {
  const type = configs['ssl.keystore.type'].toUpperCase()
  const {
    'ssl.keystore.certificate.chain': chain,
    'ssl.keystore.key': key,
    'ssl.keystore.location': location,
  } = configs
  const passphrase = configs['ssl.key.password']
  const protection = passphrase === null ? {} : { passphrase }
  if (chain !== null || key !== null) {
    requirePem(chain === null ? 'ssl.keystore.key' : 'ssl.keystore.certificate.chain', type)
    if (location !== null) throw new ConfigError('ssl.keystore.location and ssl.keystore.key: set one of them')
    if (chain === null) throw new ConfigError('ssl.keystore.key needs ssl.keystore.certificate.chain')
    if (key === null) throw new ConfigError('ssl.keystore.certificate.chain needs ssl.keystore.key')
    const cert = certificatesIn('ssl.keystore.certificate.chain', chain).join('\n')
    return { cert, key: keyIn('ssl.keystore.key', key), ...protection }
  }
  if (location === null) return {}
  const bytes = readFile('ssl.keystore.location', location)
  if (type === 'PKCS12') {
    const secret = configs['ssl.keystore.password']
    return { pfx: bytes, ...(secret === null ? {} : { passphrase: secret }) }
  }
  if (type !== 'PEM') {
    throw new ConfigError(`ssl.keystore.type ${type} cannot be read by Node: PEM and PKCS12 can`)
  }
  const text = bytes.toString('utf8')
  const cert = certificatesIn('ssl.keystore.location', text).join('\n')
  return { cert, key: keyIn('ssl.keystore.location', text), ...protection }
}

function requirePem(key: string, type: string): void {
  if (type === 'PEM') return
  const store = key.startsWith('ssl.keystore') ? 'ssl.keystore.type' : 'ssl.truststore.type'
  throw new ConfigError(`${key} is for PEM, but ${store} is ${type}: set it to PEM`)
}

function readFile(key: string, path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new ConfigError(`${key}: ${(error as Error).message}`, { cause: error })
  }
}

function certificatesIn(key: string, text: string): string[] {
  const blocks = text.match(CERTIFICATE_BLOCKS)
  if (blocks !== null) return blocks
  throw new ConfigError(`${key} holds no certificate: a PEM text has lines -----BEGIN CERTIFICATE-----`)
}

function keyIn(key: string, text: string): string {
  const block = KEY_BLOCK.exec(text)
  if (block !== null) return block[0]
  throw new ConfigError(`${key} holds no private key: a PEM text has a line -----BEGIN PRIVATE KEY-----`)
}
