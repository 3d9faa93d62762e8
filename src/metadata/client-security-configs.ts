/**
 * Keys by which every client says who it is and whom it trusts (Apache Kafka 4.3.1, CommonClientConfigs, SslConfigs,
 * SaslConfigs; C-1). What is only Java's is accepted, and named in a warning: see `src/client/configuration.ts`.
 */
import type { ConfigDefinition, Trait } from './config-definition.ts'
import {
  between,
  boolean,
  className,
  double,
  high,
  int,
  list,
  long,
  low,
  medium,
  oneOfAnyCase,
  password,
  short,
  string,
} from './config-definition.ts'

/** The mechanisms that our clients speak; the name of another one is refused when it is needed. */
export type SaslMechanism = 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512' | 'OAUTHBEARER'
/** `PEM` for files and texts as openssl writes them, `PKCS12` for a .p12 file; `JKS` is only Java's. */
export type StoreType = 'PEM' | 'PKCS12' | 'JKS'

/** Any text, with words that an editor offers. */
function suggesting<Word extends string>(fallback: string, trait: Trait): ConfigDefinition<Word | (string & {})> {
  return string(fallback, trait) as ConfigDefinition<Word | (string & {})>
}

export const clientSecurityConfigs = {
  /**
   * How brokers are spoken to: `'PLAINTEXT'`, `'SSL'`, `'SASL_PLAINTEXT'`, `'SASL_SSL'`, in any case. Default:
   * PLAINTEXT.
   */
  'security.protocol': oneOfAnyCase(['SASL_SSL', 'PLAINTEXT', 'SSL', 'SASL_PLAINTEXT'], 'PLAINTEXT', medium),
  /** Only Java's: security providers. Default: null. */
  'security.providers': string(null, low),

  /** Only Java's: a class that answers the callbacks of a mechanism. Default: null. */
  'sasl.client.callback.handler.class': className(null, medium),
  /**
   * Name and password, in the form of Java's login modules: `org.apache.kafka.common.security.scram.ScramLoginModule
   * required username="alice" password="secret";`. Needed for PLAIN and SCRAM. Default: null.
   */
  'sasl.jaas.config': password(null, medium),
  /** Kerberos is not spoken here. Default: `/usr/bin/kinit`. */
  'sasl.kerberos.kinit.cmd': string('/usr/bin/kinit', low),
  /** Kerberos is not spoken here. Default: 60000. */
  'sasl.kerberos.min.time.before.relogin': long(60_000, low),
  /** Kerberos is not spoken here. Default: null. */
  'sasl.kerberos.service.name': string(null, medium),
  /** Kerberos is not spoken here. Default: 0.05. */
  'sasl.kerberos.ticket.renew.jitter': double(0.05, low),
  /** Kerberos is not spoken here. Default: 0.8. */
  'sasl.kerberos.ticket.renew.window.factor': double(0.8, low),
  /**
   * For OAUTHBEARER: where tokens come from. A function `() => token`, or an object with `token()`; it may answer with a
   * promise, and either the token's text or `{ value, lifetimeMs, extensions }`. Without: an unsecured token, made of what
   * `sasl.jaas.config` says (`unsecuredLoginStringClaim_sub="alice"`). Default: null.
   */
  'sasl.login.callback.handler.class': className(null, medium),
  /** Only Java's. Default: null. */
  'sasl.login.class': className(null, medium),
  /** Of the token endpoint, in milliseconds. No token endpoint is asked here. Default: null. */
  'sasl.login.connect.timeout.ms': int(null, low),
  /** Of the token endpoint, in milliseconds. No token endpoint is asked here. Default: null. */
  'sasl.login.read.timeout.ms': int(null, low),
  /** Seconds before its end in which a token is not refreshed any more, 0 to 3600. Default: 300. */
  'sasl.login.refresh.buffer.seconds': short(300, low, between(0, 3600)),
  /** Seconds that a token is used at least before the next is asked for, 0 to 900. Default: 60. */
  'sasl.login.refresh.min.period.seconds': short(60, low, between(0, 900)),
  /** After which part of its life a token is refreshed, 0.5 to 1. Default: 0.8. */
  'sasl.login.refresh.window.factor': double(0.8, low, between(0.5, 1)),
  /** By how much that is spread by chance, 0 to 0.25. Default: 0.05. */
  'sasl.login.refresh.window.jitter': double(0.05, low, between(0, 0.25)),
  /** Between attempts to get a token, in milliseconds. No token endpoint is asked here. Default: 10000. */
  'sasl.login.retry.backoff.max.ms': long(10_000, low),
  /** Between attempts to get a token, in milliseconds. No token endpoint is asked here. Default: 100. */
  'sasl.login.retry.backoff.ms': long(100, low),
  /**
   * `'PLAIN'`, `'SCRAM-SHA-256'`, `'SCRAM-SHA-512'` or `'OAUTHBEARER'`. Default: GSSAPI (Kerberos), which is not
   * spoken here.
   */
  'sasl.mechanism': suggesting<SaslMechanism>('GSSAPI', medium),
  /** Of an assertion for a token endpoint: none is asked here. Default: RS256. */
  'sasl.oauthbearer.assertion.algorithm': oneOfAnyCase(['ES256', 'RS256'], 'RS256', medium),
  /** Of an assertion for a token endpoint: none is asked here. Default: null. */
  'sasl.oauthbearer.assertion.claim.aud': string(null, medium),
  /** Of an assertion for a token endpoint: none is asked here. Default: 300. */
  'sasl.oauthbearer.assertion.claim.exp.seconds': int(300, low, between(0, 86_400)),
  /** Of an assertion for a token endpoint: none is asked here. Default: null. */
  'sasl.oauthbearer.assertion.claim.iss': string(null, medium),
  /** Of an assertion for a token endpoint: none is asked here. Default: false. */
  'sasl.oauthbearer.assertion.claim.jti.include': boolean(false, medium),
  /** Of an assertion for a token endpoint: none is asked here. Default: 60. */
  'sasl.oauthbearer.assertion.claim.nbf.seconds': int(60, low, between(0, 3600)),
  /** Of an assertion for a token endpoint: none is asked here. Default: null. */
  'sasl.oauthbearer.assertion.claim.sub': string(null, medium),
  /** Of an assertion for a token endpoint: none is asked here. Default: null. */
  'sasl.oauthbearer.assertion.file': string(null, medium),
  /** Of an assertion for a token endpoint: none is asked here. Default: null. */
  'sasl.oauthbearer.assertion.private.key.file': string(null, medium),
  /** Of an assertion for a token endpoint: none is asked here. Default: null. */
  'sasl.oauthbearer.assertion.private.key.passphrase': password(null, medium),
  /** Of an assertion for a token endpoint: none is asked here. Default: null. */
  'sasl.oauthbearer.assertion.template.file': string(null, medium),
  /** For a token endpoint: none is asked here. Default: null. */
  'sasl.oauthbearer.client.credentials.client.id': string(null, medium),
  /** For a token endpoint: none is asked here. Default: null. */
  'sasl.oauthbearer.client.credentials.client.secret': password(null, medium),
  /** Of brokers, which check tokens. Default: 30. */
  'sasl.oauthbearer.clock.skew.seconds': int(30, low),
  /** Of brokers, which check tokens. Default: none. */
  'sasl.oauthbearer.expected.audience': list([], high),
  /** Of brokers, which check tokens. Default: null. */
  'sasl.oauthbearer.expected.issuer': string(null, high),
  /** For a token endpoint: none is asked here. Default: false. */
  'sasl.oauthbearer.header.urlencode': boolean(false, low),
  /** Of brokers, which check tokens. Default: 3600000. */
  'sasl.oauthbearer.jwks.endpoint.refresh.ms': long(3_600_000, low),
  /** Of brokers, which check tokens. Default: 10000. */
  'sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms': long(10_000, low),
  /** Of brokers, which check tokens. Default: 100. */
  'sasl.oauthbearer.jwks.endpoint.retry.backoff.ms': long(100, low),
  /** Of brokers, which check tokens. Default: null. */
  'sasl.oauthbearer.jwks.endpoint.url': string(null, medium),
  /** Only Java's. */
  'sasl.oauthbearer.jwt.retriever.class': className(
    'org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever',
    medium,
  ),
  /** Only Java's. */
  'sasl.oauthbearer.jwt.validator.class': className(
    'org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator',
    medium,
  ),
  /** For a token endpoint: none is asked here. Default: null. */
  'sasl.oauthbearer.scope': string(null, medium),
  /** The claim of a token that holds its scope. Default: `scope`. */
  'sasl.oauthbearer.scope.claim.name': string('scope', low),
  /** The claim of a token that holds the principal's name. Default: `sub`. */
  'sasl.oauthbearer.sub.claim.name': string('sub', low),
  /** No token endpoint is asked here: see `sasl.login.callback.handler.class`. Default: null. */
  'sasl.oauthbearer.token.endpoint.url': string(null, medium),

  /** Cipher suites to allow, under OpenSSL's or Java's (TLS 1.3) names. Default: those of Node. */
  'ssl.cipher.suites': list([], low),
  /** Versions of TLS to allow: `TLSv1.2`, `TLSv1.3`. Default: both. */
  'ssl.enabled.protocols': list(['TLSv1.2', 'TLSv1.3'], medium),
  /** `https`: the broker's certificate must be for its host name; empty: it need not. Default: https. */
  'ssl.endpoint.identification.algorithm': string('https', low),
  /** Only Java's. Default: null. */
  'ssl.engine.factory.class': className(null, low),
  /** Of the private key, if that is encrypted. Default: null. */
  'ssl.key.password': password(null, high),
  /** Only Java's. Default: SunX509. */
  'ssl.keymanager.algorithm': string('SunX509', low),
  /** The client's certificate and those that signed it, as PEM text; with `ssl.keystore.type=PEM`. Default: null. */
  'ssl.keystore.certificate.chain': password(null, high),
  /** The client's private key, as PEM text (PKCS#8); with `ssl.keystore.type=PEM`. Default: null. */
  'ssl.keystore.key': password(null, high),
  /**
   * A file with the client's private key and certificates: PEM or PKCS12, as `ssl.keystore.type` says. Default:
   * null.
   */
  'ssl.keystore.location': string(null, high),
  /** Of the file. Default: null. */
  'ssl.keystore.password': password(null, high),
  /** `'PEM'` or `'PKCS12'`. Default: JKS, which Node cannot read. */
  'ssl.keystore.type': suggesting<StoreType>('JKS', medium),
  /** The newest version of TLS to offer: `TLSv1.2`, `TLSv1.3`. Default: TLSv1.3. */
  'ssl.protocol': string('TLSv1.3', medium),
  /** Only Java's. Default: null. */
  'ssl.provider': string(null, medium),
  /** Only Java's. Default: null. */
  'ssl.secure.random.implementation': string(null, low),
  /** Only Java's. Default: PKIX. */
  'ssl.trustmanager.algorithm': string('PKIX', low),
  /**
   * Certificates that may have signed a broker's, as PEM text; with `ssl.truststore.type=PEM`. Default: those of
   * Node.
   */
  'ssl.truststore.certificates': password(null, high),
  /** A file with such certificates: PEM or PKCS12, as `ssl.truststore.type` says. Default: null. */
  'ssl.truststore.location': string(null, high),
  /** Of the file. Default: null. */
  'ssl.truststore.password': password(null, high),
  /** `'PEM'` or `'PKCS12'`. Default: JKS, which Node cannot read. */
  'ssl.truststore.type': suggesting<StoreType>('JKS', medium),
}
