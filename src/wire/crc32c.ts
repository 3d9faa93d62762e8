import { makeWideCrc, WIDE_BYTES, type WideCrc } from './crc32c-wide.ts'

/** Reflected form of the Castagnoli polynomial (iSCSI). */
const POLYNOMIAL = 0x82f63b78

/** Table k, at k·256, advances the CRC of one byte over k further bytes (slicing-by-16). */
const table = new Int32Array(16 * 256)
for (let byte = 0; byte < 256; byte++) {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) !== 0 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
  table[byte] = crc
}
for (let at = 256; at < table.length; at++) {
  const before = table[at - 256]!
  table[at] = (before >>> 8) ^ table[before & 0xff]!
}

/** So many bytes of big pieces are summed up with the tables before the wide way is made: most tests never need it. */
const WIDE_AFTER_BYTES = 1024 * 1024
let wide: WideCrc | undefined
let untilWide = WIDE_AFTER_BYTES

/** Below this a DataView costs more than it saves, and makes V8 move a small array out of its heap (see RecordBatch). */
const VIEWED_BYTES = 64

/**
 * CRC-32C of `bytes[from … to)`, unsigned. `seed` is the CRC of what came before, so that a checksum runs over several
 * slices: `crc32c(body, 0, body.length, crc32c(head, 21, 61))`.
 */
export function crc32c(bytes: Uint8Array, from = 0, to = bytes.length, seed = 0): number {
  if (to - from >= WIDE_BYTES) {
    if (wide !== undefined) return ~wide(bytes, from, to, ~seed) >>> 0
    if (untilWide > 0) {
      untilWide -= to - from
      if (untilWide <= 0) wide = makeWideCrc(crcOfView)
    }
  }
  if (to - from > VIEWED_BYTES) {
    return ~crcOfView(new DataView(bytes.buffer, bytes.byteOffset + from, to - from), ~seed) >>> 0
  }
  let crc = ~seed
  for (let at = from; at < to; at++) crc = (crc >>> 8) ^ table[(crc ^ bytes[at]!) & 0xff]!
  return ~crc >>> 0
}

/** Sixteen bytes at a time, read as four words: a load each instead of four. Of the raw checksum, not inverted. */
function crcOfView(view: DataView, seed: number): number {
  const t = table
  const { byteLength } = view
  const blocks = byteLength & ~15
  let crc = seed
  for (let at = 0; at < blocks; at += 16) {
    const a = view.getInt32(at, true) ^ crc
    const b = view.getInt32(at + 4, true)
    const c = view.getInt32(at + 8, true)
    const d = view.getInt32(at + 12, true)
    crc =
      t[3840 + (a & 0xff)]! ^
      t[3584 + ((a >>> 8) & 0xff)]! ^
      t[3328 + ((a >>> 16) & 0xff)]! ^
      t[3072 + (a >>> 24)]! ^
      t[2816 + (b & 0xff)]! ^
      t[2560 + ((b >>> 8) & 0xff)]! ^
      t[2304 + ((b >>> 16) & 0xff)]! ^
      t[2048 + (b >>> 24)]! ^
      t[1792 + (c & 0xff)]! ^
      t[1536 + ((c >>> 8) & 0xff)]! ^
      t[1280 + ((c >>> 16) & 0xff)]! ^
      t[1024 + (c >>> 24)]! ^
      t[768 + (d & 0xff)]! ^
      t[512 + ((d >>> 8) & 0xff)]! ^
      t[256 + ((d >>> 16) & 0xff)]! ^
      t[d >>> 24]!
  }
  for (let at = blocks; at < byteLength; at++) crc = (crc >>> 8) ^ t[(crc ^ view.getUint8(at)) & 0xff]!
  return crc
}
