/**
 * Frames that a broker takes from a socket lie in shared memory (`network/frame-memory.ts` says why), if they are large.
 * Programs of users need not know: not everything takes shared memory (WebCrypto, `Blob`, a message to another thread), so
 * what is handed to them, and to packages of others, is copied out of it first. Batches and their bodies stay where they are.
 */

/** Of a frame: no smaller one lies in shared memory. */
export const LEAST_SHARED_BYTES = 64 * 1024

/** The same bytes in memory that is not shared: a copy only of those that are. */
export function unshared(bytes: Uint8Array): Uint8Array {
  return bytes.buffer instanceof SharedArrayBuffer ? new Uint8Array(bytes) : bytes
}
