import type { Asker } from '../apis/authorization.ts'
import type { Channel } from '../network/channel.ts'
import type { AnyApi, RequestOf, ResponseInput } from '../wire/api.ts'
import type { SecurityProtocol } from '../wire/principal.ts'
import type { Gate } from './gate.ts'
import type { Interceptors } from './intercept.ts'
import type { Life } from './life.ts'
import type { Tolls } from './tolls.ts'

/** What receives requests: a broker or the controller. */
export interface ReceiverOptions<Node> {
  readonly life: Life
  /** Name in the trace. */
  readonly name: string
  readonly nodeId: number
  readonly node: Node
  /** Which of an API's two handlers is ours. */
  readonly side: 'broker' | 'controller'
  /** The APIs that this node takes, by key. */
  readonly apis: ReadonlyMap<number, AnyApi>
  /** What it takes from clients, where that is less (`kafkaVersion`). */
  readonly clientApis?: ReadonlyMap<number, AnyApi>
  readonly interceptors: Interceptors
  /** Broker id of a peer of this name; undefined for clients. */
  readonly peerId: (name: string) => number | undefined
  /** Answer to an ApiVersions request of a version that nobody knows (W-11). */
  readonly unknownApiVersions: ResponseInput<AnyApi>
  /** Whether envelopes (KIP-590) of this asker, who is no broker, are opened. Left out: never. */
  readonly opens?: (asker: Asker) => boolean
  /** What requests of clients cost, where there are quotas. */
  readonly tolls?: Tolls
  /** Whoever connects has to say who they are first, or may; undefined: nobody asks. */
  readonly gate?: (channel: Channel, listener: ListenerFacts) => Gate | undefined
  /** An answer of the API that says no with this code; undefined: it has none. */
  readonly refusal?: RefusalMaker | undefined
}

export type RefusalMaker = (
  api: AnyApi,
  version: number,
  body: RequestOf<AnyApi>,
  code: number,
) => ResponseInput<AnyApi> | undefined

/** Where a connection came in. */
export interface ListenerFacts {
  readonly name: string
  readonly securityProtocol: SecurityProtocol
}

/** Of connections within this process: nobody asks who is there. */
export const plainListener: ListenerFacts = { name: 'PLAINTEXT', securityProtocol: 'PLAINTEXT' }
