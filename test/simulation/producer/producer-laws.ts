import { BufferExhaustedError, type KafkaError } from '../../../src/wire/errors.ts'
import type { ProducerOutcome, SentRecord } from './producer-universe.ts'

/** Each law answers its witnesses: none when it holds. */

/** Every send settles, its promise and its callback once each. */
export function unsettled({ sent }: ProducerOutcome): string[] {
  return sent
    .filter(({ settled, called }) => settled !== 1 || called !== 1)
    .map(({ index, settled, called }) => `record ${index} settled ${settled} times, its callback came ${called} times`)
}

/** buffer.memory is never exceeded, and all of it is there in the end. */
export function missingMemory({ leastFree, freeAtEnd, memory }: ProducerOutcome): string[] {
  const witnesses: string[] = []
  if (leastFree < 0) witnesses.push(`buffer.memory was exceeded by ${-leastFree} bytes`)
  if (freeAtEnd !== memory) witnesses.push(`${freeAtEnd} of ${memory} bytes of buffer.memory are free in the end`)
  return witnesses
}

/** What is acknowledged at an offset is there. */
export function misplaced({ sent, logs }: ProducerOutcome): string[] {
  return sent
    .filter(({ partition, offset, index }) => offset >= 0 && logs[partition]![offset] !== index)
    .map(({ index, partition, offset }) => `record ${index} is not at offset ${offset} of partition ${partition}`)
}

/** Records of a partition have the order of their sends in the log. */
export function outOfOrder({ logs }: ProducerOutcome): string[] {
  const witnesses: string[] = []
  for (const [partition, log] of logs.entries()) {
    for (const [offset, index] of log.entries()) {
      const before = log[offset - 1]
      if (before !== undefined && index < before) {
        witnesses.push(`partition ${partition} has record ${index} behind record ${before}`)
      }
    }
  }
  return witnesses
}

/** No record is in the log twice. */
export function twice({ logs }: ProducerOutcome): string[] {
  const all = logs.flat()
  return [...new Set(all.filter((index, at) => all.indexOf(index) !== at))].map(
    index => `record ${index} is there twice`,
  )
}

/** It was never queued: its end has no place among those that were. */
function isRefusedAtOnce({ error }: SentRecord): boolean {
  if (error === undefined) return false
  return error instanceof BufferExhaustedError || (error as KafkaError).errorName === 'MESSAGE_TOO_LARGE'
}

/** Callbacks of a partition come in the order of the sends. */
export function calledOutOfOrder({ sent, told }: ProducerOutcome): string[] {
  const witnesses: string[] = []
  const last = new Map<number, number>()
  for (const index of told) {
    const record = sent[index]!
    const partition = record.asked ?? record.partition
    if (partition < 0 || isRefusedAtOnce(record)) continue
    const before = last.get(partition) ?? -1
    if (index < before) witnesses.push(`the callback of record ${index} came behind that of record ${before}`)
    last.set(partition, Math.max(before, index))
  }
  return witnesses
}
