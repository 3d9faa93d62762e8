import type { BrokerConfigs } from '../metadata/broker-configs.ts'
import { brokerLayers } from '../metadata/broker-layers.ts'
import {
  type BrokerConfigLayers,
  effectiveBrokerConfig,
  noOverrides,
  type Overrides,
} from '../metadata/config-values.ts'
import { CLUSTER_DEFAULT, type ClusterImage, resourceTypes } from '../metadata/image.ts'

export const MIN_INSYNC_REPLICAS = 'min.insync.replicas'
export const UNCLEAN_ELECTION = 'unclean.leader.election.enable'
export const ELR_FEATURE = 'eligible.leader.replicas.version'

/** The configuration that the controller goes by: its own, and what it looks up of topics while it decides. */
export class Settings {
  readonly #image: ClusterImage
  readonly #static: Overrides
  readonly #nodeId: number
  #dynamicDefault: Overrides = noOverrides
  #dynamicBroker: Overrides = noOverrides
  #layers: BrokerConfigLayers

  constructor(image: ClusterImage, staticConfigs: Overrides, nodeId: number) {
    this.#image = image
    this.#static = staticConfigs
    this.#nodeId = nodeId
    this.#layers = brokerLayers(staticConfigs, noOverrides, noOverrides)
  }

  /** The same object for as long as nothing in it changes. */
  get layers(): BrokerConfigLayers {
    const dynamicDefault = this.#image.configsOf(resourceTypes.broker, CLUSTER_DEFAULT)
    const dynamicBroker = this.#image.configsOf(resourceTypes.broker, String(this.#nodeId))
    if (dynamicDefault !== this.#dynamicDefault || dynamicBroker !== this.#dynamicBroker) {
      this.#dynamicDefault = dynamicDefault
      this.#dynamicBroker = dynamicBroker
      this.#layers = brokerLayers(this.#static, dynamicDefault, dynamicBroker)
    }
    return this.#layers
  }

  get values(): BrokerConfigs {
    return effectiveBrokerConfig(this.layers)
  }

  /** KIP-966 is on. */
  get elrEnabled(): boolean {
    return this.#image.featureLevel(ELR_FEATURE) >= 1
  }

  minInsyncReplicas(topic: string): number {
    const own = this.#image.configsOf(resourceTypes.topic, topic).get(MIN_INSYNC_REPLICAS)
    return own === undefined ? this.values[MIN_INSYNC_REPLICAS] : Number(own)
  }

  uncleanElectionEnabled(topic: string): boolean {
    const own = this.#image.configsOf(resourceTypes.topic, topic).get(UNCLEAN_ELECTION)
    return own === undefined ? this.values[UNCLEAN_ELECTION] : own.trim().toLowerCase() === 'true'
  }
}
