import { nearestName } from '../../metadata/nearest-name.ts'
import { IllegalArgumentError, InvalidGroupIdError } from '../../wire/errors.ts'
import { refuseUnknown, textOf, timeoutOf } from '../arguments.ts'
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
  /** How long it waits for its last commit, its listener, and its coordinator, in milliseconds. Default 30,000. */
  readonly timeoutMs?: number
  /** Whether it leaves its group: by default unless it is a static member (`group.instance.id`). */
  readonly groupMembership?: GroupMembershipOperation
}

const CALLBACKS = ['onPartitionsRevoked', 'onPartitionsAssigned', 'onPartitionsLost']

/**
 * A callback under a name that nobody knows would never be called. A listener may have methods of its own, and state.
 *
 * @throws {IllegalArgumentError}
 */
export function checkSubscribeOptions(options: SubscribeOptions): void {
  const call = 'subscribe(topics, { listener })'
  const callback = typeof options === 'object' && options !== null && Object.keys(options).find(isCallback)
  if (callback) {
    const meant = CALLBACKS.includes(callback) ? callback : (nearestName(callback, CALLBACKS) ?? CALLBACKS[0]!)
    throw new IllegalArgumentError(`${call}: '${callback}' belongs in the listener: { listener: { ${meant} } }`)
  }
  refuseUnknown(call, options, ['listener'])
  const { listener } = options
  if (listener === undefined) return
  const what = 'the listener of subscribe'
  if (typeof listener !== 'object' || listener === null) refuseUnknown(what, listener, CALLBACKS)
  const wrong = namesOf(listener).find(name => isMisspelt(name, Object.hasOwn(listener, name)))
  if (wrong !== undefined) refuseUnknown(what, { [wrong]: undefined }, CALLBACKS)
  for (const name of CALLBACKS) {
    const given: unknown = listener[name as keyof RebalanceListener]
    if (given === undefined || typeof given === 'function') continue
    throw new IllegalArgumentError(`${what}: ${name} is a function, not ${textOf(given)}`)
  }
}

function isCallback(name: string): boolean {
  return nearestName(name, CALLBACKS) !== undefined
}

function isMisspelt(name: string, isOwn: boolean): boolean {
  return /^on[A-Z]/.test(name) && !CALLBACKS.includes(name) && (isOwn || isCallback(name))
}

/** Its own, and those of its classes. */
function namesOf(listener: object): string[] {
  const names: string[] = []
  for (let each = listener; each !== null && each !== Object.prototype; each = Object.getPrototypeOf(each)) {
    names.push(...Object.getOwnPropertyNames(each))
  }
  return names
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
