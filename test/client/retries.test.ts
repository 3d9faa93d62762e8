import fc from 'fast-check'
import { expect, test } from 'vitest'
import { produce } from '../../src/apis/produce.ts'
import { createCluster, reset } from '../../src/index.ts'

/**
 * The law that idempotence is for: whatever befalls connections and leaders, every acknowledged record is in the log once,
 * where its sender was told, and the records of a partition are in the order of their sends.
 */
const faults = fc.array(
  fc.record({
    afterMs: fc.integer({ min: 0, max: 400 }),
    kind: fc.constantFrom('lose answer', 'lose request', 'crash leader', 'restart'),
  }),
  { maxLength: 5 },
)

test('acknowledged records are in the log once and in order, through lost answers and dead leaders (C-34, C-35, C-42, I-4)', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(1_000), faults, async (seed, schedule) => {
      const cluster = await createCluster({
        seed,
        topics: { orders: { partitions: 1, replicationFactor: 3, configs: { 'min.insync.replicas': 2 } } },
      })
      try {
        const producer = cluster.producer({ 'batch.size': 100, 'linger.ms': 1, 'request.timeout.ms': 2_000 })
        const sends: Promise<{ offset: number }>[] = []
        let sent = 0
        const send = () => {
          for (let i = 0; i < 5; i++) sends.push(producer.send({ topic: 'orders', value: `${sent++}`.padEnd(40) }))
        }
        send()
        for (const { afterMs, kind } of schedule) {
          if (kind === 'lose answer') cluster.network.rule(reset({ api: produce, kind: 'response', times: 1 }))
          else if (kind === 'lose request') cluster.network.rule(reset({ api: produce, kind: 'request', times: 1 }))
          else if (kind === 'restart')
            for (const broker of cluster.brokers) if (!broker.isRunning) await broker.restart()
          if (kind === 'crash leader' && cluster.brokers.every(broker => broker.isRunning)) {
            if (cluster.partition('orders', 0).leader !== undefined) await cluster.leaderOf('orders', 0).crash()
          }
          send()
          await cluster.clock.advance(afterMs)
        }
        await cluster.heal()
        const settled = await Promise.allSettled(sends)
        const consumer = cluster.consumer({ 'auto.offset.reset': 'earliest', 'value.deserializer': 'string' })
        consumer.assign([{ topic: 'orders', partition: 0 }])
        const log: number[] = []
        const end = (await consumer.endOffsets(consumer.assignment())).values().next().value as number
        while (log.length < end) {
          for (const { value } of await consumer.poll({ timeoutMs: 5_000 })) log.push(Number(value))
        }
        expect(settled.filter(({ status }) => status === 'rejected')).toEqual([])
        expect(settled.map(one => (one as PromiseFulfilledResult<{ offset: number }>).value.offset)).toEqual(
          Array.from({ length: sent }, (_, i) => i),
        )
        expect(log).toEqual(Array.from({ length: sent }, (_, i) => i))
      } finally {
        await cluster.close()
      }
    }),
    { numRuns: 40 },
  )
}, 60_000)
