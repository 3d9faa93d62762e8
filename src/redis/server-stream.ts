import type { StoreBounds } from '../log/log-store.ts'
import type { NewEntry } from './batch-entries.ts'
import { FIELD } from './batch-entries.ts'
import type { Argument, Entry } from './client.ts'
import type { StreamKeys } from './keys.ts'
import {
  addScript,
  appendScript,
  clearSideScript,
  commitScript,
  copyScript,
  dropScript,
  finishScript,
  openScript,
  resetScript,
  type Script,
  saveScript,
  touchScript,
  trimScript,
  truncateScript,
} from './scripts.ts'
import { type Server, textsOf } from './server.ts'
import {
  type AppendOutcome,
  type OpenStream,
  refusedFor,
  type StreamLog,
  type StreamOwner,
  type StreamState,
  stateOfFields,
} from './stream-log.ts'

/** How many entries are copied in one step, when a stream is rewritten: a server does nothing else meanwhile. */
const COPIED_AT_ONCE = 64

/**
 * Batches of up to this size on average go through Lua, all of them in one command; for larger ones its two copies of each cost
 * more than the commands of a transaction.
 */
const SCRIPTED_BYTES = 4_096

/** A stream in a server. */
export class ServerStream implements StreamLog {
  readonly keys: StreamKeys
  readonly #server: Server

  constructor(server: Server, keys: StreamKeys) {
    this.#server = server
    this.keys = keys
  }

  async state(): Promise<StreamState | undefined> {
    return stateOfFields(await this.#server.reader.hmget(this.keys.state, 'id', 'broker', 'start', 'end'))
  }

  async open({ topicId, broker }: StreamOwner): Promise<OpenStream | undefined> {
    const [is, token, start, end] = await this.#server.run(openScript, this.keys, topicId, broker)
    if (is === 'TAKEN') return undefined
    if (is !== 'OK') throw refusedFor(this.keys, is, token)
    return { token: token!, startOffset: Number(start), endOffset: Number(end) }
  }

  async append(
    token: string,
    expectedEnd: number,
    entries: readonly NewEntry[],
    { isFirst }: { readonly isFirst: boolean },
  ): Promise<AppendOutcome> {
    const { hasTransactions, waitReplicas } = this.#server
    const [answer, replicas] =
      hasTransactions && bytesOf(entries) > SCRIPTED_BYTES * entries.length
        ? await this.#appendPlainly(token, expectedEnd, entries, isFirst)
        : await this.#appendByScript(token, expectedEnd, entries, isFirst)
    const [is, detail] = answer
    if (is === 'FENCED') return { is: 'fenced' }
    if (is === 'STALE') return { is: 'stale', endOffset: Number(detail) }
    if (is !== 'OK') return { is: 'damaged', why: detail ?? String(is) }
    return replicas < waitReplicas ? { is: 'too few replicas', replicas } : { is: 'appended' }
  }

  /** Values pass through Lua here, which copies each twice. */
  async #appendByScript(
    token: string,
    expectedEnd: number,
    entries: readonly NewEntry[],
    isFirst: boolean,
  ): Promise<[readonly string[], number]> {
    const args: Argument[] = [token, expectedEnd, isFirst ? 1 : 0]
    for (const { id, value } of entries) args.push(id, value)
    if (this.#server.waitReplicas > 0) return this.#server.runAndWait(appendScript, this.keys, ...args)
    return [await this.#server.run(appendScript, this.keys, ...args), 0]
  }

  /** Values go straight into the stream; the script behind them, in the same transaction, takes them out if they were not due. */
  async #appendPlainly(
    token: string,
    expectedEnd: number,
    entries: readonly NewEntry[],
    isFirst: boolean,
  ): Promise<[readonly string[], number]> {
    const { stream, state } = this.keys
    const commands: [string, ...Argument[]][] = []
    for (const { id, value } of entries) {
      if (isFirst) commands.push(['xadd', stream, id, FIELD, value])
      else commands.push(['xadd', stream, 'NOMKSTREAM', id, FIELD, value])
    }
    const ids = entries.map(({ id }) => id)
    commands.push(['eval', commitScript.source, 2, stream, state, token, expectedEnd, isFirst ? 1 : 0, ...ids])
    const [results, replicas] = await this.#server.transact(commands)
    const answer = textsOf(results.at(-1))
    const failed = ids.findIndex((id, at) => String(results[at]) !== `${id}-0`)
    if (answer[0] !== 'OK' || failed < 0) return [answer, replicas]
    const why = results[failed]
    return [['DAMAGED', `entry ${ids[failed]} cannot be added: ${why instanceof Error ? why.message : why}`], replicas]
  }

  async confirm(token: string): Promise<number> {
    const [answer, replicas] = await this.#server.runAndWait(touchScript, this.keys, token)
    if (answer[0] !== 'OK') throw refusedFor(this.keys, answer[0], answer[1])
    return replicas
  }

  range(from: number, count: number): Promise<readonly Entry[]> {
    return this.#server.reader.xrangeBuffer(this.keys.stream, `${from}`, '+', 'COUNT', count)
  }

  truncateTo(token: string, end: number): Promise<StoreBounds> {
    return this.#bounds(truncateScript, token, end, end + 1)
  }

  trimBefore(token: string, start: number): Promise<StoreBounds> {
    return this.#bounds(trimScript, token, start, start + 1)
  }

  resetTo(token: string, start: number): Promise<StoreBounds> {
    return this.#bounds(resetScript, token, start)
  }

  async replace(token: string, from: number, to: number, entries: readonly NewEntry[]): Promise<void> {
    await this.#run(clearSideScript, token)
    await this.#copy(token, '-', `${from}`)
    for (let at = 0; at < entries.length; at += COPIED_AT_ONCE) {
      const args = entries.slice(at, at + COPIED_AT_ONCE).flatMap(({ id, value }) => [id, value])
      await this.#run(addScript, token, ...args)
    }
    const next = await this.#copy(token, `${to + 1}`, '+')
    await this.#run(finishScript, token, next)
  }

  /** In several steps: appends go on meanwhile. Answers the id from which on nothing has been copied. */
  async #copy(token: string, from: string, to: string): Promise<string> {
    let next = from
    for (;;) {
      const [, last, count] = await this.#run(copyScript, token, next, to, COPIED_AT_ONCE)
      if (last) next = `${Number(last) + 1}`
      if (Number(count) < COPIED_AT_ONCE || (to !== '+' && Number(next) > Number(to))) return next
    }
  }

  async save(token: string, name: string, bytes: Uint8Array): Promise<void> {
    await this.#run(saveScript, token, name, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
  }

  load(name: string): Promise<Buffer | null> {
    return this.#server.reader.hgetBuffer(this.keys.checkpoints, name)
  }

  async drop({ topicId = '', broker }: Partial<StreamOwner>): Promise<void> {
    await this.#server.run(dropScript, this.keys, topicId, broker ?? '')
  }

  async #bounds(script: Script, token: string, ...args: Argument[]): Promise<StoreBounds> {
    const [, start, end] = await this.#run(script, token, ...args)
    return { startOffset: Number(start), endOffset: Number(end) }
  }

  async #run(script: Script, token: string, ...args: Argument[]): Promise<readonly string[]> {
    const answer = await this.#server.run(script, this.keys, token, ...args)
    if (answer[0] !== 'OK') throw refusedFor(this.keys, answer[0], answer[1])
    return answer
  }
}

function bytesOf(entries: readonly NewEntry[]): number {
  let bytes = 0
  for (const { value } of entries) bytes += value.length
  return bytes
}
