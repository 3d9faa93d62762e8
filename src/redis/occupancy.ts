/**
 * Whose keyspace it is: one cluster at a time. The key `{keyspace}:owner` names the process and ends by itself, so a process
 * that was killed is in the way for some seconds at the most, and on the same machine not at all: whoever comes then waits until
 * the key is gone, or sees it renewed and is refused. A process that stood still for longer, and finds somebody else's name there, has lost it; what it still
 * wants to write is refused by the tokens of the streams as well (`StreamLog.open`).
 *
 * The mock is in this process, and so are all who share it: there the key stays until the cluster is closed.
 */
import { hostname } from 'node:os'
import type { Runtime, Timer } from '../runtime/runtime.ts'
import { ConfigError } from '../wire/errors.ts'
import type { CheckedClient } from './client.ts'

/** How long it stays in the way after a process died. */
export const LEASE_MS = 4_000
const RENEWAL_MS = 1_000
const LOOK_MS = 100

const RENEW =
  "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) end return 0"
const RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"

export interface OccupancyOptions {
  readonly client: CheckedClient
  readonly key: string
  readonly keyspace: string
  /** Tells this cluster from all others. */
  readonly id: string
  /** Real milliseconds. */
  readonly sleep: (ms: number) => Promise<void>
}

export class Occupancy {
  readonly #options: OccupancyOptions
  readonly #name: string
  #timer: Timer | undefined
  #ended = false

  constructor(options: OccupancyOptions) {
    this.#options = options
    this.#name = JSON.stringify({ process: process.pid, host: hostname(), id: options.id })
  }

  /** @throws {ConfigError} while it belongs to somebody else who lives */
  async take(): Promise<void> {
    const { client, key, sleep } = this.#options
    if (client.kind === 'mock') {
      const other = await client.client.get(key)
      if (other !== null) throw this.#refusal('a cluster of this process that is open', 'close that first')
      await client.client.set(key, this.#name)
      return
    }
    let leastLeft = Number.POSITIVE_INFINITY
    for (;;) {
      if ((await client.client.set(key, this.#name, 'PX', LEASE_MS, 'NX')) !== null) return
      if (await this.#buried()) continue
      const [other, left] = [await client.client.get(key), Number(await client.client.call('pttl', key))]
      // Renewed: it lives.
      if (other !== null && left > leastLeft) throw this.#refusal(ownerOf(other), 'close it first')
      if (other !== null && left === -1) throw this.#refusal(ownerOf(other), `delete ${key} if it is gone`)
      leastLeft = Math.min(leastLeft, left)
      await sleep(LOOK_MS)
    }
  }

  /** A process of this machine that is no more need not be waited for. */
  async #buried(): Promise<boolean> {
    const { client, key } = this.#options
    const other = await client.client.get(key)
    if (client.kind === 'mock' || other === null || !isDead(other)) return false
    await client.client.call('eval', RELEASE, 1, key, other)
    return true
  }

  /** From now on it is renewed. `lost`: somebody else has it. */
  hold(runtime: Runtime, lost: (by: string) => void): void {
    if (this.#options.client.kind === 'mock' || runtime.time === 'virtual') return
    const renew = () => this.#renew(lost).then(isOurs => isOurs && schedule())
    const schedule = () => {
      if (!this.#ended) this.#timer = runtime.after(RENEWAL_MS, renew, { housekeeping: true })
    }
    schedule()
  }

  /** Answers whether it is still to be renewed. A server that cannot be asked is asked again. */
  async #renew(lost: (by: string) => void): Promise<boolean> {
    const { client, key } = this.#options
    if (client.kind === 'mock') return false
    try {
      if (Number(await client.client.call('eval', RENEW, 1, key, this.#name, LEASE_MS)) === 1) return true
      // It ended while nobody could reach the server, say: if nobody came, it is ours again.
      if ((await client.client.set(key, this.#name, 'PX', LEASE_MS, 'NX')) !== null) return true
      const other = await client.client.get(key)
      if (other === null || other === this.#name) return true
      if (!this.#ended) lost(ownerOf(other))
      return false
    } catch {
      return !this.#ended
    }
  }

  async release(): Promise<void> {
    const { client, key } = this.#options
    this.#ended = true
    this.#timer?.cancel()
    if (client.kind === 'server') await client.client.call('eval', RELEASE, 1, key, this.#name)
    else if ((await client.client.get(key)) === this.#name) await client.client.del(key)
  }

  #refusal(owner: string, advice: string): ConfigError {
    return new ConfigError(
      `the keyspace '${this.#options.keyspace}' is in use by ${owner}: ${advice}, or name another one`,
    )
  }
}

interface Named {
  readonly process: number
  readonly host: string
}

function ownerOf(name: string): string {
  const owner = namedBy(name)
  return owner === undefined ? `somebody else ('${name}')` : `process ${owner.process} on ${owner.host}`
}

function namedBy(name: string): Named | undefined {
  try {
    const { process: pid, host } = JSON.parse(name) as Partial<Named>
    return typeof pid === 'number' && typeof host === 'string' ? { process: pid, host } : undefined
  } catch {
    return undefined
  }
}

/** As far as this process can tell. */
function isDead(name: string): boolean {
  const owner = namedBy(name)
  if (owner === undefined || owner.host !== hostname() || owner.process === process.pid) return false
  try {
    process.kill(owner.process, 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}
