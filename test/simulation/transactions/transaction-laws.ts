import type { LoggedBatch } from './logged-batches.ts'
import type { TransactionOutcome } from './transaction-universe.ts'
import type { ToldTransaction } from './writer.ts'

/** Each law answers its witnesses: none when it holds. */

/** How much of each transaction is to be seen: its records, and its offset. */
function seenOf({ told, visible, groups }: TransactionOutcome) {
  const values = new Set(visible.flat().map(({ value }) => value))
  return told.map(transaction => {
    const parts = transaction.values.map(value => ({ what: value, seen: values.has(value) }))
    const { group } = transaction
    if (group !== undefined) parts.push({ what: 'its offset', seen: groups.has(group) })
    return { transaction, parts }
  })
}

const named = (parts: readonly { readonly what: string }[]) => parts.map(({ what }) => what).join(', ')

/** Of a transaction all is seen, in all partitions, offsets too, or nothing. */
export function torn(outcome: TransactionOutcome): string[] {
  return seenOf(outcome).flatMap(({ transaction, parts }) => {
    const seen = parts.filter(part => part.seen)
    if (seen.length === 0 || seen.length === parts.length) return []
    const missing = parts.filter(part => !part.seen)
    return [`${transaction.name} (${transaction.outcome}) is torn: there is ${named(seen)}, but not ${named(missing)}`]
  })
}

/** What was said to be committed is seen, and nothing that was said to be aborted, or was never to be committed. */
export function wronglyEnded(outcome: TransactionOutcome): string[] {
  return seenOf(outcome).flatMap(({ transaction: { name, outcome }, parts }) => {
    if (outcome === 'unknown') return []
    const wrong = parts.filter(({ seen }) => seen !== (outcome === 'committed'))
    return wrong.map(({ what, seen }) => `${name} is ${outcome}, but ${what} is ${seen ? 'there' : 'not there'}`)
  })
}

/** A consumer saw, while it all happened, what there is at the end: nothing else, nothing twice, in order, without a gap. */
export function misread({ seen, visible, stuck }: TransactionOutcome): string[] {
  return seen.flatMap((read, partition) => {
    const there = visible[partition]!
    for (const [index, { offset, value }] of read.entries()) {
      const due = there[index]
      if (due?.offset === offset && due.value === value) continue
      const instead = due === undefined ? 'nothing' : `${due.value} at ${due.offset}`
      return [`a reader of t-${partition} got ${value} at ${offset}, where there is ${instead}`]
    }
    if (read.length === there.length || stuck !== undefined) return []
    return [`a reader of t-${partition} never got ${there[read.length]!.value}`]
  })
}

/** Once a producer has an id, nothing is appended for those that had it before (T-12, I-6). */
export function writtenAfterFence({ takeovers, logs }: TransactionOutcome): string[] {
  const batches = logs.flat().filter(({ marker }) => marker === undefined)
  return takeovers.flatMap(({ prefix, at }) => {
    const own = batches.filter(({ values }) => values[0]!.startsWith(prefix))
    // Who wrote nothing is not known by its epoch.
    const epoch = Math.min(...own.map(({ producerEpoch }) => producerEpoch))
    return batches
      .filter(batch => batch.producerId === own[0]?.producerId && batch.producerEpoch < epoch && batch.appendedAt > at)
      .map(batch => `${batch.values[0]} was appended ${batch.appendedAt - at} ms after ${prefix} had taken over`)
  })
}

/** In the order of offsets the epochs of a producer never go down, and one transaction's records share one marker. */
export function mixed({ logs }: TransactionOutcome): string[] {
  return logs.flatMap((batches, partition) => {
    const open = new Map<number, { epoch: number; transaction: string | undefined }>()
    return batches.flatMap(batch => {
      const known = open.get(batch.producerId)
      const transaction = batch.marker === undefined ? transactionOf(batch) : undefined
      open.set(batch.producerId, { epoch: batch.producerEpoch, transaction })
      const where = `t-${partition}, offset ${batch.baseOffset}`
      if (known === undefined) return []
      if (batch.producerEpoch < known.epoch) {
        return [`${where}: epoch ${batch.producerEpoch} of producer ${batch.producerId} behind ${known.epoch}`]
      }
      if (transaction === undefined || known.transaction === undefined || transaction === known.transaction) return []
      return [`${where}: ${transaction} within ${known.transaction}`]
    })
  })
}

function transactionOf({ values }: LoggedBatch): ToldTransaction['name'] {
  return values[0]!.split('/')[0]!
}

/** Once all is healed, the last stable offset comes to the end: no transaction hangs. */
export function hanging({ stuck }: TransactionOutcome): string[] {
  return stuck === undefined ? [] : [stuck]
}
