/**
 * Every key of a broker (Apache Kafka 4.3.1, KafkaConfig; M-23), gathered from its four areas.
 */
import type { standardAuthorizerConfigs } from './authorizer-configs.ts'
import { brokerCoordinatorConfigs } from './broker-coordinator-configs.ts'
import { brokerLogConfigs } from './broker-log-configs.ts'
import { brokerNodeConfigs } from './broker-node-configs.ts'
import { brokerSecurityConfigs } from './broker-security-configs.ts'
import type { ConfigOptionsOf, ConfigsOf } from './config-definition.ts'

export const brokerConfigs = {
  ...brokerNodeConfigs,
  ...brokerLogConfigs,
  ...brokerCoordinatorConfigs,
  ...brokerSecurityConfigs,
}

/** Values in force, every key present. */
export type BrokerConfigs = ConfigsOf<typeof brokerConfigs>
/** What a user may write. */
export type BrokerOptions = ConfigOptionsOf<typeof brokerConfigs> & ConfigOptionsOf<typeof standardAuthorizerConfigs>
