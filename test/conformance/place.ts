/** The two places where a foreign client meets us: a cluster in the test's process, and the command line in one of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { createCluster } from '../../src/cluster/create-cluster.ts'
import { builtFolder } from './build.ts'

export type PlaceName = 'embedded' | 'command line'

export interface Place {
  readonly bootstrapServers: string
  /** Of the test's own process: it can be looked into, and things can befall it. */
  readonly cluster: Cluster | undefined
  /** Of the cluster's process, not of the client's: each a line. */
  readonly disorder: readonly string[]
  end(): Promise<void>
}

/** Sockets, ports and timers. */
const handles = () => process.getActiveResourcesInfo().filter(name => /^TCP|^Timeout|^Immediate/.test(name)).length

/** Why a broker closes a connection when the fault is the client's, or its own (src/node/receive.ts). */
const MISUNDERSTOOD = /^malformed| is not supported| is not for this node| failed: /

/** A cluster of this process; it must leave nothing behind, and never close a connection because it did not understand. */
export async function embedded(): Promise<Place> {
  const before = handles()
  const disorder: string[] = []
  const onWarning = (warning: Error) => void disorder.push(`warning: ${warning.stack}`)
  const onRejection = (reason: unknown) => void disorder.push(`unhandled rejection: ${reason}`)
  process.on('warning', onWarning)
  process.on('unhandledRejection', onRejection)
  const cluster = await createCluster({ listen: true, warn: text => void disorder.push(`warned: ${text}`) })
  cluster.trace.listen(({ kind, who, fields }) => {
    if (kind === 'connection' && MISUNDERSTOOD.test(`${fields.reason}`)) disorder.push(`${who}: ${fields.reason}`)
  })
  return {
    bootstrapServers: cluster.bootstrapServers,
    cluster,
    disorder,
    async end() {
      await cluster.close()
      // The other ends of sockets go a moment later; what was rejected is known to be unhandled after a turn.
      await sleep(0)
      for (let i = 0; i < 50 && handles() > before; i++) await sleep(10)
      process.off('warning', onWarning)
      process.off('unhandledRejection', onRejection)
      if (handles() > before) disorder.push(`left: ${process.getActiveResourcesInfo().join(' ')}`)
    },
  }
}

const program = join(builtFolder, 'cli.js')
const END_LIMIT_MS = 5_000

/** `mini-kafka` as it is built; it must say nothing on stderr, and end with 0 when it is interrupted. */
export async function commandLine(): Promise<Place> {
  const { NO_COLOR: _, FORCE_COLOR: __, ...env } = process.env
  const child = spawn(process.execPath, [program, '--brokers', '3', '--port', '0'], { env })
  const disorder: string[] = []
  child.stderr.setEncoding('utf8').on('data', text => disorder.push(`stderr: ${text}`))
  const bootstrapServers = await firstLine(child, disorder)
  return {
    bootstrapServers,
    cluster: undefined,
    disorder,
    async end() {
      if (child.exitCode !== null) return void disorder.push(`ended by itself with ${child.exitCode}`)
      const limit = setTimeout(() => child.kill('SIGKILL'), END_LIMIT_MS)
      const ended = once(child, 'close')
      child.kill('SIGINT')
      const [code, signal] = await ended
      clearTimeout(limit)
      if (code !== 0) disorder.push(`ended with ${code ?? signal}`)
    },
  }
}

async function firstLine(child: ChildProcess, disorder: readonly string[]): Promise<string> {
  const gone = once(child, 'exit').then(([code]) => {
    throw new Error(`the command line ended with ${code}: ${disorder.join('')}`)
  })
  gone.catch(() => {})
  const [line] = (await Promise.race([once(createInterface({ input: child.stdout! }), 'line'), gone])) as [string]
  return line.replace('bootstrap.servers=', '')
}

export const places: Readonly<Record<PlaceName, () => Promise<Place>>> = { embedded, 'command line': commandLine }
