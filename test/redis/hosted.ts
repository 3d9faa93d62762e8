/** A cluster in a process of its own, with its logs in Redis. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { ClusterOptions } from '../../src/index.ts'

const root = join(import.meta.dirname, '../..')
/** Where the sources lie as a process of its own can run them. */
const folder = join(root, 'dist/redis')

/** Of these sources, whose types are checked elsewhere. */
export function build(): void {
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  const args = [
    compiler,
    '-p',
    join(root, 'tsconfig.build.json'),
    '--noCheck',
    '--declaration',
    'false',
    '--outDir',
    folder,
  ]
  execFileSync(process.execPath, args, { stdio: 'inherit' })
}

export interface HostOptions {
  readonly nodes?: readonly { readonly host: string; readonly port: number }[]
  readonly sentinels?: readonly { readonly host: string; readonly port: number }[]
  /** Of `redisLogs`. */
  readonly logs?: object
  readonly cluster?: Omit<ClusterOptions, 'logs'>
}

/** Timers as short as fits a process that is killed over and over. */
export const quickConfigs = {
  'broker.session.timeout.ms': 100,
  'broker.heartbeat.interval.ms': 20,
  'replica.lag.time.max.ms': 1_000,
}

export class HostedCluster {
  readonly #child: ChildProcess
  readonly bootstrapServers: string
  readonly stderr: string[]

  private constructor(child: ChildProcess, bootstrapServers: string, stderr: string[]) {
    this.#child = child
    this.bootstrapServers = bootstrapServers
    this.stderr = stderr
  }

  /** @throws with what the process said, if it ends instead */
  static async start({ nodes, sentinels, logs, cluster }: HostOptions): Promise<HostedCluster> {
    const plain = (places: HostOptions['nodes']) => places?.map(({ host, port }) => ({ host, port }))
    const order = JSON.stringify({ folder, nodes: plain(nodes), sentinels: plain(sentinels), logs, cluster })
    const child = spawn(process.execPath, [join(import.meta.dirname, 'host.mjs'), order], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    living.add(child)
    child.once('exit', () => void living.delete(child))
    const stderr: string[] = []
    child.stderr!.setEncoding('utf8').on('data', text => void stderr.push(text))
    const [line] = (await Promise.race([
      once(createInterface({ input: child.stdout! }), 'line'),
      once(child, 'exit').then(([code]) => [`ended with ${code}: ${stderr.join('')}`]),
    ])) as [string]
    const servers = /^bootstrap\.servers=(.+)$/.exec(line)?.[1]
    if (servers === undefined) throw new Error(line)
    return new HostedCluster(child, servers, stderr)
  }

  get pid(): number {
    return this.#child.pid!
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const gone = once(this.#child, 'exit')
    this.#child.kill(signal)
    await gone
  }

  /** Its process stands still. */
  freeze(): void {
    this.#child.kill('SIGSTOP')
  }

  thaw(): void {
    this.#child.kill('SIGCONT')
  }
}

const living = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of living) child.kill('SIGKILL')
})
