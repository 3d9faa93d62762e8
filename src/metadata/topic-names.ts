import { KafkaError } from '../wire/errors.ts'

/** Where groups and their offsets are kept. */
export const OFFSETS_TOPIC = '__consumer_offsets'
/** Where transactional ids are kept. */
export const TRANSACTIONS_TOPIC = '__transaction_state'

/** Topics that Kafka keeps for itself (M-3): clients may read them, and only coordinators write to them (P-4, S-30). */
export const internalTopics: ReadonlySet<string> = new Set([OFFSETS_TOPIC, TRANSACTIONS_TOPIC, '__share_group_state'])

/** M-10. @throws {KafkaError} INVALID_TOPIC_EXCEPTION */
export function checkTopicName(name: string): void {
  const why =
    name === ''
      ? 'the empty string is not allowed'
      : name === '.' || name === '..'
        ? `'${name}' is not allowed`
        : name.length > 249
          ? `the length of '${name}' is longer than the max allowed length 249`
          : isLegal(name)
            ? undefined
            : `'${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`
  if (why !== undefined) throw new KafkaError('INVALID_TOPIC_EXCEPTION', `Topic name is invalid: ${why}`)
}

/** M-10, for those who need no reason. */
export function isTopicName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && name.length <= 249 && isLegal(name)
}

function isLegal(name: string): boolean {
  return /^[a-zA-Z0-9._-]+$/.test(name)
}
