/**
 * The table of transaction-states.json: what brings a transactional id into each state, and what asks each request. Words are
 * the table's.
 */
import { readFileSync } from 'node:fs'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { plantOf } from './asking.ts'
import * as raw from './transacting.ts'

interface Row {
  readonly outcome: string
  readonly then: string
}
export type TransactionTable = Readonly<Record<string, Readonly<Record<string, Row>>>>

const file = new URL('../data/kafka/transaction-states.json', import.meta.url)
export const tables: Readonly<Record<'TV1' | 'TV2', TransactionTable>> = JSON.parse(readFileSync(file, 'utf8')).states

export interface Situation {
  readonly transactor: raw.Transactor
  /** What the next records of t-0 have. */
  readonly sequence: number
  /** What is under way and will not end before `release`. */
  readonly release: () => Promise<void>
}

const UNKNOWN_PRODUCER = 987_654
/** That no setup waits for: the coordinator ends it by itself. */
const SHORT_TIMEOUT_MS = 1_000
const nothing = async () => {}

/** By version of transactions, then by the table's name of the state. */
export function setupOf(version: 'TV1' | 'TV2', state: string): (cluster: Cluster, id: string) => Promise<Situation> {
  const endVersion = version === 'TV1' ? 4 : 5
  const first = async (cluster: Cluster, id: string): Promise<Situation> => {
    return { transactor: await raw.begin(cluster, id), sequence: 0, release: nothing }
  }
  const second = async (cluster: Cluster, id: string) => {
    await raw.begin(cluster, id)
    return first(cluster, id)
  }
  const ongoing = async (
    cluster: Cluster,
    id: string,
    { timeoutMs = 60_000, topic = 't' }: { readonly timeoutMs?: number; readonly topic?: string } = {},
  ): Promise<Situation> => {
    await raw.begin(cluster, id)
    const transactor = await raw.begin(cluster, id, { timeoutMs })
    const written = [[topic, 0]] as const
    if (version === 'TV1') await raw.addPartitions(transactor, written)
    for (const place of written) {
      const { error } = await raw.write(transactor, place, { version: version === 'TV1' ? 11 : 12 })
      if (error !== 'NONE') throw new Error(error)
    }
    return { transactor, sequence: 1, release: nothing }
  }
  const ended = (commit: boolean) => async (cluster: Cluster, id: string) => {
    const { transactor } = await ongoing(cluster, id)
    const { error, producerEpoch } = await raw.end(transactor, commit, endVersion)
    if (error !== 'NONE') throw new Error(error)
    await raw.settledIn(cluster, id, commit ? 'CompleteCommit' : 'CompleteAbort')
    if (version === 'TV1') return { transactor, sequence: 1, release: nothing }
    return { transactor: { ...transactor, producerEpoch }, sequence: 0, release: nothing }
  }
  const prepared =
    (decide: (transactor: raw.Transactor) => Promise<unknown>, timeoutMs = 60_000) =>
    async (cluster: Cluster, id: string) => {
      // Of u-0 alone, whose leader was held when the table was made: no other partition knows of this transaction.
      const { transactor } = await ongoing(cluster, id, { timeoutMs, topic: 'u' })
      const stop = plantOf(cluster).transactionStops.place(id, 'after PREPARE')
      await decide(transactor)
      await cluster.runUntil(() => stop.isReached, { timeoutMs: 30_000 })
      const { producerEpoch } = await raw.describeTransaction(cluster, id)
      const release = async () => {
        stop.lift()
        await raw.settledIn(cluster, id, 'CompleteCommit', 'CompleteAbort')
      }
      return { transactor: { ...transactor, producerEpoch }, sequence: 0, release }
    }
  const pending =
    (before: (cluster: Cluster, id: string) => Promise<Situation>, change: (of: raw.Transactor) => Promise<unknown>) =>
    async (cluster: Cluster, id: string) => {
      const { transactor, sequence } = await before(cluster, id)
      const followers = [2, 3].map(broker => cluster.broker(broker))
      for (const follower of followers) await follower.pause()
      const underWay = change(transactor)
      await cluster.clock.advance(20)
      const release = async () => {
        for (const follower of followers) await follower.resume()
        await underWay
        await cluster.clock.advance(1_000)
      }
      return { transactor, sequence, release }
    }
  const commit = (transactor: raw.Transactor) => raw.end(transactor, true, endVersion)
  const setups: Record<string, (cluster: Cluster, id: string) => Promise<Situation>> = {
    'no such id': async (cluster, transactionalId) => {
      const transactor = { cluster, transactionalId, producerId: UNKNOWN_PRODUCER, producerEpoch: 0 }
      return { transactor, sequence: 0, release: nothing }
    },
    Empty: first,
    'Empty, after a second InitProducerId()': second,
    Ongoing: ongoing,
    CompleteCommit: ended(true),
    CompleteAbort: ended(false),
    PrepareCommit: prepared(commit),
    PrepareAbort: prepared(transactor => raw.end(transactor, false, endVersion)),
    'PrepareAbort after InitProducerId': prepared(transactor => raw.initialize(transactor)),
    'PrepareAbort after timeout': prepared(nothing, SHORT_TIMEOUT_MS),
    'pending: Empty -> Ongoing': pending(first, transactor => raw.addPartitions(transactor, [['t', 0]])),
    'pending: Ongoing -> Prepare (commit)': pending(ongoing, commit),
  }
  return setups[state]!
}

const API =
  /^(InitProducerId|AddPartitionsToTxn|AddOffsetsToTxn|EndTxn|Produce|TxnOffsetCommit|plain idempotent Produce)/

/** Asks one request of the table; its outcome in the table's words. */
export async function outcomeOf(request: string, { transactor: current, sequence }: Situation): Promise<string> {
  const version = Number(/ v(\d+)/.exec(request)?.[1] ?? 5)
  const transactor = {
    ...current,
    ...(request.includes('other producerId') ? { producerId: 123_456_789 } : {}),
    producerEpoch: current.producerEpoch + (request.includes('epoch+1') ? 1 : request.includes('epoch-1') ? -1 : 0),
  }
  switch (API.exec(request)?.[1]) {
    case 'InitProducerId': {
      const isPlain = request.includes('no producerId') || request === 'InitProducerId'
      return identityText(await raw.initialize(current, isPlain ? {} : transactor), current)
    }
    case 'AddPartitionsToTxn':
      return (await raw.addPartitions(transactor, [['t', 1]], version))[0]!
    case 'AddOffsetsToTxn':
      return raw.addOffsets(transactor, 'g', version)
    case 'EndTxn': {
      const answer = await raw.end(transactor, request.includes('commit'), version)
      return version < 5 ? answer.error : identityText(answer, current)
    }
    case 'TxnOffsetCommit':
      return raw.commitOffset(transactor, 'g', 5, { version })
    case 'Produce': {
      const isKnown = request.includes('partition of the transaction')
      const place = ['t', isKnown ? 0 : 1] as const
      const { error, message } = await raw.write(transactor, place, { version, sequence: isKnown ? sequence : 0 })
      return error === 'NOT_ENOUGH_REPLICAS' ? `${error} "${message}"` : error
    }
    case 'plain idempotent Produce':
      return (await raw.write(transactor, ['t', 0], { sequence, transactional: false })).error
    default:
      throw new Error(`no such request: ${request}`)
  }
}

function identityText(
  { error, producerId, producerEpoch }: Awaited<ReturnType<typeof raw.end>>,
  before: raw.Transactor,
): string {
  if (error !== 'NONE') return error
  if (producerId !== before.producerId) return `NONE, new producerId, epoch ${producerEpoch}`
  return `NONE, same producerId, epoch +${producerEpoch - before.producerEpoch}`
}

/** The state when all has settled, in the table's words. */
export async function stateAfter({ transactor: before }: Situation): Promise<string> {
  const { cluster, transactionalId } = before
  await cluster.clock.advance(200)
  const { error, state, producerId, producerEpoch } = await raw.describeTransaction(cluster, transactionalId)
  if (error !== 'NONE') return 'none'
  if (producerId !== before.producerId) return `${state}, new producerId, epoch ${producerEpoch}`
  const raised = producerEpoch - before.producerEpoch
  return raised === 0 ? state : `${state} epoch +${raised}`
}
