import { initProducerId } from '../../../src/apis/init-producer-id.ts'
import { produce } from '../../../src/apis/produce.ts'
import { type BatchOptions, batchOf, type NewRecord } from '../../../src/wire/batch-builder.ts'
import { Records } from '../../../src/wire/records.ts'
import type { Play } from '../play.ts'

/** Records of these values, with the time of the chapter's beginning unless said. */
export function recordsWith(
  play: Play,
  records: readonly (string | NewRecord)[],
  options: BatchOptions & { readonly timestamp?: number } = {},
): Records {
  const list = records.map(record => (typeof record === 'string' ? { value: record } : record))
  return Records.of([batchOf(list, { timestamp: play.startedAt, ...options })])
}

/** The bytes of these records, changed by hand. */
export function damaged(records: Records, change: (bytes: Buffer) => Buffer | void): Records {
  const bytes = Buffer.concat(records.slices.map(slice => Buffer.from(slice)))
  return new Records([change(bytes) ?? bytes])
}

/** One partition's worth of a Produce request. */
export function producing(name: string, topicId: string, index: number, records: Records | null, more: object = {}) {
  return {
    transactionalId: null,
    acks: -1,
    timeoutMs: 15_000,
    topicData: [{ name, topicId, partitionData: [{ index, records }] }],
    ...more,
  }
}

/** No step: one batch for each list of values, each of which must be appended. */
export async function fill(
  play: Play,
  { name, partition = 0, to = 1 }: { readonly name: string; readonly partition?: number; readonly to?: number },
  batches: readonly (readonly (string | NewRecord)[])[],
  options: BatchOptions & { readonly timestamp?: number } = {},
): Promise<void> {
  for (const records of batches) {
    const body = producing(name, '', partition, recordsWith(play, records, options))
    const { responses } = await play.request(produce, 12, body, { to })
    const { errorCode } = responses[0]!.partitionResponses[0]!
    if (errorCode !== 0) throw new Error(`${name}-${partition} at ${to}: error ${errorCode}`)
  }
}

/** No step: an id for a producer, once the broker has some. */
export async function newProducerId(play: Play, to = 1): Promise<number> {
  let id = -1
  await play.until('there are producer ids', async () => {
    const body = { transactionalId: null, transactionTimeoutMs: 60_000 }
    const found = await play.request(initProducerId, 5, body, { to })
    id = found.producerId
    return found.errorCode === 0
  })
  return id
}
