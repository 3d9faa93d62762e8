/** Logs that were there before any cluster: somebody else wrote them, and no metadata log knows of them. */
import { afterEach, expect, test } from 'vitest'
import { type Cluster, type ClusterOptions, createCluster } from '../../src/index.ts'
import type { ForeignTopic, ReplicaName } from '../../src/log/log-store.ts'
import { MemoryStore, MemoryStores } from '../../src/log/memory-store.ts'
import { batchOf } from '../../src/wire/batch-builder.ts'
import '../../src/vitest.ts'

const LEADER_EPOCH = 7
const PRODUCER_ID = 2_000

/** Three records in each partition that is named. */
class StoresWithForeignLogs extends MemoryStores {
  readonly #logs = new Map<string, MemoryStore>()
  readonly #topics: readonly ForeignTopic[]

  constructor(partitions: Readonly<Record<string, readonly number[]>>) {
    super()
    this.#topics = Object.entries(partitions).map(([name, indexes]) => {
      for (const index of indexes) this.#logs.set(`${name}-${index}`, filled(name))
      const at = (index: number) =>
        indexes.includes(index) ? { leaderEpoch: LEADER_EPOCH, producerId: PRODUCER_ID } : undefined
      return { name, partitions: Array.from({ length: Math.max(...indexes) + 1 }, (_, index) => at(index)) }
    })
  }

  override begin(): { foreignTopics: readonly ForeignTopic[] } {
    super.begin()
    return { foreignTopics: this.#topics }
  }

  override store(replica: ReplicaName): MemoryStore {
    const found = this.#logs.get(`${replica.topic}-${replica.partition}`)
    return replica.isFirst === true && found !== undefined ? found : super.store(replica)
  }
}

function filled(name: string): MemoryStore {
  const store = new MemoryStore()
  for (let offset = 0; offset < 3; offset++) {
    const producer = { producerId: PRODUCER_ID, producerEpoch: 0, baseSequence: offset }
    const place = { baseOffset: offset, leaderEpoch: LEADER_EPOCH, timestamp: 1_000, ...producer }
    store.append(offset, batchOf([{ key: null, value: `${name} ${offset}` }], place))
  }
  return store
}

let cluster: Cluster | undefined
afterEach(() => cluster?.close())

async function start(partitions: Readonly<Record<string, readonly number[]>>, options: ClusterOptions = {}) {
  const logs = new StoresWithForeignLogs(partitions)
  cluster = await createCluster({ logs, ...options })
  return { cluster, logs }
}

test('a topic is there for each, with a partition up to the highest that has a log', async () => {
  const { cluster } = await start({ orders: [0, 2], payments: [0] })
  expect(cluster.topicNames).toEqual(['orders', 'payments'])
  expect(cluster.topic('orders').partitionCount).toBe(3)
  await expect(cluster).toHaveDelivered('payments', [
    { offset: 0, value: 'payments 0' },
    { offset: 1, value: 'payments 1' },
    { offset: 2, value: 'payments 2' },
  ])
})

test('its leader is of a higher epoch than any batch, and goes on at the next offset', async () => {
  const { cluster } = await start({ orders: [0] })
  expect(cluster.partition('orders', 0).leaderEpoch).toBe(LEADER_EPOCH + 1)
  expect(await cluster.producer().send({ topic: 'orders', value: 'next' })).toMatchObject({ offset: 3 })
})

test('its producers are others than those of the logs: nothing is taken for a duplicate (I-4)', async () => {
  const { cluster } = await start({ orders: [0] })
  await cluster.producer().send({ topic: 'orders', value: 'next' })
  const [states] = [...(await cluster.admin().describeProducers([{ topic: 'orders', partition: 0 }])).values()]
  expect(states?.map(({ producerId }) => producerId)).toEqual([PRODUCER_ID, PRODUCER_ID + 1])
})

test('the options say how many replicas and partitions it gets, and its configuration', async () => {
  const orders = { partitions: 2, replicationFactor: 3, configs: { 'min.insync.replicas': 3 } }
  const { cluster } = await start({ orders: [0] }, { topics: { orders } })
  expect(cluster.topic('orders').partitionCount).toBe(2)
  await cluster.runUntil(() => cluster.partition('orders', 0).inSyncReplicas.length === 3)
  await cluster.producer({ acks: 'all' }).send({ topic: 'orders', partition: 0, value: 'everywhere' })
  expect(cluster.partition('orders', 0).replicaLogs.get(3)).toMatchObject({ startOffset: 0, endOffset: 4 })
})

test('from then on the cluster knows it, and is continued like any other', async () => {
  const { cluster: first, logs } = await start({ orders: [0] })
  const { leaderEpoch } = first.partition('orders', 0)
  await first.close()
  cluster = await createCluster({ logs })
  expect(cluster.partition('orders', 0).leaderEpoch).toBeGreaterThan(leaderEpoch)
  expect(cluster.partition('orders', 0).endOffset).toBe(3)
})

test.each([
  [{ orders: [0, 1] }, { partitions: 1 }, "the topic 'orders' has 2 partitions in the logs, not 1"],
  [{ orders: [0] }, { replicationFactor: 4 }, "the topic 'orders' cannot have 4 replicas: there are 3 brokers"],
  [{ orders: [0] }, { assignments: [[9]] }, "the topic 'orders' is assigned to broker 9: there are 1, 2, 3"],
  [{ 'a b': [0] }, {}, "logs: 'a b', of which they hold records, is no name of a topic"],
])('%j with %j is refused', async (partitions, orders, text) => {
  await expect(start(partitions, { topics: { orders } })).rejects.toThrow(text)
})
