/**
 * Every key of a client metrics subscription (Apache Kafka 4.3.1, ClientMetricsConfigs; KIP-714).
 */
import { int, list, medium } from './config-definition.ts'

export const clientMetricsConfigs = {
  'interval.ms': int(300_000, medium),
  match: list([], medium),
  metrics: list([], medium),
}
