import type { Runtime } from '../../../runtime/runtime.ts'
import type { ShardTimers } from '../../shard-timers.ts'

interface Sessions {
  /** When its timer goes off. */
  timerAt: number
  /** Member id → when its session ends unless it is heard of. */
  readonly ends: Map<string, number>
}

export interface SessionHost {
  readonly runtime: Runtime
  readonly timers: ShardTimers
  /** Nothing was heard of this member for its session timeout (G-55). */
  expired(groupId: string, memberId: string): void
}

/**
 * Who was heard of when. A group has one timer, at the end of a session that was the earliest once; heartbeats only move
 * their session's end, which the timer finds out when it goes off: a thousand idle members cost next to nothing.
 */
export class MemberSessions {
  readonly #host: SessionHost
  readonly #groups = new Map<string, Sessions>()

  constructor(host: SessionHost) {
    this.#host = host
  }

  touch(groupId: string, memberId: string, timeoutMs: number): void {
    let sessions = this.#groups.get(groupId)
    if (sessions === undefined) {
      sessions = { timerAt: Number.POSITIVE_INFINITY, ends: new Map() }
      this.#groups.set(groupId, sessions)
    }
    const end = this.#host.runtime.now() + timeoutMs
    sessions.ends.set(memberId, end)
    if (end < sessions.timerAt) this.#arm(groupId, sessions, end)
  }

  /** The member is gone. */
  forget(groupId: string, memberId: string): void {
    const sessions = this.#groups.get(groupId)
    sessions?.ends.delete(memberId)
    if (sessions?.ends.size === 0) this.forgetGroup(groupId)
  }

  forgetGroup(groupId: string): void {
    if (this.#groups.delete(groupId)) this.#host.timers.cancel(keyOf(groupId))
  }

  #arm(groupId: string, sessions: Sessions, at: number): void {
    sessions.timerAt = at
    const { runtime, timers } = this.#host
    // That all are still there is no progress of anything; that somebody is not, `expired` makes one.
    timers.schedule(keyOf(groupId), at - runtime.now(), () => this.#look(groupId, sessions), { idle: true })
  }

  /** Virtual time leapt over heartbeats that would all have come: sessions end so much later. */
  leapt(ms: number): void {
    for (const sessions of this.#groups.values()) {
      sessions.timerAt += ms
      for (const [memberId, end] of sessions.ends) sessions.ends.set(memberId, end + ms)
    }
  }

  #look(groupId: string, sessions: Sessions): void {
    const now = this.#host.runtime.now()
    const ended: string[] = []
    let next = Number.POSITIVE_INFINITY
    for (const [memberId, end] of sessions.ends) {
      if (end <= now) ended.push(memberId)
      else next = Math.min(next, end)
    }
    for (const memberId of ended) sessions.ends.delete(memberId)
    if (sessions.ends.size === 0) this.#groups.delete(groupId)
    else this.#arm(groupId, sessions, next)
    for (const memberId of ended) this.#host.expired(groupId, memberId)
  }
}

function keyOf(groupId: string): string {
  return `consumer sessions of ${groupId}`
}
