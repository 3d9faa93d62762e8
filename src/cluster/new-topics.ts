import type { ClusterImage } from '../metadata/image.ts'
import type { BrokerHandle } from './broker-handle.ts'
import { type NewTopic, refuseUnknown, type TopicSpec } from './options.ts'
import type { Plant } from './plant.ts'
import { isFollowed, isServed } from './served.ts'
import { orderTopics } from './topic-order.ts'

/** Topics that a test wants to be there: straight from the controller, and then until they are served. */
export class NewTopics {
  readonly #plant: Plant
  readonly #brokers: readonly BrokerHandle[]
  readonly #image: () => ClusterImage

  constructor(plant: Plant, brokers: readonly BrokerHandle[], image: () => ClusterImage) {
    this.#plant = plant
    this.#brokers = brokers
    this.#image = image
  }

  async createAs(name: string, topic: NewTopic): Promise<void> {
    const options = ['name', 'prefix', 'partitions', 'replicationFactor', 'assignments', 'configs']
    refuseUnknown('option of createTopic', topic, options)
    await this.create({ [name]: topic })
  }

  async create(topics: Readonly<Record<string, TopicSpec>>): Promise<void> {
    const names = Object.keys(topics)
    if (names.length === 0) return
    await orderTopics(this.#plant, topics)
    await this.#plant.runtime.until(() => names.every(name => this.#isServed(name))).promise
  }

  /** As steady as it gets: while a fault is in force, followers may be kept from their leader. */
  #isServed(name: string): boolean {
    const topic = this.#image().topic(name)
    if (topic === undefined || !isServed(topic, this.#brokers)) return false
    const { network, interceptors } = this.#plant
    return network.rules.size > 0 || interceptors.size > 0 || isFollowed(topic, this.#brokers)
  }
}
