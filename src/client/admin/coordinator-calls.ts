import { type ErrorName, KafkaError } from '../../wire/errors.ts'
import { networkError } from '../connections.ts'
import type { CoordinatorType } from '../coordinators.ts'
import type { NodeConnection } from '../node-connection.ts'
import type { Node } from '../topic-partition.ts'
import type { AdminClient, Answers } from './admin-client.ts'

export type GroupAnswers<Result> = Answers<string, Result>

/** A question about groups, or transactional ids, which only their coordinators answer. */
export interface CoordinatorCall<Result> {
  /** Default `group`. */
  readonly type?: CoordinatorType
  /** The name of the API, for errors. */
  readonly what: string
  /** Asks one coordinator about groups of its own. What it rejects with counts for each of them. */
  ask(node: NodeConnection, groupIds: readonly string[], coordinator: Node): Promise<GroupAnswers<Result>>
  /** What else of this question goes by itself. */
  readonly passing?: readonly ErrorName[]
}

/** The group is, or will be, with another broker. */
const moved: readonly ErrorName[] = [
  'NOT_COORDINATOR',
  'COORDINATOR_NOT_AVAILABLE',
  'NETWORK_EXCEPTION',
  'REQUEST_TIMED_OUT',
]
const passing: readonly ErrorName[] = [...moved, 'COORDINATOR_LOAD_IN_PROGRESS']

/**
 * Asks the coordinator of each group, one request for all groups of a broker. Groups whose coordinator has moved, is still
 * reading its log, or does not answer are looked up and asked for again, until `default.api.timeout.ms` is over.
 */
export async function atCoordinators<Result>(
  client: AdminClient,
  groupIds: readonly string[],
  call: CoordinatorCall<Result>,
): Promise<GroupAnswers<Result>> {
  const timeoutMs = client.configs['default.api.timeout.ms']
  const deadline = client.runtime.now() + timeoutMs
  const answers: GroupAnswers<Result> = new Map()
  let left = [...new Set(groupIds)]
  for (let failures = 1; ; failures++) {
    const found = await coordinatorsOf(client, call.type ?? 'group', left, answers)
    await Promise.all([...found.values()].map(here => askOne(client, here, call, answers)))
    left = left.filter(groupId => isPassing(answers.get(groupId), call))
    if (left.length === 0) break
    const pauseMs = client.backoff.delay(failures)
    if (failures > client.configs.retries || client.runtime.now() + pauseMs >= deadline) {
      for (const groupId of left) answers.set(groupId, late(call.what, timeoutMs, answers.get(groupId) as KafkaError))
      break
    }
    await client.runtime.sleep(pauseMs)
  }
  // In the order in which they were asked for.
  return new Map(groupIds.map(groupId => [groupId, answers.get(groupId)!]))
}

interface Coordinated {
  readonly coordinator: Node
  readonly groupIds: string[]
}

/** By broker id; groups without a coordinator get the reason as their answer. */
async function coordinatorsOf(
  client: AdminClient,
  type: CoordinatorType,
  groupIds: readonly string[],
  answers: GroupAnswers<unknown>,
): Promise<Map<number, Coordinated>> {
  const { coordinators } = client
  const unknown = groupIds.filter(groupId => coordinators.known(type, groupId) === undefined)
  const looked = unknown.length === 0 ? undefined : await coordinators.lookUp(type, unknown)
  const found = new Map<number, Coordinated>()
  for (const groupId of groupIds) {
    const node = looked?.get(groupId) ?? coordinators.known(type, groupId)
    if (node === undefined) answers.set(groupId, new KafkaError('COORDINATOR_NOT_AVAILABLE', 'it was lost just now'))
    else if (node instanceof KafkaError) answers.set(groupId, node)
    else if (found.has(node.id)) found.get(node.id)!.groupIds.push(groupId)
    else found.set(node.id, { coordinator: node, groupIds: [groupId] })
  }
  return found
}

async function askOne<Result>(
  client: AdminClient,
  { coordinator, groupIds }: Coordinated,
  call: CoordinatorCall<Result>,
  answers: GroupAnswers<Result>,
): Promise<void> {
  let said: GroupAnswers<Result>
  try {
    said = await call.ask(client.coordinators.connectionTo(coordinator), groupIds, coordinator)
  } catch (reason) {
    const error = networkError(reason)
    if (!(error instanceof KafkaError)) throw error
    said = new Map(groupIds.map(groupId => [groupId, error]))
  }
  for (const groupId of groupIds) {
    const missing = new KafkaError('UNKNOWN_SERVER_ERROR', 'the answer leaves it out')
    const answer = said.has(groupId) ? said.get(groupId)! : missing
    if (answer instanceof KafkaError && moved.includes(answer.errorName)) {
      client.coordinators.forget(call.type ?? 'group', groupId, coordinator)
    }
    answers.set(groupId, answer)
  }
}

function isPassing(answer: unknown, call: CoordinatorCall<unknown>): boolean {
  if (!(answer instanceof KafkaError)) return false
  return passing.includes(answer.errorName) || (call.passing?.includes(answer.errorName) ?? false)
}

function late(what: string, timeoutMs: number, cause: KafkaError): KafkaError {
  return new KafkaError('REQUEST_TIMED_OUT', `${what} was not answered within ${timeoutMs} ms: ${cause.message}`, {
    cause,
  })
}

/** `group 'billing'`, as errors name it. */
export function groupText(groupId: string): string {
  return `group '${groupId}'`
}
