import type { Runtime } from '../runtime/runtime.ts'
import type { CoordinatorPlace } from './coordinator-lookup.ts'
import { readable } from './group-lag.ts'
import { type FoundGroup, seenGroup } from './group-lookup.ts'
import { lookUntil } from './look.ts'
import { type BytesRecord, bytesOf } from './topic-handle.ts'
import { boundOf, type Isolation, visibleRecords } from './visible-records.ts'
import { defaultConsumedTimeoutMs } from './wait.ts'

/** The records of a topic as a group has divided them, in order for each partition. */
export interface Consumption {
  /** Below the committed offsets. */
  readonly consumed: readonly BytesRecord[]
  /** The others that a consumer may read now. */
  readonly unread: readonly BytesRecord[]
  /** Every partition has a leader that knows what is committed. */
  readonly isKnown: boolean
}

/** Whose consumption of what. */
export interface ConsumptionOf extends CoordinatorPlace {
  readonly runtime: Runtime
  readonly group: string
  readonly topic: string
  readonly isolation: Isolation
}

export async function consumptionOf(of: ConsumptionOf, { shard }: FoundGroup): Promise<Consumption> {
  const { brokers, image, group, topic, isolation } = of
  const { offsets } = shard.shard.committed
  const consumed: BytesRecord[] = []
  const unread: BytesRecord[] = []
  let isKnown = true
  for (const state of image().topic(topic)?.partitions ?? []) {
    const log = readable(brokers, state)
    if (log === undefined) {
      isKnown = false
      continue
    }
    const end = offsets.get(group, topic, state.partition)?.offset ?? 0
    for (const visible of await visibleRecords(log, isolation)) {
      if (visible.control !== undefined) continue
      const record = bytesOf(state.partition, visible)
      if (record.offset < end) consumed.push(record)
      else unread.push(record)
    }
  }
  return { consumed, unread, isKnown }
}

/** Lets time run until it is so, and answers whether it is, with the last look; undefined: there is no such group. */
export async function waitForConsumption(
  of: ConsumptionOf,
  isSo: (consumption: Consumption) => boolean,
  timeoutMs = defaultConsumedTimeoutMs(of.runtime),
): Promise<{ readonly held: boolean; readonly last: Consumption | undefined }> {
  let last: Consumption | undefined
  const held = await lookUntil(of.runtime, `a wait for what group '${of.group}' has consumed of '${of.topic}'`, {
    timeoutMs,
    look: async () => {
      const found = seenGroup(of, of.group)
      last = found === undefined ? undefined : await consumptionOf(of, found)
      return last?.isKnown === true && isSo(last)
    },
    changed: () => fingerprint(of),
  })
  return { held, last }
}

/** Another one whenever something else may be consumed, or be there to read. */
function fingerprint(of: ConsumptionOf): string {
  const found = seenGroup(of, of.group)
  if (found === undefined) return '-'
  const { offsets } = found.shard.shard.committed
  let text = ''
  for (const state of of.image().topic(of.topic)?.partitions ?? []) {
    const log = readable(of.brokers, state)
    const bounds = log === undefined ? '-' : `${log.startOffset}:${boundOf(log, of.isolation)}`
    text += `${offsets.get(of.group, of.topic, state.partition)?.offset}:${bounds} `
  }
  return text
}
