import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EventQueue, QueuedEvent } from '../../src/runtime/event-queue.ts'

type Action =
  | { readonly do: 'push'; readonly at: number }
  | { readonly do: 'take' }
  | { readonly do: 'cancel'; readonly which: number }
  | { readonly do: 'shift'; readonly ms: number }
  | { readonly do: 'clear' }

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('push' as const), at: fc.nat(20) }) },
  { weight: 4, arbitrary: fc.constant({ do: 'take' as const }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('cancel' as const), which: fc.nat(1000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('shift' as const), ms: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'clear' as const }) },
)

test('the queue behaves like a list that is sorted by time, then by sequence', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 200 }), actions => {
      const queue = new EventQueue()
      let model: QueuedEvent[] = []
      const all: QueuedEvent[] = []
      for (const next of actions) {
        if (next.do === 'push') {
          const event = new QueuedEvent(next.at, all.length, () => {})
          all.push(event)
          queue.push(event)
          model.push(event)
        } else if (next.do === 'take') {
          queue.peek()?.cancel()
          model.shift()
        } else if (next.do === 'cancel') {
          const event = all[next.which % Math.max(1, all.length)]
          event?.cancel()
          model = model.filter(other => other !== event)
        } else if (next.do === 'shift') {
          queue.shift(next.ms)
        } else {
          queue.clear()
          model = []
        }
        model.sort((a, b) => a.at - b.at || a.sequence - b.sequence)
        expect(queue.peek()).toBe(model[0])
        expect(queue.size).toBe(model.length)
      }
    }),
  )
})

test('a cancelled event leaves nothing behind, and cancelling it again takes nobody else out', () => {
  const queue = new EventQueue()
  const [first, second] = [new QueuedEvent(1, 0, () => {}), new QueuedEvent(2, 1, () => {})]
  queue.push(first)
  queue.push(second)
  first.cancel()
  first.cancel()
  expect([queue.size, queue.peek()]).toEqual([1, second])
})

test('an event of one queue is not taken out of another', () => {
  const [here, there] = [new EventQueue(), new EventQueue()]
  const [ours, theirs] = [new QueuedEvent(1, 0, () => {}), new QueuedEvent(1, 1, () => {})]
  here.push(ours)
  there.push(theirs)
  here.remove(theirs)
  expect([here.size, there.size]).toEqual([1, 1])
})

test('what was cancelled or cleared can be put in again', () => {
  const queue = new EventQueue()
  const event = new QueuedEvent(1, 0, () => {})
  queue.push(event)
  queue.clear()
  event.cancel()
  queue.push(event)
  expect(queue.peek()).toBe(event)
})
