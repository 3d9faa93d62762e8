import { IllegalArgumentError } from './errors.ts'

/** "No id": sixteen zero bytes. */
export const zeroUuid = 'AAAAAAAAAAAAAAAAAAAAAA'

/** The text of the 16 bytes from `at` on: URL-safe base64 without padding, 22 characters (W-23). */
export function uuidToText(bytes: Uint8Array, at = 0): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + at, 16).toString('base64url')
}

/**
 * A random one (RFC 9562, version 4) from a draw of 0 to n − 1; like Kafka's none whose text begins with '-', which tools
 * take for an option.
 */
export function drawUuid(draw: (n: number) => number): string {
  const bytes = new Uint8Array(16)
  const view = new DataView(bytes.buffer)
  for (;;) {
    for (let at = 0; at < 16; at += 4) view.setUint32(at, draw(2 ** 32))
    bytes[6] = (bytes[6]! & 0x0f) | 0x40
    bytes[8] = (bytes[8]! & 0x3f) | 0x80
    const text = uuidToText(bytes)
    if (!text.startsWith('-')) return text
  }
}

/** @throws {IllegalArgumentError} if `text` is not a uuid's. */
export function uuidFromText(text: string): Uint8Array {
  const bytes = new Uint8Array(16)
  if (text === zeroUuid) return bytes
  if (text.length !== 22) throw notUuid(text)
  let at = 0
  for (let i = 0; i < 20; i += 4) {
    const bits = (digit(text, i) << 18) | (digit(text, i + 1) << 12) | (digit(text, i + 2) << 6) | digit(text, i + 3)
    bytes[at++] = bits >> 16
    bytes[at++] = bits >> 8
    bytes[at++] = bits
  }
  bytes[at] = (digit(text, 20) << 2) | (digit(text, 21) >> 4)
  return bytes
}

const digits = new Int8Array(128).fill(-1)
for (const [value, char] of [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'].entries()) {
  digits[char.charCodeAt(0)] = value
}

function digit(text: string, at: number): number {
  const value = digits[text.charCodeAt(at)] ?? -1
  if (value < 0) throw notUuid(text)
  return value
}

function notUuid(text: string): Error {
  return new IllegalArgumentError(`'${text}' is not a uuid: 22 characters of URL-safe base64 are expected`)
}
