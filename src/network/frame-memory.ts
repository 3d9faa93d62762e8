import { LEAST_SHARED_BYTES } from '../wire/shared-memory.ts'

/**
 * Memory for the frames that a broker takes from its sockets.
 *
 * V8 counts the memory of buffers, and collects all garbage for every 15 to 25 MB of it in a heap as small as a test's:
 * a broker under load spent half of its processor time on that, to find that its logs still hold nearly all of it. Shared
 * memory is not counted (it could be counted twice), but it is freed like any other. So frames are put there, up to
 * 128 MB from one full collection to the next; behind that, in memory that V8 counts, so that it collects soon. What is
 * held beyond need is at most that much more.
 */
const UNCOUNTED_BYTES = 128 * 1024 * 1024

/** Since the last full collection. */
let taken = 0
let collections: FinalizationRegistry<undefined> | undefined

/** `bytes` that are not zeroed: whoever asks fills them. */
export function frameMemory(bytes: number): Buffer {
  if (bytes < LEAST_SHARED_BYTES || taken > UNCOUNTED_BYTES) return Buffer.allocUnsafeSlow(bytes)
  if (collections === undefined) {
    collections = new FinalizationRegistry(collected)
    collected()
  }
  taken += bytes
  return Buffer.from(new SharedArrayBuffer(bytes))
}

/** A value that nobody holds is gone with the next full collection; young ones leave it alone. */
function collected(): void {
  taken = 0
  collections!.register({}, undefined)
}
