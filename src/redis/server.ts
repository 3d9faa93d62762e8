import type { Argument, Queue, ServerClient } from './client.ts'
import { isMissingScript } from './failures.ts'
import type { StreamKeys } from './keys.ts'
import type { Script } from './scripts.ts'

export interface ServerOptions {
  /** How many replicas of the server must have each append; 0 for none. */
  readonly waitReplicas: number
  /** How long that may take, in milliseconds. */
  readonly waitTimeoutMs: number
}

/** From this size on what waits is written to the socket. */
const BYTES_AT_ONCE = 1 << 16

/**
 * A server as streams use it. All that writes goes over one connection, so that it is done in the order in which it was sent.
 *
 * That is one of our own, but to a Cluster: ioredis sends again what was not answered when a connection broke, and of a
 * transaction it may send the second half alone. Ours sends nothing again; what became of it is found out by asking. And WAIT
 * holds up what is behind it, which reads had better not be.
 */
export class Server {
  readonly reader: ServerClient
  readonly waitReplicas: number
  /** Large values go into a stream by a transaction of plain commands; to a Cluster through a script, which copies them twice more. */
  readonly hasTransactions: boolean
  readonly #waitTimeoutMs: number
  #own: ReturnType<ServerClient['duplicate']> | undefined

  constructor(client: ServerClient, options: ServerOptions) {
    this.reader = client
    this.waitReplicas = options.waitReplicas
    this.#waitTimeoutMs = options.waitTimeoutMs
    this.hasTransactions = !client.isCluster
  }

  get writer(): ServerClient {
    if (this.#own !== undefined) return this.#own
    if (this.hasTransactions) {
      // Without retries for a request, those that are not sent again would never be answered either.
      const sendsOnce = { autoResendUnfulfilledCommands: false, maxRetriesPerRequest: 0 }
      this.#own = this.reader.duplicate({ ...sendsOnce, enableAutoPipelining: false })
    } else if (this.waitReplicas > 0) this.#own = this.reader.duplicate()
    else return this.reader
    // Whoever sent something is told by its answer.
    this.#own.on('error', () => undefined)
    return this.#own
  }

  close(): void {
    this.#own?.disconnect()
    this.#own = undefined
  }

  /** By its digest, and in full where the server does not know it yet. */
  async run({ sha, source }: Script, keys: StreamKeys, ...args: Argument[]): Promise<readonly string[]> {
    const all: Argument[] = [4, keys.stream, keys.state, keys.checkpoints, keys.side, ...args]
    try {
      return textsOf(await this.writer.call('evalsha', sha, ...all))
    } catch (failure) {
      if (!isMissingScript(failure)) throw failure
      return textsOf(await this.writer.call('eval', source, ...all))
    }
  }

  /** The same, and how many replicas had it then. */
  async runAndWait(script: Script, keys: StreamKeys, ...args: Argument[]): Promise<[readonly string[], number]> {
    const all: Argument[] = [4, keys.stream, keys.state, keys.checkpoints, keys.side, ...args]
    const queued = await this.#waiting(this.writer.pipeline().call('evalsha', script.sha, ...all)).exec()
    const [ran, waited] = queued ?? []
    if (ran?.[0] && isMissingScript(ran[0])) {
      const [again, waitedAgain] =
        (await this.#waiting(this.writer.pipeline().call('eval', script.source, ...all)).exec()) ?? []
      return [textsOf(answered(again)), Number(answered(waitedAgain))]
    }
    return [textsOf(answered(ran)), Number(answered(waited))]
  }

  #waiting(queue: Queue): Queue {
    return queue.call('wait', this.waitReplicas, this.#waitTimeoutMs)
  }

  /**
   * MULTI, the commands, EXEC, sent in one breath, so that nothing of anybody else comes between them. Answers what EXEC
   * answered, and the number of replicas.
   *
   * @throws what kept the first of them from being queued
   */
  async transact(commands: readonly (readonly [string, ...Argument[]])[]): Promise<[readonly unknown[], number]> {
    const { writer } = this
    const { stream } = writer
    let refusal: Error | undefined
    const refused = (error: Error) => {
      refusal ??= error
    }
    // What is small goes to the socket together: a write for each would cost more than the rest. What is large goes at once, so
    // that the server has something to do.
    stream?.cork?.()
    writer.call('multi').catch(refused)
    let corked = 0
    for (const [command, ...args] of commands) {
      writer.call(command, ...args).catch(refused)
      const value = args.at(-1)
      corked += value instanceof Buffer ? value.length : 0
      if (corked < BYTES_AT_ONCE) continue
      stream?.uncork?.()
      stream?.cork?.()
      corked = 0
    }
    const executed = writer.call('exec')
    stream?.uncork?.()
    const waited = this.waitReplicas > 0 ? writer.call('wait', this.waitReplicas, this.#waitTimeoutMs) : undefined
    waited?.catch(refused)
    const results = await executed.catch(error => {
      throw refusal ?? error
    })
    if (!Array.isArray(results)) throw refusal ?? new Error('EXECABORT the transaction was not executed')
    return [results, waited === undefined ? 0 : Number(await waited)]
  }
}

export function textsOf(answer: unknown): readonly string[] {
  if (answer instanceof Error) throw answer
  return Array.isArray(answer) ? answer.map(String) : [String(answer)]
}

function answered(reply: readonly [Error | null, unknown] | undefined): unknown {
  if (reply === undefined) throw new Error('Connection is closed: the pipeline has no answer')
  if (reply[0]) throw reply[0]
  return reply[1]
}
