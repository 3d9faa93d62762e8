const encoder = new TextEncoder()

/** Bytes that `text` takes as UTF-8; a lone surrogate counts as U+FFFD. */
export function sizeOfUtf8(text: string): number {
  const length = text.length
  for (let i = 0; i < length; i++) if (text.charCodeAt(i) >= 0x80) return Buffer.byteLength(text, 'utf8')
  return length
}

/** Writes `text` as UTF-8; answers the position behind it. */
export function writeUtf8(bytes: Uint8Array, at: number, text: string): number {
  const length = text.length
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code >= 0x80) return at + encoder.encodeInto(text, bytes.subarray(at)).written
    bytes[at + i] = code
  }
  return at + length
}

/** What is not UTF-8 reads as U+FFFD (W-32). */
export function readUtf8(bytes: Uint8Array, from: number, to: number): string {
  if (from === to) return ''
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('utf8')
}
