import type { Runtime } from '../runtime/runtime.ts'
import { uuidToText } from '../wire/uuid.ts'

/** A uuid that tells one life of a broker from the next, drawn from the seed. */
export function incarnationId(runtime: Runtime): string {
  const bytes = new Uint8Array(16)
  for (let i = 0; i < 16; i++) bytes[i] = runtime.choose('incarnation', 256)
  // Version 4, variant 1 (RFC 9562), as Kafka's random uuids are.
  bytes[6] = (bytes[6]! & 0x0f) | 0x40
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  return uuidToText(bytes)
}
