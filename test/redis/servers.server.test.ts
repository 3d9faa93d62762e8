import { Cluster } from 'ioredis'
import { afterAll, describe, expect, test } from 'vitest'
import { missingForRedis, RedisServers } from './servers.ts'

const servers = new RedisServers()
afterAll(() => servers.stop())

describe.skipIf(missingForRedis() !== undefined)('what the tests below stand on', () => {
  test('a server that is killed has what was acknowledged, if it writes it at once', async () => {
    const server = await servers.server({ appendfsync: 'always' })
    await server.ask('SET', 'a', '1')
    await server.kill()
    await server.start()
    expect(await server.ask('GET', 'a')).toBe('1')
  })

  test('three nodes are a Cluster', async () => {
    const nodes = await servers.cluster()
    const client = new Cluster(nodes.map(({ host, port }) => ({ host, port })))
    for (let i = 0; i < 20; i++) await client.set(`key-${i}`, `${i}`)
    const sizes = await Promise.all(nodes.map(node => node.ask('DBSIZE')))
    expect(sizes.reduce<number>((sum, size) => sum + Number(size), 0)).toBe(20)
    expect(sizes).toSatisfyAll((size: number) => size > 0)
    client.disconnect()
  })
})
