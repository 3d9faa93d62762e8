/** The process that hosts the cluster is killed in the middle of its work, over and over; the next one goes on. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { Consumer, Producer } from '../../src/index.ts'
import { Random } from '../../src/runtime/random.ts'
import { HostedCluster, quickConfigs } from './hosted.ts'
import { freePorts, missingForRedis, RedisServers } from './servers.ts'
import { persistent, SteadyProducer, storedFor } from './steady-producer.ts'

const servers = new RedisServers()
afterAll(() => servers.stop())

const KILLS = Number(process.env.MINI_KAFKA_KILLS ?? 40)
const seed = Number(process.env.MINI_KAFKA_SEED ?? 1)

describe.skipIf(missingForRedis() !== undefined)(`a process that is killed ${KILLS} times`, () => {
  test(
    `leaves every acknowledged record where it was, once, in order (seed ${seed})`,
    async () => {
      const redis = await servers.server()
      const ports = await freePorts(3)
      const random = new Random(seed)
      const topics = { orders: { partitions: 1, replicationFactor: 3, configs: { 'min.insync.replicas': 2 } } }
      const start = () =>
        HostedCluster.start({
          nodes: [redis],
          cluster: { listen: { ports }, topics, configs: quickConfigs },
        })
      let hosted = await start()
      const producer = new SteadyProducer(new Producer({ 'bootstrap.servers': hosted.bootstrapServers, ...persistent }))
      for (let kill = 0; kill < KILLS; kill++) {
        await producer.goesOn()
        await sleep(random.below(60))
        await hosted.kill()
        hosted = await start()
      }
      await producer.goesOn()
      await producer.stop()
      expect(producer.refused).toEqual([])

      const { acknowledged } = producer
      const consumer = new Consumer({ 'bootstrap.servers': hosted.bootstrapServers, 'auto.offset.reset': 'earliest' })
      expect(await storedFor(consumer, acknowledged.length)).toEqual(acknowledged)
      expect(hosted.stderr).toEqual([])
      await hosted.kill('SIGTERM')
    },
    40_000 + KILLS * 2_500,
  )
})
