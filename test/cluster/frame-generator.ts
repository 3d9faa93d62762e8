import { apis } from '../../src/apis/registry.ts'
import type { Random } from '../../src/runtime/random.ts'
import type { AnyApi } from '../../src/wire/api.ts'
import { joined } from '../../src/wire/frame.ts'
import { encodeRequest } from '../../src/wire/header.ts'
import { Records } from '../../src/wire/records.ts'
import type { AnyField, Fields } from '../../src/wire/schema.ts'

/** What numbers programs trip over. */
const EDGES = [0, 1, -1, 2, 3, 127, 128, 255, 256, 32_767, -32_768, 65_535, 2 ** 31 - 1, -(2 ** 31)]
const TEXTS = [
  '',
  'orders',
  'a',
  'b',
  'nobody',
  '__cluster_metadata',
  '.',
  '../x',
  'ü€😀',
  'x'.repeat(300),
  'retention.ms',
  '1',
]
/** They make what outlives a connection: grammar-made only, so that how much of it there is stays known. */
const LASTING = new Set(['CreateTopics', 'CreatePartitions'])

/** All but the one that, asked as it should be, takes a broker away. */
const brokerApis = apis.filter(api => api.broker !== undefined && api.name !== 'UnregisterBroker')

/** Frames for a broker, without their size: some as a client would send them, some broken, some nothing at all. */
export class FrameGenerator {
  readonly #random: Random
  /** A batch that is right, to be put where records go. */
  readonly #batch: Uint8Array

  constructor(random: Random, batch: Uint8Array) {
    this.#random = random
    this.#batch = batch
  }

  next(correlationId: number): Uint8Array {
    const kind = this.#random.below(10)
    if (kind === 0) return this.#noise(this.#random.below(200))
    const api = this.#pick(brokerApis)
    const made = this.#request(api, correlationId)
    return kind < 4 || LASTING.has(api.name) ? made : this.#mutated(made)
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#random.below(from.length)]!
  }

  #noise(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.#random.below(256))
  }

  #request(api: AnyApi, correlationId: number): Uint8Array {
    const { min, max } = api.versions
    for (;;) {
      const version = min + this.#random.below(max - min + 1)
      try {
        const clientId = this.#pick([null, 'fuzz', 'broker-1', ''])
        return joined(
          encodeRequest(api, version, correlationId, clientId, this.#struct(api.request.fields, version)).slices,
        )
      } catch (error) {
        // A value that this version cannot carry; another draw will do.
        if (!(error instanceof Error) || !/Unsupported|Range/.test(error.name)) throw error
      }
    }
  }

  #struct(fields: Fields, version: number): Record<string, unknown> {
    const value: Record<string, unknown> = {}
    for (const [name, field] of Object.entries(fields)) {
      const { since, until } = field.spans
      if (version >= since && version <= until) value[name] = this.#value(name, field, version)
    }
    return value
  }

  #value(name: string, field: AnyField, version: number): unknown {
    if (version >= field.spans.nullableSince && this.#random.below(5) === 0) return null
    switch (field.kind) {
      case 'array':
        return Array.from({ length: this.#random.below(3) }, () => this.#value(name, field.element!, version))
      case 'struct':
        return this.#struct(field.fields!, version)
      case 'boolean':
        return this.#random.below(2) === 1
      case 'string':
        return this.#pick(TEXTS)
      case 'uuid':
        return Buffer.from(this.#noise(16)).toString('base64url')
      case 'bytes':
        return this.#noise(this.#random.below(20))
      case 'records':
        return new Records([this.#random.below(3) > 0 ? this.#batch : this.#noise(this.#random.below(100))])
      case 'float64':
        return this.#random.below(1000) / 7
      default:
        return this.#integer(name, field.kind)
    }
  }

  #integer(name: string, kind: string): number {
    // What waits for years is right, and no use here.
    if (/wait|timeout/i.test(name)) return this.#random.below(20)
    if (/numPartitions|count|replicationFactor/.test(name)) return this.#pick([-1, 0, 1, 2, 3, 2 ** 15 - 1])
    const bits = Number(/\d+$/.exec(kind)?.[0] ?? 32)
    const value = this.#random.below(2) === 0 ? this.#random.below(4) : this.#pick(EDGES)
    if (bits >= 64) return this.#random.below(20) === 0 ? Number.POSITIVE_INFINITY : value
    return kind.startsWith('u') ? value & (bits === 16 ? 0xffff : 0x7fffffff) : (value << (32 - bits)) >> (32 - bits)
  }

  #mutated(bytes: Uint8Array): Uint8Array {
    let made = Buffer.from(bytes)
    for (let times = 1 + this.#random.below(4); times > 0 && made.length > 0; times--) {
      const at = this.#random.below(made.length)
      switch (this.#random.below(6)) {
        case 0:
          made[at] = made[at]! ^ (1 << this.#random.below(8))
          break
        case 1:
          made[at] = this.#random.below(256)
          break
        case 2:
          made = made.subarray(0, at)
          break
        case 3:
          made = Buffer.concat([made.subarray(0, at), this.#noise(this.#random.below(9)), made.subarray(at)])
          break
        case 4:
          if (at + 4 <= made.length) made.writeInt32BE(this.#pick(EDGES), at)
          break
        default:
          made = Buffer.concat([made, made.subarray(at)])
      }
    }
    return made
  }
}
