import type { Deferred } from './runtime.ts'

const ignore = () => {}

/** `settling` is told at the first settlement. A rejection that nobody awaits is not an unhandled one. */
export function deferred<T>(settling?: () => void): Deferred<T> {
  return new Settling<T>(settling)
}

class Settling<T> implements Deferred<T> {
  readonly promise: Promise<T>
  settled = false
  readonly #settling: (() => void) | undefined
  #resolve!: (value: T) => void
  #reject!: (error: unknown) => void

  constructor(settling: (() => void) | undefined) {
    this.#settling = settling
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.promise.catch(ignore)
  }

  resolve(value: T): void {
    if (this.settled) return
    this.settled = true
    this.#settling?.()
    this.#resolve(value)
  }

  reject(error: unknown): void {
    if (this.settled) return
    this.settled = true
    this.#settling?.()
    this.#reject(error)
  }
}

/** Not `instanceof Promise`: a runner that has a realm of its own (Jest) sees promises of another one too. */
export function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
