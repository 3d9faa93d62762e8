import { createTopics } from '../../src/apis/create-topics.ts'
import { describeGroups } from '../../src/apis/describe-groups.ts'
import { describeTopicPartitions } from '../../src/apis/describe-topic-partitions.ts'
import { findCoordinator } from '../../src/apis/find-coordinator.ts'
import { listOffsets } from '../../src/apis/list-offsets.ts'
import { ConnectionError } from '../../src/network/channel.ts'
import { RequestTimeoutError } from '../../src/network/connection.ts'
import type { AnyApi, RequestInput, ResponseOf } from '../../src/wire/api.ts'
import { errorOf } from '../../src/wire/errors.ts'
import type { Line, World } from '../scenarios/world.ts'
import { bytesToHex, type Json, jsonOf, NormalForm, type Transcript } from './normal-form.ts'
import { fitting } from './version-fit.ts'

export interface AskOptions {
  /** Whom to ask, 1 unless said; 1000 is the controller. */
  readonly to?: number
  /** A connection of its own, by name: for what waits at the broker. */
  readonly line?: string
  /** Fields of the answer that mean nothing here: they are chance in both worlds. */
  readonly blur?: readonly string[]
}

export interface EveryOptions extends AskOptions {
  /** Bounds, where not all versions are meant. */
  readonly from?: number
  readonly until?: number
}

/** A body, or how it is made for a version. What a version does not have is left out of it. */
type Body<A extends AnyApi> = RequestInput<A> | ((version: number) => RequestInput<A>)

/** Longer than any answer that is to come. */
const UNANSWERED_MS = 20_000
const SILENT_MS = 3_000
const TOLD_MS = 700
/** Error codes of a coordinator that is not there yet. */
const NOT_YET: ReadonlySet<string> = new Set([
  'COORDINATOR_NOT_AVAILABLE',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'NOT_COORDINATOR',
])

/** Steps of one chapter, played to one world; what was answered, in a form in which chance does not show. */
export class Play {
  readonly world: World
  readonly #lines = new Map<string, Line>()
  readonly #answers = new Map<string, { readonly raw: Json; readonly blur: readonly string[] }>()
  /** Of the topics that were made as no step. */
  readonly #topicIds = new Map<string, string>()
  readonly #startedAt: number

  constructor(world: World) {
    this.world = world
    this.#startedAt = world.now()
  }

  /** Time of the world when the chapter began, in milliseconds. */
  get startedAt(): number {
    return this.#startedAt
  }

  /** One step: `title` is its name with API and version. The answer is undefined where the connection was closed. */
  async ask<A extends AnyApi>(
    title: string,
    api: A,
    version: number,
    body: RequestInput<A>,
    options: AskOptions = {},
  ): Promise<ResponseOf<A> | undefined> {
    const record = this.#step(`${api.name} v${version} ${title}`, options.blur)
    try {
      const answer = await this.request(api, version, body, options)
      record(jsonOf(api.response.fields, answer, version))
      return answer
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error
      record(error instanceof RequestTimeoutError ? 'unanswered' : 'closed')
      return undefined
    }
  }

  /** The same step for every version of the API, one after the other; answers what the newest was answered. */
  async every<A extends AnyApi>(
    title: string,
    api: A,
    body: Body<A>,
    options: EveryOptions = {},
  ): Promise<ResponseOf<A> | undefined> {
    const { from = api.versions.min, until = api.versions.max } = options
    let last: ResponseOf<A> | undefined
    for (let version = from; version <= until; version++) {
      last = await this.ask(title, api, version, typeof body === 'function' ? body(version) : body, options)
    }
    return last
  }

  /** Bytes as they are, on a connection of their own: answered, closed, or met with silence. */
  async frame(title: string, bytes: Uint8Array, options: { readonly to?: number; readonly blur?: boolean } = {}) {
    const record = this.#step(title)
    const line = await this.world.connect(options.to ?? 1)
    const answered = line.receiveBytes().then(
      answer => (options.blur ? 'answered' : `answered ${bytesToHex(answer)}`),
      () => 'closed',
    )
    await line.sendBytes(bytes)
    const ended = await Promise.race([answered, line.closes(SILENT_MS).then(closed => (closed ? 'closed' : 'silence'))])
    line.close()
    record(ended)
  }

  /** A request that nobody answers, or so one hopes: closed, or met with silence. */
  async tell<A extends AnyApi>(
    title: string,
    api: A,
    version: number,
    body: RequestInput<A>,
    { to = 1 }: AskOptions = {},
  ): Promise<void> {
    const record = this.#step(`${api.name} v${version} ${title}`)
    const line = await this.world.connect(to)
    await line.sendOnly(api, version, fitting(api, version, body))
    record((await line.closes(TOLD_MS)) ? 'closed' : 'silence')
    line.close()
  }

  /** No step: its answer is not compared. */
  async request<A extends AnyApi>(
    api: A,
    version: number,
    body: RequestInput<A>,
    { to = 1, line: name = '' }: AskOptions = {},
  ): Promise<ResponseOf<A>> {
    const key = `${to} ${name}`
    let line = this.#lines.get(key)
    if (line === undefined) {
      line = await this.world.connect(to)
      this.#lines.set(key, line)
    }
    try {
      return await line.request(api, version, fitting(api, version, body), UNANSWERED_MS)
    } catch (error) {
      this.#lines.delete(key)
      line.close()
      throw error
    }
  }

  /** A topic with these replicas of each partition, known to all brokers and led. Answers its id. */
  async topic(
    name: string,
    replicas: readonly (readonly number[])[],
    configs: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    const { topics } = await this.request(createTopics, 7, {
      topics: [
        {
          name,
          numPartitions: -1,
          replicationFactor: -1,
          assignments: replicas.map((ids, partitionIndex) => ({ partitionIndex, brokerIds: [...ids] })),
          configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
        },
      ],
      timeoutMs: 30_000,
    })
    const created = topics[0]!
    if (created.errorCode !== 0) throw new Error(`${name}: ${errorOf(created.errorCode).name} ${created.errorMessage}`)
    await this.ready(name, replicas.length)
    this.#topicIds.set(created.topicId, name)
    return created.topicId
  }

  /** Until all brokers know the topic with so many partitions, and every replica of it is there. */
  async ready(name: string, partitions: number): Promise<void> {
    await this.world.eventually(`${name} is there`, async () => {
      for (const broker of [1, 2, 3]) {
        const { topics } = await this.request(describeTopicPartitions, 0, { topics: [{ name }] }, { to: broker })
        const found = topics[0]!
        if (found.errorCode !== 0 || found.partitions.length !== partitions) return false
        for (const { partitionIndex, leaderId, replicaNodes, isrNodes } of found.partitions) {
          if (leaderId < 0 || isrNodes.length < replicaNodes.length) return false
          if (replicaNodes.includes(broker) && !(await this.#hasReplica(name, partitionIndex, broker))) return false
        }
      }
      return true
    })
  }

  async #hasReplica(name: string, partitionIndex: number, to: number): Promise<boolean> {
    const body = {
      replicaId: -2,
      isolationLevel: 0,
      topics: [{ name, partitions: [{ partitionIndex, timestamp: -1 }] }],
    }
    const { topics } = await this.request(listOffsets, 9, body, { to })
    return topics[0]!.partitions[0]!.errorCode === 0
  }

  /** The broker that coordinates a group, once it does. */
  async coordinator(group: string): Promise<number> {
    let found = -1
    await this.world.eventually(`${group} has a coordinator`, async () => {
      const { coordinators } = await this.request(findCoordinator, 6, { keyType: 0, coordinatorKeys: [group] })
      found = coordinators[0]!.nodeId
      if (found < 0) return false
      const body = { groups: [group], includeAuthorizedOperations: false }
      const { groups } = await this.request(describeGroups, 6, body, { to: found })
      return !NOT_YET.has(errorOf(groups[0]!.errorCode).name)
    })
    return found
  }

  /** A broker that does not coordinate it. */
  async stranger(group: string): Promise<number> {
    return ((await this.coordinator(group)) % 3) + 1
  }

  /** Until the condition holds. */
  until(what: string, condition: () => Promise<boolean>): Promise<void> {
    return this.world.eventually(what, condition)
  }

  /** Ends all connections. Answers what was said, in the order in which it was asked. */
  close(): Transcript {
    for (const line of this.#lines.values()) line.close()
    this.#lines.clear()
    const form = new NormalForm({
      addresses: this.world.environment('play').bootstrap,
      startedAt: this.#startedAt,
      endedAt: this.world.now(),
    })
    for (const [id, name] of this.#topicIds) form.known(id, name)
    const steps: Record<string, Json> = {}
    for (const [title, { raw, blur }] of this.#answers) steps[title] = form.of(title, raw, blur)
    return steps
  }

  /** Takes its place in the order at once; the answer comes later. */
  #step(title: string, blur: readonly string[] = []): (raw: Json) => void {
    if (this.#answers.has(title)) throw new Error(`there are two steps '${title}'`)
    this.#answers.set(title, { raw: 'never answered', blur })
    return raw => this.#answers.set(title, { raw, blur })
  }
}

/** A part of the play: each makes the topics and groups that it needs, so that any of them can be played alone. */
export interface Chapter {
  readonly title: string
  play(play: Play): Promise<void>
}
