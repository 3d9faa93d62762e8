/** Logs in Redis Streams: `createCluster({ logs: redisLogs(client) })`. ioredis is not imported here: the client is yours. */
export type { RedisClient } from './redis/client.ts'
export { type RedisLogs, type RedisLogsOptions, redisLogs } from './redis/redis-stores.ts'
