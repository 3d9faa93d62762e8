import type { Address } from '../../src/network/channel.ts'
import type { AnyApi, RequestInput, ResponseOf } from '../../src/wire/api.ts'

/** A cluster of one broker with an authorizer, ours or a real Kafka, where subjects ask under their own names. */
export interface Place {
  readonly address: Address
  /** Rejects with a ConnectionError where the connection was closed instead. */
  ask<A extends AnyApi>(subject: string, api: A, version: number, body: RequestInput<A>): Promise<ResponseOf<A>>
  now(): number
  eventually(what: string, condition: () => Promise<boolean>): Promise<void>
  /** Ids of the topics that were made. */
  readonly topicIds: Map<string, string>
}
