import { addPartitionsToTxn } from '../../../src/apis/add-partitions-to-txn.ts'
import { describeTransactions } from '../../../src/apis/describe-transactions.ts'
import { endTxn } from '../../../src/apis/end-txn.ts'
import { findCoordinator } from '../../../src/apis/find-coordinator.ts'
import { initProducerId } from '../../../src/apis/init-producer-id.ts'
import { errorOf } from '../../../src/wire/errors.ts'
import type { Play } from '../play.ts'

/** A transactional producer, and the broker that coordinates it. */
export interface Transactor {
  readonly transactionalId: string
  readonly producerId: number
  readonly producerEpoch: number
  readonly to: number
}

/** Topic → partitions of it. */
export type Partitions = Readonly<Record<string, readonly number[]>>

/** What a coordinator says that is not there yet, or has not come to the end of the transaction before. */
const LATER: ReadonlySet<string> = new Set([
  'COORDINATOR_NOT_AVAILABLE',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'NOT_COORDINATOR',
  'CONCURRENT_TRANSACTIONS',
])

/** No step: the broker that coordinates a transactional id, once it does. */
export async function transactionCoordinator(play: Play, transactionalId: string): Promise<number> {
  let found = -1
  await play.until(`${transactionalId} has a coordinator`, async () => {
    const { coordinators } = await play.request(findCoordinator, 6, { keyType: 1, coordinatorKeys: [transactionalId] })
    found = coordinators[0]!.nodeId
    if (found < 0) return false
    const body = { transactionalIds: [transactionalId] }
    const { transactionStates } = await play.request(describeTransactions, 0, body, { to: found })
    return !LATER.has(errorOf(transactionStates[0]!.errorCode).name)
  })
  return found
}

/** No step: one more epoch than the id has had. */
export async function initialized(play: Play, transactionalId: string): Promise<Transactor> {
  const to = await transactionCoordinator(play, transactionalId)
  let found = { errorCode: 0, producerId: -1, producerEpoch: -1 }
  await play.until(`${transactionalId} has a producer`, async () => {
    found = await play.request(initProducerId, 5, { transactionalId, transactionTimeoutMs: 900_000 }, { to })
    return !LATER.has(errorOf(found.errorCode).name)
  })
  if (found.errorCode !== 0) throw new Error(`${transactionalId}: ${errorOf(found.errorCode).name}`)
  return { transactionalId, producerId: found.producerId, producerEpoch: found.producerEpoch, to }
}

/** No step: in epoch 1, so that there is one to be behind of. */
export async function transactor(play: Play, transactionalId: string): Promise<Transactor> {
  await initialized(play, transactionalId)
  return initialized(play, transactionalId)
}

/** What is wrong with the one who asks; `nobody` has never been heard of. */
export async function impostors(play: Play, good: Transactor): Promise<Readonly<Record<string, Transactor>>> {
  return {
    'by one of an epoch to come': { ...good, producerEpoch: good.producerEpoch + 1 },
    'by one of an epoch before': { ...good, producerEpoch: good.producerEpoch - 1 },
    'by another producer': { ...good, producerId: good.producerId + 500_000 },
    'by nobody': { ...good, transactionalId: 'nobody', to: await transactionCoordinator(play, 'nobody') },
    'without a transactional id': { ...good, transactionalId: '' },
    'of another broker': { ...good, to: (good.to % 3) + 1 },
  }
}

/** The body of AddPartitionsToTxn for all of its versions. */
export function adding(
  { transactionalId, producerId, producerEpoch }: Transactor,
  partitions: Partitions,
  verifyOnly = false,
) {
  const topics = Object.entries(partitions).map(([name, ids]) => ({ name, partitions: [...ids] }))
  return {
    transactions: [{ transactionalId, producerId, producerEpoch, verifyOnly, topics }],
    v3AndBelowTransactionalId: transactionalId,
    v3AndBelowProducerId: producerId,
    v3AndBelowProducerEpoch: producerEpoch,
    v3AndBelowTopics: topics,
  }
}

/** No step. */
export async function add(play: Play, of: Transactor, partitions: Partitions): Promise<void> {
  await play.until(`${of.transactionalId} takes in partitions`, async () => {
    const answer = await play.request(addPartitionsToTxn, 3, adding(of, partitions), { to: of.to })
    const codes = answer.resultsByTopicV3AndBelow.flatMap(({ resultsByPartition }) =>
      resultsByPartition.map(({ partitionErrorCode }) => errorOf(partitionErrorCode).name),
    )
    if (codes.every(code => code === 'NONE')) return true
    if (codes.every(code => LATER.has(code))) return false
    throw new Error(`${of.transactionalId}: ${codes.join(', ')}`)
  })
}

/** No step: until all markers are written. */
export async function settled(play: Play, { transactionalId, to }: Transactor): Promise<void> {
  await play.until(`${transactionalId} has come to its end`, async () => {
    const body = { transactionalIds: [transactionalId] }
    const { transactionStates } = await play.request(describeTransactions, 0, body, { to })
    return !transactionStates[0]!.transactionState.startsWith('Prepare')
  })
}

/** No step: ended, markers and all. Answers who may begin the next one. */
export async function end(play: Play, of: Transactor, committed: boolean, version = 5): Promise<Transactor> {
  const { transactionalId, producerId, producerEpoch, to } = of
  const answer = await play.request(endTxn, version, { transactionalId, producerId, producerEpoch, committed }, { to })
  if (answer.errorCode !== 0) throw new Error(`${transactionalId}: ${errorOf(answer.errorCode).name}`)
  await settled(play, of)
  return version < 5 ? of : { ...of, producerId: answer.producerId, producerEpoch: answer.producerEpoch }
}
