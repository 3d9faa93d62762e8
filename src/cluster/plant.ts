import type { AdoptedTopic } from '../controller/format.ts'
import type { TransactionStops } from '../coordinators/transactions/transaction-stops.ts'
import type { LogStores } from '../log/log-store.ts'
import type { Overrides } from '../metadata/config-values.ts'
import type { MetadataRecordInput } from '../metadata/records.ts'
import type { Address } from '../network/channel.ts'
import type { LinkNetwork } from '../network/link.ts'
import type { Interceptors } from '../node/intercept.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { AnyApi, ResponseInput } from '../wire/api.ts'
import type { SaslPlan } from './sasl-options.ts'
import type { RunCertificates } from './tls-options.ts'

/** What all nodes of one cluster stand on. */
export interface Plant {
  readonly runtime: Runtime
  readonly network: LinkNetwork
  readonly stores: LogStores
  readonly interceptors: Interceptors
  /** Settled before any node starts: of the cluster that the stores hold, or drawn. */
  clusterId: string
  /** Topics whose logs were there before the cluster: for the first life of its controller. */
  adopted: readonly AdoptedTopic[]
  /** Static configuration of every node, as text. */
  readonly configs: Overrides
  /** Levels of features, where they differ from those of a new cluster. */
  readonly features: Readonly<Record<string, number>>
  /** Who may authenticate. */
  readonly sasl: SaslPlan
  readonly certificates: RunCertificates
  /** What the metadata log begins with, or goes on with: SCRAM credentials of the options. Nothing once the cluster has started. */
  initialRecords: readonly MetadataRecordInput[]
  /** What clients may ask brokers (`kafkaVersion`), and what brokers may ask each other. */
  readonly brokerApis: ReadonlyMap<number, AnyApi>
  readonly peerApis: ReadonlyMap<number, AnyApi>
  /** Answer of a broker to an ApiVersions request of a version that it does not know. */
  readonly unknownApiVersions: ResponseInput<AnyApi>
  readonly controllerApis: ReadonlyMap<number, AnyApi>
  readonly controllerAddress: Address
  /** Whom to warn, of what works and is probably not meant. */
  readonly warn: (text: string) => void
  /** Safety rules that are switched off, for tests of checkers. */
  readonly mutants: ReadonlySet<string>
  /** Where tests hold the ends of transactions. */
  readonly transactionStops: TransactionStops
}

export const CONTROLLER_ID = 1000
/** Broker ids stay below the controller's. */
export const MAX_BROKER_ID = CONTROLLER_ID
export const CONTROLLER_NAME = 'controller'

export function brokerName(id: number): string {
  return `broker-${id}`
}

/** Broker id of a node's name; undefined for the controller and for clients. */
export function brokerIdOf(name: string): number | undefined {
  const id = /^broker-(\d+)$/.exec(name)?.[1]
  return id === undefined ? undefined : Number(id)
}
