import { consumerGroupDescribe } from '../../src/apis/consumer-group-describe.ts'
import { consumerGroupHeartbeat } from '../../src/apis/consumer-group-heartbeat.ts'
import { incrementalAlterConfigs } from '../../src/apis/incremental-alter-configs.ts'
import type { ErrorName } from '../../src/wire/errors.ts'
import { Group, nameOf } from './group.ts'
import type { Topic } from './topic.ts'
import type { World } from './world.ts'

const GROUP_RESOURCE = 32

/** What a member says in ConsumerGroupHeartbeat; nothing else is said. Partitions as text: `orders-0 orders-1`. */
export interface Saying {
  readonly instanceId?: string | null
  readonly rackId?: string | null
  readonly rebalanceTimeoutMs?: number
  readonly topics?: readonly string[] | null
  readonly regex?: string | null
  readonly assignor?: string | null
  readonly owned?: string | null
  readonly version?: number
}

export interface Heard {
  readonly error: ErrorName
  readonly memberId: string | null
  readonly epoch: number
  readonly heartbeatMs: number
  /** Null: nothing is said of it. */
  readonly assignment: string | null
}

interface TopicPartitions {
  readonly topicId: string
  readonly partitions: readonly number[]
}

let counted = 0

/** A group whose members speak the protocol of KIP-848, about topics of the story. */
export class ConsumerGroup extends Group {
  readonly #topics: Topic[]

  private constructor(world: World, name: string, topics: readonly Topic[]) {
    super(world, name)
    this.#topics = [...topics]
  }

  /** With an assignment interval of its own (in both worlds 1 s unless said). */
  static async of(world: World, topics: readonly Topic[], assignmentIntervalMs = 0): Promise<ConsumerGroup> {
    const group = new ConsumerGroup(world, `consumers-${++counted}`, topics)
    await group.find()
    await group.configure('consumer.assignment.interval.ms', assignmentIntervalMs)
    return group
  }

  async configure(name: string, value: number): Promise<void> {
    const { world } = this
    const configs = [{ name, configOperation: 0, value: `${value}` }]
    const resources = [{ resourceType: GROUP_RESOURCE, resourceName: this.name, configs }]
    const body = { resources, validateOnly: false }
    const { responses } = await world.request(world.witnesses[0]!, incrementalAlterConfigs, 1, body)
    if (responses[0]!.errorCode !== 0) throw new Error(`${name}: ${responses[0]!.errorMessage}`)
    await world.settled()
  }

  /** A topic that is made later, or anew. */
  knows(topic: Topic): void {
    this.#topics.push(topic)
  }

  /** What it subscribes to unless said. */
  get topic(): Topic {
    return this.#topics[0]!
  }

  #text(topics: readonly TopicPartitions[]): string {
    return topics
      .flatMap(({ topicId, partitions }) => {
        const name = this.#topics.find(topic => topic.id === topicId)?.name ?? topicId
        return partitions.map(partition => `${name}-${partition}`)
      })
      .sort()
      .join(' ')
  }

  #partitions(text: string): TopicPartitions[] {
    const found = new Map<string, number[]>()
    for (const partition of text.split(' ').filter(Boolean)) {
      const at = partition.lastIndexOf('-')
      const { id } = this.#topics.find(({ name }) => name === partition.slice(0, at))!
      found.set(id, [...(found.get(id) ?? []), Number(partition.slice(at + 1))])
    }
    return Array.from(found, ([topicId, partitions]) => ({ topicId, partitions }))
  }

  /** Epoch 0, with all that a first request has to say; subscribed to the first topic unless said. */
  enter(memberId: string, saying: Saying = {}): Promise<Heard> {
    const { topics = saying.regex === undefined ? [this.topic.name] : null } = saying
    return this.say(memberId, 0, { rebalanceTimeoutMs: 60_000, owned: '', ...saying, topics })
  }

  async say(memberId: string, memberEpoch: number, saying: Saying = {}): Promise<Heard> {
    const { instanceId = null, rackId = null, rebalanceTimeoutMs = -1, topics = null, regex = null } = saying
    const { assignor = null, owned = null, version = 1 } = saying
    const answer = await this.world.request(this.coordinator, consumerGroupHeartbeat, version, {
      groupId: this.name,
      memberId,
      memberEpoch,
      instanceId,
      rackId,
      rebalanceTimeoutMs,
      subscribedTopicNames: topics === null ? null : [...topics],
      ...(version > 0 ? { subscribedTopicRegex: regex } : {}),
      serverAssignor: assignor,
      topicPartitions: owned === null ? null : this.#partitions(owned),
    })
    return {
      error: nameOf(answer.errorCode),
      memberId: answer.memberId,
      epoch: answer.memberEpoch,
      heartbeatMs: answer.heartbeatIntervalMs,
      assignment: answer.assignment === null ? null : this.#text(answer.assignment.topicPartitions),
    }
  }

  /** Until a member's heartbeat is answered like that; what it was answered. */
  async untilSaid(
    memberId: string,
    memberEpoch: number,
    what: string,
    condition: (heard: Heard) => boolean,
    saying: Saying = {},
  ): Promise<Heard> {
    let heard: Heard | undefined
    await this.world.eventually(`${this.name}: ${memberId} ${what}`, async () => {
      heard = await this.say(memberId, memberEpoch, saying)
      return condition(heard)
    })
    return heard!
  }

  /** ConsumerGroupDescribe; each member as `epoch [what it has] → [what it is to have]`, the second only where it differs. */
  async consumers() {
    const body = { groupIds: [this.name], includeAuthorizedOperations: false }
    const [answer] = (await this.world.request(this.coordinator, consumerGroupDescribe, 1, body)).groups
    const members = answer!.members.map(member => {
      const [has, target] = [member.assignment, member.targetAssignment].map(each => this.#text(each.topicPartitions))
      const text = `${member.memberEpoch} [${has}]${has === target ? '' : ` → [${target}]`}`
      return [member.memberId, text] as const
    })
    return {
      error: nameOf(answer!.errorCode),
      state: answer!.groupState,
      groupEpoch: answer!.groupEpoch,
      assignmentEpoch: answer!.assignmentEpoch,
      assignor: answer!.assignorName,
      members: Object.fromEntries(members),
      raw: answer!.members,
    }
  }
}
