/**
 * Keys that producer, consumer and admin have alike (Apache Kafka 4.3.1, CommonClientConfigs; C-1).
 */
import { clientSecurityConfigs } from './client-security-configs.ts'
import type { ConfigOptionsOf, ConfigTable } from './config-definition.ts'
import { atLeast, classes, int, list, long, low, medium, oneOf, oneOfAnyCase } from './config-definition.ts'

export const clientConfigs = {
  ...clientSecurityConfigs,
  /**
   * How host names are looked up. Node tries all addresses of a name, whatever is said here. Default:
   * use_all_dns_ips.
   */
  'client.dns.lookup': oneOf(
    ['use_all_dns_ips', 'resolve_canonical_bootstrap_servers_only'],
    'use_all_dns_ips',
    medium,
  ),
  /** Only Java's. Default: none. */
  'config.providers': list([], low),
  /** Milliseconds after which metadata is asked for again, although nothing seems to have changed. Default: 300000. */
  'metadata.max.age.ms': long(300_000, low, atLeast(0)),
  /** Milliseconds without metadata after which `bootstrap.servers` are asked again. Default: 300000. */
  'metadata.recovery.rebootstrap.trigger.ms': long(300_000, low, atLeast(0)),
  /**
   * What to do when no known broker answers: `'rebootstrap'` asks `bootstrap.servers` again, `'none'` fails.
   * Default: rebootstrap.
   */
  'metadata.recovery.strategy': oneOfAnyCase(['REBOOTSTRAP', 'NONE'], 'rebootstrap', low),
  /** Only Java's: `metrics()` says what there is. */
  'metric.reporters': classes(['org.apache.kafka.common.metrics.JmxReporter'], low),
  /** Windows that a rate, an average or a maximum reaches back over. Default: 2. */
  'metrics.num.samples': int(2, low, atLeast(1)),
  /** Every metric is kept, whatever is said here. Default: INFO. */
  'metrics.recording.level': oneOf(['INFO', 'DEBUG', 'TRACE'], 'INFO', low),
  /** Milliseconds of one such window. Default: 30000. */
  'metrics.sample.window.ms': long(30_000, low, atLeast(0)),
  /** Milliseconds between attempts to reach a broker, at most. Default: 1000. */
  'reconnect.backoff.max.ms': long(1000, low, atLeast(0)),
  /** Milliseconds between the first attempts to reach a broker; doubled each time, ± 20 %. Default: 50. */
  'reconnect.backoff.ms': long(50, low, atLeast(0)),
  /** Milliseconds within which a request must be answered: then its connection is closed. Default: 30000. */
  'request.timeout.ms': int(30_000, medium, atLeast(0)),
  /** Milliseconds before a request is repeated, at most. Default: 1000. */
  'retry.backoff.max.ms': long(1000, low, atLeast(0)),
  /** Milliseconds before a request is repeated for the first time; doubled each time, ± 20 %. Default: 100. */
  'retry.backoff.ms': long(100, low, atLeast(0)),
  /** Bytes of the kernel's buffer, which Node cannot set. Default: 131072. */
  'send.buffer.bytes': int(131_072, medium, atLeast(-1)),
  /** Milliseconds within which a connection must be made, at most. Default: 30000. */
  'socket.connection.setup.timeout.max.ms': long(30_000, medium),
  /** Milliseconds within which a connection must be made; doubled each time that it is not. Default: 10000. */
  'socket.connection.setup.timeout.ms': long(10_000, medium),
}

type Own = Omit<typeof clientConfigs, keyof typeof clientSecurityConfigs>
/** What a user may write for them. In parts: what is spread has lost its comments in declarations. */
export type ClientOptions = ConfigOptionsOf<typeof clientSecurityConfigs> & ConfigOptionsOf<Own>
/** What a user may write for a client that has keys of its own, too. */
export type ClientOptionsOf<Table extends ConfigTable> = ClientOptions &
  ConfigOptionsOf<Omit<Table, keyof typeof clientConfigs>>
