/**
 * Every way in which Redis fails, and what Kafka says to it. All of them but the last are retriable for Kafka's clients; those
 * marked `passes` the store tries again by itself for a while first, since they end with a reconnection or a failover.
 *
 * | Redis | Kafka | |
 * |---|---|---|
 * | `NOREPLICAS` (`min-replicas-to-write`) | NOT_ENOUGH_REPLICAS | nothing was written |
 * | fewer than `waitReplicas` answered WAIT | NOT_ENOUGH_REPLICAS_AFTER_APPEND | written, and taken back |
 * | `OOM`, `MISCONF` | KAFKA_STORAGE_ERROR | nothing was written |
 * | `LOADING`, `BUSY`, `MASTERDOWN` | LEADER_NOT_AVAILABLE | passes |
 * | `READONLY`, `MOVED`, `ASK`, `CLUSTERDOWN`, `TRYAGAIN`, `UNBLOCKED` | NOT_LEADER_OR_FOLLOWER | passes |
 * | connection lost, refused, timed out | NOT_LEADER_OR_FOLLOWER | passes; what became of an append is found out by asking |
 * | `NOSCRIPT` | – | the script is sent anew |
 * | another writer, a key evicted or changed by others, an entry that is no batch | KAFKA_STORAGE_ERROR | |
 * | `WRONGTYPE`, `CROSSSLOT`, `NOAUTH`, `NOPERM`, any other | UNKNOWN_SERVER_ERROR | |
 */
import { type ErrorName, KafkaError } from '../wire/errors.ts'

interface Failure {
  readonly fits: RegExp
  readonly error: ErrorName
  /** Likely to pass by itself. */
  readonly passes: boolean
}

const failures: readonly Failure[] = [
  { fits: /\bNOREPLICAS\b/, error: 'NOT_ENOUGH_REPLICAS', passes: false },
  { fits: /^(EXECABORT .*)?(OOM|MISCONF)\b/, error: 'KAFKA_STORAGE_ERROR', passes: false },
  { fits: /^(LOADING|BUSY|MASTERDOWN)\b/, error: 'LEADER_NOT_AVAILABLE', passes: true },
  {
    fits: /^(READONLY|MOVED|ASK|CLUSTERDOWN|TRYAGAIN|UNBLOCKED)\b|\b(READONLY|replica)\b.*read only/,
    error: 'NOT_LEADER_OR_FOLLOWER',
    passes: true,
  },
  {
    fits: /^Connection is closed|connection close|max retries per request|Command timed out|Stream isn't writeable|Cluster isn't ready|Failed to refresh slots cache|All sentinels are unreachable|Too many Cluster redirections|ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENOTFOUND|socket/i,
    error: 'NOT_LEADER_OR_FOLLOWER',
    passes: true,
  },
]

/** What Redis answered, or its client said, as Kafka says it. A KafkaError stays as it is. */
export function kafkaErrorOf(failure: unknown, what: string): KafkaError {
  if (failure instanceof KafkaError) return failure
  const message = messageOf(failure)
  const error = rowOf(message)?.error ?? 'UNKNOWN_SERVER_ERROR'
  return new KafkaError(error, `Redis, ${what}: ${message}`, { cause: failure })
}

/** Will it be over after a reconnection, or a failover? */
export function passes(failure: unknown): boolean {
  return !(failure instanceof KafkaError) && (rowOf(messageOf(failure))?.passes ?? false)
}

export function isMissingScript(failure: unknown): boolean {
  return messageOf(failure).startsWith('NOSCRIPT')
}

function rowOf(message: string): Failure | undefined {
  return failures.find(({ fits }) => fits.test(message))
}

function messageOf(failure: unknown): string {
  return failure instanceof Error ? failure.message : String(failure)
}
