import type { fetch } from '../apis/fetch.ts'
import type { Life } from '../node/life.ts'
import type { RequestOf, ResponseInput } from '../wire/api.ts'
import { type ErrorName, errorCodes } from '../wire/errors.ts'

type FetchRequest = RequestOf<typeof fetch>
type RequestPartition = FetchRequest['topics'][number]['partitions'][number]
export type FetchedPartition = ResponseInput<typeof fetch>['responses'][number]['partitions'][number]

/** One partition as it is asked for: by name before v13, by id since. */
export interface Asked {
  readonly topic: string
  readonly topicId: string
  readonly index: number
  params: RequestPartition
  /** What the session's client was told last (F-25); −1 before. */
  knownHighWatermark: number
  knownLogStart: number
}

/** What a fetch asks for, and what of the result is sent. */
export interface FetchContext {
  readonly asked: readonly Asked[]
  /** What the response would list; nothing changes by it. */
  listed(results: readonly (readonly [Asked, FetchedPartition])[]): readonly (readonly [Asked, FetchedPartition])[]
  /** Nothing is listed, since the client is throttled (F-13): a session that was to begin does not. Answers the session id. */
  throttled(): number
  /** What the response lists, and under which session id. */
  answer(results: readonly (readonly [Asked, FetchedPartition])[]): {
    readonly sessionId: number
    readonly listed: readonly (readonly [Asked, FetchedPartition])[]
  }
}

interface Session {
  readonly id: number
  readonly usesTopicIds: boolean
  readonly isFollower: boolean
  /** Expected in the next request. */
  epoch: number
  lastUsedAt: number
  /** In the order of service: who got data goes to the end (F-26). */
  partitions: Map<string, Asked>
}

/** `max.incremental.fetch.session.cache.slots`. */
const SLOTS = 1000
/** A session that has been idle for longer may give way. */
const EVICTION_MS = 120_000

/** Incremental fetch sessions (KIP-227; F-20…F-27), of one broker's life. */
export class FetchSessions {
  readonly #life: Life
  readonly #sessions = new Map<number, Session>()

  constructor(life: Life) {
    this.#life = life
  }

  get size(): number {
    return this.#sessions.size
  }

  /** What a session asks for; undefined where there is no such session. For observation. */
  askedIn(sessionId: number): readonly Asked[] | undefined {
    const session = this.#sessions.get(sessionId)
    return session === undefined ? undefined : [...session.partitions.values()]
  }

  /** The context of a request, or the error that ends it; an error leaves the session as it was (F-24). */
  open(request: FetchRequest, version: number, isFollower: boolean): FetchContext | ErrorName {
    const { sessionId, sessionEpoch } = request
    const usesTopicIds = version >= 13
    if (version < 7 || sessionEpoch === -1) {
      this.#sessions.delete(sessionId)
      return sessionless(askedOf(request))
    }
    if (sessionEpoch === 0) {
      this.#sessions.delete(sessionId)
      return this.#create(askedOf(request), usesTopicIds, isFollower)
    }
    const session = this.#sessions.get(sessionId)
    if (session === undefined) return 'FETCH_SESSION_ID_NOT_FOUND'
    if (session.epoch !== sessionEpoch) return 'INVALID_FETCH_SESSION_EPOCH'
    if (session.usesTopicIds !== usesTopicIds) return 'FETCH_SESSION_TOPIC_ID_ERROR'
    return this.#continue(session, request)
  }

  #create(asked: Asked[], usesTopicIds: boolean, isFollower: boolean): FetchContext {
    if (!this.#makeRoom(isFollower)) return sessionless(asked)
    const session: Session = {
      id: this.#freeId(),
      usesTopicIds,
      isFollower,
      epoch: 1,
      lastUsedAt: this.#life.now(),
      partitions: new Map(asked.map(each => [keyOf(each), each])),
    }
    this.#sessions.set(session.id, session)
    return {
      asked,
      listed: results => results,
      throttled: () => {
        this.#sessions.delete(session.id)
        return 0
      },
      answer(results) {
        for (const [each, result] of results) remember(each, result)
        return { sessionId: session.id, listed: results }
      },
    }
  }

  #continue(session: Session, request: FetchRequest): FetchContext {
    session.lastUsedAt = this.#life.now()
    session.epoch = session.epoch === 0x7fffffff ? 1 : session.epoch + 1
    for (const asked of askedOf(request)) {
      const known = session.partitions.get(keyOf(asked))
      if (known === undefined) session.partitions.set(keyOf(asked), asked)
      else known.params = asked.params
    }
    for (const { topic, topicId, partitions } of request.forgottenTopicsData) {
      for (const index of partitions) session.partitions.delete(keyOf({ topic, topicId, index }))
    }
    if (session.partitions.size === 0) {
      this.#sessions.delete(session.id)
      return sessionless([])
    }
    const news = (results: readonly (readonly [Asked, FetchedPartition])[]) =>
      results.filter(([asked, result]) => isNews(asked, result))
    return {
      asked: [...session.partitions.values()],
      listed: news,
      throttled: () => session.id,
      answer(results) {
        const listed = news(results)
        for (const [asked, result] of listed) {
          remember(asked, result)
          if ((result.records?.byteLength ?? 0) === 0) continue
          // The only one is the last one anyway.
          if (session.partitions.size === 1) continue
          const key = keyOf(asked)
          if (session.partitions.delete(key)) session.partitions.set(key, asked)
        }
        return { sessionId: session.id, listed }
      },
    }
  }

  /** Followers' sessions are privileged: they may take the place of a client's (F-27). */
  #makeRoom(isFollower: boolean): boolean {
    if (this.#sessions.size < SLOTS) return true
    const now = this.#life.now()
    let oldest: Session | undefined
    for (const session of this.#sessions.values()) {
      if (session.isFollower && !isFollower) continue
      const mayGo = now - session.lastUsedAt > EVICTION_MS || (isFollower && !session.isFollower)
      if (mayGo && (oldest === undefined || session.lastUsedAt < oldest.lastUsedAt)) oldest = session
    }
    if (oldest === undefined) return false
    this.#sessions.delete(oldest.id)
    return true
  }

  #freeId(): number {
    for (;;) {
      const id = 1 + this.#life.choose('fetch.session', 0x7ffffffe)
      if (!this.#sessions.has(id)) return id
    }
  }
}

function sessionless(asked: Asked[]): FetchContext {
  return {
    asked,
    listed: results => results,
    throttled: () => 0,
    answer: results => ({ sessionId: 0, listed: results }),
  }
}

/** A partition given twice counts as its last mention, at the place of its first (F-5). */
function askedOf(request: FetchRequest): Asked[] {
  const asked = new Map<string, Asked>()
  for (const { topic, topicId, partitions } of request.topics) {
    for (const params of partitions) {
      const each = { topic, topicId, index: params.partition, params, knownHighWatermark: -1, knownLogStart: -1 }
      asked.set(keyOf(each), each)
    }
  }
  return [...asked.values()]
}

function keyOf({ topic, topicId, index }: { topic: string; topicId: string; index: number }): string {
  return `${topicId}/${topic}/${index}`
}

/** F-25: records, a moved bound, a redirect, a divergence, or an error, which is told again every time. */
function isNews(asked: Asked, result: FetchedPartition): boolean {
  return (
    result.errorCode !== errorCodes.NONE ||
    (result.records?.byteLength ?? 0) > 0 ||
    result.highWatermark !== asked.knownHighWatermark ||
    result.logStartOffset !== asked.knownLogStart ||
    (result.preferredReadReplica ?? -1) >= 0 ||
    (result.divergingEpoch?.endOffset ?? -1) >= 0
  )
}

function remember(asked: Asked, result: FetchedPartition): void {
  if (result.errorCode !== errorCodes.NONE) {
    asked.knownHighWatermark = -1
    return
  }
  asked.knownHighWatermark = result.highWatermark
  asked.knownLogStart = result.logStartOffset ?? -1
}
