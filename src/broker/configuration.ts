import type { BrokerConfigs } from '../metadata/broker-configs.ts'
import { brokerLayers } from '../metadata/broker-layers.ts'
import {
  type BrokerConfigLayers,
  effectiveBrokerConfig,
  effectiveGroupConfig,
  effectiveTopicConfig,
  type LogConfig,
  type Overrides,
} from '../metadata/config-values.ts'
import type { GroupConfigs } from '../metadata/group-configs.ts'
import { CLUSTER_DEFAULT, type ClusterImage, resourceTypes } from '../metadata/image.ts'

/** What one broker goes by: the file that it was started with, and what the metadata log says since. */
export class Configuration {
  readonly #fixed: Overrides
  readonly #image: ClusterImage
  readonly #brokerId: number
  readonly #groups = new Map<string, GroupConfigs>()
  #layers: BrokerConfigLayers

  /** `fixed` is what all nodes were started with; who it is stands in each broker's own file. */
  constructor(
    fixed: Overrides,
    image: ClusterImage,
    { id, rack }: { readonly id: number; readonly rack: string | null },
  ) {
    this.#fixed = new Map([...fixed, ['node.id', `${id}`], ...(rack === null ? [] : [['broker.rack', rack] as const])])
    this.#image = image
    this.#brokerId = id
    this.#layers = brokerLayers(this.#fixed, new Map(), new Map())
  }

  get layers(): BrokerConfigLayers {
    return this.#layers
  }

  /** Every broker key. */
  get broker(): BrokerConfigs {
    return effectiveBrokerConfig(this.#layers)
  }

  ofTopic(topic: string): LogConfig {
    return effectiveTopicConfig(this.#image.configsOf(resourceTypes.topic, topic), this.#layers)
  }

  /** Asked for at every heartbeat, so it is kept. */
  ofGroup(groupId: string): GroupConfigs {
    const overrides = this.#image.configsOf(resourceTypes.group, groupId)
    if (overrides.size === 0) return effectiveGroupConfig(overrides, this.#layers)
    const known = this.#groups.get(groupId)
    if (known !== undefined) return known
    const made = effectiveGroupConfig(overrides, this.#layers)
    this.#groups.set(groupId, made)
    return made
  }

  /** The metadata log has other values for brokers. */
  brokersChanged(): void {
    const of = (name: string) => this.#image.configsOf(resourceTypes.broker, name)
    this.#layers = brokerLayers(this.#fixed, of(CLUSTER_DEFAULT), of(`${this.#brokerId}`))
    this.#groups.clear()
  }

  groupChanged(groupId: string): void {
    this.#groups.delete(groupId)
  }
}
