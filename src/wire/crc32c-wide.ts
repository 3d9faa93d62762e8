/**
 * CRC-32C at about twice the speed of the tables in `crc32c.ts`, for the bodies of big batches: there the checksum is the
 * largest single cost of a broker. Node has no CRC-32C of its own, and WebAssembly no instruction for it, but it has vectors.
 *
 * A block is cut into sixteen streams of equal length, whose checksums advance side by side, a byte of each at a time, one
 * lane per stream. The table of a byte is linear, so it is the sum (XOR) of two tables of sixteen entries, one for each
 * half of the byte; and sixteen lookups in sixteen bytes are one instruction, `i8x16.swizzle`. In the end the sixteen
 * checksums are joined: each is advanced over as many zero bytes as lie behind it.
 *
 * The module is put together here, instruction by instruction, so that it can be read; it takes a millisecond, once.
 */

const STREAMS = 16
const STREAM_BYTES = 512
export const WIDE_BLOCK_BYTES = STREAMS * STREAM_BYTES

/** In the module's memory: four tables for the lower half of a byte, four for the upper, one for each byte of a checksum. */
const TABLES_AT = 0
const STATE_AT = 128
const BLOCK_AT = 1024

/** Advances a raw checksum over the whole blocks of `bytes[from … to)`. */
export type WideCrc = (bytes: Uint8Array, from: number, to: number, crc: number) => number

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer }
  readonly run: () => void
}

/** As much of it as is used: it is none of the types that Node declares. */
interface WebAssemblyObject {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: Exports }
}

/** Undefined where there is no WebAssembly, or none with vectors. `table`: the checksum of each byte. */
export function makeWideCrc(table: Int32Array): WideCrc | undefined {
  let exports: Exports
  try {
    const { Module, Instance } = (globalThis as unknown as { readonly WebAssembly: WebAssemblyObject }).WebAssembly
    exports = new Instance(new Module(moduleBytes())).exports
  } catch {
    return undefined
  }
  const { run } = exports
  const memory = new Uint8Array(exports.memory.buffer)
  for (let half = 0; half < 16; half++) {
    for (let byte = 0; byte < 4; byte++) {
      memory[TABLES_AT + byte * 16 + half] = table[half]! >>> (8 * byte)
      memory[TABLES_AT + 64 + byte * 16 + half] = table[half << 4]! >>> (8 * byte)
    }
  }
  const over = zerosTable(table)
  return (bytes, from, to, seed) => {
    let crc = seed
    for (let at = from; at + WIDE_BLOCK_BYTES <= to; at += WIDE_BLOCK_BYTES) {
      memory.set(bytes.subarray(at, at + WIDE_BLOCK_BYTES), BLOCK_AT)
      // The first stream goes on from what came before, the others begin with nothing.
      memory.fill(0, STATE_AT, STATE_AT + 64)
      for (let byte = 0; byte < 4; byte++) memory[STATE_AT + byte * 16] = crc >>> (8 * byte)
      run()
      crc = 0
      for (let lane = STATE_AT; lane < STATE_AT + STREAMS; lane++) {
        const stream =
          memory[lane]! | (memory[lane + 16]! << 8) | (memory[lane + 32]! << 16) | (memory[lane + 48]! << 24)
        crc =
          over[crc & 0xff]! ^
          over[256 + ((crc >>> 8) & 0xff)]! ^
          over[512 + ((crc >>> 16) & 0xff)]! ^
          over[768 + (crc >>> 24)]! ^
          stream
      }
    }
    return crc
  }
}

/** What becomes of each byte of a checksum over the zero bytes of a whole stream. */
function zerosTable(table: Int32Array): Int32Array {
  const ofBit = Array.from({ length: 32 }, (_, bit) => {
    let crc = 1 << bit
    for (let i = 0; i < STREAM_BYTES; i++) crc = (crc >>> 8) ^ table[crc & 0xff]!
    return crc
  })
  const over = new Int32Array(4 * 256)
  for (let at = 0; at < over.length; at++) {
    for (let bit = 0; bit < 8; bit++) if (((at >> bit) & 1) !== 0) over[at]! ^= ofBit[(at >> 8) * 8 + bit]!
  }
  return over
}

// --- the module ----------------------------------------------------------------------------------------------------------

/** Local variables: two numbers, then vectors. */
const AT = 0
const ROW_AT = 1
const STATE = 2
const ROWS = 6
const OTHER_ROWS = 22
const LOWER = 38
const UPPER = 39
const TABLES = 40
const MASK = 48
const VECTORS = MASK - STATE + 1

const I32 = 0x7f
const V128 = 0x7b
const I32_LT_U = 0x49
const I32_ADD = 0x6a
const LOOP = [0x03, 0x40]
const CONTINUE_IF = [0x0d, 0]
const END = 0x0b

const get = (local: number) => [0x20, local]
const set = (local: number) => [0x21, local]
const tee = (local: number) => [0x22, local]
const vector = (operation: number) => [0xfd, ...unsigned(operation)]
const load = (offset: number) => [...vector(0), 0, ...unsigned(offset)]
const store = (offset: number) => [...vector(11), 0, ...unsigned(offset)]
const number = (value: number) => [0x41, ...signed(value)]
const shuffle = (lanes: readonly number[]) => [...vector(13), ...lanes]
const SWIZZLE = vector(14)
const SPLAT = vector(15)
const AND = vector(78)
const XOR = vector(81)
const SHIFT_RIGHT = vector(141)

/** Lanes of two vectors in turn: their first halves, and their second ones. */
const FIRST_HALVES = [0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23]
const SECOND_HALVES = FIRST_HALVES.map(lane => lane + 8)

function moduleBytes(): Uint8Array {
  const body = [2, 2, I32, VECTORS, V128, ...code()]
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    // A function that takes and answers nothing; a page of memory; the names of both.
    ...section(1, [1, 0x60, 0, 0]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, 1]),
    ...section(7, [2, ...text('memory'), 2, 0, ...text('run'), 0, 0]),
    ...section(10, [1, ...unsigned(body.length), ...body]),
  ])
}

function code(): number[] {
  const loads: number[] = []
  for (let at = 0; at < 8; at++) loads.push(...number(0), ...load(TABLES_AT + at * 16), ...set(TABLES + at))
  const stores: number[] = []
  for (let at = 0; at < 4; at++) {
    loads.push(...number(0), ...load(STATE_AT + at * 16), ...set(STATE + at))
    stores.push(...number(0), ...get(STATE + at), ...store(STATE_AT + at * 16))
  }
  return [
    ...loads,
    ...[...number(15), ...SPLAT, ...set(MASK)],
    ...[...number(BLOCK_AT), ...set(AT)],
    ...LOOP,
    ...rowsOfStreams(),
    ...steps(),
    ...[...get(AT), ...number(16), I32_ADD, ...tee(AT), ...number(BLOCK_AT + STREAM_BYTES), I32_LT_U],
    ...CONTINUE_IF,
    END,
    ...stores,
    END,
  ]
}

/** Sixteen bytes of each stream, turned so that row n has the n-th byte of every stream. */
function rowsOfStreams(): number[] {
  const code = [...get(AT), ...set(ROW_AT)]
  for (let stream = 0; stream < STREAMS; stream++) {
    code.push(...get(ROW_AT), ...load(0), ...set(ROWS + stream))
    code.push(...get(ROW_AT), ...number(STREAM_BYTES), I32_ADD, ...set(ROW_AT))
  }
  let [from, to] = [ROWS, OTHER_ROWS]
  for (let round = 0; round < 4; round++) {
    for (let row = 0; row < 8; row++) {
      const pair = [...get(from + row), ...get(from + row + 8)]
      code.push(...pair, ...shuffle(FIRST_HALVES), ...set(to + 2 * row))
      code.push(...pair, ...shuffle(SECOND_HALVES), ...set(to + 2 * row + 1))
    }
    ;[from, to] = [to, from]
  }
  return code
}

/** A byte of each stream goes into its checksum, sixteen times: `crc = (crc >>> 8) ^ table[(crc ^ byte) & 0xff]`. */
function steps(): number[] {
  const code: number[] = []
  for (let row = 0; row < 16; row++) {
    code.push(...get(ROWS + row), ...get(STATE), ...XOR, ...tee(LOWER))
    code.push(...number(4), ...SHIFT_RIGHT, ...get(MASK), ...AND, ...set(UPPER))
    code.push(...get(LOWER), ...get(MASK), ...AND, ...set(LOWER))
    for (let byte = 0; byte < 4; byte++) {
      code.push(...get(TABLES + byte), ...get(LOWER), ...SWIZZLE)
      code.push(...get(TABLES + 4 + byte), ...get(UPPER), ...SWIZZLE, ...XOR)
      if (byte < 3) code.push(...get(STATE + byte + 1), ...XOR)
      code.push(...set(STATE + byte))
    }
  }
  return code
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
