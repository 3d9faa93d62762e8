import type { ProducerConfigs } from '../../../metadata/producer-configs.ts'
import type { Connections } from '../../connections.ts'
import { Coordinators } from '../../coordinators.ts'
import type { ClientEnvironment } from '../../environment.ts'
import type { ClientMetadata } from '../../metadata.ts'
import { ProducerSequences } from '../producer-sequences.ts'
import type { TransactionHost } from './transaction-host.ts'
import { TransactionManager } from './transaction-manager.ts'
import { TransactionalSequences } from './transactional-sequences.ts'

/** What its transactions ask of a producer itself. */
type Own = Pick<TransactionHost, 'hasUnfinished' | 'setFlushing' | 'abortUnsent' | 'failForEver' | 'wake'>

/** The sequences of a producer, if it is idempotent, and its transactions, if it has a transactional id. */
export function transactionsOf(
  configs: ProducerConfigs,
  environment: ClientEnvironment,
  connections: Connections,
  metadata: ClientMetadata,
  own: Own,
): { readonly sequences: ProducerSequences | undefined; readonly transactions: TransactionManager | undefined } {
  const transactionalId = configs['transactional.id']
  if (transactionalId === null) {
    return { sequences: configs['enable.idempotence'] ? new ProducerSequences() : undefined, transactions: undefined }
  }
  const sequences = new TransactionalSequences(queue => transactions.unresolved(queue))
  const transactions: TransactionManager = new TransactionManager({
    ...own,
    runtime: environment.runtime,
    clientName: environment.clientName,
    transactionalId,
    timeoutMs: configs['transaction.timeout.ms'],
    maxBlockMs: configs['max.block.ms'],
    retryBackoffMs: configs['retry.backoff.ms'],
    connections,
    coordinators: new Coordinators(environment, connections, metadata, configs),
    sequences,
  })
  return { sequences, transactions }
}
