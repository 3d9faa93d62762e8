/**
 * The user's client: ioredis 5 or 6 (`Redis`, by itself or with Sentinels, or `Cluster`), or ioredis-mock. Nothing of either
 * is imported: what is used of them is written down here.
 */
import { ConfigError } from '../wire/errors.ts'

type Method = (...args: never[]) => unknown

/** Any ioredis client, as its own types have it. */
export interface RedisClient {
  readonly xadd: Method
  readonly xrangeBuffer: Method
  readonly hmget: Method
  readonly multi: Method
  readonly duplicate: Method
}

export type Argument = string | number | Buffer

/** An entry of a stream as XRANGE answers it: its id, then fields and values in turns. */
export type Entry = readonly [id: Buffer, fields: readonly Buffer[]]

/** Of a queue of commands, one `[error, value]` each. */
export type Replies = readonly (readonly [error: Error | null, value: unknown])[]

interface Commands {
  hmget(key: string, ...fields: string[]): Promise<(string | null)[]>
  hgetBuffer(key: string, field: string): Promise<Buffer | null>
  xrangeBuffer(key: string, from: string, to: string, ...count: (string | number)[]): Promise<Entry[]>
  xrevrangeBuffer(key: string, from: '+', to: '-', count: 'COUNT', number: number): Promise<Entry[]>
  smembers(key: string): Promise<string[]>
  get(key: string): Promise<string | null>
  set(key: string, value: string, ...options: (string | number)[]): Promise<string | null>
  type(key: string): Promise<string>
  del(...keys: string[]): Promise<number>
  hset(key: string, fields: Readonly<Record<string, Argument>>): Promise<number>
  sadd(key: string, ...members: string[]): Promise<number>
  srem(key: string, ...members: string[]): Promise<number>
  scan(cursor: string, match: 'MATCH', glob: string, count: 'COUNT', number: number): Promise<[string, string[]]>
}

/** A connection to a server, a Sentinel's master or a Cluster. */
export interface ServerClient extends Commands {
  readonly status: string
  readonly isCluster?: boolean
  /** Its socket, while it has one. */
  readonly stream?: { cork?(): void; uncork?(): void } | null
  call(command: string, ...args: Argument[]): Promise<unknown>
  pipeline(): Queue
  duplicate(options?: Readonly<Record<string, unknown>>): ServerClient & {
    disconnect(): void
    on(event: 'error', heard: () => void): void
  }
  /** Of a Cluster. */
  nodes?(role: 'master'): ServerClient[]
}

export interface Queue {
  call(command: string, ...args: Argument[]): Queue
  exec(): Promise<Replies | null>
}

/** ioredis-mock: no scripts that are worth it, and few of the commands of streams. */
export interface MockClient extends Commands {
  watch(...keys: string[]): Promise<unknown>
  unwatch(): Promise<unknown>
  exists(...keys: string[]): Promise<number>
  xadd(key: string, id: string, ...fields: Argument[]): Promise<string>
  multi(): MockQueue
}

export interface MockQueue {
  del(...keys: string[]): MockQueue
  hset(key: string, fields: Readonly<Record<string, Argument>>): MockQueue
  xadd(key: string, id: string, ...fields: Argument[]): MockQueue
  publish(channel: string, text: string): MockQueue
  exec(): Promise<Replies | null>
}

export type CheckedClient =
  | { readonly kind: 'server'; readonly client: ServerClient }
  | { readonly kind: 'mock'; readonly client: MockClient }

/** What tells on clients that cannot be used, under both of ioredis' forms and in its mock. */
interface Marks {
  readonly status?: string
  readonly connected?: boolean
  readonly subscriberMode?: boolean
  readonly condition?: { readonly subscriber?: unknown } | null
  readonly options?: {
    readonly keyPrefix?: string
    readonly redisOptions?: { readonly keyPrefix?: string }
    readonly lazyConnect?: boolean
  }
  readonly call?: unknown
}

const needed = ['xadd', 'xrangeBuffer', 'hmget', 'hgetBuffer', 'multi', 'duplicate', 'scan'] as const

/** @throws {ConfigError} for what is no ioredis client, or one that cannot hold logs */
export function checkClient(client: unknown): CheckedClient {
  const given = client as Partial<Record<(typeof needed)[number], unknown>> & Marks
  const isClient = (typeof client === 'object' || typeof client === 'function') && client !== null
  if (!isClient || needed.some(name => typeof given[name] !== 'function')) {
    const what = isClient && typeof (given as { xAdd?: unknown }).xAdd === 'function' ? 'one of node-redis' : 'this one'
    throw new ConfigError(
      `redisLogs takes a client of ioredis (new Redis(), new Redis.Cluster()) or ioredis-mock, not ${isClient ? what : String(client)}`,
    )
  }
  const prefix = given.options?.keyPrefix || given.options?.redisOptions?.keyPrefix
  if (prefix) {
    throw new ConfigError(
      `the Redis client has keyPrefix '${prefix}', which would part the keys of one log: leave it out, and name a keyspace instead`,
    )
  }
  const isMock = typeof given.call !== 'function'
  const isLazy = given.options?.lazyConnect === true
  if (given.status === 'end' || (isMock && given.connected === false && !isLazy)) {
    throw new ConfigError('the Redis client is closed: hand over one that is open, and close it after the cluster')
  }
  if (given.subscriberMode === true || given.condition?.subscriber) {
    throw new ConfigError('the Redis client is in subscriber mode and takes no other commands: hand over another one')
  }
  return isMock ? { kind: 'mock', client: client as MockClient } : { kind: 'server', client: client as ServerClient }
}

/** @throws {ConfigError} */
export function checkKeyspace(keyspace: unknown): string {
  if (typeof keyspace !== 'string' || keyspace === '') {
    throw new ConfigError(`keyspace must be a text, such as 'korvet', not ${JSON.stringify(keyspace)}`)
  }
  const bad = /[^\w.:-]/.exec(keyspace)?.[0]
  if (bad !== undefined) {
    throw new ConfigError(
      `keyspace must be of letters, digits and . _ - : alone, for it is part of patterns and of Cluster slots, and '${keyspace}' has ${JSON.stringify(bad)}`,
    )
  }
  return keyspace
}

const OLDEST = [6, 2] as const

/** @throws {ConfigError} for a server that is older than 6.2: it lacks NOMKSTREAM and XTRIM MINID */
export async function checkVersion(client: ServerClient): Promise<void> {
  const [server] = client.isCluster ? (client.nodes?.('master') ?? []) : [client]
  const info = String(await (server ?? client).call('info', 'server'))
  const version = /^redis_version:(\d+)\.(\d+)\S*/m.exec(info)
  if (version === null) return
  const [major, minor] = [Number(version[1]), Number(version[2])]
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return
  throw new ConfigError(`redisLogs needs Redis 6.2 or later, and this is ${version[0].slice('redis_version:'.length)}`)
}

const SCAN_COUNT = 1_000

/** All keys that fit a glob, of every node; a key may come twice. */
export async function scanKeys({ kind, client }: CheckedClient, glob: string): Promise<string[]> {
  const nodes: Commands[] = kind === 'server' && client.isCluster ? client.nodes!('master') : [client]
  const found = new Set<string>()
  for (const node of nodes) {
    let cursor = '0'
    do {
      const [next, keys] = await node.scan(cursor, 'MATCH', glob, 'COUNT', SCAN_COUNT)
      for (const key of keys) found.add(key)
      cursor = next
    } while (cursor !== '0')
  }
  return [...found]
}
