import type { writeTxnMarkers } from '../../apis/write-txn-markers.ts'
import type { BrokerConfigs } from '../../metadata/broker-configs.ts'
import type { ClusterImage } from '../../metadata/image.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import type { RequestInput, ResponseOf } from '../../wire/api.ts'
import type { TransactionSteps } from './transaction-stops.ts'

export type MarkersRequest = RequestInput<typeof writeTxnMarkers>
export type MarkersResponse = ResponseOf<typeof writeTxnMarkers>

/** What the transaction coordinator asks of the broker that it runs on. */
export interface TransactionEnvironment {
  /** Of the broker, in traces. */
  readonly name: string
  /** The life of the broker. */
  readonly runtime: Runtime
  /** As far as the broker has read the metadata log. */
  readonly image: ClusterImage
  readonly mutants: ReadonlySet<string>
  /** Where tests hold the ends of transactions; what is waited for there never comes once the life is over. */
  readonly stops: TransactionSteps
  config(): BrokerConfigs
  /** @throws {KafkaError} COORDINATOR_LOAD_IN_PROGRESS while the broker has none */
  takeProducerId(): number
  /** Asks a broker; `undefined`: the request or its answer was lost. */
  writeMarkers(
    brokerId: number,
    request: MarkersRequest,
    answered: (response: MarkersResponse | undefined) => void,
  ): void
}
