import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Cluster } from '../cluster/cluster.ts'
import { createCluster } from '../cluster/create-cluster.ts'
import type { ListenOptions } from '../cluster/listening.ts'
import type { ClusterOptions } from '../cluster/options.ts'
import type { BrokerOptions } from '../metadata/broker-configs.ts'
import { releaseOf, releases } from '../metadata/releases.ts'
import { ConfigError } from '../wire/errors.ts'
import { ACL_FORM, aclArgument } from './acl-argument.ts'
import { commonFlags, type Flags, UsageError } from './flags.ts'
import { SASL_FORM, saslArguments } from './sasl-argument.ts'
import { type Terminal, untilStopped } from './terminal.ts'
import { topicArguments } from './topic-argument.ts'

const DEFAULT_BROKERS = 3
/** Where everybody looks for a Kafka first. */
const DEFAULT_PORT = 9092
const MAX_PORT = 65_535

const flags = {
  brokers: { value: 'N', help: `how many brokers; default ${DEFAULT_BROKERS}` },
  port: {
    value: 'PORT',
    help: `of the first broker, the others take those that follow; 0 for free ones; default ${DEFAULT_PORT}, or free ones where that is taken`,
  },
  host: { value: 'HOST', help: 'name or address of this machine to listen on; default 127.0.0.1' },
  topic: {
    value: 'NAME:PARTITIONS:REPLICAS[:key=value,…]',
    repeats: true,
    help: 'a topic that is there from the start; what is left out is as the brokers have it, 1',
  },
  config: { value: 'key=value', repeats: true, help: "configuration of the brokers, under Kafka's own names" },
  tls: {
    help: "encrypt, with certificates made for the run; stdout says who vouches for them, as a client's configuration",
  },
  sasl: {
    value: SASL_FORM,
    repeats: true,
    help: `who may come in; others may not; MECHANISM is PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512, default all of them`,
  },
  acl: {
    value: ACL_FORM,
    repeats: true,
    help: 'who may do what, such as alice:read:topic:orders, alice:write:topic:* or bob:create:cluster; what no ACL allows nobody may, but those of --config super.users=User:NAME',
  },
  'kafka-version': { value: 'RELEASE', help: 'offer clients the APIs of that release of Kafka, such as 2.8' },
  seed: { value: 'N', help: 'of all chance; default MINI_KAFKA_SEED, else 1' },
  ...commonFlags,
} as const

export const startHelp = {
  command: 'mini-kafka',
  usage: 'mini-kafka [start | produce | consume] [flags]',
  about: [
    'Starts a Kafka cluster in memory that any Kafka client of this machine can use. The first line on stdout is',
    "bootstrap.servers=127.0.0.1:9092,…; Ctrl-C (SIGINT, SIGTERM) ends it. 'mini-kafka produce --help' and",
    "'mini-kafka consume --help' tell how to write and read by hand.",
  ],
  flags,
  examples: [
    ['three brokers', 'mini-kafka'],
    [
      'a replicated topic with three partitions',
      'mini-kafka --brokers 3 --topic orders:3:3:min.insync.replicas=2,retention.ms=600000',
    ],
    ['one broker on a port of its own, as a Kafka 2.8', 'mini-kafka --brokers 1 --port 19092 --kafka-version 2.8'],
    ['with TLS, for two users', 'mini-kafka --tls --sasl alice:secret --sasl bob:hunter2'],
    ['where alice may use one topic', 'mini-kafka --sasl alice:secret --acl alice:all:topic:orders'],
    ['topics only by hand', 'mini-kafka --config auto.create.topics.enable=false'],
  ],
} as const

/** Starts a cluster that listens, and closes it when it is told to. */
export async function start(terminal: Terminal, given: Flags<keyof typeof flags>): Promise<number> {
  const cluster = await created(terminal, given)
  const trust = given.has('tls') ? mkdtempSync(join(tmpdir(), 'mini-kafka-')) : undefined
  try {
    const lines = [`bootstrap.servers=${cluster.bootstrapServers}`, ...securityLines(cluster, trust)]
    await terminal.output.write(`${lines.join('\n')}\n`)
    await untilStopped(terminal)
  } finally {
    await cluster.close()
    if (trust !== undefined) rmSync(trust, { recursive: true, force: true })
  }
  return 0
}

/** What clients have to say besides where it is: with the first line, the configuration of a client, but for its password. */
function securityLines(cluster: Cluster, trust: string | undefined): string[] {
  const [{ securityProtocol, mechanisms = [] } = {}] = cluster.brokers[0]!.listeners
  const lines = securityProtocol === 'PLAINTEXT' ? [] : [`security.protocol=${securityProtocol}`]
  if (mechanisms.length > 0) lines.push(`sasl.mechanism=${mechanisms.at(-1)}`)
  if (trust === undefined) return lines
  const location = join(trust, 'ca.pem')
  writeFileSync(location, cluster.ca)
  return [...lines, 'ssl.truststore.type=PEM', `ssl.truststore.location=${location}`]
}

function optionsOf(given: Flags<keyof typeof flags>): ClusterOptions {
  const brokers = given.number('brokers', 1) ?? DEFAULT_BROKERS
  const seed = given.number('seed', 0)
  const kafkaVersion = given.text('kafka-version')
  return {
    brokers,
    topics: topicArguments(given.list('topic'), brokers),
    // Values are text, which is checked and read as Kafka reads its files.
    configs: Object.fromEntries(given.pairs('config', 'log.retention.ms=60000')) as BrokerOptions,
    ...(seed === undefined ? {} : { seed }),
    ...(kafkaVersion === undefined ? {} : { kafkaVersion: checkedRelease(kafkaVersion) }),
  }
}

function checkedRelease(version: string): string {
  try {
    return releaseOf(version)
  } catch {
    throw new UsageError(`--kafka-version takes one of ${releases.join(', ')}, not '${version}'`)
  }
}

async function created(terminal: Terminal, given: Flags<keyof typeof flags>): Promise<Cluster> {
  const acls = given.list('acl').map(aclArgument)
  const options = { ...optionsOf(given), ...(acls.length === 0 ? {} : { authorizer: 'standard' as const }) }
  const port = given.number('port', 0, MAX_PORT)
  const host = given.text('host')
  const sasl = saslArguments(given.list('sasl'))
  const shared: ListenOptions = {
    ...(host === undefined ? {} : { host }),
    ...(given.has('tls') ? { tls: true } : {}),
    ...(sasl === undefined ? {} : { sasl }),
  }
  const warned = new Set<string>()
  const warn = (text: string) => {
    if (!warned.has(text)) terminal.say(text)
    warned.add(text)
  }
  const at = async (listen: ListenOptions) => {
    const cluster = await createCluster({ ...options, listen: { ...shared, ...listen }, warn })
    try {
      for (const { permission, access } of acls) await cluster[permission](...access)
      return cluster
    } catch (error) {
      await cluster.close()
      throw error
    }
  }
  if (port !== undefined) return at({ port })
  try {
    return await at({ port: DEFAULT_PORT })
  } catch (error) {
    if (!isPortTaken(error)) throw error
    const cluster = await at({})
    const last = DEFAULT_PORT + cluster.brokers.length - 1
    const taken = last === DEFAULT_PORT ? `port ${DEFAULT_PORT} is` : `of the ports ${DEFAULT_PORT} to ${last} one is`
    terminal.say(`mini-kafka: ${taken} in use, so free ones were taken; --port says which to take`)
    return cluster
  }
}

function isPortTaken(error: unknown): boolean {
  return error instanceof ConfigError && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'EADDRINUSE'
}
