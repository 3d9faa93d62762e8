import type { AnyApi } from '../wire/api.ts'
import { ConfigError } from '../wire/errors.ts'
import type { AnyField, Fields } from '../wire/schema.ts'

/** What of a request is meant: a topic, or one of its partitions. */
export interface RequestScope {
  readonly topic: string
  /** For requests that name topics by id; undefined while there is no such topic. */
  readonly topicId: string | undefined
  readonly partition: number | undefined
}

// biome-ignore lint/suspicious/noExplicitAny: a decoded struct of whatever API
export type Struct = Readonly<Record<string, any>>

const PARTITION_FIELDS: ReadonlySet<string> = new Set(['index', 'partition', 'partitionIndex', 'partitionId'])
const TOPIC_FIELDS: ReadonlySet<string> = new Set(['name', 'topic', 'topicName'])
const ERROR_FIELDS: ReadonlySet<string> = new Set(['errorCode', 'partitionErrorCode'])

/** What a field says of the thing that it stands in: Kafka has several names for the same. */
export function roleOf(field: string): string {
  if (PARTITION_FIELDS.has(field)) return 'partition'
  return TOPIC_FIELDS.has(field) ? 'topic' : field
}

export function isIn(field: AnyField, version: number): boolean {
  return version >= field.spans.since && version <= field.spans.until
}

/** A list of an answer in which every element has its own error code. The empty path is the answer itself. */
export interface Level {
  /** Names of the arrays from the top to here. */
  readonly path: readonly string[]
  /** Of its elements. */
  readonly fields: Fields
}

/** Where an answer of this version has error codes, outermost first. */
export function levelsOf(api: AnyApi, version: number): Level[] {
  const levels: Level[] = []
  let outer: Level[] = [{ path: [], fields: api.response.fields }]
  while (outer.length > 0) {
    levels.push(...outer.filter(({ fields }) => errorFieldOf(fields, version) !== undefined))
    outer = outer.flatMap(({ path, fields }) =>
      Object.entries(fields).flatMap(([name, field]) => {
        const inner = field.element?.fields
        return inner !== undefined && isIn(field, version) ? [{ path: [...path, name], fields: inner }] : []
      }),
    )
  }
  return levels
}

export function errorFieldOf(fields: Fields, version: number): string | undefined {
  return Object.keys(fields).find(name => ERROR_FIELDS.has(name) && isIn(fields[name]!, version))
}

/** Lists of this name hold topics, if their elements have names. */
const TOPIC_LIST = /topic|responses|results/i

export function isTopicList(list: string, element: Fields): boolean {
  return TOPIC_LIST.test(list) && ('topicId' in element || Object.keys(element).some(name => TOPIC_FIELDS.has(name)))
}

export function isPartitionList(element: Fields): boolean {
  return Object.keys(element).some(name => PARTITION_FIELDS.has(name))
}

export function isTopic(element: Struct, { topic, topicId }: RequestScope): boolean {
  if (element.name === topic || element.topic === topic || element.topicName === topic) return true
  return topicId !== undefined && element.topicId === topicId
}

export function isPartition(element: Struct, { partition }: RequestScope): boolean {
  for (const name of PARTITION_FIELDS)
    if (name in element) return partition === undefined || element[name] === partition
  return true
}

/**
 * Where an error of this scope stands in an answer: the outermost list whose elements tell topics, or partitions.
 *
 * @throws {ConfigError} where the API does not answer per topic or partition.
 */
export function levelOf(api: AnyApi, version: number, scope: RequestScope | undefined): Level {
  const levels = levelsOf(api, version)
  const found = levels.find(({ path, fields }) => {
    if (scope === undefined) return true
    if (scope.partition !== undefined) return isPartitionList(fields)
    return path.some((list, depth) => isTopicList(list, fieldsAt(api.response.fields, path.slice(0, depth + 1))))
  })
  if (found !== undefined) return found
  if (scope === undefined) throw new ConfigError(`an answer to ${api.name} has no place for an error`)
  const what = scope.partition === undefined ? 'topic' : 'partition'
  throw new ConfigError(`${api.name} is not answered by ${what}: it cannot fail for one of them`)
}

export function fieldsAt(fields: Fields, path: readonly string[]): Fields {
  return path.reduce((inner, list) => inner[list]!.element!.fields!, fields)
}

/** Whether the request names the topic, or its partition. A request for all topics names each of them. */
export function mentions(api: AnyApi, version: number, body: Struct, scope: RequestScope): boolean {
  return mentionedIn(api.request.fields, version, body, scope)
}

function mentionedIn(fields: Fields, version: number, value: Struct, scope: RequestScope): boolean {
  return Object.entries(fields).some(([list, field]) => {
    if (field.kind !== 'array' || !isIn(field, version) || list === 'forgottenTopicsData') return false
    const elements: readonly Struct[] | null = value[list]
    const element = field.element!.fields
    if (elements === null) return element !== undefined && isTopicList(list, element)
    if (element === undefined) return /topic/i.test(list) && elements.some(name => (name as unknown) === scope.topic)
    if (!isTopicList(list, element)) return elements.some(each => mentionedIn(element, version, each, scope))
    return elements.some(each => isTopic(each, scope) && hasPartition(element, version, each, scope))
  })
}

/** A topic that is named without its partitions is named with all of them. */
function hasPartition(fields: Fields, version: number, topic: Struct, scope: RequestScope): boolean {
  if (scope.partition === undefined) return true
  const lists = Object.entries(fields).filter(([list, field]) => {
    return field.kind === 'array' && /partition/i.test(list) && isIn(field, version)
  })
  if (lists.length === 0) return true
  return lists.some(([list, field]) => {
    const elements: readonly Struct[] = topic[list] ?? []
    if (field.element!.fields === undefined) return elements.some(index => (index as unknown) === scope.partition)
    return elements.some(each => isPartition(each, scope))
  })
}
