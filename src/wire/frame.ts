/**
 * What travels on a connection: slices of immutable memory, in order. Record batches ride in a frame uncopied, from the
 * socket into a leader's store, into a follower's and out to a socket. The int32 length of Kafka's framing (W-1) is not
 * part of a frame: a carrier that needs it writes it.
 */
export interface Frame {
  readonly slices: readonly Uint8Array[]
  readonly length: number
}

export function frameOf(slices: readonly Uint8Array[]): Frame {
  let length = 0
  for (const slice of slices) length += slice.length
  return { slices, length }
}

/** One piece of memory with all bytes of the slices; the slice itself where there is only one. */
export function joined(slices: readonly Uint8Array[]): Uint8Array {
  if (slices.length === 1) return slices[0]!
  let length = 0
  for (const slice of slices) length += slice.length
  const bytes = new Uint8Array(length)
  let at = 0
  for (const slice of slices) {
    bytes.set(slice, at)
    at += slice.length
  }
  return bytes
}
