import type { TopicSpec } from '../cluster/options.ts'
import { UsageError } from './flags.ts'

/** A topic as `--topic` has it, and as `createCluster` takes it. */
export interface TopicArgument {
  readonly name: string
  readonly spec: TopicSpec
}

const FORM = 'NAME:PARTITIONS:REPLICAS[:key=value,…]'
const EXAMPLE = 'orders:3:3:min.insync.replicas=2'

/**
 * `orders`, `orders:3`, `orders:3:3` or `orders:3:3:min.insync.replicas=2,cleanup.policy=compact,delete`: what has no `=`
 * belongs to the value before it.
 *
 * @throws {UsageError} that says which part is wrong, and how it is written
 */
export function topicArgument(text: string): TopicArgument {
  const [name = '', partitions, replicas, ...rest] = text.split(':')
  if (name === '') throw new UsageError(`--topic '${text}' has no name: it is ${FORM}, as in ${EXAMPLE}`)
  const spec = {
    ...(partitions === undefined ? {} : { partitions: count(text, 'PARTITIONS', partitions) }),
    ...(replicas === undefined ? {} : { replicationFactor: count(text, 'REPLICAS', replicas) }),
    // A value may have colons of its own.
    ...(rest.length === 0 ? {} : { configs: configsOf(text, rest.join(':')) }),
  }
  return { name, spec }
}

function count(text: string, what: string, part: string): number {
  const number = /^\d{1,9}$/.test(part) ? Number(part) : 0
  if (number > 0) return number
  throw new UsageError(`--topic '${text}': ${what} is a whole number from 1 on, not '${part}'; as in ${EXAMPLE}`)
}

function configsOf(text: string, part: string): Record<string, string> {
  const configs: Record<string, string> = {}
  let last: string | undefined
  for (const piece of part.split(',')) {
    const at = piece.indexOf('=')
    if (at > 0) {
      last = piece.slice(0, at).trim()
      configs[last] = piece.slice(at + 1)
    } else if (last !== undefined && at < 0) {
      configs[last] += `,${piece}`
    } else {
      throw new UsageError(`--topic '${text}': a configuration is key=value, not '${piece}'; as in ${EXAMPLE}`)
    }
  }
  return configs
}

/** All that were named. @throws {UsageError} for a name that is there twice, and for more replicas than brokers */
export function topicArguments(texts: readonly string[], brokers: number): Record<string, TopicSpec> {
  const topics: Record<string, TopicSpec> = {}
  for (const text of texts) {
    const { name, spec } = topicArgument(text)
    if (Object.hasOwn(topics, name)) throw new UsageError(`--topic ${name} is given twice: leave one out`)
    const { replicationFactor = 1 } = spec
    if (replicationFactor > brokers) {
      const has = brokers === 1 ? 'there is 1 broker' : `there are ${brokers} brokers`
      throw new UsageError(
        `--topic '${text}': ${replicationFactor} replicas need as many brokers, and ${has}: --brokers ${replicationFactor}`,
      )
    }
    topics[name] = spec
  }
  return topics
}
