/**
 * Whom `produce` and `consume` speak to, and whether anybody answers there: our clients, like Kafka's, would try for a
 * minute in silence.
 */
import { readFileSync } from 'node:fs'
import { Admin } from '../client/clients.ts'
import { adminConfigs } from '../metadata/admin-configs.ts'
import { serverAddresses } from '../metadata/bootstrap-servers.ts'
import { consumerConfigs } from '../metadata/consumer-configs.ts'
import { didYouMean } from '../metadata/nearest-name.ts'
import { producerConfigs } from '../metadata/producer-configs.ts'
import { KafkaError } from '../wire/errors.ts'
import { type Flags, UsageError } from './flags.ts'

/** Nobody answers. The message says where, and what to do. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError'
}

/** What a cluster is asked at most this long for a first answer, in milliseconds. */
const PATIENCE_MS = 5_000
const DEFAULT_SERVERS = '127.0.0.1:9092'

/** Flags of both. */
export const clientFlags = {
  topic: { value: 'NAME', help: 'the topic; needed' },
  'bootstrap-server': { value: 'HOST:PORT,…', help: `where the cluster is; default ${DEFAULT_SERVERS}` },
  'command-config': {
    value: 'FILE',
    help: "configuration, as lines key=value; such as what 'mini-kafka' says on stdout",
  },
} as const

/** Keys that have a flag of their own, or none. */
const elsewhere: Readonly<Record<string, string>> = {
  'bootstrap.servers': 'use --bootstrap-server',
  'group.id': 'use --group',
  'key.serializer': 'bytes are sent as they are',
  'value.serializer': 'bytes are sent as they are',
  'key.deserializer': 'use --format or --json',
  'value.deserializer': 'use --format or --json',
  'transactional.id': 'every record is sent by itself',
}

const tables = { producer: producerConfigs, consumer: consumerConfigs }

/**
 * Configuration of a client from `--command-config` and `--config`, which goes before it, with the servers. A file may be for
 * several clients: what this one does not have is left out. Values are text, read as Kafka reads its files. A key that
 * nobody knows is refused: whoever types it has no warning to read later.
 */
export function clientConfigsOf(
  flags: Flags<'config' | 'bootstrap-server' | 'command-config'>,
  client: keyof typeof tables,
  example: string,
): Record<string, string> {
  const { 'bootstrap.servers': servers, ...shared } = propertiesIn(flags.text('command-config'))
  const configs: Record<string, string> = { 'bootstrap.servers': serversOf(flags.text('bootstrap-server') ?? servers) }
  for (const [key, value] of Object.entries(shared)) {
    if (!Object.hasOwn(elsewhere, key) && Object.hasOwn(tables[client], key)) configs[key] = value
  }
  for (const [key, value] of flags.pairs('config', example)) {
    if (Object.hasOwn(elsewhere, key)) throw new UsageError(`--config ${key} has no place here: ${elsewhere[key]}`)
    if (!Object.hasOwn(tables[client], key)) {
      throw new UsageError(`unknown ${client} config '${key}'${didYouMean(key, Object.keys(tables[client]))}`)
    }
    configs[key] = value
  }
  return configs
}

/** A file as Java's tools take it, without its escapes but for `\\` at the end of a line. @throws {UsageError} if it cannot be read */
function propertiesIn(file: string | undefined): Record<string, string> {
  if (file === undefined) return {}
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`--command-config cannot be read: ${(error as Error).message}`)
  }
  const lines = text.replaceAll(/\\\r?\n\s*/g, '').split(/\r?\n/)
  const pairs = lines.flatMap(line => {
    const [, key, value] = /^\s*([^#!\s=:][^\s=:]*)\s*[=:]\s*(.*?)\s*$/.exec(line) ?? []
    return key === undefined ? [] : [[key, value!] as const]
  })
  return Object.fromEntries(pairs)
}

function serversOf(text: string = DEFAULT_SERVERS): string {
  const servers = text
    .split(',')
    .map(server => server.trim())
    .filter(server => server !== '')
  try {
    if (serverAddresses(servers).length > 0) return servers.join()
  } catch {
    // It is said below how they are written.
  }
  throw new UsageError(`--bootstrap-server takes HOST:PORT,…, as in localhost:9092, not '${text}'`)
}

/**
 * Asks the cluster something, as its first client.
 *
 * @throws {UnreachableError} if nobody answers within five seconds, or what the configuration allows instead
 */
export async function asked<T>(
  configs: Readonly<Record<string, string>>,
  patienceMs: string | undefined,
  question: (admin: Admin) => Promise<T>,
): Promise<T> {
  const timeoutMs = patienceMs ?? `${PATIENCE_MS}`
  const shared = Object.entries(configs).filter(([key]) => Object.hasOwn(adminConfigs, key))
  const admin = new Admin({
    ...Object.fromEntries(shared),
    'default.api.timeout.ms': Number(timeoutMs),
    'request.timeout.ms': Number(timeoutMs),
  })
  try {
    return await question(admin)
  } catch (error) {
    if (!(error instanceof KafkaError) || error.errorName !== 'REQUEST_TIMED_OUT') throw error
    const where = configs['bootstrap.servers']
    const advice = "start one with 'mini-kafka', or say where it is with --bootstrap-server"
    throw new UnreachableError(`no Kafka answers at ${where} within ${timeoutMs} ms: ${advice}`, { cause: error })
  } finally {
    await admin.close()
  }
}
