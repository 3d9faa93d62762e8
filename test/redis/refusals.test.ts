import { expect, test } from 'vitest'
import { kafkaErrorOf, passes } from '../../src/redis/failures.ts'
import { KafkaError } from '../../src/wire/errors.ts'

/** As the server says it, or ioredis: what Kafka's clients are told, and whether the store tries again by itself first. */
test.each([
  ['NOREPLICAS Not enough good replicas to write.', 'NOT_ENOUGH_REPLICAS', false],
  ["OOM command not allowed when used memory > 'maxmemory'.", 'KAFKA_STORAGE_ERROR', false],
  [
    'MISCONF Redis is configured to save RDB snapshots, but it is currently unable to persist on disk.',
    'KAFKA_STORAGE_ERROR',
    false,
  ],
  ['LOADING Redis is loading the dataset in memory', 'LEADER_NOT_AVAILABLE', true],
  [
    'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.',
    'LEADER_NOT_AVAILABLE',
    true,
  ],
  ["MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", 'LEADER_NOT_AVAILABLE', true],
  ["READONLY You can't write against a read only replica.", 'NOT_LEADER_OR_FOLLOWER', true],
  [
    "READONLY You can't write against a read only replica. script: ab12, on @user_script:7.",
    'NOT_LEADER_OR_FOLLOWER',
    true,
  ],
  ['MOVED 3999 127.0.0.1:6381', 'NOT_LEADER_OR_FOLLOWER', true],
  ['ASK 3999 127.0.0.1:6381', 'NOT_LEADER_OR_FOLLOWER', true],
  ['CLUSTERDOWN Hash slot not served', 'NOT_LEADER_OR_FOLLOWER', true],
  ['TRYAGAIN Multiple keys request during rehashing of slot', 'NOT_LEADER_OR_FOLLOWER', true],
  [
    'UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)',
    'NOT_LEADER_OR_FOLLOWER',
    true,
  ],
  ['Connection is closed.', 'NOT_LEADER_OR_FOLLOWER', true],
  [
    'Reached the max retries per request limit (which is 20). Refer to "maxRetriesPerRequest" option for details.',
    'NOT_LEADER_OR_FOLLOWER',
    true,
  ],
  ['Command aborted due to connection close', 'NOT_LEADER_OR_FOLLOWER', true],
  ['Command timed out', 'NOT_LEADER_OR_FOLLOWER', true],
  ["Stream isn't writeable and enableOfflineQueue options is false", 'NOT_LEADER_OR_FOLLOWER', true],
  ['connect ECONNREFUSED 127.0.0.1:6379', 'NOT_LEADER_OR_FOLLOWER', true],
  ['read ECONNRESET', 'NOT_LEADER_OR_FOLLOWER', true],
  ['Failed to refresh slots cache.', 'NOT_LEADER_OR_FOLLOWER', true],
  ['Too many Cluster redirections. Last error: ReplyError: MOVED 1 a:1', 'NOT_LEADER_OR_FOLLOWER', true],
  ['WRONGTYPE Operation against a key holding the wrong kind of value', 'UNKNOWN_SERVER_ERROR', false],
  ["CROSSSLOT Keys in request don't hash to the same slot", 'UNKNOWN_SERVER_ERROR', false],
  ['NOAUTH Authentication required.', 'UNKNOWN_SERVER_ERROR', false],
  ["NOPERM this user has no permissions to run the 'xadd' command", 'UNKNOWN_SERVER_ERROR', false],
] as const)('%s: %s, passes by itself: %s', (message, error, isPassing) => {
  const failure = new Error(message)
  expect(kafkaErrorOf(failure, 'append')).toMatchObject({
    errorName: error,
    message: `Redis, append: ${message}`,
    cause: failure,
  })
  expect(passes(failure)).toBe(isPassing)
})

test('what Kafka has a word for already stays as it is', () => {
  const error = new KafkaError('NOT_ENOUGH_REPLICAS_AFTER_APPEND')
  expect(kafkaErrorOf(error, 'append')).toBe(error)
  expect(passes(error)).toBe(false)
})
