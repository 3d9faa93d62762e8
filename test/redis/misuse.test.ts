/** What cannot hold logs is refused at once, with what would be right. */
import { Cluster, Redis } from 'ioredis'
import IoredisMock from 'ioredis-mock'
import { afterEach, expect, test } from 'vitest'
import { createCluster } from '../../src/index.ts'
import { type RedisClient, redisLogs } from '../../src/redis.ts'
import { ConfigError } from '../../src/wire/errors.ts'

const clients: { disconnect(): void }[] = []

afterEach(() => {
  for (const client of clients.splice(0)) client.disconnect()
})

/** A client that never connects. */
function lazily(options: object = {}): Redis {
  const client = new Redis({ lazyConnect: true, ...options })
  clients.push(client)
  return client
}

function refusal(client: unknown, options: object = {}): string | undefined {
  try {
    redisLogs(client as RedisClient, options)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as Error).message
  }
}

test('a client with a keyPrefix is refused: keys would lie in other slots than they say', () => {
  const expected =
    "the Redis client has keyPrefix 'app:', which would part the keys of one log: leave it out, and name a keyspace instead"
  const cluster = new Cluster([{ host: 'localhost', port: 1 }], {
    lazyConnect: true,
    redisOptions: { keyPrefix: 'app:' },
  })
  clients.push(cluster)
  expect(refusal(lazily({ keyPrefix: 'app:' }))).toBe(expected)
  expect(refusal(cluster)).toBe(expected)
  expect(refusal(new IoredisMock({ keyPrefix: 'app:' }))).toBe(expected)
})

test('what is no client of ioredis is refused, node-redis by its name', () => {
  const wanted = 'redisLogs takes a client of ioredis (new Redis(), new Redis.Cluster()) or ioredis-mock, not '
  expect(refusal(undefined)).toBe(`${wanted}undefined`)
  expect(refusal('redis://localhost')).toBe(`${wanted}redis://localhost`)
  expect(refusal({})).toBe(`${wanted}this one`)
  expect(refusal({ xAdd() {}, hmGet() {} })).toBe(`${wanted}one of node-redis`)
})

test('a client that was closed is refused, one that has not connected yet is not', async () => {
  const closed = lazily()
  closed.disconnect()
  await closed.quit().catch(() => {})
  const closedMock = new IoredisMock()
  closedMock.disconnect()
  const expected = 'the Redis client is closed: hand over one that is open, and close it after the cluster'
  expect(refusal(closedMock)).toBe(expected)
  expect(closed.status).toBe('end')
  expect(refusal(closed)).toBe(expected)
  expect(refusal(lazily())).toBeUndefined()
})

test('a client in subscriber mode is refused', async () => {
  const client = new IoredisMock()
  await client.subscribe('news')
  const expected = 'the Redis client is in subscriber mode and takes no other commands: hand over another one'
  expect(refusal(client)).toBe(expected)
  const real = lazily()
  Object.assign(real, { condition: { subscriber: {} } })
  expect(refusal(real)).toBe(expected)
})

test.each([
  ['kor{vet}', '{'],
  ['kor*', '*'],
  ['kor?vet', '?'],
  ['k[ab]', '['],
  ['my logs', ' '],
  ['logs\n', '\\n'],
])('the keyspace %j is refused', (keyspace, bad) => {
  expect(refusal(new IoredisMock(), { keyspace })).toBe(
    `keyspace must be of letters, digits and . _ - : alone, for it is part of patterns and of Cluster slots, and '${keyspace}' has "${bad}"`,
  )
})

test('a keyspace that is empty or no text, a count that is no count, and a misspelt option are refused', () => {
  const mock = new IoredisMock()
  expect(refusal(mock, { keyspace: '' })).toBe(`keyspace must be a text, such as 'korvet', not ""`)
  expect(refusal(mock, { keyspace: 7 })).toBe("keyspace must be a text, such as 'korvet', not 7")
  expect(refusal(lazily(), { waitReplicas: -1 })).toBe('waitReplicas must be a whole number, 0 or more, not -1')
  expect(refusal(lazily(), { waitReplicas: 1, waitTimeoutMs: 0 })).toBe(
    'waitTimeoutMs must be a whole number, 1 or more, not 0',
  )
  expect(refusal(mock, { waitReplicas: 1 })).toBe(
    'waitReplicas: ioredis-mock has no replicas to wait for: leave it out',
  )
  expect(refusal(mock, { keySpace: 'a' })).toContain("redisLogs has no option 'keySpace': it has keyspace, ")
})

test.each(['6.0.16', '5.0.7'])('a Redis %s is refused when the cluster begins', async version => {
  const client = lazily()
  // Of such a server nothing else is needed than what it says of itself.
  client.call = (async () => `# Server\r\nredis_version:${version}\r\nredis_mode:standalone\r\n`) as typeof client.call
  await expect(createCluster({ logs: redisLogs(client) })).rejects.toThrow(
    `redisLogs needs Redis 6.2 or later, and this is ${version}`,
  )
})

test('a real client is refused in virtual time, the mock is not', async () => {
  await expect(createCluster({ logs: redisLogs(lazily()), time: 'virtual' })).rejects.toThrow(
    "logs: this log store does real I/O, which virtual time cannot hold: leave time out, or say time: 'real'",
  )
  const cluster = await createCluster({ logs: redisLogs(new IoredisMock(), { keyspace: 'misuse' }), time: 'virtual' })
  await cluster.close()
})

test('a server that does not answer is an error of the cluster’s making, and says what the client said', async () => {
  const client = lazily({ port: 1, host: '127.0.0.1', maxRetriesPerRequest: 0, retryStrategy: () => 10 })
  client.on('error', () => {})
  const creating = createCluster({ logs: redisLogs(client, { keyspace: 'nowhere' }) })
  await expect(creating).rejects.toThrow(
    /^Redis, which was to keep the logs \(keyspace 'nowhere'\), refuses or does not answer: .*max retries per request/,
  )
  await expect(creating).rejects.toBeInstanceOf(ConfigError)
})
