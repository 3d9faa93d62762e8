import { expect, test } from 'vitest'
import { ClassicGroup } from '../../src/coordinators/groups/classic/classic-group.ts'
import { ClassicMember } from '../../src/coordinators/groups/classic/classic-member.ts'
import { ClassicSessions } from '../../src/coordinators/groups/classic/classic-sessions.ts'
import { ShardTimers } from '../../src/coordinators/shard-timers.ts'
import { PatienceError, VirtualRuntime } from '../../src/runtime/virtual.ts'

/** Members of one group, and who was found to be gone, in milliseconds since the start. */
function sessionsOf(count: number, sessionTimeoutMs: number) {
  const runtime = new VirtualRuntime({ seed: 1 })
  const group = new ClassicGroup('billing')
  const ended: [number, string[]][] = []
  const start = runtime.now()
  const sessions: ClassicSessions = new ClassicSessions({
    runtime,
    timers: new ShardTimers(runtime),
    expired: () => {
      const { members, pending } = sessions.ended(group)
      for (const { id } of members) group.remove(id)
      for (const id of pending) group.remove(id)
      ended.push([runtime.now() - start, [...members.map(({ id }) => id), ...pending]])
    },
  })
  for (let i = 0; i < count; i++) {
    const identity = { id: `m${i}`, instanceId: null, clientId: 'c', clientHost: '/127.0.0.1' }
    const member = new ClassicMember(identity, { protocols: [], rebalanceTimeoutMs: 60_000, sessionTimeoutMs })
    group.add(member, 'consumer')
    sessions.touch(group, member)
  }
  const pass = (ms: number) =>
    runtime.drive('time', () => runtime.sleep(ms, { housekeeping: false }), { patient: true })
  return { runtime, group, sessions, ended, pass }
}

test('an hour of 1,000 idle members costs the coordinator a timer every session timeout (G-17)', async () => {
  const { runtime, group, sessions, ended, pass } = sessionsOf(1_000, 45_000)
  for (let seconds = 0; seconds < 3_600; seconds += 3) {
    for (const member of group.members.values()) sessions.touch(group, member)
    await pass(3_000)
  }
  expect(ended).toEqual([])
  expect(runtime.events - 1_200).toBeLessThanOrEqual(3_600 / 42 + 1)
})

test('each session ends at its own time, to the millisecond, also one that is shorter than those before it', async () => {
  const { group, sessions, ended, pass } = sessionsOf(2, 10_000)
  await pass(4_000)
  sessions.touch(group, group.members.get('m1')!)
  sessions.expect(group, 'pending', 1_500)
  await pass(20_000)
  expect(ended).toEqual([
    [5_500, ['pending']],
    [10_000, ['m0']],
    [14_000, ['m1']],
  ])
})

test('that members are still there is no progress: a call that waits for something else is given up', async () => {
  const { runtime, group, sessions } = sessionsOf(1, 10_000)
  const beat = (): void => {
    sessions.touch(group, group.members.get('m0')!)
    runtime.after(3_000, beat, { housekeeping: true })
  }
  runtime.after(3_000, beat, { housekeeping: true })
  await expect(runtime.drive('something else', () => runtime.deferred().promise)).rejects.toThrow(PatienceError)
})
