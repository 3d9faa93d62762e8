/** @platformatic/kafka, on a Node of its own: it wants 22.19 or later. */
import { readFileSync } from 'node:fs'
import { Admin, Consumer, Producer } from '@platformatic/kafka'
import { bootstrapServers, pause, security, serve } from '../line-protocol.mjs'

const manifest = new URL('node_modules/@platformatic/kafka/package.json', import.meta.url)
const { version } = JSON.parse(readFileSync(manifest, 'utf8'))

const common = {
  clientId: 'platformatic',
  bootstrapBrokers: bootstrapServers.split(','),
  retries: 200,
  retryDelay: 50,
  timeout: 5_000,
  connectTimeout: 1_000,
  ...security,
}
const acksOf = { 0: 0, 1: 1, all: -1 }

const numberIn = error =>
  error?.apiCode ?? [...(error?.errors ?? []), error?.cause].filter(Boolean).map(numberIn).find(Number.isInteger)

/** Kafka's numbers stand within: an error of an error for each topic. */
function rethrow(error) {
  throw Object.assign(new Error(causesOf(error).join(' < ')), {
    code: numberIn(error) ?? null,
  })
}

/** Errors lie in errors; the last one is what made it give up. */
const causesOf = error => [
  ...new Set([error.message, ...[...(error.errors ?? []), error.cause].filter(Boolean).flatMap(causesOf)]),
]

const admin = new Admin({ ...common, retries: 3 })

const producers = new Map()
function producerOf({ idempotent }) {
  const known = producers.get(idempotent)
  if (known !== undefined) return known
  const producer = new Producer({ ...common, idempotent, autocreateTopics: false })
  producers.set(idempotent, producer)
  return producer
}

const consumers = new Set()
function consumerOf(groupId, protocol, isolation) {
  const consumer = new Consumer({
    ...common,
    groupId,
    autocommit: false,
    maxWaitTime: 100,
    ...(isolation === undefined ? {} : { isolationLevel: isolation === 'read_committed' ? 1 : 0 }),
    ...(protocol === 'consumer'
      ? { groupProtocol: 'consumer' }
      : { sessionTimeout: 6_000, rebalanceTimeout: 6_000, heartbeatInterval: 200 }),
  })
  consumers.add(consumer)
  return consumer
}

async function close(consumer) {
  consumers.delete(consumer)
  await consumer.close(true)
}

const recordOf = ({ topic, partition, offset, key, value, headerEntries, timestamp }) => ({
  topic,
  partition,
  offset,
  key,
  value,
  headers: headerEntries.map(([name, bytes]) => [`${name}`, bytes]),
  timestamp,
})

const toSend = ({ topic, partition, key, value, headers, timestamp }) => ({
  topic,
  partition,
  key: key ?? undefined,
  value: value ?? undefined,
  headers: new Map(headers.map(([name, bytes]) => [Buffer.from(name), bytes])),
  ...(timestamp === undefined ? {} : { timestamp: BigInt(timestamp) }),
})

/** Without, it says that it was producer 0 of epoch 0: another producer than the id's is fenced. */
const NONE_BEFORE = { producerId: -1n, producerEpoch: -1 }

/** It has no call that initializes: it does so with its first transaction. */
function openTransactional(transactionalId) {
  const producer = new Producer({ ...common, idempotent: true, transactionalId, autocreateTopics: false })
  let transaction
  return {
    async begin() {
      transaction = await producer.beginTransaction(NONE_BEFORE).catch(rethrow)
    },
    send: records => transaction.send({ messages: records.map(toSend), acks: -1 }).catch(rethrow),
    async sendOffsets({ consumer, last }) {
      await transaction.addConsumer(consumer).catch(rethrow)
      for (const message of last()) await transaction.addOffset(message).catch(rethrow)
    },
    end: isCommit => (isCommit ? transaction.commit() : transaction.abort()).catch(rethrow),
    close: () => producer.close(true),
  }
}

let readings = 0

serve(
  { client: '@platformatic/kafka', version, engine: 'own' },
  {
    async createTopics(topics) {
      for (const { name, partitions, replicationFactor, configs } of topics) {
        const wanted = Object.entries(configs).map(([key, value]) => ({ name: key, value }))
        await admin
          .createTopics({ topics: [name], partitions, replicas: replicationFactor, configs: wanted })
          .catch(rethrow)
      }
    },
    listTopics: () => admin.listTopics(),
    deleteTopics: topics => admin.deleteTopics({ topics }).catch(rethrow),

    async produce(producer, records) {
      const messages = records.map(toSend)
      const { acks, compression } = producer
      const { offsets = [] } = await producerOf(producer)
        .send({ messages, acks: acksOf[acks], compression })
        .catch(rethrow)
      const next = new Map(offsets.map(({ partition, offset }) => [partition, Number(offset)]))
      return records.map(({ partition }) => {
        const offset = next.get(partition)
        if (offset !== undefined) next.set(partition, offset + 1)
        return offset
      })
    },

    async read({ topic, count, isolation }) {
      const consumer = consumerOf(`reading-${process.pid}-${++readings}`, 'classic', isolation)
      const stream = await consumer.consume({ topics: [topic], mode: 'earliest' })
      const records = []
      for await (const message of stream) if (records.push(recordOf(message)) === count) break
      await close(consumer)
      return records
    },

    async sender(producer, topic) {
      const client = producerOf(producer)
      const { acks, compression } = producer
      return {
        send: (partition, value) =>
          client.send({ messages: [{ topic, partition, value }], acks: acksOf[acks], compression }),
      }
    },

    transactional: openTransactional,

    async join({ group, topics, protocol, isolation }, { assigned, records, failed }) {
      const consumer = consumerOf(group, protocol, isolation)
      const next = new Map()
      // No event tells what the coordinator of a group of the new protocol gives and takes.
      let told = ''
      const tell = () => {
        const now = (consumer.assignments ?? []).flatMap(({ topic, partitions }) =>
          partitions.map(partition => [topic, partition]),
        )
        if (told === `${now}`) return
        told = `${now}`
        assigned(now)
      }
      for (const event of ['group:join', 'group:rebalance', 'heartbeat:end']) consumer.on(`consumer:${event}`, tell)
      let isLeaving = false
      // A stream ends with an error when the leader that it reads from is gone for good: whoever goes on makes another.
      const consume = async () => {
        const stream = await consumer.consume({ topics, mode: 'committed', fallbackMode: 'earliest' })
        stream.on('data', message => {
          next.set(`${message.topic} ${message.partition}`, message)
          records([recordOf(message)])
        })
        stream.on('error', async error => {
          process.stderr.write(`${causesOf(error).join(' < ')}\n`)
          await pause(50)
          if (!isLeaving) await consume().catch(again => failed(causesOf(again).join(' < ')))
        })
        tell()
      }
      await consume()
      return {
        consumer,
        last: () => [...next.values()],
        commit: () =>
          consumer
            .commit({
              offsets: [...next.values()].map(({ topic, partition, offset, leaderEpoch }) => ({
                topic,
                partition,
                offset: offset + 1n,
                leaderEpoch,
              })),
            })
            .catch(rethrow),
        leave() {
          isLeaving = true
          return close(consumer)
        },
      }
    },

    async close() {
      for (const consumer of consumers) await close(consumer)
      for (const producer of producers.values()) await producer.close()
      await admin.close()
    },
  },
)
