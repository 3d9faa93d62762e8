import type { Runtime } from '../../../runtime/runtime.ts'
import type { ShardTimers } from '../../shard-timers.ts'
import type { ClassicGroup } from './classic-group.ts'
import type { ClassicMember } from './classic-member.ts'

export interface SessionHost {
  readonly runtime: Runtime
  readonly timers: ShardTimers
  /** Some sessions of this group have ended. */
  expired(group: ClassicGroup): void
}

/**
 * Who is still there (G-17). A group has one timer, at the earliest end of a session; a heartbeat only moves the end of its
 * session, and the timer finds out when it goes off: thousands of idle members cost a look every session timeout.
 */
export class ClassicSessions {
  readonly #host: SessionHost

  constructor(host: SessionHost) {
    this.#host = host
  }

  /** It was heard of: its session begins anew. */
  touch(group: ClassicGroup, member: ClassicMember, timeoutMs = member.sessionTimeoutMs): void {
    member.sessionEnds = this.#host.runtime.now() + timeoutMs
    this.#arm(group, member.sessionEnds)
  }

  /** Somebody who was given this id is to join within `timeoutMs`. */
  expect(group: ClassicGroup, memberId: string, timeoutMs: number): void {
    const ends = this.#host.runtime.now() + timeoutMs
    group.pendingMembers.set(memberId, ends)
    this.#arm(group, ends)
  }

  /** Those whose session has ended by now. */
  ended(group: ClassicGroup): { readonly members: ClassicMember[]; readonly pending: string[] } {
    const now = this.#host.runtime.now()
    const members = [...group.members.values()].filter(member => member.sessionEnds <= now && !member.isExcused)
    const pending = [...group.pendingMembers].flatMap(([id, ends]) => (ends <= now ? [id] : []))
    return { members, pending }
  }

  /** As after a fail-over: nobody knows when its members were last heard of. */
  restart(group: ClassicGroup): void {
    for (const member of group.members.values()) this.touch(group, member)
  }

  forget(group: ClassicGroup): void {
    this.#host.timers.cancel(timerKey(group))
    group.sessionTimerAt = Number.POSITIVE_INFINITY
  }

  #arm(group: ClassicGroup, at: number): void {
    if (at >= group.sessionTimerAt) return
    group.sessionTimerAt = at
    const { runtime, timers } = this.#host
    // That all are still there is no progress of anything; that somebody is not, `expired` makes one.
    timers.schedule(timerKey(group), at - runtime.now(), () => this.#look(group), { idle: true })
  }

  /** Virtual time leapt over heartbeats that would all have come: sessions end so much later. */
  leapt(group: ClassicGroup, ms: number): void {
    group.sessionTimerAt += ms
    for (const member of group.members.values()) member.sessionEnds += ms
  }

  #look(group: ClassicGroup): void {
    group.sessionTimerAt = Number.POSITIVE_INFINITY
    const now = this.#host.runtime.now()
    let next = Number.POSITIVE_INFINITY
    let hasEnded = false
    const consider = (ends: number) => {
      if (ends <= now) hasEnded = true
      else next = Math.min(next, ends)
    }
    // Whoever is excused is touched again when the answer goes out that it waits for.
    for (const member of group.members.values()) if (!member.isExcused) consider(member.sessionEnds)
    for (const ends of group.pendingMembers.values()) consider(ends)
    if (hasEnded) this.#host.expired(group)
    this.#arm(group, next)
  }
}

function timerKey(group: ClassicGroup): string {
  return `session of ${group.id}`
}
