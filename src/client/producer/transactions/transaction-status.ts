import { IllegalStateError } from '../../../wire/errors.ts'

/** Where a transactional producer stands (C-50; TransactionManager.State), by the names that errors have for it. */
export type TransactionStatus =
  | 'UNINITIALIZED'
  | 'INITIALIZING'
  | 'READY'
  | 'IN_TRANSACTION'
  | 'COMMITTING_TRANSACTION'
  | 'ABORTING_TRANSACTION'
  | 'ABORTABLE_ERROR'
  | 'FATAL_ERROR'

const predecessors: Readonly<Record<TransactionStatus, readonly TransactionStatus[]>> = {
  UNINITIALIZED: ['READY', 'ABORTABLE_ERROR'],
  INITIALIZING: ['UNINITIALIZED', 'COMMITTING_TRANSACTION', 'ABORTING_TRANSACTION'],
  READY: ['INITIALIZING', 'COMMITTING_TRANSACTION', 'ABORTING_TRANSACTION'],
  IN_TRANSACTION: ['READY'],
  COMMITTING_TRANSACTION: ['IN_TRANSACTION'],
  ABORTING_TRANSACTION: ['IN_TRANSACTION', 'ABORTABLE_ERROR'],
  ABORTABLE_ERROR: ['IN_TRANSACTION', 'COMMITTING_TRANSACTION', 'ABORTABLE_ERROR', 'INITIALIZING'],
  FATAL_ERROR: [
    'UNINITIALIZED',
    'INITIALIZING',
    'READY',
    'IN_TRANSACTION',
    'COMMITTING_TRANSACTION',
    'ABORTING_TRANSACTION',
    'ABORTABLE_ERROR',
    'FATAL_ERROR',
  ],
}

/** @throws {IllegalStateError} for a step that Kafka's state table does not have */
export function requireStep(transactionalId: string, from: TransactionStatus, to: TransactionStatus): void {
  if (predecessors[to].includes(from)) return
  throw new IllegalStateError(
    `TransactionalId ${transactionalId}: Invalid transition attempted from state ${from} to state ${to}${advice(from, to)}`,
  )
}

/** What is missing, or too much. */
function advice(from: TransactionStatus, to: TransactionStatus): string {
  if (to === 'INITIALIZING') return ': initTransactions() is called once, before everything else'
  if (from === 'UNINITIALIZED' || from === 'INITIALIZING') return ': call initTransactions() first'
  if (to === 'IN_TRANSACTION') return ': a transaction is open already'
  return from === 'READY' ? ': call beginTransaction() first' : ''
}
