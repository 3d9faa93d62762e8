import type { AnyApi } from '../../wire/api.ts'
import { toHaveCommitted } from './committed.ts'
import { type ConsumedMatcherOptions, toHaveConsumed } from './consumed.ts'
import { type DeliveredOptions, toHaveDelivered } from './delivered.ts'
import type { ExpectedRecord } from './expected-record.ts'
import { type BrokerReference, toBeInSync, toHaveLeader } from './in-sync.ts'
import { type ExpectedOffsets, type MatcherWait, toHaveOffsets } from './offsets.ts'
import { type ExpectedRequest, type ReceivedRequestOptions, toHaveReceivedRequest } from './received-request.ts'

/** Every matcher, as `expect.extend` of Jest and Vitest takes them. */
export const matchers = {
  toHaveDelivered,
  toHaveConsumed,
  toHaveCommitted,
  toHaveOffsets,
  toBeInSync,
  toHaveLeader,
  toHaveReceivedRequest,
}

/** What `expect(cluster)` can do once the matchers are registered. All of them wait, so all of them are awaited. */
export interface ClusterMatchers {
  /**
   * A consumer may read exactly these records: in order for each partition, and no others. Fields that are left out are
   * not compared; text is compared as UTF-8, objects as JSON. Waits until it is so, on the cluster's time; with `.not`
   * and with `[]` it lets everything settle first.
   */
  toHaveDelivered(topic: string, expected: readonly ExpectedRecord[], options?: DeliveredOptions): Promise<void>
  /**
   * Below the offsets that the group has committed lie exactly these records of the topic: in order for each partition, and
   * no others. Without records: every record that there is. Compares and waits as `toHaveDelivered` does.
   */
  toHaveConsumed(
    group: string,
    topic: string,
    expected?: readonly ExpectedRecord[],
    options?: ConsumedMatcherOptions,
  ): Promise<void>
  /**
   * The last transaction of the id was committed, to the end: every partition that it wrote to has its marker. Waits until it
   * is so; with `.not` it lets everything settle first.
   */
  toHaveCommitted(transactionalId: string, options?: MatcherWait): Promise<void>
  /** The leader's log begins and ends there, and so do those of the replicas that are named. */
  toHaveOffsets(topic: string, partition: number, expected: ExpectedOffsets, options?: MatcherWait): Promise<void>
  /** The in-sync set is the whole assignment, or exactly the brokers that are named; of one partition, or of all. */
  toBeInSync(
    topic: string,
    partition?: number,
    brokers?: readonly BrokerReference[],
    options?: MatcherWait,
  ): Promise<void>
  /** The partition is led, by this broker if one is named. */
  toHaveLeader(topic: string, partition: number, broker?: BrokerReference, options?: MatcherWait): Promise<void>
  /** Nodes received such a request: a part of its body, or a function of the request. */
  toHaveReceivedRequest<A extends AnyApi>(
    api: A | string,
    expected?: ExpectedRequest<A>,
    options?: ReceivedRequestOptions,
  ): Promise<void>
}
