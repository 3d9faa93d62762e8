import type { Broker } from '../broker/broker.ts'
import { partitionFor } from '../coordinators/partition-for.ts'
import type { ClusterImage, PartitionImage } from '../metadata/image.ts'
import { OFFSETS_TOPIC, TRANSACTIONS_TOPIC } from '../metadata/topic-names.ts'
import { ConfigError, IllegalStateError } from '../wire/errors.ts'
import type { BrokerHandle } from './broker-handle.ts'
import { refuseUnknown } from './options.ts'

/** Who is coordinated: a group, or whoever has a transactional id. */
export type Coordinated = { readonly group: string } | { readonly transactionalId: string }

/** What is asked of the cluster to find a coordinator in it. */
export interface CoordinatorPlace {
  readonly brokers: readonly BrokerHandle[]
  readonly image: () => ClusterImage
}

/** Something that a partition of an internal topic keeps. */
export interface Kept {
  readonly topic: string
  readonly key: string
  /** As in `group 'billing'`. */
  readonly name: string
}

export function keptGroup(group: string): Kept {
  return { topic: OFFSETS_TOPIC, key: group, name: `group '${group}'` }
}

export function keptTransaction(transactionalId: string): Kept {
  return { topic: TRANSACTIONS_TOPIC, key: transactionalId, name: `transactional id '${transactionalId}'` }
}

/** The partition that keeps it (G-1, T-1). @throws {IllegalStateError} before there is a topic for it */
export function partitionOf(image: ClusterImage, { topic: name, key, name: who }: Kept): PartitionImage {
  const topic = image.topic(name)
  if (topic !== undefined) return topic.partitions[partitionFor(key, topic.partitions.length)]!
  const made = 'it is made when a client first looks for a coordinator'
  throw new IllegalStateError(`${who} has no coordinator: there is no topic ${name} yet, ${made}`)
}

/**
 * The broker that coordinates it now.
 *
 * @throws {IllegalStateError} that says why there is none
 * @throws {ConfigError} for what names nothing
 */
export function coordinatorOf({ brokers, image }: CoordinatorPlace, who: Coordinated): BrokerHandle {
  const kept = keptOf(who)
  const partition = partitionOf(image(), kept)
  const found = brokers.find(({ id }) => id === partition.leader)
  if (found === undefined) throw noCoordinator(kept, partition)
  return found
}

function keptOf(who: Coordinated): Kept {
  if (typeof who !== 'object' || who === null) {
    const meant = typeof who === 'string' ? who : 'billing'
    throw new ConfigError(`coordinatorOf takes a group by its id: coordinatorOf({ group: '${meant}' })`)
  }
  refuseUnknown('field of coordinatorOf', who, ['group', 'transactionalId'])
  const { group, transactionalId } = who as { group?: unknown; transactionalId?: unknown }
  if (typeof group === 'string' && transactionalId === undefined) return keptGroup(group)
  if (typeof transactionalId === 'string' && group === undefined) return keptTransaction(transactionalId)
  throw new ConfigError(
    "coordinatorOf takes a group by its id, { group: 'billing' }, or a transactional id, { transactionalId: 'payments' }",
  )
}

function noCoordinator({ name }: Kept, { topic, partition, inSyncReplicas }: PartitionImage): IllegalStateError {
  const inSync = `in sync: ${inSyncReplicas.join(', ') || 'nobody'}`
  return new IllegalStateError(`${name} has no coordinator now: ${topic}-${partition} has no leader (${inSync})`)
}

/** A partition of a coordinator, as its broker has it: undefined until it knows that it leads it. */
type ShardOf<S> = (broker: Broker, partition: number) => S | undefined

/**
 * Where it is kept, once that has read its log; or what to say of its absence: no topic is no error of a coordinator, so it
 * is told apart, by undefined.
 */
export function lookForShard<
  S extends { readonly shard: { readonly isActive: boolean; readonly log: { readonly name: string } } },
>(
  { brokers, image: imageOf }: CoordinatorPlace,
  kept: Kept,
  shardOf: ShardOf<S>,
): { readonly coordinator: BrokerHandle; readonly shard: S } | (() => Error) | undefined {
  const image = imageOf()
  if (image.topic(kept.topic) === undefined) return undefined
  const partition = partitionOf(image, kept)
  const coordinator = brokers.find(({ id }) => id === partition.leader)
  if (coordinator === undefined) return () => noCoordinator(kept, partition)
  const unseen = (why: string) => () =>
    new IllegalStateError(`${kept.name} cannot be seen now: its coordinator ${coordinator.name} ${why}`)
  if (coordinator.broker === undefined) return unseen(`is ${coordinator.state}`)
  const shard = shardOf(coordinator.broker, partition.partition)
  if (shard === undefined) return unseen('does not know yet that it is')
  if (!shard.shard.isActive) return unseen(`has not read ${shard.shard.log.name} yet`)
  return { coordinator, shard }
}
