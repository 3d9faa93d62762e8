import { afterEach, expect, test } from 'vitest'
import { ClientError, type Cluster, Consumer, KafkaError } from '../../src/index.ts'
import { diary, fill, type Member, member, pollUntil, startCluster } from './group-story.ts'

let cluster: Cluster
afterEach(() => cluster?.close())

const never = () => new Promise<void>(() => {})
const protocols = ['classic', 'consumer'] as const
const worlds = protocols.flatMap(protocol => (['virtual', 'real'] as const).map(time => ({ protocol, time })))
const all = 'orders-0 orders-1 orders-2 orders-3'

async function start(time: 'virtual' | 'real', protocol: 'classic' | 'consumer', config: object = {}): Promise<Member> {
  cluster = await startCluster({ time })
  return member(cluster, { 'group.protocol': protocol, ...config })
}

const hasAll = (consumer: Member) => () => consumer.assignment().length === 4

for (const { protocol, time } of worlds) {
  test(`a listener that closes the consumer which is closing is answered at once (${protocol}, ${time})`, async () => {
    const consumer = await start(time, protocol)
    const { entries, listener } = diary()
    const nested: unknown[] = []
    consumer.subscribe(['orders'], {
      listener: {
        ...listener,
        async onPartitionsRevoked(partitions) {
          listener.onPartitionsRevoked(partitions)
          nested.push(await consumer.close())
        },
      },
    })
    await pollUntil([consumer], hasAll(consumer))
    const before = Date.now()
    await consumer.close()
    expect(Date.now() - before).toBeLessThan(2_000)
    expect(entries.slice(-2)).toEqual([`+ ${all}`, `- ${all}`])
    expect(nested.length).toBe(entries.filter(entry => entry.startsWith('-')).length)
    expect(cluster.group('billing').members).toEqual([])
    await expect(consumer.poll({ timeoutMs: 1 })).rejects.toThrow('has already been closed')
  })

  test(`a listener that unsubscribes as it is told of it does not call itself for ever (${protocol}, ${time})`, async () => {
    const consumer = await start(time, protocol)
    let calls = 0
    const unsubscribe = () => {
      if (++calls > 50) throw new Error('told again and again')
      return consumer.unsubscribe()
    }
    consumer.subscribe(['orders'], {
      listener: { onPartitionsRevoked: ps => (ps.length > 0 ? unsubscribe() : undefined) },
    })
    await pollUntil([consumer], hasAll(consumer))
    await consumer.unsubscribe()
    expect(calls).toBe(1)
    expect([consumer.subscription(), consumer.assignment()]).toEqual([[], []])
    expect(cluster.group('billing').members).toEqual([])
    consumer.subscribe(['orders'])
    await pollUntil([consumer], hasAll(consumer))
  })
}

test('a listener may close the consumer in the middle of a rebalance, which ends its poll', async () => {
  const consumer = await start('virtual', 'classic')
  consumer.subscribe(['orders'], {
    listener: { onPartitionsRevoked: ps => (ps.length > 0 ? consumer.close() : undefined) },
  })
  await pollUntil([consumer], hasAll(consumer))
  const other = member(cluster)
  other.subscribe(['orders'])
  const polls = pollUntil([consumer], () => false)
  const [ended] = await Promise.all([polls.catch(error => error), pollUntil([other], hasAll(other))])
  expect(ended.message).toContain('has already been closed')
})

test('a listener may unsubscribe in the middle of a rebalance: it is told once more, and the others go on', async () => {
  const consumer = await start('virtual', 'classic')
  const { entries, listener } = diary()
  consumer.subscribe(['orders'], {
    listener: {
      ...listener,
      async onPartitionsRevoked(partitions) {
        listener.onPartitionsRevoked(partitions)
        if (partitions.length > 0) await consumer.unsubscribe()
      },
    },
  })
  await pollUntil([consumer], hasAll(consumer))
  const other = member(cluster)
  other.subscribe(['orders'])
  const polls = pollUntil([consumer], () => false)
  const [ended] = await Promise.all([polls.catch(error => error), pollUntil([other], hasAll(other))])
  expect(ended.message).toContain('not subscribed to any topics')
  expect(entries).toEqual([`+ ${all}`, `- ${all}`, `- ${all}`])
})

test('a commit callback that closes the consumer which is closing is answered at once', async () => {
  const consumer = await start('real', 'classic', { 'enable.auto.commit': false })
  await fill(cluster, 1)
  consumer.subscribe(['orders'])
  await pollUntil([consumer], hasAll(consumer))
  let called = 0
  consumer.commitAsync(undefined, async () => {
    called++
    await consumer.close()
  })
  await consumer.close()
  expect(called).toBe(1)
})

test('a consumer over TCP whose listener closes it again still leaves its group', async () => {
  cluster = await startCluster({ listen: true })
  const consumer = new Consumer({ 'bootstrap.servers': cluster.bootstrapServers, 'group.id': 'billing' })
  consumer.subscribe(['orders'], { listener: { onPartitionsRevoked: () => consumer.close() } })
  await pollUntil([consumer as unknown as Member], () => consumer.assignment().length === 4)
  await consumer.close()
  expect(cluster.group('billing').members).toEqual([])
})

for (const protocol of protocols) {
  test(`close({ timeoutMs }) bounds its listener, too: the member leaves nevertheless (${protocol})`, async () => {
    const consumer = await start('real', protocol)
    consumer.subscribe(['orders'], { listener: { onPartitionsRevoked: ps => (ps.length > 0 ? never() : undefined) } })
    await pollUntil([consumer], hasAll(consumer))
    const error = await consumer.close({ timeoutMs: 100 }).then(
      () => undefined,
      thrown => thrown,
    )
    expect(error).toBeInstanceOf(ClientError)
    expect(error.message).toContain('onPartitionsRevoked')
    expect(error.cause).toBeInstanceOf(KafkaError)
    expect(error.cause.message).toBe('it had not settled when the time for closing consumer-1 was over')
    await cluster.group('billing').waitForMembers(0)
  })

  test(`cluster.close() does not wait for a listener that never settles (${protocol})`, async () => {
    const consumer = await start('real', protocol)
    consumer.subscribe(['orders'], { listener: { onPartitionsRevoked: ps => (ps.length > 0 ? never() : undefined) } })
    await pollUntil([consumer], hasAll(consumer))
    const before = Date.now()
    await cluster.close()
    expect(Date.now() - before).toBeLessThan(1_000)
  })
}

test('cluster.close() ends the patience of a consumer that is closing already', async () => {
  const consumer = await start('real', 'classic')
  consumer.subscribe(['orders'], { listener: { onPartitionsRevoked: ps => (ps.length > 0 ? never() : undefined) } })
  await pollUntil([consumer], hasAll(consumer))
  const closed = consumer.close()
  await new Promise(resolve => setTimeout(resolve, 20))
  const before = Date.now()
  await cluster.close()
  await closed
  expect(Date.now() - before).toBeLessThan(1_000)
})

test('on virtual time a listener that commits has the time for it when its consumer closes', async () => {
  const consumer = await start('virtual', 'classic', { 'enable.auto.commit': false })
  await fill(cluster, 3)
  consumer.subscribe(['orders'], { listener: { onPartitionsRevoked: () => consumer.commit() } })
  await pollUntil([consumer], () => hasAll(consumer)() && [0, 1, 2, 3].every(p => isRead(consumer, p)))
  await consumer.close()
  expect([0, 1, 2, 3].map(p => cluster.group('billing').committed('orders', p)?.offset)).toEqual([3, 3, 3, 3])
})

function isRead(consumer: Member, partition: number): boolean {
  return consumer.currentLag({ topic: 'orders', partition }) === 0
}
