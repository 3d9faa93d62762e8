import { IllegalArgumentError, InvalidGroupIdError } from '../../wire/errors.ts'
import { refuseUnknown, timeoutOf } from '../arguments.ts'
import type { GroupMembershipOperation, MemberIdentity } from './membership.ts'
import type { RebalanceListener } from './rebalance-callbacks.ts'

/** Whose name stands in what the consumer commits (ConsumerGroupMetadata). */
export interface GroupMetadata extends MemberIdentity {
  readonly groupId: string
}

export interface SubscribeOptions {
  /** Told of partitions as they come and go. */
  readonly listener?: RebalanceListener | undefined
}

export interface ConsumerCloseOptions {
  /** How long it waits for its last commit and for its coordinator, in milliseconds. Default 30,000. */
  readonly timeoutMs?: number
  /** Whether it leaves its group: by default unless it is a static member (`group.instance.id`). */
  readonly groupMembership?: GroupMembershipOperation
}

const CLOSE_TIMEOUT_MS = 30_000
const operations: readonly GroupMembershipOperation[] = ['default', 'leave', 'remain']

/** @throws {IllegalArgumentError} */
export function checkCloseOptions(options: ConsumerCloseOptions): Required<ConsumerCloseOptions> {
  refuseUnknown('close({ timeoutMs })', options, ['timeoutMs', 'groupMembership'])
  const { timeoutMs = CLOSE_TIMEOUT_MS, groupMembership = 'default' } = options
  timeoutOf('close', { timeoutMs })
  if (operations.includes(groupMembership)) return { timeoutMs, groupMembership }
  const known = operations.map(operation => `'${operation}'`).join(', ')
  throw new IllegalArgumentError(`close({ groupMembership }) is one of ${known}, not '${groupMembership}'`)
}

/** @throws {InvalidGroupIdError} */
export function withoutGroup(): never {
  const what = 'To use the group management or offset commit APIs, you must provide a valid group.id'
  throw new InvalidGroupIdError(`${what} in the consumer configuration, as in { 'group.id': 'orders-service' }.`)
}
