/**
 * Before a partition's leader appends the first records of a transaction, the coordinator of the transaction is asked
 * (KIP-890): whether the partition was added to it, which older clients do by themselves (T-30), or to add it (T-31). So
 * nothing is ever appended that no marker will end. Kafka: AddPartitionsToTxnManager, and ReplicaManager around it.
 */
import { addPartitionsToTxn } from '../apis/add-partitions-to-txn.ts'
import { partitionFor } from '../coordinators/partition-for.ts'
import type { Eventually } from '../log/log-store.ts'
import type { VerificationGuard } from '../log/producer-states.ts'
import type { BrokerConfigs } from '../metadata/broker-configs.ts'
import { type ClusterImage, NO_LEADER } from '../metadata/image.ts'
import { TRANSACTIONS_TOPIC } from '../metadata/topic-names.ts'
import type { Life } from '../node/life.ts'
import type { PeerLink } from '../node/peer-link.ts'
import type { RequestInput, ResponseOf } from '../wire/api.ts'
import { type ErrorName, errorCodes, errorOf, KafkaError } from '../wire/errors.ts'
import type { Partition } from './partition.ts'

export interface VerificationHost {
  readonly life: Life
  readonly image: ClusterImage
  readonly config: BrokerConfigs
}

/** Whose records are to be appended, and what the request that brought them knows (Kafka: TransactionSupportedOperation). */
export interface TransactionalWrite {
  readonly transactionalId: string
  readonly producerId: number
  readonly producerEpoch: number
  /** Partitions are added for this client: Produce v12, TxnOffsetCommit v5 (T-31). */
  readonly adds: boolean
  /** It can be told TRANSACTION_ABORTABLE: Produce v11, TxnOffsetCommit v4 (T-30). */
  readonly knowsAbortable: boolean
}

/** Where they are to be appended. */
export interface VerifiedPlace {
  readonly partition: Partition
  /** −1: they have no sequences. */
  readonly baseSequence: number
}

/** What came of it for one place; both undefined: the transaction is open there, and needed no verification. */
export interface Verified {
  /** For the append. */
  readonly guard: VerificationGuard | undefined
  /** Why there must be none, as the coordinator or the network has it. */
  readonly error: ErrorName | undefined
}

/** Something to ask a coordinator: at most one at a time for a transactional id. */
interface Question {
  readonly write: TransactionalWrite
  readonly partitions: readonly Partition[]
  /** With what became of each of the partitions, in order; undefined: well. */
  answer(errors: readonly (ErrorName | undefined)[]): void
}

/** One broker that coordinates transactions, as this one asks it: one request at a time. */
interface Coordinator {
  readonly link: PeerLink
  inFlight: boolean
  /** What came meanwhile, by transactional id: it goes with the next request. */
  readonly waiting: Map<string, Question>
}

type Answer = ResponseOf<typeof addPartitionsToTxn>

export class TransactionVerification {
  readonly #host: VerificationHost
  readonly #linkTo: (brokerId: number) => PeerLink
  readonly #coordinators = new Map<number, Coordinator>()

  constructor(host: VerificationHost, linkTo: (brokerId: number) => PeerLink) {
    this.#host = host
    this.#linkTo = linkTo
  }

  /**
   * What became of each place, in order: at once if none of them needs verification. With `retryForMs` a client whose
   * partitions are added hears of CONCURRENT_TRANSACTIONS only if the transaction before has not ended by then (T-33).
   */
  verify(
    write: TransactionalWrite,
    places: readonly VerifiedPlace[],
    { retryForMs = 0 }: { readonly retryForMs?: number } = {},
  ): Eventually<readonly Verified[]> {
    const begun = this.#begin(write, places)
    if (!begun.some(needsAnswer)) return begun
    const { life, config } = this.#host
    const done = life.deferred<readonly Verified[]>()
    const giveUpAt = life.now() + retryForMs
    const ask = (guards: readonly Verified[]) =>
      this.#ask(write, places, guards, verified => {
        const isEarly = verified.some(({ error }) => error === 'CONCURRENT_TRANSACTIONS')
        // Only where the epoch tells one transaction from the next: what an older client wrote too late stays refused.
        const now = write.adds ? this.#begin(write, places) : undefined
        if (now !== undefined && isEarly && life.now() < giveUpAt) {
          // The marker that is waited for takes the guards along: they are asked for again.
          life.after(config['add.partitions.to.txn.retry.backoff.ms'], () => ask(this.#begin(write, places)))
        } else if (
          now?.some(({ guard }, index) => verified[index]!.error === undefined && guard !== guards[index]!.guard)
        ) {
          // It was written after they were given, and before the coordinator answered, however long that took.
          ask(now)
        } else done.resolve(verified)
      })
    ask(begun)
    return done.promise
  }

  /** As long as Produce is held back for the transaction before (T-33). */
  get retryForMs(): number {
    const { config } = this.#host
    return Math.min(config['add.partitions.to.txn.retry.backoff.max.ms'], config['request.timeout.ms'])
  }

  #begin({ producerId, producerEpoch, adds }: TransactionalWrite, places: readonly VerifiedPlace[]): Verified[] {
    const now = this.#host.life.now()
    return places.map(({ partition, baseSequence }) => {
      try {
        partition.requireLeader()
        const guard = partition.log.startVerification(producerId, producerEpoch, baseSequence, adds, now)
        return { guard, error: undefined }
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
        return { guard: undefined, error: error.errorName }
      }
    })
  }

  #ask(
    write: TransactionalWrite,
    places: readonly VerifiedPlace[],
    begun: readonly Verified[],
    told: (verified: readonly Verified[]) => void,
  ): void {
    const partitions = places.flatMap(({ partition }, index) => (needsAnswer(begun[index]!) ? [partition] : []))
    if (partitions.length === 0) {
      told(begun)
      return
    }
    const answer = (errors: readonly (ErrorName | undefined)[]) => {
      let next = 0
      told(begun.map(each => (needsAnswer(each) ? { ...each, error: errors[next++] } : each)))
    }
    this.#put({ write, partitions, answer })
  }

  /**
   * Two of one transactional id are never asked at once: what was waiting is fenced by a newer epoch, and otherwise taken
   * for a request whose client has given up on it, and tries again (AddPartitionsToTxnManager.addTxnData).
   */
  #put(question: Question): void {
    const { write } = question
    const leader = this.#coordinatorOf(write.transactionalId)
    if (leader === NO_LEADER) {
      refuse(question, 'COORDINATOR_NOT_AVAILABLE')
      return
    }
    const coordinator = this.#coordinator(leader)
    const before = coordinator.waiting.get(write.transactionalId)
    if (before !== undefined && write.producerEpoch < before.write.producerEpoch) {
      refuse(question, 'INVALID_PRODUCER_EPOCH')
      return
    }
    coordinator.waiting.set(write.transactionalId, question)
    if (before !== undefined) {
      const isFenced = before.write.producerEpoch < write.producerEpoch
      refuse(before, isFenced ? 'INVALID_PRODUCER_EPOCH' : 'NETWORK_EXCEPTION')
    }
    this.#send(coordinator)
  }

  #coordinatorOf(transactionalId: string): number {
    const { image } = this.#host
    const topic = image.topic(TRANSACTIONS_TOPIC)
    const leader = topic?.partitions[partitionFor(transactionalId, topic.partitions.length)]?.leader ?? NO_LEADER
    return image.isUnfenced(leader) ? leader : NO_LEADER
  }

  #coordinator(brokerId: number): Coordinator {
    let coordinator = this.#coordinators.get(brokerId)
    if (coordinator === undefined) {
      coordinator = { link: this.#linkTo(brokerId), inFlight: false, waiting: new Map() }
      this.#coordinators.set(brokerId, coordinator)
    }
    return coordinator
  }

  #send(coordinator: Coordinator): void {
    if (coordinator.inFlight || coordinator.waiting.size === 0) return
    const questions = [...coordinator.waiting.values()]
    coordinator.waiting.clear()
    coordinator.inFlight = true
    const settled = (settle: (question: Question) => void) => {
      coordinator.inFlight = false
      for (const question of questions) settle(question)
      this.#send(coordinator)
    }
    coordinator.link.send(addPartitionsToTxn, requestOf(questions), this.#host.config['request.timeout.ms'], {
      onResponse: response => {
        const results = resultsOf(response)
        settled(question => answerFrom(results, question))
      },
      onLost: () => settled(question => refuse(question, 'NETWORK_EXCEPTION')),
    })
  }
}

function needsAnswer({ guard, error }: Verified): boolean {
  return guard !== undefined && error === undefined
}

function refuse(question: Question, error: ErrorName): void {
  question.answer(question.partitions.map(() => error))
}

function requestOf(questions: readonly Question[]): RequestInput<typeof addPartitionsToTxn> {
  return {
    transactions: questions.map(({ write, partitions }) => {
      const topics = new Map<string, number[]>()
      for (const { topic, index } of partitions) {
        const indexes = topics.get(topic)
        if (indexes === undefined) topics.set(topic, [index])
        else indexes.push(index)
      }
      return {
        transactionalId: write.transactionalId,
        producerId: write.producerId,
        producerEpoch: write.producerEpoch,
        verifyOnly: !write.adds,
        topics: [...topics].map(([name, partitions]) => ({ name, partitions })),
      }
    }),
  }
}

/** The error of each partition, as `id/topic-0`; or that of the whole response. */
function resultsOf(response: Answer): Map<string, ErrorName> | ErrorName {
  if (response.errorCode !== errorCodes.NONE) return errorOf(response.errorCode).name
  const results = new Map<string, ErrorName>()
  for (const { transactionalId, topicResults } of response.resultsByTransaction) {
    for (const { name, resultsByPartition } of topicResults) {
      for (const { partitionIndex, partitionErrorCode } of resultsByPartition) {
        results.set(`${transactionalId}/${name}-${partitionIndex}`, errorOf(partitionErrorCode).name)
      }
    }
  }
  return results
}

/** T-32, as far as Produce and TxnOffsetCommit have it in common. What was not answered is not known to be well. */
function answerFrom(results: Map<string, ErrorName> | ErrorName, { write, partitions, answer }: Question): void {
  const errors = partitions.map(({ name }) => {
    const error = typeof results === 'string' ? results : results.get(`${write.transactionalId}/${name}`)
    if (error === undefined) return 'NETWORK_EXCEPTION'
    if (error === 'NONE') return undefined
    if (error === 'PRODUCER_FENCED') return 'INVALID_PRODUCER_EPOCH'
    return error === 'TRANSACTION_ABORTABLE' && !write.knowsAbortable ? 'INVALID_TXN_STATE' : error
  })
  answer(errors)
}
