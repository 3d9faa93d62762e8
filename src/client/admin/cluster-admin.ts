import { refuseUnknown } from '../arguments.ts'
import { type AclBinding, type AclFilter, createAcls, deleteAcls, describeAcls } from './acls.ts'
import type { AdminClient } from './admin-client.ts'
import { unregisterBroker } from './broker-removal.ts'
import {
  alterClientQuotas,
  type ClientQuotaAlteration,
  type ClientQuotaDescription,
  type ClientQuotaFilter,
  describeClientQuotas,
} from './client-quotas.ts'
import { listConfigResources } from './config-resources.ts'
import type { ConfigResource } from './configs.ts'
import {
  createDelegationToken,
  type DelegationToken,
  describeDelegationToken,
  expireDelegationToken,
  type NewDelegationToken,
  type Principal,
  renewDelegationToken,
} from './delegation-tokens.ts'
import { type FeatureUpdate, updateFeatures } from './features.ts'
import { alterReplicaLogDirs, describeLogDirs, type LogDirDescription, type ReplicaLogDir } from './log-dirs.ts'
import { describeMetadataQuorum, type QuorumDescription } from './quorum.ts'
import {
  alterUserScramCredentials,
  describeUserScramCredentials,
  type ScramCredentialAlteration,
  type ScramCredentialInfo,
} from './scram-credentials.ts'

interface Options {
  readonly timeoutMs?: number
  readonly validateOnly?: boolean
}

/** What an admin client asks of the cluster as such: features, brokers, directories, quotas, who may do what. */
export class ClusterAdmin {
  readonly #client: AdminClient

  constructor(client: AdminClient) {
    this.#client = client
  }

  /** The controllers, and how far the brokers follow them (KIP-595). */
  describeMetadataQuorum(): Promise<QuorumDescription> {
    return this.#client.call('describeMetadataQuorum', () => describeMetadataQuorum(this.#client))
  }

  /** Finalizes features at other levels (KIP-584), all or none. Rejects with INVALID_UPDATE_VERSION. */
  updateFeatures(updates: Readonly<Record<string, FeatureUpdate>>, options: Options = {}): Promise<void> {
    return this.#call('updateFeatures', options, ['timeoutMs', 'validateOnly'], () =>
      updateFeatures(this.#client, updates, options),
    )
  }

  /** Forgets a broker that will not come back. Rejects with BROKER_ID_NOT_REGISTERED. */
  unregisterBroker(brokerId: number): Promise<void> {
    return this.#client.call('unregisterBroker', () => unregisterBroker(this.#client, brokerId))
  }

  /** By broker and path: the replicas in each log directory (KIP-113). Rejects with BROKER_NOT_AVAILABLE. */
  describeLogDirs(brokerIds: readonly number[]): Promise<Map<number, Map<string, LogDirDescription>>> {
    return this.#client.call('describeLogDirs', () => describeLogDirs(this.#client, brokerIds))
  }

  /** Moves replicas to another directory of their broker. Rejects with LOG_DIR_NOT_FOUND, REPLICA_NOT_AVAILABLE. */
  alterReplicaLogDirs(moves: readonly ReplicaLogDir[]): Promise<void> {
    return this.#client.call('alterReplicaLogDirs', () => alterReplicaLogDirs(this.#client, moves))
  }

  /** What has a configuration, of these types; of all when none is named (KIP-1142). */
  listConfigResources(types: readonly ConfigResource['type'][] = []): Promise<ConfigResource[]> {
    return this.#client.call('listConfigResources', () => listConfigResources(this.#client, types))
  }

  /** The quotas of the entities that match; all without a filter (KIP-546). */
  describeClientQuotas(filter: ClientQuotaFilter = {}): Promise<ClientQuotaDescription[]> {
    return this.#call('describeClientQuotas', filter, ['components', 'strict'], () =>
      describeClientQuotas(this.#client, filter),
    )
  }

  /** Sets quotas, and removes those whose value is null. Rejects with INVALID_REQUEST. */
  alterClientQuotas(
    alterations: readonly ClientQuotaAlteration[],
    options: Pick<Options, 'validateOnly'> = {},
  ): Promise<void> {
    return this.#call('alterClientQuotas', options, ['validateOnly'], () =>
      alterClientQuotas(this.#client, alterations, options),
    )
  }

  /** By user: mechanisms and iterations (KIP-554); of all users when none is named. Rejects with RESOURCE_NOT_FOUND. */
  describeUserScramCredentials(users: readonly string[] = []): Promise<Map<string, ScramCredentialInfo[]>> {
    return this.#client.call('describeUserScramCredentials', () => describeUserScramCredentials(this.#client, users))
  }

  /** Gives users SCRAM credentials, or takes them away. Rejects with UNACCEPTABLE_CREDENTIAL, RESOURCE_NOT_FOUND. */
  alterUserScramCredentials(alterations: readonly ScramCredentialAlteration[]): Promise<void> {
    return this.#client.call('alterUserScramCredentials', () => alterUserScramCredentials(this.#client, alterations))
  }

  /** The ACLs that match; all without a filter. Rejects with SECURITY_DISABLED where there is no authorizer. */
  describeAcls(filter: AclFilter = {}): Promise<AclBinding[]> {
    return this.#client.call('describeAcls', () => describeAcls(this.#client, filter))
  }

  /** Rejects with SECURITY_DISABLED where there is no authorizer. */
  createAcls(bindings: readonly AclBinding[]): Promise<void> {
    return this.#client.call('createAcls', () => createAcls(this.#client, bindings))
  }

  /** What was deleted, by the very filters that were given. Rejects with SECURITY_DISABLED where there is no authorizer. */
  deleteAcls(filters: readonly AclFilter[]): Promise<Map<AclFilter, AclBinding[]>> {
    return this.#client.call('deleteAcls', () => deleteAcls(this.#client, filters))
  }

  /** A delegation token (KIP-48). Rejects with DELEGATION_TOKEN_REQUEST_NOT_ALLOWED where nobody authenticates. */
  createDelegationToken(token: NewDelegationToken = {}): Promise<DelegationToken> {
    return this.#client.call('createDelegationToken', () => createDelegationToken(this.#client, token))
  }

  /** Answers when the token expires now, in milliseconds since the epoch. */
  renewDelegationToken(hmac: Uint8Array, options: { readonly renewTimePeriodMs?: number } = {}): Promise<number> {
    return this.#call('renewDelegationToken', options, ['renewTimePeriodMs'], () =>
      renewDelegationToken(this.#client, hmac, options.renewTimePeriodMs),
    )
  }

  /** Ends a token, at once unless a period is given; answers when it expires, in milliseconds since the epoch. */
  expireDelegationToken(hmac: Uint8Array, options: { readonly expiryTimePeriodMs?: number } = {}): Promise<number> {
    return this.#call('expireDelegationToken', options, ['expiryTimePeriodMs'], () =>
      expireDelegationToken(this.#client, hmac, options.expiryTimePeriodMs),
    )
  }

  /** The tokens of these owners, or all that one may see. */
  describeDelegationToken(options: { readonly owners?: readonly Principal[] } = {}): Promise<DelegationToken[]> {
    return this.#call('describeDelegationToken', options, ['owners'], () =>
      describeDelegationToken(this.#client, options.owners),
    )
  }

  #call<T>(name: string, options: object, known: readonly string[], run: () => Promise<T>): Promise<T> {
    return this.#client.call(name, async () => {
      refuseUnknown(`the options of ${name}`, options, known)
      return run()
    })
  }
}
