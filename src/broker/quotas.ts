import type { BrokerConfigs } from '../metadata/broker-configs.ts'
import { ClientRates } from '../metadata/client-rates.ts'
import type { ClusterImage } from '../metadata/image.ts'
import { type ClientQuotaKey, QuotaLimits } from '../metadata/quota-limits.ts'
import { Tolls } from '../node/tolls.ts'
import type { Runtime } from '../runtime/runtime.ts'

/**
 * What one broker grants its clients (M-30, M-31): bytes that they produce and fetch, and its time. Limits are the metadata
 * log's; what was used is forgotten with the life. Mutant: `no-mute`.
 */
export function brokerTolls(
  runtime: Runtime,
  image: ClusterImage,
  configs: BrokerConfigs,
  mutants: ReadonlySet<string>,
): Tolls {
  const windowMs = configs['quota.window.size.seconds'] * 1000
  const window = { samples: configs['quota.window.num'], windowMs }
  const ratesOf = (key: ClientQuotaKey, longestMs?: number) =>
    new ClientRates(new QuotaLimits(image.clientQuotas, key), window, longestMs)
  return new Tolls({
    runtime,
    isInForce: () => image.clientQuotas.size > 0,
    produced: ratesOf('producer_byte_rate'),
    fetched: ratesOf('consumer_byte_rate'),
    requests: ratesOf('request_percentage', windowMs),
    isLenient: mutants.has('no-mute'),
  })
}
