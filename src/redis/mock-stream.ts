/**
 * A stream in ioredis-mock, whose streams know XADD, XRANGE and XLEN alone, and take any id. So `end` is what the state says,
 * and what is cut, trimmed or compacted is written anew. What is read and then written depends on WATCH; the mock's WATCH is a
 * matter of the whole client and outlives EXEC, so one such step is taken after the other.
 */
import type { StoreBounds } from '../log/log-store.ts'
import { FIELD, type NewEntry } from './batch-entries.ts'
import type { Entry, MockClient, MockQueue } from './client.ts'
import type { StreamKeys } from './keys.ts'
import {
  type AppendOutcome,
  fenced,
  type OpenStream,
  refusedFor,
  type StreamLog,
  type StreamOwner,
  type StreamState,
  stateOfFields,
} from './stream-log.ts'

/** Steps of one client, one after the other, whoever takes them. */
const turns = new WeakMap<MockClient, Promise<unknown>>()

interface Current {
  readonly topicId: string | null
  readonly broker: string | null
  readonly startOffset: number
  readonly endOffset: number
  readonly token: string | null
}

export class MockStream implements StreamLog {
  readonly keys: StreamKeys
  readonly #client: MockClient

  constructor(client: MockClient, keys: StreamKeys) {
    this.#client = client
    this.keys = keys
  }

  async state(): Promise<StreamState | undefined> {
    return stateOfFields(await this.#client.hmget(this.keys.state, 'id', 'broker', 'start', 'end'))
  }

  open({ topicId, broker }: StreamOwner): Promise<OpenStream | undefined> {
    return this.#step<OpenStream | undefined>(async current => {
      const isOther = current.topicId !== null && current.topicId !== topicId
      if (!isOther && current.topicId !== null && current.broker !== `${broker}`) return { answer: undefined }
      const entries = await this.#entries()
      const known = isOther ? { startOffset: 0, endOffset: 0 } : current.topicId !== null ? current : adopted(entries)
      if (known === undefined) {
        throw refusedFor(this.keys, 'DAMAGED', 'it was there before, and its first entry is no record batch')
      }
      const { startOffset, endOffset } = known
      if (!isOther) this.#requireWhole(known, entries)
      const token = `${Number(current.token ?? 0) + 1}`
      const state = { id: topicId, broker: `${broker}`, start: `${startOffset}`, end: `${endOffset}`, token }
      const write = (queue: MockQueue) => {
        if (isOther) queue.del(...this.#all(entries))
        queue.hset(this.keys.state, state)
      }
      return { write, answer: { token, startOffset, endOffset } }
    })
  }

  /** @throws {KafkaError} for a stream that others wrote to, or cut */
  #requireWhole({ startOffset, endOffset }: StoreBounds, entries: readonly Entry[]): void {
    const last = entries.at(-1)
    const top = last === undefined ? undefined : idOf(last)
    if (top !== undefined && top > endOffset) {
      const why = `it has been written to by others, behind its end, ${endOffset}, up to ${top}-0`
      throw refusedFor(this.keys, 'DAMAGED', why)
    }
    if (top === undefined && startOffset < endOffset) {
      throw refusedFor(this.keys, 'DAMAGED', `its records up to ${endOffset} are gone: the key was deleted or evicted`)
    }
  }

  append(
    token: string,
    expectedEnd: number,
    entries: readonly NewEntry[],
    { isFirst }: { readonly isFirst: boolean },
  ): Promise<AppendOutcome> {
    return this.#step<AppendOutcome>(async current => {
      if (current.token !== token) return { answer: { is: 'fenced' } }
      if (current.endOffset !== expectedEnd) return { answer: { is: 'stale', endOffset: current.endOffset } }
      if (!isFirst && (await this.#client.exists(this.keys.stream)) === 0) {
        return {
          answer: { is: 'damaged', why: `its records up to ${expectedEnd} are gone: the key was deleted or evicted` },
        }
      }
      const write = (queue: MockQueue) => {
        for (const { id, value } of entries) queue.xadd(this.keys.stream, `${id}`, FIELD, value)
        const end = `${entries.at(-1)!.id}`
        queue.hset(this.keys.state, { end })
        queue.publish(this.keys.stream, end)
      }
      return { write, answer: { is: 'appended' } }
    })
  }

  /** There are no replicas to wait for. */
  async confirm(): Promise<number> {
    return 0
  }

  range(from: number, count: number): Promise<readonly Entry[]> {
    return this.#client.xrangeBuffer(this.keys.stream, `${from}`, '+', 'COUNT', count)
  }

  truncateTo(token: string, end: number): Promise<StoreBounds> {
    return this.#rewrite(token, ({ startOffset, endOffset }, entries) => {
      if (end > endOffset || (end === endOffset && !entries.some(entry => idOf(entry) > end))) return undefined
      const kept = entries.filter(entry => idOf(entry) <= end)
      const last = kept.at(-1)
      return { kept, startOffset, endOffset: last === undefined ? startOffset : idOf(last) }
    })
  }

  trimBefore(token: string, start: number): Promise<StoreBounds> {
    return this.#rewrite(token, ({ startOffset, endOffset }, entries) => {
      if (start <= startOffset) return undefined
      const kept = entries.filter(entry => idOf(entry) > start)
      const first = kept[0]
      return { kept, startOffset: first === undefined ? endOffset : baseOf(first), endOffset }
    })
  }

  resetTo(token: string, start: number): Promise<StoreBounds> {
    return this.#rewrite(token, () => ({ kept: [], startOffset: start, endOffset: start }))
  }

  async replace(token: string, from: number, to: number, entries: readonly NewEntry[]): Promise<void> {
    await this.#rewrite(token, ({ startOffset, endOffset }, present) => {
      const before = present.filter(entry => idOf(entry) <= from)
      const after = present.filter(entry => idOf(entry) > to)
      const added = entries.map(({ id, value }): Entry => [Buffer.from(`${id}-0`), [Buffer.from(FIELD), value]])
      return { kept: [...before, ...added, ...after], startOffset, endOffset }
    })
  }

  save(token: string, name: string, bytes: Uint8Array): Promise<void> {
    const copy = Buffer.from(bytes)
    return this.#step<void>(async current => {
      if (current.token !== token) throw fenced(this.keys.stream)
      return { write: queue => queue.hset(this.keys.checkpoints, { [name]: copy }), answer: undefined }
    })
  }

  load(name: string): Promise<Buffer | null> {
    return this.#client.hgetBuffer(this.keys.checkpoints, name)
  }

  drop({ topicId, broker }: Partial<StreamOwner>): Promise<void> {
    return this.#step<void>(async current => {
      if (current.topicId === null) return { answer: undefined }
      if (topicId !== undefined && current.topicId !== topicId) return { answer: undefined }
      if (broker !== undefined && current.broker !== `${broker}`) return { answer: undefined }
      const all = this.#all(await this.#entries())
      return { write: queue => queue.del(...all), answer: undefined }
    })
  }

  #rewrite(
    token: string,
    change: (
      current: Current,
      entries: readonly Entry[],
    ) => ({ readonly kept: readonly Entry[] } & StoreBounds) | undefined,
  ): Promise<StoreBounds> {
    return this.#step<StoreBounds>(async current => {
      if (current.token !== token) throw fenced(this.keys.stream)
      const entries = await this.#entries()
      const changed = change(current, entries)
      const { startOffset, endOffset } = changed ?? current
      const answer = { startOffset, endOffset }
      if (changed === undefined) return { answer }
      const write = (queue: MockQueue) => {
        queue.del(this.keys.stream, ...this.#ghosts(entries))
        for (const [id, fields] of changed.kept) queue.xadd(this.keys.stream, `${parseId(id)}`, ...fieldsOf(fields))
        queue.hset(this.keys.state, { start: `${startOffset}`, end: `${endOffset}` })
      }
      return { write, answer }
    })
  }

  #entries(): Promise<readonly Entry[]> {
    return this.#client.xrangeBuffer(this.keys.stream, '-', '+')
  }

  /** Keys that the mock makes beside those of a stream, and leaves behind. */
  #ghosts(entries: readonly Entry[]): string[] {
    return entries.map(([id]) => `stream:${this.keys.stream}:${id}`)
  }

  #all(entries: readonly Entry[]): string[] {
    const { stream, state, checkpoints, side } = this.keys
    return [stream, state, checkpoints, side, ...this.#ghosts(entries)]
  }

  /** Looks, decides, writes: anew where somebody else wrote to the state in between. */
  async #step<T>(
    decide: (current: Current) => Promise<{ readonly write?: (queue: MockQueue) => unknown; readonly answer: T }>,
  ): Promise<T> {
    const client = this.#client
    const before = turns.get(client)
    const turn = (async () => {
      await before?.catch(() => undefined)
      for (;;) {
        await client.watch(this.keys.state)
        try {
          const [topicId, broker, start, end, token] = await client.hmget(
            this.keys.state,
            'id',
            'broker',
            'start',
            'end',
            'token',
          )
          const bounds = { startOffset: Number(start ?? 0), endOffset: Number(end ?? 0) }
          const { write, answer } = await decide({
            topicId: topicId ?? null,
            broker: broker ?? null,
            token: token ?? null,
            ...bounds,
          })
          if (write === undefined) return answer
          const queue = client.multi()
          write(queue)
          if ((await queue.exec()) !== null) return answer
        } finally {
          await client.unwatch()
        }
      }
    })()
    turns.set(client, turn)
    return turn
  }
}

function parseId(id: Buffer): number {
  return Number.parseInt(String(id), 10)
}

function idOf([id]: Entry): number {
  return parseId(id)
}

function fieldsOf(fields: readonly Buffer[]): (string | Buffer)[] {
  return fields.map((each, at) => (at % 2 === 0 ? String(each) : each))
}

function baseOf([, fields]: Entry): number {
  return Number(fields[1]!.readBigInt64BE(0))
}

/** Of entries that no state tells of; undefined where they are no batches. */
function adopted(entries: readonly Entry[]): StoreBounds | undefined {
  const [first, last] = [entries[0], entries.at(-1)]
  if (first === undefined || last === undefined) return { startOffset: 0, endOffset: 0 }
  if (String(first[1][0]) !== FIELD || (first[1][1]?.length ?? 0) < 61) return undefined
  return { startOffset: baseOf(first), endOffset: idOf(last) }
}
