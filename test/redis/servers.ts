/** Real Redis servers, on free ports of loopback and in folders of their own: one alone, with replicas, under Sentinels, as a Cluster. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'

const HOST = '127.0.0.1'
const SLOTS = 16_384
const STARTS_WITHIN_MS = 10_000

/** Why no Redis can be run on this machine; undefined: it can. */
export function missingForRedis(): string | undefined {
  const found = spawnSync('redis-server', ['--version'], { stdio: 'ignore' })
  return found.status === 0
    ? undefined
    : 'a real Redis needs redis-server, which is not here (apt-get install redis-server)'
}

export interface ServerOptions {
  /** What of a write is on the disk when it is acknowledged. Default: nothing is ever written there. */
  readonly appendfsync?: 'always' | 'everysec'
  /** Further lines of redis.conf, such as `['maxmemory', '3mb']`. */
  readonly settings?: readonly (readonly string[])[]
}

/** One process of redis-server over all of its lives: port and folder stay. */
export class RedisServer {
  readonly host = HOST
  readonly port: number
  readonly #arguments: readonly string[]
  #child: ChildProcess | undefined

  constructor(port: number, args: readonly string[]) {
    this.port = port
    this.#arguments = args
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Resolves when it answers. */
  async start(): Promise<void> {
    const child = spawn('redis-server', this.#arguments, { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    living.add(child)
    child.once('exit', () => void living.delete(child))
    const said: string[] = []
    for (const stream of [child.stdout!, child.stderr!]) stream.on('data', text => void said.push(`${text}`))
    const endsAt = Date.now() + STARTS_WITHIN_MS
    while (!(await answers(this.port))) {
      if (this.isRunning && Date.now() < endsAt) await sleep(5)
      else throw new Error(`redis-server does not answer on port ${this.port}:\n${said.join('')}`)
    }
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child
    if (child === undefined || !this.isRunning) return
    const gone = once(child, 'exit')
    child.kill(signal)
    // One that is stopped dies of nothing else.
    if (signal !== 'SIGKILL') child.kill('SIGCONT')
    await gone
  }

  /** Its process stands still, as in a long pause; its connections stay. */
  freeze(): void {
    this.#child?.kill('SIGSTOP')
  }

  thaw(): void {
    this.#child?.kill('SIGCONT')
  }

  /** A client of ioredis, with quick retries. Whoever takes it ends it. */
  client(options: object = {}): Redis {
    return new Redis(this.port, HOST, { retryStrategy: () => 20, ...options })
  }

  /** One command, on a connection of its own. */
  async ask(...command: readonly string[]): Promise<unknown> {
    const client = this.client()
    try {
      return await client.call(command[0]!, ...command.slice(1))
    } finally {
      client.disconnect()
    }
  }
}

const living = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of living) child.kill('SIGKILL')
})

/** All servers of one test file. `stop` in `afterAll` ends their processes and removes their folders. */
export class RedisServers {
  readonly #dir = mkdtempSync(join(tmpdir(), 'mini-kafka-redis-'))
  readonly #servers: RedisServer[] = []

  async server({ appendfsync, settings = [] }: ServerOptions = {}): Promise<RedisServer> {
    return this.#start(port => {
      const durable = appendfsync === undefined ? ['no'] : ['yes', '--appendfsync', appendfsync]
      return ['--port', `${port}`, '--save', '', '--appendonly', ...durable, ...lines(settings)]
    })
  }

  /** It follows `of` at once: resolves when it is in step. */
  async replica(of: RedisServer, settings: readonly (readonly string[])[] = []): Promise<RedisServer> {
    const follows = ['replicaof', HOST, `${of.port}`]
    const quick = ['repl-diskless-sync-delay', '0']
    const replica = await this.server({ settings: [follows, quick, ...settings] })
    await eventually(async () => `${await replica.ask('INFO', 'replication')}`.includes('master_link_status:up'))
    return replica
  }

  /** Sentinels that watch `master` and its replicas under the name `mini`, and take it for dead after 300 ms. */
  async sentinels(master: RedisServer, replicas = 1, count = 3): Promise<RedisServer[]> {
    const quorum = Math.floor(count / 2) + 1
    const sentinels: RedisServer[] = []
    for (let i = 0; i < count; i++) {
      const sentinel = await this.#start((port, dir) => {
        const file = join(dir, 'sentinel.conf')
        writeFileSync(
          file,
          [
            `port ${port}`,
            `dir ${dir}`,
            `sentinel monitor mini ${HOST} ${master.port} ${quorum}`,
            `sentinel down-after-milliseconds mini 300`,
            'sentinel failover-timeout mini 2000',
            '',
          ].join('\n'),
        )
        return [file, '--sentinel']
      })
      sentinels.push(sentinel)
    }
    // Before they know each other and the replicas they would fail nothing over.
    await eventually(async () => {
      const known = await Promise.all(sentinels.map(each => each.ask('INFO', 'sentinel')))
      return known.every(text => new RegExp(`slaves=${replicas},sentinels=${count}`).test(`${text}`))
    })
    return sentinels
  }

  /** A Redis Cluster whose nodes share the slots evenly. */
  async cluster(count = 3): Promise<RedisServer[]> {
    const nodes: RedisServer[] = []
    for (let i = 0; i < count; i++) {
      const bus = await freePort()
      nodes.push(
        await this.server({
          settings: [
            ['cluster-enabled', 'yes'],
            ['cluster-port', `${bus}`],
            ['cluster-node-timeout', '2000'],
          ],
        }),
      )
      const [from, to] = [Math.floor((SLOTS * i) / count), Math.floor((SLOTS * (i + 1)) / count) - 1]
      const node = nodes[i]!
      await node.ask('CLUSTER', 'ADDSLOTSRANGE', `${from}`, `${to}`)
      await node.ask('CLUSTER', 'SET-CONFIG-EPOCH', `${i + 1}`)
      if (i > 0) await node.ask('CLUSTER', 'MEET', HOST, `${nodes[0]!.port}`, `${await busOf(nodes[0]!)}`)
    }
    const isWhole = (info: unknown) =>
      `${info}`.includes('cluster_state:ok') && `${info}`.includes(`known_nodes:${count}`)
    await eventually(async () => (await Promise.all(nodes.map(node => node.ask('CLUSTER', 'INFO')))).every(isWhole))
    return nodes
  }

  async stop(): Promise<void> {
    await Promise.all(this.#servers.map(server => server.kill()))
    rmSync(this.#dir, { recursive: true, force: true })
  }

  async #start(settings: (port: number, dir: string) => readonly string[]): Promise<RedisServer> {
    const dir = join(this.#dir, `${this.#servers.length}`)
    mkdirSync(dir)
    const port = await freePort()
    const own = ['--dir', dir, '--bind', HOST, '--daemonize', 'no', '--loglevel', 'notice']
    const server = new RedisServer(port, [...settings(port, dir), ...own])
    this.#servers.push(server)
    await server.start()
    return server
  }
}

async function busOf(node: RedisServer): Promise<number> {
  const [, value] = (await node.ask('CONFIG', 'GET', 'cluster-port')) as [string, string]
  return Number(value)
}

/** Options of the command line for lines of redis.conf. */
function lines(settings: readonly (readonly string[])[]): string[] {
  return settings.flatMap(([name, ...values]) => [`--${name}`, ...values])
}

async function answers(port: number): Promise<boolean> {
  const client = new Redis(port, HOST, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 })
  client.on('error', () => {})
  try {
    await client.connect()
    return (await client.ping()) === 'PONG'
  } catch {
    return false
  } finally {
    client.disconnect()
  }
}

/** Asks until it is so. @throws after 15 s */
export async function eventually(isSo: () => Promise<boolean> | boolean, limitMs = 15_000): Promise<void> {
  const endsAt = Date.now() + limitMs
  while (!(await isSo())) {
    if (Date.now() > endsAt) throw new Error(`it did not come true in ${limitMs} ms: ${isSo}`)
    await sleep(10)
  }
}

export function freePorts(count: number): Promise<number[]> {
  return Promise.all(Array.from({ length: count }, freePort))
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST)
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
