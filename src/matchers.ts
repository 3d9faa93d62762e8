/**
 * The matchers, for whatever runner has `expect.extend(matchers)`. `mini-kafka/vitest` and `mini-kafka/jest` register
 * them, and do more.
 */
export { type ClusterMatchers, matchers } from './cluster/matchers/all.ts'
export type { ConsumedMatcherOptions } from './cluster/matchers/consumed.ts'
export type { DeliveredOptions } from './cluster/matchers/delivered.ts'
export type { ExpectedHeader, ExpectedRecord } from './cluster/matchers/expected-record.ts'
export type { BrokerReference } from './cluster/matchers/in-sync.ts'
export type { MatcherContext, MatcherResult } from './cluster/matchers/matcher.ts'
export type { ExpectedBounds, ExpectedOffsets, MatcherWait } from './cluster/matchers/offsets.ts'
export type { ExpectedRequest, ReceivedRequestOptions } from './cluster/matchers/received-request.ts'
