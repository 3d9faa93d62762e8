import { aclDeletionsRefused, aclsRefused } from '../apis/acl-refusal.ts'
import type { alterClientQuotas } from '../apis/alter-client-quotas.ts'
import type { alterConfigs } from '../apis/alter-configs.ts'
import type { alterUserScramCredentials } from '../apis/alter-user-scram-credentials.ts'
import type { createAcls } from '../apis/create-acls.ts'
import type { createDelegationToken } from '../apis/create-delegation-token.ts'
import { ownerOf, partiesOf, tokenChangeRefused, tokenRefused } from '../apis/delegation-token-requests.ts'
import type { deleteAcls } from '../apis/delete-acls.ts'
import type { expireDelegationToken } from '../apis/expire-delegation-token.ts'
import type { renewDelegationToken } from '../apis/renew-delegation-token.ts'
import type { unregisterBroker } from '../apis/unregister-broker.ts'
import type { updateFeatures } from '../apis/update-features.ts'
import type { Eventually } from '../log/log-store.ts'
import type { RequestOf, ResponseInput } from '../wire/api.ts'
import type { KafkaError } from '../wire/errors.ts'
import type { Principal } from '../wire/principal.ts'
import { decideAclDeletions, decideAcls } from './acls.ts'
import { decideRemoval } from './broker-removal.ts'
import { decideClientQuotas } from './client-quotas.ts'
import { configsRefused, decideConfigReplacement } from './config-alteration.ts'
import type { Decision, Situation } from './decision.ts'
import { decideDelegationToken, decideTokenExpiry, decideTokenRenewal } from './delegation-tokens.ts'
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

  createAcls(request: RequestOf<typeof createAcls>): Eventually<ResponseInput<typeof createAcls>> {
    return this.#perform(
      situation => decideAcls(request, situation),
      error => aclsRefused(request, error),
    )
  }

  deleteAcls(request: RequestOf<typeof deleteAcls>): Eventually<ResponseInput<typeof deleteAcls>> {
    return this.#perform(
      situation => decideAclDeletions(request, situation),
      error => aclDeletionsRefused(request, error),
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

  createDelegationToken(
    request: RequestOf<typeof createDelegationToken>,
    requester: Principal,
  ): Eventually<ResponseInput<typeof createDelegationToken>> {
    return this.#perform(
      situation => decideDelegationToken(request, requester, situation),
      ({ code }) => tokenRefused(code, partiesOf(ownerOf(request, requester), requester)),
    )
  }

  renewDelegationToken(
    request: RequestOf<typeof renewDelegationToken>,
    requester: Principal,
  ): Eventually<ResponseInput<typeof renewDelegationToken>> {
    return this.#perform(
      situation => decideTokenRenewal(request, requester, situation),
      ({ code }) => tokenChangeRefused(code),
    )
  }

  expireDelegationToken(
    request: RequestOf<typeof expireDelegationToken>,
    requester: Principal,
  ): Eventually<ResponseInput<typeof expireDelegationToken>> {
    return this.#perform(
      situation => decideTokenExpiry(request, requester, situation),
      ({ code }) => tokenChangeRefused(code),
    )
  }
}
