import type { Runtime } from '../runtime/runtime.ts'
import { KafkaError } from '../wire/errors.ts'
import type { ClientMetadata } from './metadata.ts'
import type { TopicView } from './metadata-view.ts'

/**
 * Waits until metadata has the topic, and the partition if one is named (C-22; KafkaProducer.waitOnMetadata).
 *
 * @throws {KafkaError} REQUEST_TIMED_OUT in Kafka's words when `deadline` has come; INVALID_TOPIC_EXCEPTION and
 * TOPIC_AUTHORIZATION_FAILED at once; other refusals are waited out.
 */
export async function waitForTopic(
  runtime: Runtime,
  metadata: ClientMetadata,
  topic: string,
  partition: number | undefined,
  limits: { readonly deadline: number; readonly timeoutMs: number },
): Promise<TopicView> {
  let isAsked = false
  for (;;) {
    const view = metadata.topic(topic)
    if (view !== undefined && (partition ?? 0) < view.partitions.length) return view
    const said = metadata.errorOf(topic)
    // That will never change: who asks a second time is told without a request.
    if (said === 'INVALID_TOPIC_EXCEPTION') throw new KafkaError(said, `Invalid topic: '${topic}'`)
    const refusal = isAsked ? said : undefined
    if (refusal === 'TOPIC_AUTHORIZATION_FAILED')
      throw new KafkaError(refusal, `Not authorized to access topic: ${topic}`)
    const left = limits.deadline - runtime.now()
    if (left <= 0) {
      if (!isAsked) metadata.requestUpdate()
      const cause = refusal === undefined ? metadata.failure : new KafkaError(refusal)
      const why = metadata.failure === undefined ? '' : ` No broker can be reached: ${metadata.failure.message}`
      const text = `${absence(topic, partition, view, limits.timeoutMs)}${why}`
      throw new KafkaError('REQUEST_TIMED_OUT', text, { cause })
    }
    isAsked = true
    await within(runtime, metadata.refreshed(), left)
  }
}

function absence(topic: string, partition: number | undefined, view: TopicView | undefined, timeoutMs: number): string {
  if (view === undefined || partition === undefined)
    return `Topic ${topic} not present in metadata after ${timeoutMs} ms.`
  const has = `Partition ${partition} of topic ${topic} with partition count ${view.partitions.length}`
  return `${has} is not present in metadata after ${timeoutMs} ms.`
}

/** Settles with `promise`, or when `ms` have passed: which, is for the caller to find out. */
export async function within(runtime: Runtime, promise: Promise<unknown>, ms: number): Promise<void> {
  if (ms === Number.POSITIVE_INFINITY) {
    await promise
    return
  }
  const over = runtime.deferred()
  const timer = runtime.after(ms, () => over.resolve(), { housekeeping: false })
  try {
    await Promise.race([promise, over.promise])
  } finally {
    timer.cancel()
  }
}
