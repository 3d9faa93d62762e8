/**
 * Chance from a seed: xoshiro128** (Blackman, Vigna), seeded by splitmix32 over a hash of the name.
 * A fork has a stream of its own, so that a new draw in one place reshuffles nothing elsewhere.
 */
export class Random {
  #key: number
  readonly #state = new Uint32Array(4)
  readonly #streams = new Map<string, Random>()

  constructor(seed: number, name = '') {
    let hash = (seed ^ 0x9e3779b9) >>> 0
    hash = mix(hash ^ Math.floor(seed / 2 ** 32))
    for (let i = 0; i < name.length; i++) hash = mix((hash ^ name.charCodeAt(i)) >>> 0)
    this.#key = hash
    for (let i = 0; i < 4; i++) {
      hash = (hash + 0x9e3779b9) >>> 0
      this.#state[i] = mix(hash)
    }
  }

  /** A stream of its own, the same for the same name. */
  fork(name: string): Random {
    return new Random(this.#key, name)
  }

  /** An integer from 0 to n − 1, the next of the stream under that name. */
  choose(name: string, n: number): number {
    let stream = this.#streams.get(name)
    if (stream === undefined) {
      stream = this.fork(name)
      this.#streams.set(name, stream)
    }
    return stream.below(n)
  }

  /** All forks and streams from here on are others: what goes on must not draw what it drew in an earlier run. */
  reseed(name: string): void {
    this.#key = this.fork(name).#key
    this.#streams.clear()
  }

  /** An unsigned 32-bit integer. */
  next(): number {
    const s = this.#state
    const s0 = s[0]!
    const s1 = s[1]!
    const s2 = s[2]! ^ s0
    const s3 = s[3]! ^ s1
    const r = Math.imul(s1, 5)
    const result = Math.imul((r << 7) | (r >>> 25), 9) >>> 0
    s[1] = s1 ^ s2
    s[0] = s0 ^ s3
    s[2] = s2 ^ (s1 << 9)
    s[3] = (s3 << 11) | (s3 >>> 21)
    return result
  }

  /** An integer from 0 to n − 1, without bias. */
  below(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > 2 ** 32)
      throw new RangeError(`a draw needs an integer from 1 to 2^32, not ${n}`)
    const limit = 2 ** 32 - (2 ** 32 % n)
    for (;;) {
      const draw = this.next()
      if (draw < limit) return draw % n
    }
  }
}

function mix(value: number): number {
  let z = value >>> 0
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
  return (z ^ (z >>> 15)) >>> 0
}
