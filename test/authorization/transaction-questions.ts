import { addOffsetsToTxn } from '../../src/apis/add-offsets-to-txn.ts'
import { addPartitionsToTxn } from '../../src/apis/add-partitions-to-txn.ts'
import { describeTransactions } from '../../src/apis/describe-transactions.ts'
import { endTxn } from '../../src/apis/end-txn.ts'
import { initProducerId } from '../../src/apis/init-producer-id.ts'
import { listTransactions } from '../../src/apis/list-transactions.ts'
import { txnOffsetCommit } from '../../src/apis/txn-offset-commit.ts'
import { writeTxnMarkers } from '../../src/apis/write-txn-markers.ts'
import { type Question, question } from './questions.ts'
import { topics } from './topic-questions.ts'

const producer = { producerId: 999_999, producerEpoch: 0 }
const ids = ['x-open', 'y-closed']
const all = topics.map(name => ({ name, partitions: [0] }))
const identity = { blur: ['producerId', 'producerEpoch'] }

export const transactionQuestions: readonly Question[] = [
  question('of nobody', initProducerId, 4, { transactionalId: null, transactionTimeoutMs: 60_000 }, identity),
  ...ids.flatMap(transactionalId => [
    question(
      `of ${transactionalId}, which is none of its users`,
      initProducerId,
      4,
      {
        transactionalId,
        transactionTimeoutMs: 60_000,
        ...producer,
      },
      identity,
    ),
    question(`to ${transactionalId}`, addPartitionsToTxn, 3, {
      v3AndBelowTransactionalId: transactionalId,
      v3AndBelowProducerId: producer.producerId,
      v3AndBelowProducerEpoch: 0,
      v3AndBelowTopics: all,
    } as never),
    question(`to ${transactionalId}, an open one`, addPartitionsToTxn, 1, {
      v3AndBelowTransactionalId: transactionalId,
      v3AndBelowProducerId: producer.producerId,
      v3AndBelowProducerEpoch: 0,
      v3AndBelowTopics: all.slice(0, 1),
    } as never),
    question(`to ${transactionalId}`, addPartitionsToTxn, 5, {
      transactions: [{ transactionalId, ...producer, verifyOnly: true, topics: all.slice(0, 2) }],
    } as never),
    question(`that ends ${transactionalId}`, endTxn, 3, { transactionalId, ...producer, committed: true }),
    ...['g-open', 'h-closed'].flatMap(groupId => [
      question(`of ${groupId} to ${transactionalId}`, addOffsetsToTxn, 3, { transactionalId, ...producer, groupId }),
      question(`to ${groupId} in ${transactionalId}`, txnOffsetCommit, 3, {
        transactionalId,
        groupId,
        ...producer,
        topics: topics.map(name => ({
          name,
          partitions: [{ partitionIndex: 0, committedOffset: 0, committedMetadata: 'm' }],
        })),
      }),
    ]),
  ]),
  question('of several', addPartitionsToTxn, 4, {
    transactions: ids.map(transactionalId => ({ transactionalId, ...producer, verifyOnly: true, topics: all })),
  } as never),
  question(
    'of some',
    describeTransactions,
    0,
    { transactionalIds: [...ids, 'x-none', 'y-none'] },
    {
      blur: ['producerId', 'producerEpoch', 'transactionStartTimeMs', 'transactionState'],
    },
  ),
  question(
    'of all',
    listTransactions,
    1,
    { stateFilters: [], producerIdFilters: [] },
    { blur: ['producerId', 'transactionState'] },
  ),
  question('of nothing', writeTxnMarkers, 1, {
    markers: [
      {
        ...producer,
        transactionResult: false,
        topics: [
          { name: 't-none', partitionIndexes: [0] },
          { name: 'u-none', partitionIndexes: [0] },
        ],
        coordinatorEpoch: 0,
      },
    ],
  }),
]
