import { CommitFailedError, type KafkaError, RebalanceInProgressError } from '../../wire/errors.ts'

/** The coordinator does not know such a member, or knows another in its place. */
export function isAboutMember(name: string): boolean {
  return (
    name === 'UNKNOWN_MEMBER_ID' ||
    name === 'ILLEGAL_GENERATION' ||
    name === 'FENCED_INSTANCE_ID' ||
    name === 'GROUP_ID_NOT_FOUND'
  )
}

export function undergoingRebalance(): RebalanceInProgressError {
  const what = 'since the consumer is undergoing a rebalance for auto partition assignment'
  const advice = 'Complete it by calling poll(), then commit again.'
  return new RebalanceInProgressError(`Offset commit cannot be completed ${what}. ${advice}`)
}

/** Why a member is out that was not polled for `max.poll.interval.ms`. */
export function polledTooLate(intervalMs: number): string {
  const limit = `max.poll.interval.ms (${intervalMs})`
  return `the time between two polls was longer than ${limit}: poll more often, or set it higher`
}

/** `why` is what is known of how it lost its membership; '' for nothing. */
export function commitFailed(why: string, cause?: KafkaError): CommitFailedError {
  const what =
    'Offset commit cannot be completed since the consumer is not part of an active group for auto partition ' +
    'assignment; it is likely that the consumer was kicked out of the group'
  return new CommitFailedError(`${what}${why && ` (${why})`}. Its next poll joins again.`, { cause })
}
