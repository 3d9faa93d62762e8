import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createCluster } from 'mini-kafka'
import { expect, test } from 'vitest'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

for (const time of ['virtual', 'real'] as const) {
  test(`a cluster on ${time} time keeps no client that has closed`, async () => {
    await using cluster = await createCluster({ time, brokers: 1, topics: { t: {} } })
    const made: WeakRef<object>[] = []
    const use = async () => {
      const producer = cluster.producer()
      await producer.send({ topic: 't', value: 'v' })
      const consumer = cluster.consumer({ 'auto.offset.reset': 'earliest' })
      consumer.assign([{ topic: 't', partition: 0 }])
      await consumer.poll({ timeoutMs: 1_000 })
      const member = cluster.consumer({ 'group.id': 'g' })
      member.subscribe(['t'])
      await member.poll({ timeoutMs: 10 })
      const admin = cluster.admin()
      await admin.listTopics()
      for (const client of [producer, consumer, member, admin]) {
        made.push(new WeakRef(client))
        await client.close()
      }
    }
    for (let i = 0; i < 5; i++) await use()
    await cluster.settle()
    // What a turn of the event loop still holds, the next one does not.
    for (let i = 0; i < 20 && made.some(each => each.deref() !== undefined); i++) {
      await new Promise(resolve => setTimeout(resolve, 50))
      collect()
    }
    expect(made.filter(each => each.deref() !== undefined)).toEqual([])
  })
}
