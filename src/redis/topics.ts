/**
 * What there is of topics, for whoever looks: a hash for each, and the set of their names. They follow the metadata log, which
 * alone is believed; a crash in between leaves them behind until the next controller writes them anew.
 */
import type { TopicNews, TopicSummary } from '../log/log-store.ts'
import type { CheckedClient } from './client.ts'
import type { Keys } from './keys.ts'

const setHash = "redis.call('DEL', KEYS[1]) redis.call('HSET', KEYS[1], unpack(ARGV)) return 'OK'"

/** What is not said to be deleted stays; with `isAll`, what is not said at all goes. */
export async function writeTopics(checked: CheckedClient, keys: Keys, news: TopicNews): Promise<void> {
  const { topics, isAll } = news
  const { client } = checked
  const names = new Set(topics.map(({ name }) => name))
  const gone = isAll ? (await client.smembers(keys.topics)).filter(name => !names.has(name)) : news.deleted
  await Promise.all(topics.map(topic => writeHash(checked, keys.topic(topic.name), fieldsOf(topic))))
  if (names.size > 0) await client.sadd(keys.topics, ...names)
  if (gone.length === 0) return
  await client.srem(keys.topics, ...gone)
  await Promise.all(gone.map(name => client.del(keys.topic(name))))
}

function fieldsOf({ topicId, name, partitions, replicationFactor, configs }: TopicSummary): Record<string, string> {
  const counts = { partitions: `${partitions}`, replicationFactor: `${replicationFactor}` }
  return { id: topicId, name, ...counts, ...Object.fromEntries(configs) }
}

/** With these fields and no others. */
async function writeHash(checked: CheckedClient, key: string, fields: Record<string, string>): Promise<void> {
  if (checked.kind === 'mock') await checked.client.multi().del(key).hset(key, fields).exec()
  else await checked.client.call('eval', setHash, 1, key, ...Object.entries(fields).flat())
}
