import { expect } from 'vitest'
import { Producer } from '../../../src/client/clients.ts'
import { type Driver, DriverError, type Isolation, type LineRecord } from '../driver.ts'
import type { World } from '../world.ts'
import { embeddedOnly, everywhere, type Stories, type Story } from './story.ts'

const PARTITIONS = 2
/** Of the error: INVALID_PRODUCER_EPOCH, PRODUCER_FENCED, librdkafka's own for both, or what a client does not tell. */
const FENCED = [47, 90, -144, null]
/** Enough for records to come that must not. */
const MOMENT_MS = 300

const record = (topic: string, partition: number, value: string): LineRecord => ({
  topic,
  partition,
  key: null,
  value: Buffer.from(value).toString('base64'),
})
const text = ({ value }: LineRecord) => Buffer.from(value!, 'base64').toString()
const moment = () => new Promise(resolve => setTimeout(resolve, MOMENT_MS))

/** Two topics, whose records stand and fall together, and a transactional id. */
interface Books {
  readonly orders: string
  readonly audit: string
  readonly transactionalId: string
}

async function books(world: World): Promise<Books> {
  const orders = await world.topic('orders', { partitions: PARTITIONS })
  return { orders, audit: await world.topic('audit'), transactionalId: `payments-${orders}` }
}

/** A value to each partition of both topics. */
const entries = ({ orders, audit }: Books, value: string) => [
  record(orders, 0, value),
  record(orders, 1, value),
  record(audit, 0, value),
]

async function open(driver: Driver, kept: Books, value: string): Promise<void> {
  await driver.ask('begin', { transactionalId: kept.transactionalId })
  await driver.ask('send', { transactionalId: kept.transactionalId, records: entries(kept, value) })
}

async function transact(driver: Driver, kept: Books, value: string, outcome: 'commit' | 'abort' = 'commit') {
  await open(driver, kept, value)
  await driver.ask('end', { transactionalId: kept.transactionalId, outcome })
}

/** What our own consumer reads of each partition, once no transaction is open there: these values, in this order. */
async function expectCommitted(world: World, { orders, audit }: Books, values: readonly string[]): Promise<void> {
  for (const [topic, partitions] of [
    [orders, PARTITIONS],
    [audit, 1],
  ] as const) {
    const records = await world.records(topic, partitions, 0, 'read_committed')
    for (let partition = 0; partition < partitions; partition++) {
      expect(records.filter(each => each.partition === partition).map(text)).toEqual(values)
    }
  }
}

/** As the client itself reads one partition of it, as many as there must be. */
async function readBack(world: World, topic: string, count: number, isolation: Isolation): Promise<string[]> {
  const { records } = await world.driver.ask('read', { topic, partitions: 1, count, isolation })
  return records.map(text)
}

/** A producer of ours, in transactions. */
async function ours(world: World, transactionalId: string): Promise<Producer> {
  const producer = new Producer({
    'bootstrap.servers': world.place.bootstrapServers,
    'transactional.id': transactionalId,
  })
  await producer.initTransactions()
  return producer
}

const reads: Story = {
  column: 'transactions',
  aspect: 'reads',
  title: 'it reads of our transactions what is committed, or all, as it is told',
  places: everywhere,
  async tell(world) {
    const topic = await world.topic('isolated')
    const producer = await ours(world, `of-${topic}`)
    try {
      for (const [value, outcome] of [
        ['a', 'commitTransaction'],
        ['b', 'abortTransaction'],
        ['c', 'commitTransaction'],
      ] as const) {
        await producer.beginTransaction()
        await producer.send({ topic, partition: 0, value: Buffer.from(value) })
        await producer[outcome]()
      }
      expect(await readBack(world, topic, 2, 'read_committed')).toEqual(['a', 'c'])
      expect(await readBack(world, topic, 3, 'read_uncommitted')).toEqual(['a', 'b', 'c'])
    } finally {
      await producer.close()
    }
  },
}

const waits: Story = {
  column: 'transactions',
  aspect: 'reads',
  title: 'a member that reads what is committed waits where a transaction is open',
  places: everywhere,
  async tell(world) {
    const topic = await world.topic('waited-for')
    const producer = await ours(world, `of-${topic}`)
    try {
      await producer.beginTransaction()
      await producer.send({ topic, partition: 0, value: Buffer.from('a') })
      await producer.commitTransaction()
      await producer.beginTransaction()
      await producer.send({ topic, partition: 0, value: Buffer.from('b') })
      await producer.flush()
      await world.write([record(topic, 0, 'c')], 'none')
      const protocol = world.client.can.groups![0]!
      const member = await world.join('member', `waiting-${topic}`, protocol, topic, { isolation: 'read_committed' })
      await world.until(() => member.records.length > 0, 'the member has read what is committed')
      await moment()
      expect(member.values).toEqual(['a'])
      await producer.commitTransaction()
      await world.until(() => member.records.length >= 3, 'the member has read what was open')
      expect(member.values).toEqual(['a', 'b', 'c'])
      await world.driver.ask('leave', { member: 'member' })
    } finally {
      await producer.close()
    }
  },
}

const outcomes: Story = {
  column: 'transactions',
  aspect: 'commit, abort',
  title: 'what it commits is read from all topics, what it aborts from none',
  places: everywhere,
  async tell(world) {
    const kept = await books(world)
    await world.driver.ask('init', { transactionalId: kept.transactionalId })
    await transact(world.driver, kept, 'a')
    await transact(world.driver, kept, 'b', 'abort')
    await transact(world.driver, kept, 'c')
    await expectCommitted(world, kept, ['a', 'c'])
    expect(await readBack(world, kept.audit, 2, 'read_committed')).toEqual(['a', 'c'])
    expect(await readBack(world, kept.audit, 3, 'read_uncommitted')).toEqual(['a', 'b', 'c'])
  },
}

const offsetStory = (protocol: 'classic' | 'consumer'): Story => ({
  column: 'transactions',
  aspect: 'offsets',
  title: `offsets of a ${protocol} group are committed with what was made of the records, or not at all`,
  places: everywhere,
  async tell(world) {
    const { driver } = world
    const input = await world.topic('input')
    const kept = await books(world)
    const group = `transforming-${input}`
    await world.write(
      ['1', '2', '3'].map(value => record(input, 0, value)),
      'none',
    )
    for (const outcome of ['abort', 'commit'] as const) {
      const transactionalId = `${kept.transactionalId}-${outcome}`
      const wish = { isolation: 'read_committed', transactionalId } as const
      const member = await world.join(outcome, group, protocol, input, wish)
      // Again from the beginning, after the abort: its offsets are not the group's.
      await world.until(() => member.records.length >= 3, `the member that will ${outcome} has read all`)
      expect(member.values).toEqual(['1', '2', '3'])
      await driver.ask('init', { transactionalId })
      await driver.ask('begin', { transactionalId })
      await driver.ask('send', { transactionalId, records: entries(kept, outcome) })
      await driver.ask('sendOffsets', { transactionalId, member: outcome })
      await driver.ask('end', { transactionalId, outcome })
      await driver.ask('leave', { member: outcome })
    }
    const offsets = await world.admin.listConsumerGroupOffsets(group, { requireStable: true })
    expect(offsets.map(({ topic, partition, offset }) => [topic, partition, offset])).toEqual([[input, 0, 3]])
    await world.write([record(input, 0, '4')], 'none')
    const next = await world.join('next', group, protocol, input)
    await world.until(() => next.records.length > 0, 'the next member has read what is new')
    expect(next.values).toEqual(['4'])
    await driver.ask('leave', { member: 'next' })
    await expectCommitted(world, kept, ['commit'])
  },
})

const killed: Story = {
  column: 'transactions',
  aspect: 'fencing',
  title:
    'a process that is killed in mid-transaction leaves nothing of it to the next one of its id, and all before it',
  places: everywhere,
  async tell(world) {
    const kept = await books(world)
    const { transactionalId } = kept
    const first = await world.another()
    await first.ask('init', { transactionalId })
    await transact(first, kept, 'kept')
    await open(first, kept, 'open')
    await first.kill()
    const second = await world.another()
    await second.ask('init', { transactionalId })
    await transact(second, kept, 'next')
    await expectCommitted(world, kept, ['kept', 'next'])
    expect(await readBack(world, kept.audit, 2, 'read_committed')).toEqual(['kept', 'next'])
  },
}

const zombie: Story = {
  column: 'transactions',
  aspect: 'fencing',
  title: 'a producer whose id another one has taken cannot commit',
  places: everywhere,
  async tell(world) {
    const kept = await books(world)
    const { transactionalId } = kept
    await world.driver.ask('init', { transactionalId })
    await open(world.driver, kept, 'zombie')
    const successor = await world.another()
    await successor.ask('init', { transactionalId })
    await transact(successor, kept, 'first')
    const refused = await world.driver.ask('end', { transactionalId, outcome: 'commit' }).catch(error => error)
    expect(refused).toBeInstanceOf(DriverError)
    expect(FENCED).toContain(refused.code)
    await transact(successor, kept, 'second')
    await expectCommitted(world, kept, ['first', 'second'])
  },
}

const decided: Story = {
  column: 'transactions',
  aspect: 'fail-over',
  title: 'a coordinator that crashes when a commit is decided, and no marker written, loses nothing',
  places: embeddedOnly,
  async tell(world) {
    const kept = await books(world)
    const { transactionalId } = kept
    await world.driver.ask('init', { transactionalId })
    await transact(world.driver, kept, 'before')
    await open(world.driver, kept, 'decided')
    const stop = world.cluster.transaction(transactionalId).stop('after PREPARE')
    const committed = world.driver.ask('end', { transactionalId, outcome: 'commit' })
    await stop.reached
    await world.cluster.coordinatorOf({ transactionalId }).crash()
    await committed
    await transact(world.driver, kept, 'after')
    await expectCommitted(world, kept, ['before', 'decided', 'after'])
  },
}

/** Transactions one after the other; in the midst of them the coordinator crashes. */
const steady: Story = {
  column: 'transactions',
  aspect: 'fail-over',
  title:
    'a coordinator that crashes in the midst of transactions loses nothing that was committed, and doubles nothing',
  places: embeddedOnly,
  async tell(world) {
    const kept = await books(world)
    const { transactionalId } = kept
    const { driver, cluster } = world
    await driver.ask('init', { transactionalId })
    const committed: string[] = []
    const unknown: string[] = []
    let crash: Promise<void> | undefined
    let after = 0
    for (let i = 0; after < 6; i++) {
      const outcome = i % 3 === 1 ? 'abort' : 'commit'
      if (i === 4) crash = cluster.coordinatorOf({ transactionalId }).crash()
      try {
        await transact(driver, kept, `${i}`, outcome)
        if (outcome === 'commit') committed.push(`${i}`)
        if (i > 4) after++
      } catch (error) {
        // Whether it is committed nobody knows; the next producer of the id goes on.
        if (!(error instanceof DriverError) || unknown.length > 3) throw error
        if (outcome === 'commit') unknown.push(`${i}`)
        await driver.ask('init', { transactionalId })
      }
    }
    await crash
    const audit = (await world.records(kept.audit, 1, 0, 'read_committed')).map(text)
    expect(audit.filter(value => !unknown.includes(value))).toEqual(committed)
    expect(audit).toHaveLength(new Set(audit).size)
    await expectCommitted(world, kept, audit)
  },
}

export const transactionStories: Stories = ({ can }) => {
  const stories: Story[] = []
  if (can.isolation === true) {
    stories.push(reads)
    if (can.groups !== undefined) stories.push(waits)
  }
  if (can.transactions !== undefined && can.transactions !== false) {
    stories.push(outcomes, ...(can.offsets ?? can.groups ?? []).map(offsetStory), killed, zombie)
    if (can.transactions === true) stories.push(decided, steady)
  }
  return stories
}
