import type { Broker } from '../broker/broker.ts'
import { KafkaError } from '../wire/errors.ts'

/** The feature `group.version` has to be finalized, and brokers may leave the protocol out. @throws {KafkaError} UNSUPPORTED_VERSION */
export function requireConsumerProtocol({ image, config }: Broker): void {
  const isFinalized = image.featureLevel('group.version') > 0
  if (!isFinalized || !config['group.coordinator.rebalance.protocols'].includes('consumer')) {
    throw new KafkaError('UNSUPPORTED_VERSION')
  }
}
