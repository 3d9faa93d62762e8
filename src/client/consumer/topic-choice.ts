import { IllegalArgumentError } from '../../wire/errors.ts'
import { refuseUnknown } from '../arguments.ts'

/**
 * A regular expression that the coordinator evaluates, in the syntax of RE2/J; a topic matches as a whole (SubscriptionPattern,
 * KIP-848). Only with `group.protocol: 'consumer'`.
 */
export interface SubscriptionPattern {
  readonly pattern: string
}

/** What can be subscribed to: topics by name, those that match a RegExp as this client sees them, or as the coordinator does. */
export type Topics = readonly string[] | RegExp | SubscriptionPattern

/** The same, checked. */
export type TopicChoice =
  | { readonly kind: 'topics'; readonly topics: readonly string[] }
  | { readonly kind: 'pattern'; readonly pattern: RegExp }
  | { readonly kind: 'server-pattern'; readonly pattern: string }

const EXAMPLE = "subscribe takes topics, as in ['orders'], a RegExp, or { pattern: 'orders-.*' }"

/** @throws {IllegalArgumentError} for an empty name or pattern, or something else. */
export function choiceOf(topics: Topics): TopicChoice {
  if (Array.isArray(topics)) {
    for (const topic of topics as readonly unknown[]) {
      if (typeof topic === 'string' && topic.trim() !== '') continue
      const given = typeof topic === 'string' ? 'an empty one' : `${JSON.stringify(topic) ?? String(topic)}`
      throw new IllegalArgumentError(`Topic collection to subscribe to holds names of topics, not ${given}`)
    }
    return { kind: 'topics', topics: [...new Set(topics as readonly string[])] }
  }
  if (topics instanceof RegExp) {
    if (topics.source === '(?:)') throw emptyPattern()
    // Of a global or sticky one, `test` would depend on what was tested before.
    return { kind: 'pattern', pattern: new RegExp(topics.source, topics.flags.replace(/[gy]/g, '')) }
  }
  if (typeof topics !== 'object' || topics === null) {
    throw new IllegalArgumentError(`${EXAMPLE}, not ${JSON.stringify(topics) ?? String(topics)}`)
  }
  refuseUnknown('a pattern for the coordinator', topics, ['pattern'])
  const { pattern } = topics as SubscriptionPattern
  if (typeof pattern !== 'string') {
    const advice = 'its syntax is that of RE2/J; a RegExp goes to subscribe as it is'
    throw new IllegalArgumentError(`subscribe({ pattern }) takes the text of a regular expression: ${advice}`)
  }
  if (pattern === '') throw emptyPattern()
  return { kind: 'server-pattern', pattern }
}

/** As in `it is subscribed to …`. */
export function choiceText(choice: TopicChoice): string {
  if (choice.kind === 'topics') return `topics ${choice.topics.join(', ')}`
  return `the pattern ${choice.kind === 'pattern' ? String(choice.pattern) : `'${choice.pattern}'`}`
}

function emptyPattern(): IllegalArgumentError {
  return new IllegalArgumentError('Topic pattern to subscribe to cannot be empty: all topics are /^/')
}
