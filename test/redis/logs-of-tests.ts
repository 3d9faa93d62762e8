import { defaultStores } from '../../src/log/default-stores.ts'

/**
 * `MINI_KAFKA_LOGS=redis-mock`: every cluster of a test that names no logs of its own keeps them in ioredis-mock. Nothing of
 * Redis is loaded otherwise.
 */
export async function logsOfTests(where: string | undefined): Promise<void> {
  if (where === undefined || where === '' || where === 'memory') return
  if (where !== 'redis-mock') throw new Error(`MINI_KAFKA_LOGS takes memory or redis-mock, not ${where}`)
  const [{ default: RedisMock }, { redisLogs }] = await Promise.all([
    import('ioredis-mock'),
    import('../../src/redis.ts'),
  ])
  let port = 0
  defaultStores.make = () => {
    // Instances of one port share their data.
    const client = new RedisMock({ port: ++port })
    const stores = redisLogs(client)
    const close = stores.close.bind(stores)
    stores.close = async () => {
      await close()
      await client.flushall()
      client.disconnect()
    }
    return stores
  }
}
