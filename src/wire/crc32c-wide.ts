/**
 * CRC-32C at several times the speed of the tables in `crc32c.ts`, for the bodies of big batches: there the checksum is one
 * of a broker's largest costs. Node has no CRC-32C of its own, and WebAssembly no instruction for it, but it has vectors.
 *
 * A checksum is the remainder of what is summed up, as a polynomial, by the polynomial of the checksum. Multiples of that
 * may be added without changing the remainder, and there is one with four terms only (found by search; a test proves it):
 * a byte may be struck out if it is added (XOR) to the bytes 1747, 2830 and 5321 places behind it. So the bytes are struck
 * out from the first one on, sixteen with each step, as each step needs nothing that is less than 1747 bytes old. Only the
 * last 5321 bytes, which have taken up all the others, are summed up by the tables.
 *
 * The module is put together here, instruction by instruction, so that it can be read; it takes less than a millisecond, once.
 */
export const DISTANCES = [1747, 2830, 5321] as const

const VECTOR_BYTES = 16
/** Vectors in one round of the loop. */
const UNROLLED = 4
const ROUND_BYTES = VECTOR_BYTES * UNROLLED
/** What has been struck out and is still to be added to what follows. */
const HISTORY_BYTES = Math.ceil(DISTANCES[2] / 8) * 8
/** So much at a time, that it stays in the nearest cache. */
const BLOCK_BYTES = 24 * 1024
/** In the module's memory: the history, the block behind it, and the last bytes. Room for the phase of the bytes. */
const HISTORY_AT = 0
const BLOCK_AT = HISTORY_AT + HISTORY_BYTES
const TAIL_AT = BLOCK_AT + BLOCK_BYTES + 64
/** Below this the tables are as quick. */
export const WIDE_BYTES = 12 * 1024

/** Answers the checksum of `bytes[from … to)`, at least `WIDE_BYTES`; both checksums are raw, not inverted. */
export type WideCrc = (bytes: Uint8Array, from: number, to: number, crc: number) => number

/** Sums up by tables. */
type PlainCrc = (view: DataView, crc: number) => number

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer }
  /** Strikes out what lies in `[from, to)`: the sums stand `ahead` bytes behind where they are struck out. */
  readonly run: (from: number, to: number, ahead: number) => void
}

/** As much of it as is used: it is none of the types that Node declares. */
interface WebAssemblyObject {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: Exports }
}

/** Undefined where there is no WebAssembly, or none with vectors. */
export function makeWideCrc(plain: PlainCrc): WideCrc | undefined {
  let exports: Exports
  try {
    const { Module, Instance } = (globalThis as unknown as { readonly WebAssembly: WebAssemblyObject }).WebAssembly
    exports = new Instance(new Module(moduleBytes())).exports
  } catch {
    return undefined
  }
  const { run } = exports
  const { buffer } = exports.memory
  const memory = new Uint8Array(buffer)
  return (bytes, from, to, seed) => {
    // Bytes of shared memory are copied a word at a time only if they lie in both memories alike.
    const phase = (bytes.byteOffset + from) % 8
    const blockAt = BLOCK_AT + phase
    const historyAt = HISTORY_AT + phase
    const tailFrom = to - DISTANCES[2] - ((to - from - DISTANCES[2]) % ROUND_BYTES)
    memory.fill(0, historyAt, blockAt)
    for (let at = from; at < tailFrom; at += BLOCK_BYTES) {
      const end = blockAt + Math.min(BLOCK_BYTES, tailFrom - at)
      memory.set(bytes.subarray(at, at + end - blockAt), blockAt)
      if (at === from) for (let byte = 0; byte < 4; byte++) memory[blockAt + byte]! ^= seed >>> (8 * byte)
      run(blockAt, end, 0)
      memory.copyWithin(historyAt, end - HISTORY_BYTES, end)
    }
    const tailBytes = to - tailFrom
    const tailAt = TAIL_AT + ((bytes.byteOffset + tailFrom) % 8)
    memory.set(bytes.subarray(tailFrom, to), tailAt)
    // Nothing of the tail itself is struck out.
    memory.fill(0, blockAt, blockAt + tailBytes + ROUND_BYTES)
    run(blockAt, blockAt + tailBytes, tailAt - blockAt)
    return plain(new DataView(buffer, tailAt, tailBytes), 0)
  }
}

// --- the module ----------------------------------------------------------------------------------------------------------

/** Parameters of `run`. */
const AT = 0
const TO = 1
const AHEAD = 2

const I32 = 0x7f
const I32_LT_U = 0x49
const I32_ADD = 0x6a
const I32_SUB = 0x6b
const LOOP = [0x03, 0x40]
const CONTINUE_IF = [0x0d, 0]
const END = 0x0b

const get = (local: number) => [0x20, local]
const tee = (local: number) => [0x22, local]
const number = (value: number) => [0x41, ...signed(value)]
const load = (offset: number) => [0xfd, 0, 0, ...unsigned(offset)]
const store = (offset: number) => [0xfd, 11, 0, ...unsigned(offset)]
const XOR = [0xfd, 81]

function moduleBytes(): Uint8Array {
  const body = [0, ...code()]
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    // A function that takes three numbers and answers nothing; a page of memory; the names of both.
    ...section(1, [1, 0x60, 3, I32, I32, I32, 0]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, 1]),
    ...section(7, [2, ...text('memory'), 2, 0, ...text('run'), 0, 0]),
    ...section(10, [1, ...unsigned(body.length), ...body]),
  ])
}

/** `sum[at + ahead] ^= sum[at - distance]` for each distance, from `at` to the end. */
function code(): number[] {
  const steps: number[] = []
  for (let step = 0; step < ROUND_BYTES; step += VECTOR_BYTES) {
    const sum = [...get(AT), ...get(AHEAD), I32_ADD]
    steps.push(...sum, ...sum, ...load(step))
    for (const distance of DISTANCES) {
      steps.push(...get(AT), ...number(distance), I32_SUB, ...load(step), ...XOR)
    }
    steps.push(...store(step))
  }
  return [
    ...LOOP,
    ...steps,
    ...[...get(AT), ...number(ROUND_BYTES), I32_ADD, ...tee(AT), ...get(TO), I32_LT_U],
    ...CONTINUE_IF,
    END,
    END,
  ]
}

function section(id: number, body: readonly number[]): number[] {
  return [id, ...unsigned(body.length), ...body]
}

function text(name: string): number[] {
  return [name.length, ...Buffer.from(name)]
}

function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)]
}

function signed(value: number): number[] {
  return value < 0x40 ? [value] : [(value & 0x7f) | 0x80, ...signed(value >>> 7)]
}
