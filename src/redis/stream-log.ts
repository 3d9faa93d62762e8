import type { StoreBounds } from '../log/log-store.ts'
import { KafkaError } from '../wire/errors.ts'
import type { NewEntry } from './batch-entries.ts'
import type { Entry } from './client.ts'
import type { StreamKeys } from './keys.ts'

/** Whose stream it is. */
export interface StreamOwner {
  readonly topicId: string
  readonly broker: number
}

/** What `{S}:state` says. */
export interface StreamState extends StreamOwner, StoreBounds {}

/** Opened for writing: whoever opens it next has another token, and from then on this one writes nothing. */
export interface OpenStream extends StoreBounds {
  readonly token: string
}

export type AppendOutcome =
  | { readonly is: 'appended' }
  /** Another one has opened it since. */
  | { readonly is: 'fenced' }
  /** It ends elsewhere. */
  | { readonly is: 'stale'; readonly endOffset: number }
  /** Written, but too few replicas of the server have it. */
  | { readonly is: 'too few replicas'; readonly replicas: number }
  /** What was there is gone, or has been written to by others; what is behind the expected end has to be cut off. */
  | { readonly is: 'damaged'; readonly why: string }

/**
 * One stream and its satellites, in a server (scripts) or in ioredis-mock (WATCH, MULTI, EXEC): every step is atomic, and all
 * that write are refused without the token of the last `open`. Whatever Redis answers to it comes out as it is.
 */
export interface StreamLog {
  readonly keys: StreamKeys
  /** Undefined where there is none. */
  state(): Promise<StreamState | undefined>
  /** Made where there is none; what belongs to another topic id goes. Undefined while it belongs to another broker. */
  open(owner: StreamOwner): Promise<OpenStream | undefined>
  /** All of them behind `expectedEnd`, or none. `isFirst`: the stream may be missing. */
  append(
    token: string,
    expectedEnd: number,
    entries: readonly NewEntry[],
    options: { readonly isFirst: boolean },
  ): Promise<AppendOutcome>
  /** Answers how many replicas of the server have all that was written; with `waitReplicas` only. */
  confirm(token: string): Promise<number>
  /** Entries with ids from `from` on, in order. */
  range(from: number, count: number): Promise<readonly Entry[]>
  /** Whatever is behind `end` goes, also what others added there. */
  truncateTo(token: string, end: number): Promise<StoreBounds>
  trimBefore(token: string, start: number): Promise<StoreBounds>
  replace(token: string, from: number, to: number, entries: readonly NewEntry[]): Promise<void>
  resetTo(token: string, start: number): Promise<StoreBounds>
  save(token: string, name: string, bytes: Uint8Array): Promise<void>
  load(name: string): Promise<Buffer | null>
  /** Gone with all its satellites, where it belongs to this topic id and broker. */
  drop(owner: Partial<StreamOwner>): Promise<void>
}

export function stateOfFields([topicId, broker, start, end]: readonly (string | null)[]): StreamState | undefined {
  if (topicId == null || broker == null || start == null || end == null) return undefined
  return { topicId, broker: Number(broker), startOffset: Number(start), endOffset: Number(end) }
}

/** Why a stream was not written to, or not opened. */
export function refusedFor({ stream }: StreamKeys, is: string | undefined, detail: string | undefined): KafkaError {
  if (is === 'FENCED') return fenced(stream)
  if (is === 'STALE') return stale(stream, Number(detail))
  return new KafkaError('KAFKA_STORAGE_ERROR', `${stream} cannot be used: ${detail ?? is}`)
}

export function fenced(stream: string): KafkaError {
  return new KafkaError('KAFKA_STORAGE_ERROR', `${stream} has been opened by another writer since: this one is fenced`)
}

/** With the end that it has, for who wants to go on from there. */
export function stale(stream: string, endOffset: number, expected?: number): KafkaError {
  const what = expected === undefined ? '' : `, not at ${expected}`
  return new KafkaError('KAFKA_STORAGE_ERROR', `${stream} ends at ${endOffset}${what}: nothing was appended`, {
    endOffset,
  })
}
