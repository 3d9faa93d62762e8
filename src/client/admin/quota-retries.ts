import { KafkaError } from '../../wire/errors.ts'
import type { AdminClient, Answers } from './admin-client.ts'

export interface QuotaRetry {
  /**
   * What the controller refuses because of a quota (THROTTLING_QUOTA_EXCEEDED) is asked for again as soon as it may be, until
   * `default.api.timeout.ms` are over. Default true.
   */
  readonly retryOnQuotaViolation?: boolean
}

/** One round of answers, and for how many milliseconds nobody should ask again. */
export interface QuotaRound<Result> {
  readonly answers: Answers<string, Result>
  readonly throttleTimeMs: number
}

/**
 * Asks for items, and again for those that the controller's quota refused (KIP-599). The connection to whoever refused them
 * is throttled meanwhile, so nobody is asked too early; what would have to wait beyond the end is not asked for any more.
 */
export async function withinQuota<Item, Result>(
  { runtime, configs }: AdminClient,
  items: readonly Item[],
  { retryOnQuotaViolation = true }: QuotaRetry,
  keyOf: (item: Item) => string,
  ask: (items: readonly Item[]) => Promise<QuotaRound<Result>>,
): Promise<Answers<string, Result>> {
  const deadline = runtime.now() + configs['default.api.timeout.ms']
  const first = await ask(items)
  const { answers } = first
  for (let { throttleTimeMs } = first; ; ) {
    const refused = items.filter(item => isThrottled(answers.get(keyOf(item))))
    if (refused.length === 0 || !retryOnQuotaViolation) return answers
    const leftMs = deadline - runtime.now()
    if (throttleTimeMs >= leftMs) {
      await runtime.sleep(Math.max(0, leftMs))
      return answers
    }
    const next = await ask(refused)
    throttleTimeMs = next.throttleTimeMs
    for (const [key, answer] of next.answers) answers.set(key, answer)
  }
}

function isThrottled(answer: unknown): boolean {
  return answer instanceof KafkaError && answer.errorName === 'THROTTLING_QUOTA_EXCEEDED'
}
