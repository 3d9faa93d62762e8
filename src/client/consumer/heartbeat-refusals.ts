import { KafkaError } from '../../wire/errors.ts'

/**
 * What an answer to ConsumerGroupHeartbeat means to the member (Kafka's AbstractHeartbeatRequestManager.onErrorResponse):
 * `coordinator`: ask another broker; `again`: the same once more, a little later; `told`: that, too, but the application
 * hears of it; `fenced`: it is no member any more, and joins again; `fatal`: nothing helps.
 */
export type Verdict = 'coordinator' | 'again' | 'told' | 'fenced' | 'fatal'

export function verdictOn({ errorName, retriable }: KafkaError): Verdict {
  switch (errorName) {
    case 'NOT_COORDINATOR':
    case 'COORDINATOR_NOT_AVAILABLE':
      return 'coordinator'
    case 'FENCED_MEMBER_EPOCH':
    case 'UNKNOWN_MEMBER_ID':
      return 'fenced'
    // It may be granted yet; the member stays.
    case 'TOPIC_AUTHORIZATION_FAILED':
      return 'told'
    default:
      return retriable ? 'again' : 'fatal'
  }
}

/** The error as the application gets it, with what Kafka's client adds. */
export function explained(error: KafkaError): KafkaError {
  if (error.errorName === 'GROUP_ID_NOT_FOUND') {
    // Kafka's client, too, joins no group again that it was a member of and that is gone.
    const what = 'its coordinator has lost the group, and this consumer cannot join it again'
    return new KafkaError('GROUP_ID_NOT_FOUND', `${error.message} (${what}: close it, and make another)`, {
      cause: error,
    })
  }
  if (error.errorName !== 'UNSUPPORTED_VERSION' || error.message.includes('SubscriptionPattern')) return error
  const text = 'The cluster does not support the new CONSUMER group protocol'
  const advice =
    'Set group.protocol=classic on the consumer configs to revert to the CLASSIC protocol until the cluster is upgraded.'
  return new KafkaError('UNSUPPORTED_VERSION', `${text}. ${advice}`, { cause: error })
}
