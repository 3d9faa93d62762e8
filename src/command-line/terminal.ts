/**
 * Where a command runs: its three streams, and the signals that end it.
 */
import { once } from 'node:events'
import { constants } from 'node:os'
import type { Readable, Writable } from 'node:stream'

export interface Terminal {
  readonly input: Readable
  readonly output: Output
  /** Aborted when somebody wants it to end: it finishes what it has begun. */
  readonly stopped: AbortSignal
  /** A line for people: on stderr. */
  say(line: string): void
}

/** What is printed. Whoever read it may have gone (`| head`): then nothing is written any more, and it says so. */
export class Output {
  readonly #stream: Writable
  readonly #closed = new AbortController()

  constructor(stream: Writable) {
    this.#stream = stream
    stream.on('error', () => this.#closed.abort())
  }

  /** Aborted when nobody reads any more. */
  get closed(): AbortSignal {
    return this.#closed.signal
  }

  /** Resolves when the reader has kept up, or is gone. */
  async write(bytes: Uint8Array | string): Promise<void> {
    if (this.closed.aborted || this.#stream.write(bytes)) return
    await once(this.#stream, 'drain', { signal: this.closed }).catch(() => {})
  }
}

/** Ctrl-C, `kill`, and a terminal that is closed. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** The terminal of this process. The first signal stops the command, the second one ends the process at once. */
export function processTerminal(): Terminal {
  const stopping = new AbortController()
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (stopping.signal.aborted) process.exit(128 + constants.signals[signal])
      stopping.abort()
    })
  }
  process.stderr.on('error', () => {})
  return {
    // Not touched by a command that does not read: a stdin that was opened would keep the process alive.
    get input() {
      return process.stdin
    },
    output: new Output(process.stdout),
    stopped: stopping.signal,
    say: line => void process.stderr.write(`${line}\n`),
  }
}

/** Resolves when the command is to end. */
export async function untilStopped({ stopped }: Terminal): Promise<void> {
  if (!stopped.aborted) await once(stopped, 'abort')
}
