/**
 * Answers that say no, made from an API's own declaration: what a node would send if it refused a request, or a part of
 * it, with a given code. The lists of an answer are paired with those of the request by what their elements are called.
 */
import type { AnyApi } from '../wire/api.ts'
import { type AnyField, defaultOf, type Fields } from '../wire/schema.ts'
import {
  errorFieldOf,
  fieldsAt,
  isIn,
  isPartition,
  isPartitionList,
  isTopic,
  isTopicList,
  type Level,
  levelsOf,
  type RequestScope,
  roleOf,
  type Struct,
} from './request-scope.ts'

export interface Refusal {
  readonly api: AnyApi
  readonly version: number
  readonly code: number
  /** Where in the answer the code stands. */
  readonly level: Level
  /** Undefined: the whole request. */
  readonly scope: RequestScope | undefined
}

/** A request in two: what is refused, and what is left of it to be handled. */
export interface SplitRequest {
  /** The answer to what is refused; undefined: nothing of the request is in the scope. */
  readonly refused: Struct | undefined
  /** The request without what is refused; undefined: nothing is left. */
  readonly rest: Struct | undefined
}

export function splitRequest(refusal: Refusal, request: Struct): SplitRequest {
  const { api, level } = refusal
  const { refused, rest } = splitAt(refusal, api.response.fields, api.request.fields, request, level.path)
  return { refused, rest }
}

/** The answer to a request of which nothing is done, where it has a place for a code; undefined: it has none. */
export function refuseWhole(api: AnyApi, version: number, body: Struct, code: number): Struct | undefined {
  const [level] = levelsOf(api, version)
  if (level === undefined || (api.name === 'Produce' && body.acks === 0)) return undefined
  return splitRequest({ api, version, code, level, scope: undefined }, body).refused
}

/** At the end of the path stands the code; before it, the lists of the request are gone through. */
function splitAt(
  refusal: Refusal,
  answerFields: Fields,
  requestFields: Fields,
  asked: Struct,
  path: readonly string[],
): SplitRequest {
  const { version, code } = refusal
  const [list, ...inner] = path
  const blank = blankOf(answerFields, version)
  if (list === undefined) {
    return { refused: { ...blank, [errorFieldOf(answerFields, version)!]: code }, rest: undefined }
  }
  const answered = answerFields[list]!.element!.fields!
  const pair = pairOf(list, answered, requestFields, version)
  if (pair === undefined) return splitUnpaired(refusal, list, answerFields, requestFields, asked, inner)
  const elements: readonly unknown[] = asked[pair.list] ?? []
  const refused: Struct[] = []
  const rest: unknown[] = []
  for (const each of elements) {
    const element = structOf(each, pair, answered)
    if (!isMeant(refusal, list, answered, element)) {
      rest.push(each)
      continue
    }
    const part = splitAt(refusal, answered, pair.fields ?? {}, element, inner)
    if (part.refused !== undefined) refused.push({ ...part.refused, ...identityOf(answered, element) })
    if (part.refused === undefined || part.rest !== undefined) rest.push(part.rest ?? each)
  }
  return {
    refused: refused.length === 0 ? undefined : { ...blank, [list]: refused },
    rest: rest.length === 0 ? undefined : { ...asked, [pair.list]: rest },
  }
}

/**
 * No list of the request has elements that are called like the answer's. They may lie a list deeper: AlterReplicaLogDirs
 * asks by directory and topic, and is answered by topic. Otherwise there is an answer for whatever is asked, or just one.
 */
function splitUnpaired(
  refusal: Refusal,
  list: string,
  answerFields: Fields,
  requestFields: Fields,
  asked: Struct,
  inner: readonly string[],
): SplitRequest {
  const { version, code } = refusal
  const blank = blankOf(answerFields, version)
  const answered = answerFields[list]!.element!.fields!
  const lists = Object.entries(requestFields).filter(([, field]) => field.kind === 'array' && isIn(field, version))
  for (const [outer, { element }] of lists) {
    if (element!.fields === undefined || pairOf(list, answered, element!.fields, version) === undefined) continue
    const refused: Struct[] = []
    const rest: Struct[] = []
    for (const each of (asked[outer] ?? []) as readonly Struct[]) {
      const part = splitAt(refusal, { [list]: answerFields[list]! }, element!.fields, each, [list, ...inner])
      if (part.refused !== undefined) refused.push(...(part.refused[list] as Struct[]))
      if (part.refused === undefined || part.rest !== undefined) rest.push(part.rest ?? each)
    }
    return {
      refused: refused.length === 0 ? undefined : { ...blank, [list]: refused },
      rest: rest.length === 0 ? undefined : { ...asked, [outer]: rest },
    }
  }
  const elements = lists.flatMap(([name]) => (asked[name] ?? []) as unknown[])
  const answerOf = (element: Struct): Struct => ({
    ...blankOf(answered, version),
    [errorFieldOf(answered, version)!]: code,
    ...identityOf(answered, element),
  })
  const structs = elements.filter(each => typeof each === 'object' && each !== null) as Struct[]
  return {
    refused: { ...blank, [list]: structs.length === 0 ? [answerOf({})] : structs.map(answerOf) },
    rest: undefined,
  }
}

function isMeant({ scope }: Refusal, list: string, fields: Fields, element: Struct): boolean {
  if (scope === undefined) return true
  if (isTopicList(list, fields)) return isTopic(element, scope)
  return !isPartitionList(fields) || isPartition(element, scope)
}

interface Pair {
  readonly list: string
  /** Undefined: a list of plain values. */
  readonly fields: Fields | undefined
}

/** The request's list that an answer's list goes through. */
function pairOf(list: string, answered: Fields, requestFields: Fields, version: number): Pair | undefined {
  const roles = new Set(Object.keys(answered).map(roleOf))
  let best: Pair | undefined
  let bestCommon = 0
  for (const [name, field] of Object.entries(requestFields)) {
    if (field.kind !== 'array' || !isIn(field, version) || name === 'forgottenTopicsData') continue
    const { fields, kind } = field.element!
    const scalars = Object.keys(fields ?? {}).filter(key => !isList(fields![key]!))
    const common =
      fields === undefined
        ? plainMatches(list, name, kind, answered)
        : scalars.filter(key => roles.has(roleOf(key))).length
    if (common <= bestCommon) continue
    best = { list: name, fields }
    bestCommon = common
  }
  return best
}

function isList(field: AnyField): boolean {
  return field.kind === 'array' || field.kind === 'records'
}

/** `partitionIndexes: array(int32)` is gone through by partitions, `coordinatorKeys: array(string)` by keys. */
function plainMatches(list: string, name: string, kind: string, answered: Fields): number {
  if (kind === 'int32') return isPartitionList(answered) && /partition/i.test(name) ? 1 : 0
  if (kind !== 'string' || plainFieldOf(answered, 'string') === undefined) return 0
  return isTopicList(list, answered) ? Number(/topic/i.test(name)) : 1
}

/** The field of an answer's element that a plain value of the request is. */
function plainFieldOf(answered: Fields, kind: string): string | undefined {
  return Object.keys(answered).find(name => {
    if (kind === 'int32') return roleOf(name) === 'partition'
    return answered[name]!.kind === 'string' && name !== 'errorMessage'
  })
}

function structOf(element: unknown, pair: Pair, answered: Fields): Struct {
  if (pair.fields !== undefined) return element as Struct
  const field = plainFieldOf(answered, typeof element === 'number' ? 'int32' : 'string')
  return field === undefined ? {} : { [field]: element }
}

/**
 * What of the request's element the answer's says again: which topic, partition, group, key, resource it is. What has no name
 * is left blank: not every answer can say null where its request can (Metadata v10).
 */
function identityOf(answered: Fields, element: Struct): Struct {
  const identity: Record<string, unknown> = {}
  for (const [name, field] of Object.entries(answered)) {
    const isNamed = (field.kind === 'string' && name !== 'errorMessage') || field.kind === 'uuid' || name === 'entity'
    if (!isNamed && roleOf(name) !== 'partition' && name !== 'resourceType' && name !== 'producerId') continue
    // A user is called by name where a credential is altered.
    const role = name === 'user' ? roleOf('name') : roleOf(name)
    const said = name in element ? name : Object.keys(element).find(key => roleOf(key) === role)
    if (said !== undefined && element[said] !== null) identity[name] = element[said]
  }
  return identity
}

/** Numbers that are -1 where nobody knows them, if the declaration does not say so itself. */
const UNKNOWN = /offset|watermark|leaderId|nodeId|port|producerId|epoch|generation/i

function blankOf(fields: Fields, version: number): Struct {
  const blank: Record<string, unknown> = {}
  for (const [name, field] of Object.entries(fields)) {
    if (!isIn(field, version)) continue
    const isNullable = version >= field.spans.nullableSince
    if (field.spans.default !== undefined) blank[name] = field.spans.default
    else if (isNullable && (field.kind === 'string' || field.kind === 'struct')) blank[name] = null
    else if (/^int/.test(field.kind) && UNKNOWN.test(name)) blank[name] = -1
    else blank[name] = defaultOf(field)
  }
  return blank
}

/** The real answer, with the refusals in it: in the place of what it says of the same, or beside it. */
export function merged(path: readonly string[], real: Struct, refused: Struct): Struct {
  const [list, ...inner] = path
  if (list === undefined) return refused
  const elements: Struct[] = [...(real[list] ?? [])]
  for (const each of refused[list] as readonly Struct[]) {
    const same = elements.findIndex(other => isSame(other, each))
    if (same < 0) elements.push(each)
    else elements[same] = merged(inner, elements[same]!, each)
  }
  return { ...real, [list]: elements }
}

/** About the same topic, partition, group, … */
function isSame(a: Struct, b: Struct): boolean {
  const keys = Object.keys(b).filter(key => {
    return roleOf(key) === 'partition' || (typeof b[key] === 'string' && key !== 'errorMessage')
  })
  return keys.length > 0 && keys.every(key => (a[key] ?? b[key]) === b[key])
}

/** A real answer with its codes replaced, where they are in the scope; the same answer where none is. */
export function overlaid(refusal: Refusal, answer: Struct): Struct {
  return overlaidAt(refusal, refusal.api.response.fields, answer, refusal.level.path)
}

function overlaidAt(refusal: Refusal, fields: Fields, answer: Struct, path: readonly string[]): Struct {
  const [list, ...inner] = path
  const { version, code, api } = refusal
  if (list === undefined) {
    const coded = { ...answer, [errorFieldOf(fields, version)!]: code }
    // A partition of a Fetch that failed has neither records nor bounds (F-10).
    return api.name === 'Fetch' && 'records' in fields ? { ...coded, ...withoutRecords(fields, version) } : coded
  }
  const element = fieldsAt(fields, [list])
  const elements: readonly Struct[] = answer[list] ?? []
  let changed = false
  const result = elements.map(each => {
    if (!isMeant(refusal, list, element, each)) return each
    const overlay = overlaidAt(refusal, element, each, inner)
    if (overlay !== each) changed = true
    return overlay
  })
  return changed ? { ...answer, [list]: result } : answer
}

function withoutRecords(fields: Fields, version: number): Struct {
  const { partitionIndex, errorCode, ...rest } = blankOf(fields, version)
  return rest
}
