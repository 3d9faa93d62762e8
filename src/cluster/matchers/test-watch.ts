import type { Cluster } from '../cluster.ts'
import { type ClusterWatch, clusterWatches } from '../clusters.ts'
import { FaultsNeverFiredError } from '../scripted-faults.ts'
import { matchers } from './all.ts'
import { show } from './likeness.ts'

/** A matcher whose promise nobody looked at: whatever it found, no test heard of it. */
export class NotAwaitedError extends Error {
  override readonly name = 'NotAwaitedError'
}

type Matcher = (this: unknown, received: unknown, ...args: readonly unknown[]) => Promise<unknown>

/**
 * What a door to a runner knows of the test that runs: the clusters that it made, and its matchers that nobody awaits.
 * Simplification: a runner that runs tests of one file at the same time does not say which of them made a cluster; then
 * only clusters that are closed count for the test that ends.
 */
export class TestWatch implements ClusterWatch {
  #clusters: Cluster[] = []
  #notAwaited = new Set<NotAwaitedError>()
  #isTesting = false

  constructor() {
    clusterWatches().add(this)
  }

  /** Between tests what is closed is nobody's any more: a runner may never say again that a test begins. */
  created(cluster: Cluster): void {
    if (!this.#isTesting) this.#clusters = this.#clusters.filter(each => !each.isClosed)
    this.#clusters.push(cluster)
  }

  /** A test begins. What was made before it, and is still open, is shared: it was not this test that ordered its faults. */
  begin(): void {
    this.#isTesting = true
    this.#clusters = this.#clusters.filter(cluster => !cluster.isClosed)
    this.#shared = new Set(this.#clusters)
  }

  #shared: ReadonlySet<Cluster> = new Set()

  /** Seeds of all clusters that the test could use, each once. */
  seeds(): number[] {
    return [...new Set(this.#clusters.map(cluster => cluster.seed))]
  }

  /** Of a test that failed: what its clusters waited for in vain. */
  standstills(): string[] {
    return this.#clusters.flatMap(cluster => cluster.standstill?.() ?? [])
  }

  /** A test ends: what it has to be told, if it did not fail by itself. */
  end({ concurrent = false } = {}): Error[] {
    this.#isTesting = false
    const ended = this.#clusters.filter(cluster => !this.#shared.has(cluster) && (cluster.isClosed || !concurrent))
    const problems: Error[] = [...this.#notAwaited]
    const faults = ended.flatMap(cluster => cluster.faultsThatNeverFired())
    if (faults.length > 0) problems.push(new FaultsNeverFiredError(faults))
    this.#notAwaited.clear()
    this.#clusters = this.#clusters.filter(cluster => !ended.includes(cluster))
    return problems
  }

  /** The matchers, such that it shows whether somebody awaits them. */
  get matchers(): typeof matchers {
    const tracked = Object.entries(matchers).map(([name, matcher]) => [name, this.#tracked(name, matcher as Matcher)])
    return Object.fromEntries(tracked)
  }

  #tracked(name: string, matcher: Matcher): Matcher {
    const watch = this
    return function tracked(this: unknown, received: unknown, ...args: readonly unknown[]) {
      const result = matcher.call(this, received, ...args)
      const about = typeof args[0] === 'string' ? show(args[0]) : ''
      const error = new NotAwaitedError(
        `nobody awaited expect(cluster).${name}(${about}…): whatever it found, this test did not hear of it`,
      )
      Error.captureStackTrace(error, tracked)
      watch.#notAwaited.add(error)
      return watched(result, { awaited: () => watch.#notAwaited.delete(error), calledAt: framesOf(error) })
    }
  }
}

/**
 * Runners chain what judges the result, Vitest by `then`, Jest by `then` and `catch`, and hand on what comes out: whoever
 * awaits that calls `then` of it. No promise of the language's own, since `await` looks into those and calls nothing.
 */
function watched<T>(result: Promise<T>, call: Call): Promise<T> {
  const judged: PromiseLike<T> = {
    // biome-ignore lint/suspicious/noThenProperty: it is to be chained
    then: (onValue, onError) =>
      told(
        result.then(onValue, onError).catch(error => raise(error, call)),
        call,
      ),
  }
  return judged as Promise<T>
}

interface Call {
  awaited(): void
  /** Lines of a stack. */
  readonly calledAt: readonly string[]
}

function told<T>(verdict: Promise<T>, call: Call): Promise<T> {
  // Where nobody awaits it, the door fails the test: a rejection beside it would only be noise.
  verdict.catch(() => {})
  return {
    // biome-ignore lint/suspicious/noThenProperty: it is to be awaited
    then: (onValue, onError) => {
      call.awaited()
      return verdict.then(onValue, onError)
    },
    catch: onError => told(verdict.catch(onError), call),
    finally: onEnd => told(verdict.finally(onEnd), call),
    [Symbol.toStringTag]: 'Promise',
  }
}

/** The language follows only its own promises back to who awaits them: so the failure is told where it was asked for. */
function raise(error: unknown, { calledAt }: Call): never {
  if (error instanceof Error && error.stack !== undefined && !calledAt.some(frame => error.stack!.includes(frame))) {
    error.stack = [error.stack, ...calledAt].join('\n')
  }
  throw error
}

function framesOf({ stack = '' }: Error): string[] {
  return stack.split('\n').filter(line => /^\s+at /.test(line))
}

/** The line that runs one test again with the same chance. `command`: of the runner, with the file. */
export function replayLine(seed: number, command: string, name: string): string {
  return `MINI_KAFKA_SEED=${seed} ${command} -t "${inShell(inPattern(name))}"`
}

/** Runners take names as regular expressions. */
function inPattern(name: string): string {
  return name.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}

function inShell(text: string): string {
  return text.replaceAll(/[\\"$`]/g, '\\$&')
}

/** What is printed for a failed test. */
export function replayText(seeds: readonly number[], command: string, name: string): string {
  const one = seeds.length === 1 ? `the seed of this test's cluster was ${seeds[0]}` : `seeds: ${seeds.join(', ')}`
  return [`mini-kafka: ${one}. The same again:`, ...seeds.map(seed => `  ${replayLine(seed, command, name)}`)].join(
    '\n',
  )
}
