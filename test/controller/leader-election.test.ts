import { describe, expect, test } from 'vitest'
import { DrivenController } from './driven-controller.ts'

/** Kafka 4.3.1, four brokers, seen in its metadata log: topics with min.insync.replicas 2, 1 and 3 lose brokers 3, 2, 1. */
const minimums = { elr2: 2, elr1: 1, elr3: 3 }

function threeTopics(features: Record<string, number> = {}): DrivenController {
  const driven = DrivenController.withBrokers(4, { features })
  for (const [name, minimum] of Object.entries(minimums)) {
    driven.createTopic(name, [[1, 2, 3]], { 'min.insync.replicas': minimum })
  }
  return driven
}

/** What a leader does when its followers have caught up: one after the other they join. */
function rejoin(driven: DrivenController, ...proposals: number[][]): void {
  for (const members of proposals) {
    for (const topic of Object.keys(minimums)) {
      const { leader, inSyncReplicas } = driven.partition(topic)
      const joins = members.some(id => !inSyncReplicas.includes(id))
      if (leader === members[0] && joins)
        driven.proposeInSync(
          topic,
          [...members].sort((a, b) => a - b),
        )
    }
  }
}

describe('eligible leader replicas (R-45)', () => {
  test('a broker killed in between is neither in sync nor eligible, so the last leader returns, unclean (R-40, R-42)', async () => {
    const driven = threeTopics()
    for (const id of [3, 2, 1]) await driven.loseBroker(id)
    for (const id of [3, 2, 1]) driven.startBroker(id)
    rejoin(driven, [1, 3], [1, 2, 3])
    expect(driven.history('elr2')).toEqual([
      'leader=1 le=0 pe=0 isr=[1,2,3] replicas=[1,2,3]',
      'leader=1 le=0 pe=1 isr=[1,2] replicas=[1,2,3]',
      'leader=1 le=0 pe=2 isr=[1] elr=[2] replicas=[1,2,3]',
      'leader=-1 le=1 pe=3 isr=[] elr=[1,2] lastKnownElr=[1] replicas=[1,2,3]',
      'leader=-1 le=1 pe=4 isr=[] elr=[1] lastKnownElr=[1] replicas=[1,2,3]',
      'leader=-1 le=1 pe=5 isr=[] lastKnownElr=[1] replicas=[1,2,3]',
      'leader=1 le=2 pe=6 isr=[1] RECOVERING replicas=[1,2,3]',
      'leader=1 le=2 pe=7 isr=[1,3] replicas=[1,2,3]',
      'leader=1 le=2 pe=8 isr=[1,2,3] replicas=[1,2,3]',
    ])
    expect(driven.history('elr1')).toEqual([
      'leader=1 le=0 pe=0 isr=[1,2,3] replicas=[1,2,3]',
      'leader=1 le=0 pe=1 isr=[1,2] replicas=[1,2,3]',
      'leader=1 le=0 pe=2 isr=[1] replicas=[1,2,3]',
      'leader=-1 le=1 pe=3 isr=[] elr=[1] lastKnownElr=[1] replicas=[1,2,3]',
      'leader=-1 le=1 pe=4 isr=[] lastKnownElr=[1] replicas=[1,2,3]',
      'leader=1 le=2 pe=5 isr=[1] RECOVERING replicas=[1,2,3]',
      'leader=1 le=2 pe=6 isr=[1,3] replicas=[1,2,3]',
      'leader=1 le=2 pe=7 isr=[1,2,3] replicas=[1,2,3]',
    ])
    expect(driven.history('elr3')).toEqual([
      'leader=1 le=0 pe=0 isr=[1,2,3] replicas=[1,2,3]',
      'leader=1 le=0 pe=1 isr=[1,2] elr=[3] replicas=[1,2,3]',
      'leader=1 le=0 pe=2 isr=[1] elr=[2,3] replicas=[1,2,3]',
      'leader=-1 le=1 pe=3 isr=[] elr=[1,2,3] lastKnownElr=[1] replicas=[1,2,3]',
      'leader=-1 le=1 pe=4 isr=[] elr=[1,2] lastKnownElr=[1] replicas=[1,2,3]',
      'leader=-1 le=1 pe=5 isr=[] elr=[1] lastKnownElr=[1] replicas=[1,2,3]',
      'leader=-1 le=1 pe=6 isr=[] lastKnownElr=[1] replicas=[1,2,3]',
      'leader=1 le=2 pe=7 isr=[1] RECOVERING replicas=[1,2,3]',
      'leader=1 le=2 pe=8 isr=[1,3] replicas=[1,2,3]',
      'leader=1 le=2 pe=9 isr=[1,2,3] replicas=[1,2,3]',
    ])
  })

  test('a broker that was only silent stays eligible, and leads as soon as it is heard of again', async () => {
    const driven = threeTopics()
    for (const id of [3, 2, 1]) await driven.loseBroker(id)
    driven.resume(3)
    expect(driven.state('elr3')).toBe('leader=3 le=2 pe=4 isr=[3] elr=[1,2] replicas=[1,2,3]')
    driven.resume(2)
    expect(driven.state('elr2')).toBe('leader=2 le=2 pe=4 isr=[2] elr=[1] replicas=[1,2,3]')
    rejoin(driven, [3, 2], [2, 3])
    driven.resume(1)
    rejoin(driven, [3, 2, 1], [2, 3, 1], [1, 3], [1, 2, 3])
    expect(driven.history('elr2').slice(3)).toEqual([
      'leader=-1 le=1 pe=3 isr=[] elr=[1,2] lastKnownElr=[1] replicas=[1,2,3]',
      'leader=2 le=2 pe=4 isr=[2] elr=[1] replicas=[1,2,3]',
      'leader=2 le=2 pe=5 isr=[2,3] replicas=[1,2,3]',
      'leader=2 le=2 pe=6 isr=[1,2,3] replicas=[1,2,3]',
    ])
    expect(driven.history('elr1').slice(3)).toEqual([
      'leader=-1 le=1 pe=3 isr=[] elr=[1] lastKnownElr=[1] replicas=[1,2,3]',
      'leader=1 le=2 pe=4 isr=[1] replicas=[1,2,3]',
      'leader=1 le=2 pe=5 isr=[1,3] replicas=[1,2,3]',
      'leader=1 le=2 pe=6 isr=[1,2,3] replicas=[1,2,3]',
    ])
    expect(driven.history('elr3').slice(3)).toEqual([
      'leader=-1 le=1 pe=3 isr=[] elr=[1,2,3] lastKnownElr=[1] replicas=[1,2,3]',
      'leader=3 le=2 pe=4 isr=[3] elr=[1,2] replicas=[1,2,3]',
      'leader=3 le=2 pe=5 isr=[2,3] elr=[1] replicas=[1,2,3]',
      'leader=3 le=2 pe=6 isr=[1,2,3] replicas=[1,2,3]',
    ])
  })

  test('a broker that was stopped politely stays eligible over its restart (R-53)', async () => {
    const driven = threeTopics()
    const epochs = new Map<number, number>()
    for (const id of [3, 2, 1]) {
      epochs.set(id, driven.epochOf(id))
      await driven.stopBroker(id)
    }
    expect(driven.history('elr2').slice(1)).toEqual([
      'leader=1 le=0 pe=1 isr=[1,2] replicas=[1,2,3]',
      'leader=1 le=0 pe=2 isr=[1] elr=[2] replicas=[1,2,3]',
      'leader=-1 le=1 pe=3 isr=[] elr=[1,2] lastKnownElr=[1] replicas=[1,2,3]',
    ])
    for (const id of [3, 2, 1]) driven.startBroker(id, { previousEpoch: epochs.get(id)! })
    expect(driven.state('elr2')).toBe('leader=2 le=2 pe=4 isr=[2] elr=[1] replicas=[1,2,3]')
    expect(driven.state('elr1')).toBe('leader=1 le=2 pe=4 isr=[1] replicas=[1,2,3]')
    expect(driven.state('elr3')).toBe('leader=3 le=2 pe=4 isr=[3] elr=[1,2] replicas=[1,2,3]')
  })

  test('a killed broker that registers again is no longer eligible while another leads on (X-5)', async () => {
    const driven = threeTopics()
    await driven.loseBroker(3)
    await driven.loseBroker(2)
    expect(driven.state('elr2')).toBe('leader=1 le=0 pe=2 isr=[1] elr=[2] replicas=[1,2,3]')
    driven.startBroker(2)
    expect(driven.state('elr2')).toBe('leader=1 le=0 pe=3 isr=[1] replicas=[1,2,3]')
    driven.proposeInSync('elr2', [1, 2])
    expect(driven.state('elr2')).toBe('leader=1 le=0 pe=4 isr=[1,2] replicas=[1,2,3]')
  })

  test.each([
    ['killed', false],
    ['silent', true],
  ])(
    'without them the last in-sync replica is kept and returns as a clean leader, %s or not (R-44)',
    async (_, silent) => {
      const driven = threeTopics({ 'eligible.leader.replicas.version': 0 })
      for (const id of [3, 2, 1]) await driven.loseBroker(id)
      for (const id of [3, 2, 1]) {
        if (silent) driven.resume(id)
        else driven.startBroker(id)
      }
      for (const topic of Object.keys(minimums)) {
        expect(driven.history(topic)).toEqual([
          'leader=1 le=0 pe=0 isr=[1,2,3] replicas=[1,2,3]',
          'leader=1 le=0 pe=1 isr=[1,2] replicas=[1,2,3]',
          'leader=1 le=0 pe=2 isr=[1] replicas=[1,2,3]',
          'leader=-1 le=1 pe=3 isr=[1] replicas=[1,2,3]',
          'leader=1 le=2 pe=4 isr=[1] replicas=[1,2,3]',
        ])
      }
    },
  )
})
