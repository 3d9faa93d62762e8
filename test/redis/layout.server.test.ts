/** What docs/redis.md shows of `redis-cli` is what it answers. `MINI_KAFKA_UPDATE=1` writes it there. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { createCluster } from '../../src/index.ts'
import { redisLogs } from '../../src/redis.ts'
import { missingForRedis, RedisServers } from './servers.ts'

const servers = new RedisServers()
afterAll(() => servers.stop())

const document = join(import.meta.dirname, '../../docs/redis.md')
const BLOCK = /```console\n([\s\S]*?)```/

describe.skipIf(missingForRedis() !== undefined)('docs/redis.md', () => {
  test('shows what is in Redis after two records', async () => {
    const server = await servers.server()
    const client = server.client()
    const topics = { orders: { partitions: 1, replicationFactor: 3, configs: { 'retention.ms': 604_800_000 } } }
    const cluster = await createCluster({ topics, logs: redisLogs(client) })
    const producer = cluster.producer({ acks: 'all', 'linger.ms': 0 })
    await producer.send({ topic: 'orders', key: 'ORDER-1001', value: 'paid' })
    await producer.send({ topic: 'orders', key: 'ORDER-1001', value: 'shipped' })
    await cluster.runUntil(() => {
      return [...cluster.partition('orders', 0).replicaLogs.values()].every(({ endOffset }) => endOffset === 2)
    })
    const text = readFileSync(document, 'utf8')
    const shown = BLOCK.exec(text)![1]!
    const commands = shown.split('\n').filter(line => line.startsWith('$ '))
    const answered = commands.map(command => `${command}\n${answerOf(command, server.port)}`).join('')
    if (process.env.MINI_KAFKA_UPDATE === '1')
      writeFileSync(
        document,
        text.replace(shown, () => answered),
      )
    else expect(answered).toBe(shown)
    await cluster.close()
    client.disconnect()
  })
})

/** As it comes, but for long bytes, which are cut, and for sets, which are sorted. */
function answerOf(command: string, port: number): string {
  const [, program, ...args] = command.split(' ')
  const answer = execFileSync(program!, ['-p', `${port}`, ...args], { encoding: 'utf8' })
  const lines = answer.split('\n').filter(line => line !== '')
  const cut = lines.map(line => line.replace(/"((?:\\x..|.){12})(?:\\x..|[^"]|\\"){20,}"$/, '"$1…"'))
  const inOrder = /KEYS|SMEMBERS/.test(command) ? cut.sort() : cut
  return inOrder.map(line => `${line}\n`).join('')
}
