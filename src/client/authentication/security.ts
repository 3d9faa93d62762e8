/** What `security.protocol` and `sasl.*` come to: who our clients say they are. */
import { clientSecurityConfigs } from '../../metadata/client-security-configs.ts'
import { type ConfigsOf, definitionOf, parseConfig } from '../../metadata/config-definition.ts'
import type { ScramMechanism } from '../../metadata/scram-credentials.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { ConfigError } from '../../wire/errors.ts'
import type { ClientEnvironment } from '../environment.ts'
import { type LoginModule, parseJaas } from './jaas.ts'
import { OAuthBearerClient, type OAuthToken, type TokenProvider } from './oauth-bearer.ts'
import { PlainClient } from './plain.ts'
import { SaslAuthentication } from './sasl-authentication.ts'
import type { SaslMechanismClient } from './sasl-mechanism.ts'
import { ScramClient } from './scram.ts'
import { TokenCache } from './token-cache.ts'
import { unsecuredToken } from './unsecured-token.ts'

/** Values of every such key. */
export type SecurityConfigs = ConfigsOf<typeof clientSecurityConfigs>

const MECHANISMS = 'PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER'
/** Printable characters that a nonce may have; a comma is none of them (RFC 5802). */
const NONCE_CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const NONCE_LENGTH = 26

/** The keys of security among all that was given. @throws {ConfigError} for a value that is not legal */
export function securityConfigsOf(options: object): SecurityConfigs {
  const given = options as Readonly<Record<string, unknown>>
  const parsed = Object.keys(clientSecurityConfigs).map(name => [
    name,
    parseConfig(definitionOf(clientSecurityConfigs, name)!, name, given[name]),
  ])
  return Object.fromEntries(parsed)
}

/** `security.protocol` is SSL or SASL_SSL. */
export function usesTls(configs: Pick<SecurityConfigs, 'security.protocol'>): boolean {
  return configs['security.protocol'].toUpperCase().endsWith('SSL')
}

/**
 * Undefined: nothing has to be said.
 *
 * @throws {ConfigError} for a mechanism that is not spoken here, without the credentials that it needs, and for TLS where
 * connections never leave the process
 */
export function authenticationOf(
  configs: SecurityConfigs,
  { runtime, speaksTls }: ClientEnvironment,
): SaslAuthentication | undefined {
  if (usesTls(configs) && speaksTls !== true) {
    const why =
      "clients in the process of their cluster are connected without TLS: leave it out, or say 'SASL_PLAINTEXT'"
    throw new ConfigError(`security.protocol ${configs['security.protocol']}: ${why}`)
  }
  if (!configs['security.protocol'].toUpperCase().startsWith('SASL')) return undefined
  return new SaslAuthentication(mechanismOf(configs, runtime), runtime)
}

function mechanismOf(configs: SecurityConfigs, runtime: Runtime): SaslMechanismClient {
  const name = configs['sasl.mechanism']
  const text = configs['sasl.jaas.config']
  const login = text === null ? undefined : parseJaas(text)
  switch (name) {
    case 'PLAIN': {
      const { username, password } = credentialsOf(name, login)
      return new PlainClient(username, password)
    }
    case 'SCRAM-SHA-256':
    case 'SCRAM-SHA-512': {
      const isToken = login?.options.get('tokenauth') === 'true'
      return new ScramClient(name as ScramMechanism, { ...credentialsOf(name, login), isToken }, () =>
        nonceFrom(runtime),
      )
    }
    case 'OAUTHBEARER': {
      const tokens = tokensOf(configs, login, runtime)
      return new OAuthBearerClient(() => tokens.token())
    }
    default:
      throw new ConfigError(`sasl.mechanism '${name}' is not spoken here: set one of ${MECHANISMS}`)
  }
}

function credentialsOf(mechanism: string, login: LoginModule | undefined): { username: string; password: string } {
  const username = login?.options.get('username')
  const password = login?.options.get('password')
  if (username !== undefined && password !== undefined) return { username, password }
  const kind = mechanism === 'PLAIN' ? 'plain.Plain' : 'scram.Scram'
  const example = `org.apache.kafka.common.security.${kind}LoginModule required username="alice" password="secret";`
  const missing = login === undefined ? 'is missing' : `has no ${username === undefined ? 'username' : 'password'}`
  throw new ConfigError(`sasl.jaas.config ${missing}: sasl.mechanism ${mechanism} needs it, as in ${example}`)
}

function tokensOf(configs: SecurityConfigs, login: LoginModule | undefined, runtime: Runtime): TokenCache {
  const times = {
    windowFactor: configs['sasl.login.refresh.window.factor'],
    windowJitter: configs['sasl.login.refresh.window.jitter'],
    minPeriodMs: configs['sasl.login.refresh.min.period.seconds'] * 1000,
    bufferMs: configs['sasl.login.refresh.buffer.seconds'] * 1000,
  }
  const provider = configs['sasl.login.callback.handler.class']
  if (provider === null) {
    const options = login?.options ?? new Map<string, string>()
    // What is missing is missing from the beginning.
    unsecuredToken(options, runtime.now())
    return new TokenCache(runtime, () => unsecuredToken(options, runtime.now()), times)
  }
  return new TokenCache(runtime, provided(provider as TokenProvider), times)
}

function provided(provider: TokenProvider): () => Promise<OAuthToken> {
  const ask = typeof provider === 'function' ? provider : provider.token?.bind(provider)
  if (typeof ask !== 'function') {
    throw new ConfigError('sasl.login.callback.handler.class must be a function () => token, or an object with token')
  }
  return async () => {
    const token = await ask()
    if (typeof token === 'string') return { value: token }
    if (typeof token?.value === 'string') return token
    throw new TypeError('sasl.login.callback.handler.class answers the text of a token, or { value, lifetimeMs }')
  }
}

function nonceFrom(runtime: Runtime): string {
  const draw = () => NONCE_CHARACTERS[runtime.choose('client.scram-nonce', NONCE_CHARACTERS.length)]!
  return Array.from({ length: NONCE_LENGTH }, draw).join('')
}
