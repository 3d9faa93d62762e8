import type { Deferred } from './runtime.ts'

/** `settling` is told at the first settlement. A rejection that nobody awaits is not an unhandled one. */
export function deferred<T>(settling?: () => void): Deferred<T> {
  let resolvePromise!: (value: T) => void
  let rejectPromise!: (error: unknown) => void
  const promise = new Promise<T>((resolve, reject) => {
    resolvePromise = resolve
    rejectPromise = reject
  })
  promise.catch(() => {})
  let settled = false
  return {
    promise,
    get settled() {
      return settled
    },
    resolve(value) {
      if (settled) return
      settled = true
      settling?.()
      resolvePromise(value)
    },
    reject(error) {
      if (settled) return
      settled = true
      settling?.()
      rejectPromise(error)
    },
  }
}

/** Not `instanceof Promise`: a runner that has a realm of its own (Jest) sees promises of another one too. */
export function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
