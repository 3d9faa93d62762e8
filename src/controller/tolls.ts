import { ClientRates } from '../metadata/client-rates.ts'
import type { ClusterImage } from '../metadata/image.ts'
import { QuotaLimits } from '../metadata/quota-limits.ts'
import { Tolls } from '../node/tolls.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Settings } from './configs.ts'

/** What those pay who ask the controller itself (KIP-919): its time, and what `MutationQuotas` says. */
export function controllerTolls(runtime: Runtime, image: ClusterImage, { values }: Settings): Tolls {
  const windowMs = values['quota.window.size.seconds'] * 1000
  const window = { samples: values['quota.window.num'], windowMs }
  return new Tolls({
    runtime,
    isInForce: () => image.clientQuotas.size > 0,
    requests: new ClientRates(new QuotaLimits(image.clientQuotas, 'request_percentage'), window, windowMs),
  })
}
