import { findCoordinator } from '../apis/find-coordinator.ts'
import type { ResponseOf } from '../wire/api.ts'
import { errorCodes, KafkaError } from '../wire/errors.ts'
import { Backoff } from './backoff.ts'
import { type Connections, networkError } from './connections.ts'
import type { ClientEnvironment } from './environment.ts'
import type { ClientMetadata } from './metadata.ts'
import type { NodeConnection } from './node-connection.ts'
import type { Node } from './topic-partition.ts'

const keyTypes = { group: 0, transaction: 1 } as const

/** What is coordinated: a group by its id, a transaction by its transactional id. */
export type CoordinatorType = keyof typeof keyTypes

/** From this version on one request asks for many keys (KIP-699). */
const BATCHED_SINCE = 4

export interface CoordinatorConfigs {
  readonly 'retry.backoff.ms': number
  readonly 'retry.backoff.max.ms': number
}

export interface FindOptions {
  /** Until when it is tried, in milliseconds since the epoch. */
  readonly deadline: number
  /** Milliseconds that the deadline was set for, for the error's text. */
  readonly timeoutMs: number
}

/**
 * Which broker coordinates what, as one client knows it (Kafka's FindCoordinator, KIP-699). A coordinator that was found is
 * remembered until somebody says `forget`, or its connection breaks: an answer of NOT_COORDINATOR or COORDINATOR_NOT_AVAILABLE,
 * or a request that got none, is a reason to forget; COORDINATOR_LOAD_IN_PROGRESS is not, the broker is the right one.
 *
 * Requests to a coordinator travel over a connection of their own: a JoinGroup is answered when the others have joined, and
 * whatever came behind it would wait as long (W-4).
 */
export class Coordinators {
  readonly #environment: ClientEnvironment
  readonly #connections: Connections
  readonly #metadata: ClientMetadata
  readonly #backoff: Backoff
  readonly #known = new Map<string, Node>()
  readonly #lookups = new Map<string, Promise<Node | KafkaError>>()

  constructor(
    environment: ClientEnvironment,
    connections: Connections,
    metadata: ClientMetadata,
    configs: CoordinatorConfigs,
  ) {
    this.#environment = environment
    this.#connections = connections
    this.#metadata = metadata
    this.#backoff = new Backoff(
      environment.runtime,
      'client.coordinator',
      configs['retry.backoff.ms'],
      configs['retry.backoff.max.ms'],
    )
    connections.onChange((node, lost) => {
      if (lost !== undefined) this.#lost(node)
    })
  }

  /** The coordinator, if it has been found and not been forgotten. Asks nobody. */
  known(type: CoordinatorType, key: string): Node | undefined {
    return this.#known.get(nameOf(type, key))
  }

  /**
   * The connection to the coordinator; found first, if it is not known. Answers that say that there is none at the moment,
   * and those that do not come, are asked for again, with `retry.backoff.ms` between them.
   *
   * @throws {KafkaError} REQUEST_TIMED_OUT after the deadline, with the last refusal as its cause; at once what no retry
   * helps against: GROUP_AUTHORIZATION_FAILED, INVALID_GROUP_ID, UNSUPPORTED_VERSION.
   */
  async find(type: CoordinatorType, key: string, { deadline, timeoutMs }: FindOptions): Promise<NodeConnection> {
    const { runtime } = this.#environment
    for (let failures = 1; ; failures++) {
      const node = this.known(type, key) ?? (await this.lookUp(type, [key])).get(key)!
      if (!(node instanceof KafkaError)) return this.connectionTo(node)
      if (!node.retriable) throw node
      const pauseMs = this.#backoff.delay(failures)
      if (runtime.now() + pauseMs >= deadline) {
        const text = `the coordinator of ${type} '${key}' was not found within ${timeoutMs} ms: ${node.message}`
        throw new KafkaError('REQUEST_TIMED_OUT', text, { cause: node })
      }
      await runtime.sleep(pauseMs)
    }
  }

  /**
   * Asks any broker, once: for each key its coordinator, or why there is none. What is found is remembered. Keys that are
   * being asked for already are not asked for twice. Rejects only when the client is closed.
   */
  async lookUp(type: CoordinatorType, keys: readonly string[]): Promise<Map<string, Node | KafkaError>> {
    const fresh = [...new Set(keys)].filter(key => !this.#lookups.has(nameOf(type, key)))
    if (fresh.length > 0) {
      const asked = this.#asked(type, fresh)
      for (const key of fresh) {
        const lookup = asked.then(answers => answers.get(key)!)
        // Whoever asks hears of it; the others' copies must not count as unhandled.
        lookup.catch(() => {})
        this.#lookups.set(nameOf(type, key), lookup)
      }
      const over = () => {
        for (const key of fresh) this.#lookups.delete(nameOf(type, key))
      }
      asked.then(over, over)
    }
    const pending = [...new Set(keys)].map(key => [key, this.#lookups.get(nameOf(type, key))!] as const)
    const found = new Map<string, Node | KafkaError>()
    for (const [key, lookup] of pending) found.set(key, await lookup)
    return found
  }

  /** The connection for requests to a coordinator. */
  connectionTo(node: Node): NodeConnection {
    return this.#connections.to(node.id, node, 'coordinator')
  }

  /**
   * It is not the coordinator any more, or cannot be reached: the next `find` asks again. With `node` only if that one is
   * still what is known: an old answer must not undo what was found since.
   */
  forget(type: CoordinatorType, key: string, node?: Pick<Node, 'id'>): void {
    const name = nameOf(type, key)
    if (node === undefined || this.#known.get(name)?.id === node.id) this.#known.delete(name)
  }

  #lost(connection: NodeConnection): void {
    for (const [name, node] of this.#known) {
      if (node.id === connection.nodeId && this.connectionTo(node) === connection) this.#known.delete(name)
    }
  }

  async #asked(type: CoordinatorType, keys: readonly string[]): Promise<Map<string, Node | KafkaError>> {
    const answers = new Map<string, Node | KafkaError>()
    try {
      const node = this.#metadata.leastLoaded()
      if (node === undefined) throw new KafkaError('NETWORK_EXCEPTION', 'no broker can be reached at the moment')
      await node.ready()
      const version = node.versionOf(findCoordinator)
      const batches = version >= BATCHED_SINCE ? [keys] : keys.map(key => [key])
      for (const batch of batches) await this.#ask(node, version, type, batch, answers)
    } catch (reason) {
      const error = networkError(reason)
      if (!(error instanceof KafkaError)) throw error
      for (const key of keys) if (!answers.has(key)) answers.set(key, error)
    }
    for (const [key, answer] of answers) {
      if (!(answer instanceof KafkaError)) this.#known.set(nameOf(type, key), answer)
    }
    return answers
  }

  async #ask(
    node: NodeConnection,
    version: number,
    type: CoordinatorType,
    keys: readonly string[],
    answers: Map<string, Node | KafkaError>,
  ): Promise<void> {
    const body = {
      ...(version >= BATCHED_SINCE ? { coordinatorKeys: keys } : { key: keys[0]! }),
      ...(version >= 1 ? { keyType: keyTypes[type] } : {}),
    }
    const response = await this.#connections.request(node, findCoordinator, () => body, { maxVersion: version })
    if (version < BATCHED_SINCE) {
      const { errorCode, errorMessage, nodeId, host, port } = response
      answers.set(keys[0]!, answerOf(type, keys[0]!, { errorCode, errorMessage, nodeId, host, port }))
      return
    }
    for (const said of response.coordinators) answers.set(said.key, answerOf(type, said.key, said))
    for (const key of keys) {
      if (!answers.has(key)) answers.set(key, new KafkaError('UNKNOWN_SERVER_ERROR', `the answer leaves '${key}' out`))
    }
  }
}

type Said = Omit<ResponseOf<typeof findCoordinator>['coordinators'][number], 'key'>

function answerOf(type: CoordinatorType, key: string, said: Said): Node | KafkaError {
  const { errorCode, errorMessage, nodeId, host, port } = said
  if (errorCode === errorCodes.NONE) return { id: nodeId, host, port, rack: null }
  const { message } = KafkaError.of(errorCode, errorMessage || undefined)
  return KafkaError.of(errorCode, `FindCoordinator of ${type} '${key}': ${message}`)
}

function nameOf(type: CoordinatorType, key: string): string {
  return `${type} ${key}`
}
