import { addOffsetsToTxn } from '../../../src/apis/add-offsets-to-txn.ts'
import { addPartitionsToTxn } from '../../../src/apis/add-partitions-to-txn.ts'
import { describeTransactions } from '../../../src/apis/describe-transactions.ts'
import { endTxn } from '../../../src/apis/end-txn.ts'
import { findCoordinator } from '../../../src/apis/find-coordinator.ts'
import { initProducerId } from '../../../src/apis/init-producer-id.ts'
import { listTransactions } from '../../../src/apis/list-transactions.ts'
import type { Chapter, Play } from '../play.ts'
import { newProducerId } from './records.ts'
import {
  add,
  adding,
  end,
  impostors,
  initialized,
  type Partitions,
  settled,
  type Transactor,
  transactionCoordinator,
  transactor,
} from './transactor.ts'

async function coordinators(play: Play): Promise<void> {
  await transactionCoordinator(play, 'found')
  const of = (key: string) => ({ key, keyType: 1, coordinatorKeys: [key] })
  const blur = ['host', 'port']
  await play.every('of a transactional id', findCoordinator, of('found'), { blur, from: 1 })
  await play.every('of the empty transactional id', findCoordinator, of(''), { blur, from: 1 })
  const two = { keyType: 1, coordinatorKeys: ['found', '', 'another'] }
  await play.every('of many transactional ids', findCoordinator, two, { blur, from: 4 })
}

async function identities(play: Play): Promise<void> {
  await play.topic('identified', [[1]])
  for (const to of [1, 2, 3]) await newProducerId(play, to)
  for (let version = 0; version <= 5; version++) {
    const transactionalId = `identified-${version}`
    const to = await transactionCoordinator(play, transactionalId)
    const step = (title: string, more: object = {}, options: object = {}) =>
      play.ask(
        title,
        initProducerId,
        version,
        { transactionalId, transactionTimeoutMs: 900_000, ...more },
        { to, ...options },
      )
    await step('for a transactional id, with no time', { transactionTimeoutMs: 0 })
    await step('for a transactional id, with negative time', { transactionTimeoutMs: -1 })
    await step('for a transactional id, with too much time', { transactionTimeoutMs: 900_001 })
    await step('for a transactional id, by another broker', {}, { to: (to % 3) + 1 })
    const { producerId } = (await step('for a transactional id'))!
    await step('for a transactional id, again')
    await step('for a transactional id, again with little time', { transactionTimeoutMs: 10_000 })
    if (version >= 3) {
      await step('for one that goes on', { producerId, producerEpoch: 2 })
      await step('for one that lost the answer', { producerId, producerEpoch: 2 })
      await step('for one of an epoch to come', { producerId, producerEpoch: 9 })
      await step('for one that is two behind', { producerId, producerEpoch: 0 })
      await step('for another producer', { producerId: producerId + 500_000, producerEpoch: 3 })
      await step('for one without an epoch', { producerId })
      const unknown = `unidentified-${version}`
      const body = { transactionalId: unknown, producerId: producerId + 500_000, producerEpoch: 4 }
      const known = { to: await transactionCoordinator(play, unknown) }
      await step('for a transactional id that is not known, with an identity', body, known)
    }
    const open = await initialized(play, transactionalId)
    await add(play, open, { identified: [0] })
    await step('for one with an open transaction')
    await settled(play, open)
    await step('for one whose transaction was aborted')
  }
}

async function described(play: Play, title: string, { transactionalId, to }: Transactor): Promise<void> {
  const blur = ['transactionalId', 'producerId']
  await play.ask(title, describeTransactions, 0, { transactionalIds: [transactionalId] }, { to, blur })
}

/** What is asked of a transaction, with what the partitions of it are called. */
const WANTED: Readonly<Record<string, Partitions>> = {
  'of an unknown and a good partition': { joined: [7, 0] },
  'of a negative partition': { joined: [-1] },
  'of an unknown and a good topic': { 'never-was': [0], joined: [0] },
  'of a topic with a bad name': { 'bad name': [0] },
  'of a topic of Kafka itself': { __consumer_offsets: [0] },
  'of a partition': { joined: [0] },
  'of it again': { joined: [0] },
  'of it and another': { joined: [0, 1] },
}

async function partitions(play: Play): Promise<void> {
  await play.coordinator('anybody')
  await play.topic('joined', [[1], [1], [1]])
  for (let version = 0; version <= 5; version++) {
    const of = await transactor(play, `joined-${version}`)
    const step = (title: string, body: ReturnType<typeof adding>, to = of.to) =>
      play.ask(title, addPartitionsToTxn, version, body, { to, blur: ['transactionalId'] })
    if (version >= 4) await step('to verify before it has begun', adding(of, { joined: [0] }, true))
    for (const [title, wanted] of Object.entries(WANTED)) await step(title, adding(of, wanted))
    for (const [title, bad] of Object.entries(await impostors(play, of))) {
      await step(`${title}, amid the transaction`, adding(bad, { joined: [2] }), bad.to)
    }
    await step('of nothing', adding(of, {}))
    await step('of no partition', adding(of, { joined: [] }))
    if (version >= 4) {
      await step('to verify', adding(of, { joined: [0] }, true))
      await step('to verify what was not taken in, too', adding(of, { joined: [0, 2] }, true))
      await step('to verify what there is not', adding(of, { joined: [9] }, true))
      for (const [title, bad] of Object.entries(await impostors(play, of))) {
        await step(`to verify, ${title}`, adding(bad, { joined: [0] }, true), bad.to)
      }
      const nameless = { ...of, transactionalId: '' }
      const both = [of, nameless].flatMap(each => adding(each, { joined: [0] }).transactions)
      // A real broker never answers one of no transaction.
      await step('of a good and a bad transaction', { ...adding(of, {}), transactions: both })
    }
    await described(play, `after v${version}`, of)
  }
}

async function groups(play: Play): Promise<void> {
  await play.coordinator('offered')
  for (let version = 0; version <= 4; version++) {
    const good = await transactor(play, `offered-${version}`)
    const step = (title: string, { to, ...of }: Transactor, groupId = 'offered') =>
      play.ask(title, addOffsetsToTxn, version, { ...of, groupId }, { to })
    for (const [title, bad] of Object.entries(await impostors(play, good))) await step(title, bad)
    await step('of a group', good)
    await step('of it again', good)
    await step('of the empty group', good, '')
    for (const [title, bad] of Object.entries(await impostors(play, good))) {
      await step(`${title}, amid the transaction`, bad)
    }
    await end(play, good, true, 4)
    await step('of a group, in the next transaction', good)
  }
}

async function ends(play: Play): Promise<void> {
  await play.topic('ended', [[1, 2, 3]])
  for (let version = 0; version <= 5; version++) {
    let good = await transactor(play, `ended-${version}`)
    const step = async (title: string, { to, ...of }: Transactor, committed: boolean) => {
      const answer = await play.ask(title, endTxn, version, { ...of, committed }, { to })
      await settled(play, good)
      return answer?.errorCode === 0 && version >= 5
        ? { ...good, producerId: answer.producerId, producerEpoch: answer.producerEpoch }
        : good
    }
    for (const [title, bad] of Object.entries(await impostors(play, good))) await step(title, bad, true)
    await step('to commit what has not begun', good, true)
    good = await step('to abort what has not begun', good, false)
    for (const committed of [true, false]) {
      const [does, doesNot] = committed ? ['commit', 'abort'] : ['abort', 'commit']
      await add(play, good, { ended: [0] })
      for (const [title, bad] of Object.entries(await impostors(play, good))) {
        await step(`to ${does} ${title}, amid the transaction`, bad, committed)
      }
      const next = await step(`to ${does}`, good, committed)
      await step(`to ${does} again`, good, committed)
      await step(`to ${doesNot} after that`, good, !committed)
      good = next
      await step(`to ${does} the next, which has not begun`, good, true)
      await described(play, `after v${version} has come to ${does}`, good)
      good = await initialized(play, good.transactionalId)
    }
  }
}

async function views(play: Play): Promise<void> {
  await play.topic('viewed', [[1], [2]])
  const of = await transactor(play, 'viewed')
  const { to } = of
  const describing = (title: string, transactionalIds: string[], options: object = {}) =>
    play.ask(title, describeTransactions, 0, { transactionalIds }, { to, ...options })
  const listing = (title: string, more: object = {}, options: object = {}) =>
    play.every(
      title,
      listTransactions,
      { stateFilters: [], producerIdFilters: [of.producerId], ...more },
      { to, ...options },
    )
  await describing('of one that has not begun', ['viewed'])
  await listing('of one that has not begun')
  await add(play, of, { viewed: [0, 1] })
  await describing('of one that is open', ['viewed'])
  await describing('of none', [])
  await describing('of one twice', ['viewed', 'viewed'])
  await describing('of the empty one and a good one', ['', 'viewed'])
  await describing('of one that is coordinated elsewhere', ['viewed'], { to: (to % 3) + 1 })
  await describing('of nobody', ['nobody'], { to: await transactionCoordinator(play, 'nobody') })
  await listing('of one that is open')
  await listing('of an unknown producer', { producerIdFilters: [of.producerId + 500_000] })
  await listing('of a negative producer', { producerIdFilters: [-1] })
  await listing('of one of two', { producerIdFilters: [-1, of.producerId] })
  for (const state of ['Ongoing', 'Empty', 'Dead', 'CompleteCommit']) {
    await listing(`of the state ${state}`, { stateFilters: [state] })
  }
  await listing('of no known state', { stateFilters: ['ongoing', 'Lost', ''] })
  await listing('of an unknown and a known state', { stateFilters: ['Lost', 'Ongoing'] })
  for (const durationFilter of [0, -5, 3_600_000]) {
    await listing(`of more than ${durationFilter} ms`, { durationFilter }, { from: 1 })
  }
  for (const transactionalIdPattern of ['viewed', 'view.*', 'view', '', '(', null]) {
    await listing(`of the pattern ${transactionalIdPattern}`, { transactionalIdPattern }, { from: 2 })
  }
  for (const broker of [1, 2, 3]) {
    await listing(`of all, by ${broker}`, { producerIdFilters: [] }, { to: broker, blur: ['transactionStates'] })
  }
  const next = await end(play, of, true)
  await describing('of one that is committed', ['viewed'])
  await listing('of one that is committed')
  await add(play, next, { viewed: [1] })
  await end(play, next, false)
  await describing('of one that is aborted', ['viewed'])
  await listing('of one that is aborted')
}

export const transactionChapters: readonly Chapter[] = [
  { title: 'coordinators of transactions', play: coordinators },
  { title: 'ids of transactional producers', play: identities },
  { title: 'partitions of transactions', play: partitions },
  { title: 'groups of transactions', play: groups },
  { title: 'ends of transactions', play: ends },
  { title: 'transactions are described and listed', play: views },
]
