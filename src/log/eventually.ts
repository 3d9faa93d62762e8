import type { Eventually } from './log-store.ts'

export function isLater<T>(value: Eventually<T>): value is Promise<T> {
  return value instanceof Promise
}

/** `next` with the value: at once where it is there, later where it is a promise. A throw stays a throw. */
export function thenDo<T, U>(value: Eventually<T>, next: (value: T) => Eventually<U>): Eventually<U> {
  return isLater(value) ? value.then(next) : next(value)
}

/** `step` until it says `true`, without a promise for as long as the steps need none. */
export function repeat(step: () => Eventually<boolean>): Eventually<void> {
  for (;;) {
    const done = step()
    if (isLater(done)) return done.then(ended => (ended ? undefined : repeat(step)))
    if (done) return undefined
  }
}

/** Waits for all, as `Promise.all`, but without a promise where none is among them. */
export function allDone(values: readonly Eventually<unknown>[]): Eventually<void> {
  const later = values.filter(isLater)
  return later.length === 0 ? undefined : Promise.all(later).then(() => undefined)
}
