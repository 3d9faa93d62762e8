import { crc32c } from '../wire/crc32c.ts'
import { KafkaError } from '../wire/errors.ts'
import { ProducerState } from './producer-state.ts'

/**
 * A producer snapshot in the layout of Kafka's `.snapshot` files (ProducerSnapshot v1): version int16, CRC-32C uint32 of
 * all that follows it, then the producers with *one* batch each, so that a restart finds a window of one (I-14).
 */
const VERSION = 1
const HEADER_BYTES = 10
const CRC_AT = 2
const CRC_FROM = 6
const ENTRY_BYTES = 8 + 2 + 4 + 8 + 4 + 8 + 4 + 8

export function producerSnapshotBytes(producers: Iterable<ProducerState>): Uint8Array {
  const entries = [...producers]
  const bytes = new Uint8Array(HEADER_BYTES + entries.length * ENTRY_BYTES)
  const view = new DataView(bytes.buffer)
  view.setInt16(0, VERSION)
  view.setInt32(CRC_FROM, entries.length)
  let at = HEADER_BYTES
  for (const producer of entries) {
    const last = producer.batches.at(-1)
    setInt64(view, at, producer.producerId)
    view.setInt16(at + 8, producer.producerEpoch)
    view.setInt32(at + 10, last?.lastSequence ?? -1)
    setInt64(view, at + 14, last?.lastOffset ?? -1)
    view.setInt32(at + 22, last?.offsetDelta ?? 0)
    setInt64(view, at + 26, producer.lastTimestamp)
    view.setInt32(at + 34, producer.coordinatorEpoch)
    setInt64(view, at + 38, producer.currentTransactionFirstOffset)
    at += ENTRY_BYTES
  }
  view.setUint32(CRC_AT, crc32c(bytes, CRC_FROM))
  return bytes
}

/** @throws {KafkaError} CORRUPT_MESSAGE if version, length or CRC are not what they should be. */
export function producersOfSnapshot(bytes: Uint8Array): ProducerState[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const count = bytes.length < HEADER_BYTES ? -1 : view.getInt32(CRC_FROM)
  if (count < 0 || view.getInt16(0) !== VERSION || bytes.length !== HEADER_BYTES + count * ENTRY_BYTES) {
    throw new KafkaError('CORRUPT_MESSAGE', 'this is not a producer snapshot of version 1')
  }
  if (view.getUint32(CRC_AT) !== crc32c(bytes, CRC_FROM)) {
    throw new KafkaError('CORRUPT_MESSAGE', 'the CRC of a producer snapshot does not fit its bytes')
  }
  const producers: ProducerState[] = []
  for (let i = 0, at = HEADER_BYTES; i < count; i++, at += ENTRY_BYTES) {
    const producer = new ProducerState(int64(view, at))
    producer.producerEpoch = view.getInt16(at + 8)
    const timestamp = int64(view, at + 26)
    const lastOffset = int64(view, at + 14)
    if (lastOffset >= 0) {
      const lastSequence = view.getInt32(at + 10)
      producer.batches = [{ lastSequence, lastOffset, offsetDelta: view.getInt32(at + 22), timestamp }]
    }
    producer.lastTimestamp = timestamp
    producer.coordinatorEpoch = view.getInt32(at + 34)
    producer.currentTransactionFirstOffset = int64(view, at + 38)
    producers.push(producer)
  }
  return producers
}

/** Timestamps may be ±Infinity (Long.MAX, Long.MIN off the wire); all else is a safe integer. */
function setInt64(view: DataView, at: number, value: number): void {
  if (value === Number.POSITIVE_INFINITY) view.setBigInt64(at, 0x7fffffffffffffffn)
  else if (value === Number.NEGATIVE_INFINITY) view.setBigInt64(at, -0x8000000000000000n)
  else {
    view.setInt32(at, Math.floor(value / 2 ** 32))
    view.setUint32(at + 4, value >>> 0)
  }
}

function int64(view: DataView, at: number): number {
  const value = view.getInt32(at) * 2 ** 32 + view.getUint32(at + 4)
  if (Number.isSafeInteger(value)) return value
  return value > 0 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY
}
