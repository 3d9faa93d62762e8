import type { Timer } from './runtime.ts'

/** One thing that will happen: ordered by time, ties by the order in which they were scheduled. Also its timer. */
export class QueuedEvent implements Timer {
  at: number
  readonly sequence: number
  readonly run: () => unknown
  readonly housekeeping: boolean
  readonly idle: boolean
  /** Where it waits; undefined once it has run or was cancelled. */
  queue: EventQueue | undefined
  /** Place in that queue's heap. */
  place = -1

  constructor(at: number, sequence: number, run: () => unknown, housekeeping = false, idle = false) {
    this.at = at
    this.sequence = sequence
    this.run = run
    this.housekeeping = housekeeping
    this.idle = idle
  }

  cancel(): void {
    this.queue?.remove(this)
  }
}

/** A binary heap whose events know their place, so that a cancelled timer leaves nothing behind. */
export class EventQueue {
  readonly #heap: QueuedEvent[] = []

  get size(): number {
    return this.#heap.length
  }

  peek(): QueuedEvent | undefined {
    return this.#heap[0]
  }

  some(test: (event: QueuedEvent) => boolean): boolean {
    return this.#heap.some(test)
  }

  push(event: QueuedEvent): void {
    event.queue = this
    event.place = this.#heap.length
    this.#heap.push(event)
    this.#up(event)
  }

  /** Nothing happens to an event that does not wait here. */
  remove(event: QueuedEvent): void {
    if (event.queue !== this) return
    const { place } = event
    event.queue = undefined
    event.place = -1
    const last = this.#heap.pop()!
    if (last === event) return
    this.#heap[place] = last
    last.place = place
    this.#up(last)
    this.#down(last)
  }

  clear(): void {
    for (const event of this.#heap) {
      event.queue = undefined
      event.place = -1
    }
    this.#heap.length = 0
  }

  /** All events move by the same time: their order stays. */
  shift(ms: number): void {
    for (const event of this.#heap) event.at += ms
  }

  #up(event: QueuedEvent): void {
    const heap = this.#heap
    let place = event.place
    while (place > 0) {
      const above = (place - 1) >> 1
      const parent = heap[above]!
      if (!isBefore(event, parent)) break
      heap[place] = parent
      parent.place = place
      place = above
    }
    heap[place] = event
    event.place = place
  }

  #down(event: QueuedEvent): void {
    const heap = this.#heap
    const size = heap.length
    let place = event.place
    for (;;) {
      let below = 2 * place + 1
      if (below >= size) break
      const right = below + 1
      if (right < size && isBefore(heap[right]!, heap[below]!)) below = right
      const child = heap[below]!
      if (!isBefore(child, event)) break
      heap[place] = child
      child.place = place
      place = below
    }
    heap[place] = event
    event.place = place
  }
}

export function isBefore(a: QueuedEvent, b: QueuedEvent): boolean {
  return a.at < b.at || (a.at === b.at && a.sequence < b.sequence)
}
