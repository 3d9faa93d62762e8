/** The command line as it is installed, in processes of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Project } from '../doors/project.ts'

const PATIENCE_MS = 15_000

/** A command that was typed, while it runs and after. */
export class Typed {
  readonly process: ChildProcess
  output = ''
  errors = ''
  readonly #ended: Promise<number | string>

  /** `input` is all of its stdin; left out, stdin stays open. */
  constructor(project: Project, args: readonly string[], input?: string | Buffer) {
    const { NO_COLOR: _, FORCE_COLOR: __, VITEST: ___, MINI_KAFKA_SEED: ____, ...env } = process.env
    const program = join(project.folder, 'node_modules/mini-kafka/dist/esm/cli.js')
    this.process = spawn(process.execPath, [program, ...args], { cwd: project.folder, env })
    this.process.stdout!.setEncoding('utf8').on('data', text => {
      this.output += text
    })
    this.process.stderr!.setEncoding('utf8').on('data', text => {
      this.errors += text
    })
    // A command may end before it has read its input.
    this.process.stdin!.on('error', () => {})
    if (input !== undefined) this.process.stdin!.end(input)
    this.#ended = once(this.process, 'close').then(([code, signal]) => code ?? signal)
  }

  /** The lines of stdout so far. */
  get lines(): string[] {
    return this.output.split('\n').slice(0, -1)
  }

  /** The exit code, or the signal that ended it. */
  async ended(): Promise<number | string> {
    return within(`it ends\n${this.output}${this.errors}`, this.#ended)
  }

  /** Waits until it has printed so many lines on stdout. */
  async printed(lines: number): Promise<string[]> {
    for (const end = Date.now() + PATIENCE_MS; this.lines.length < lines; ) {
      if (Date.now() > end || this.process.exitCode !== null) {
        throw new Error(`${this.lines.length} of ${lines} lines came:\n${this.output}\n${this.errors}`)
      }
      await new Promise(resolve => setTimeout(resolve, 10))
    }
    return this.lines
  }

  interrupt(signal: NodeJS.Signals = 'SIGINT'): Promise<number | string> {
    this.process.kill(signal)
    return this.ended()
  }
}

/** `bootstrap.servers` of a cluster that was started. */
export async function serversOf(started: Typed): Promise<string> {
  const [first] = await started.printed(1)
  return first!.replace(/^bootstrap\.servers=/, '')
}

async function within<T>(what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${PATIENCE_MS} ms: ${what}`)), PATIENCE_MS)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
