import type { alterClientQuotas } from '../apis/alter-client-quotas.ts'
import type { alterConfigs } from '../apis/alter-configs.ts'
import type { alterUserScramCredentials } from '../apis/alter-user-scram-credentials.ts'
import type { unregisterBroker } from '../apis/unregister-broker.ts'
import type { updateFeatures } from '../apis/update-features.ts'
import type { Eventually } from '../log/log-store.ts'
import type { RequestOf, ResponseInput } from '../wire/api.ts'
import type { KafkaError } from '../wire/errors.ts'
import { decideRemoval } from './broker-removal.ts'
import { decideClientQuotas } from './client-quotas.ts'
import { configsRefused, decideConfigReplacement } from './config-alteration.ts'
import type { Decision, Situation } from './decision.ts'
import { decideFeatures } from './features.ts'
import { errorFields } from './refusal.ts'
import { decideScramCredentials } from './scram-credentials.ts'

/** Decides, appends, replays, and answers when the brokers that follow have applied it, or with `refusal`. */
export type Perform = <Response>(
  decide: (situation: Situation) => Decision<Response>,
  refusal: (error: KafkaError) => Response,
) => Eventually<Response>

/** What administrators change beside topics: features, quotas, credentials, whole configurations, brokers that are gone. */
export class Administration {
  readonly #nodeId: number
  readonly #perform: Perform

  constructor(nodeId: number, perform: Perform) {
    this.#nodeId = nodeId
    this.#perform = perform
  }

  alterConfigs(request: RequestOf<typeof alterConfigs>): Eventually<ResponseInput<typeof alterConfigs>> {
    return this.#perform(
      situation => decideConfigReplacement(request, situation),
      error => configsRefused(request.resources, error),
    )
  }

  updateFeatures(request: RequestOf<typeof updateFeatures>): Eventually<ResponseInput<typeof updateFeatures>> {
    return this.#perform(
      situation => decideFeatures(request, this.#nodeId, situation),
      error => ({ throttleTimeMs: 0, ...errorFields(error) }),
    )
  }

  unregisterBroker(request: RequestOf<typeof unregisterBroker>): Eventually<ResponseInput<typeof unregisterBroker>> {
    return this.#perform(
      situation => decideRemoval(request, situation),
      error => ({ throttleTimeMs: 0, ...errorFields(error) }),
    )
  }

  alterClientQuotas(request: RequestOf<typeof alterClientQuotas>): Eventually<ResponseInput<typeof alterClientQuotas>> {
    return this.#perform(
      situation => decideClientQuotas(request, situation),
      error => ({
        throttleTimeMs: 0,
        entries: request.entries.map(({ entity }) => ({ ...errorFields(error), entity })),
      }),
    )
  }

  alterUserScramCredentials(
    request: RequestOf<typeof alterUserScramCredentials>,
  ): Eventually<ResponseInput<typeof alterUserScramCredentials>> {
    const users = new Set([...request.deletions, ...request.upsertions].map(({ name }) => name))
    return this.#perform(
      situation => decideScramCredentials(request, situation),
      error => ({ throttleTimeMs: 0, results: [...users].map(user => ({ user, ...errorFields(error) })) }),
    )
  }
}
