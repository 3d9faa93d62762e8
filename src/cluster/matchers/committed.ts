import type { Cluster } from '../cluster.ts'
import { refuseUnknown } from '../options.ts'
import { WaitTimeoutError } from '../wait.ts'
import { clusterOf, type MatcherContext, type MatcherResult, timeoutOf, within } from './matcher.ts'
import type { MatcherWait } from './offsets.ts'

/**
 * The last transaction of the id was committed, to the end: every partition that it wrote to has its marker. Waits until it
 * is so. With `.not` it first lets everything settle, then looks once; an id that nobody has used is then an error, for it
 * would agree with any misspelling.
 */
export async function toHaveCommitted(
  this: MatcherContext | void,
  received: unknown,
  transactionalId: string,
  options: MatcherWait = {},
): Promise<MatcherResult> {
  const cluster = clusterOf(received, 'toHaveCommitted')
  refuseUnknown('option of toHaveCommitted', options, ['timeoutMs'])
  const isNot = this?.isNot ?? false
  const pass = isNot ? await isSettledSo(cluster, transactionalId) : await comesSo(cluster, transactionalId, options)
  return {
    pass,
    message: () => {
      const whom = `transactional id '${transactionalId}'`
      if (pass) return `expected the last transaction of ${whom} not to have been committed, but it was`
      const how = cluster.transaction(transactionalId).describe()
      return `expected the last transaction of ${whom} to have been committed${isNot ? '' : ` ${within(cluster, options)}`}; it is ${how}`
    },
  }
}

async function comesSo(cluster: Cluster, transactionalId: string, options: MatcherWait): Promise<boolean> {
  try {
    await cluster.transaction(transactionalId).waitFor('CompleteCommit', timeoutOf(cluster, options))
    return true
  } catch (error) {
    if (error instanceof WaitTimeoutError) return false
    throw error
  }
}

/** One look, when everything has settled. */
async function isSettledSo(cluster: Cluster, transactionalId: string): Promise<boolean> {
  await cluster.settle()
  return cluster.transaction(transactionalId).state === 'CompleteCommit'
}
