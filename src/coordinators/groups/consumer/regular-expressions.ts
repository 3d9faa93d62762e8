import type { ClusterImage } from '../../../metadata/image.ts'
import { KafkaError } from '../../../wire/errors.ts'
import { matchesWhole } from '../../patterns/pattern.ts'
import { PatternError, parsePattern } from '../../patterns/pattern-parser.ts'

/** @throws {KafkaError} INVALID_REGULAR_EXPRESSION (G-51) */
export function requireRegularExpression(regex: string): void {
  try {
    parsePattern(regex)
  } catch (error) {
    if (!(error instanceof PatternError)) throw error
    throw new KafkaError(
      'INVALID_REGULAR_EXPRESSION',
      `SubscribedTopicRegex \`${regex}\` is not a valid regular expression: ${error.message}.`,
    )
  }
}

/** The topics whose whole names match, sorted; none for an expression that cannot be read. */
export function resolvedTopics(regex: string, image: ClusterImage): string[] {
  try {
    const pattern = parsePattern(regex)
    return [...image.topics.keys()].filter(topic => matchesWhole(pattern, topic)).sort()
  } catch (error) {
    if (error instanceof PatternError) return []
    throw error
  }
}
