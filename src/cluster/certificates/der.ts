/** What certificates are written in: the part of ASN.1's distinguished encoding (X.690) that they need. */
import type { Buffer as Bytes } from 'node:buffer'

const HIGH = 0x80

/** A tag, the length of what follows, and that. */
export function tagged(tag: number, ...parts: Uint8Array[]): Bytes {
  const content = Buffer.concat(parts)
  return Buffer.concat([Uint8Array.of(tag), lengthOf(content.length), content])
}

/** Up to 127 in one byte; above, how many bytes it takes, and those. */
function lengthOf(length: number): Uint8Array {
  if (length < HIGH) return Uint8Array.of(length)
  const bytes: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return Uint8Array.of(HIGH | bytes.length, ...bytes)
}

export const sequence = (...parts: Uint8Array[]): Bytes => tagged(0x30, ...parts)
export const set = (...parts: Uint8Array[]): Bytes => tagged(0x31, ...parts)
export const boolean = (value: boolean): Bytes => tagged(0x01, Uint8Array.of(value ? 0xff : 0))
export const octets = (bytes: Uint8Array): Bytes => tagged(0x04, bytes)
export const utf8 = (text: string): Bytes => tagged(0x0c, Buffer.from(text))
/** Only for letters, digits and a few signs: countries are written so. */
export const printable = (text: string): Bytes => tagged(0x13, Buffer.from(text))
export const ia5 = (text: string): Bytes => tagged(0x16, Buffer.from(text))
/** `[n]` around something. */
export const explicit = (n: number, ...parts: Uint8Array[]): Bytes => tagged(0xa0 | n, ...parts)
/** `[n]` instead of the type's own tag. */
export const implicit = (n: number, bytes: Uint8Array): Bytes => tagged(HIGH | n, bytes)

/** Big-endian bytes of a number that is not negative. */
export function integer(bytes: Uint8Array): Bytes {
  const needsZero = (bytes[0] ?? 0) >= HIGH
  return tagged(0x02, ...(needsZero ? [Uint8Array.of(0)] : []), bytes)
}

/** `unused`: of the last byte, from the right. */
export function bits(bytes: Uint8Array, unused = 0): Bytes {
  return tagged(0x03, Uint8Array.of(unused), bytes)
}

/** `1.2.840.10045.4.3.2`. */
export function objectId(dotted: string): Bytes {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return tagged(0x06, Uint8Array.from([first * 40 + second, ...rest].flatMap(base128)))
}

function base128(value: number): number[] {
  const bytes = [value % HIGH]
  for (let rest = Math.floor(value / HIGH); rest > 0; rest = Math.floor(rest / HIGH)) {
    bytes.unshift(HIGH | (rest % HIGH))
  }
  return bytes
}

/** Milliseconds since the epoch; two digits for the year until 2049, four from then on (RFC 5280). */
export function time(ms: number): Bytes {
  const text = `${new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, '')}`
  const isShort = Number(text.slice(0, 4)) < 2050
  return isShort ? tagged(0x17, Buffer.from(text.slice(2))) : tagged(0x18, Buffer.from(text))
}
