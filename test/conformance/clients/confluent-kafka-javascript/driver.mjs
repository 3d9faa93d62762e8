import confluent from '@confluentinc/kafka-javascript'
import { bootstrapServers, security, serve } from '../line-protocol.mjs'

const { KafkaJS, librdkafkaVersion } = confluent
const { ERR__ASSIGN_PARTITIONS, ERR__NO_OFFSET, ERR_TOPIC_ALREADY_EXISTS } = KafkaJS.ErrorCodes
/** Of records that were not acknowledged: acks=0. */
const isOffset = offset => Number(offset) >= 0

const say = level => text => process.stderr.write(`${level} ${text}\n`)
/** stdout is for answers. */
const logger = {
  error: say('error'),
  warn: say('warning'),
  info() {},
  debug() {},
  namespace: () => logger,
  setLogLevel() {},
}

const kafka = new KafkaJS.Kafka({
  kafkaJS: { clientId: 'confluent-kafka-javascript', brokers: bootstrapServers.split(','), logger },
  'reconnect.backoff.ms': 50,
  'reconnect.backoff.max.ms': 100,
  'retry.backoff.ms': 50,
  'retry.backoff.max.ms': 100,
  'topic.metadata.refresh.fast.interval.ms': 50,
  ...security.librdkafka,
})

let admin
const producers = new Map()
const consumers = new Set()

async function openAdmin() {
  const opened = kafka.admin()
  await opened.connect()
  return opened
}

function adminOf() {
  admin ??= openAdmin()
  return admin
}

async function openProducer({ acks, compression, idempotent }) {
  const producer = kafka.producer({
    acks: acks === 'all' ? -1 : Number(acks),
    'compression.codec': compression,
    'enable.idempotence': idempotent,
    'message.timeout.ms': 25_000,
    'linger.ms': 1,
  })
  await producer.connect()
  return producer
}

function producerOf(settings) {
  const name = JSON.stringify(settings)
  if (!producers.has(name)) producers.set(name, openProducer(settings))
  return producers.get(name)
}

/** Names that repeat share an entry, as kafkajs has it. */
function headersOf(pairs) {
  const headers = {}
  for (const [name, bytes] of pairs) headers[name] = name in headers ? [headers[name], bytes].flat() : bytes
  return headers
}

const pairsOf = (headers = {}) =>
  Object.entries(headers).flatMap(([name, values]) => [values].flat().map(bytes => [name, bytes]))

async function send(producer, { topic, partition, key, value, headers = [], timestamp }) {
  const message = { partition, key, value, headers: headersOf(headers) }
  if (timestamp !== undefined) message.timestamp = String(timestamp)
  const [{ baseOffset }] = await producer.send({ topic, messages: [message] })
  return isOffset(baseOffset) ? baseOffset : null
}

async function openTransactional(transactionalId) {
  const producer = kafka.producer({
    'transactional.id': transactionalId,
    'message.timeout.ms': 25_000,
    'linger.ms': 1,
  })
  await producer.connect()
  let transaction
  return {
    async begin() {
      transaction = await producer.transaction()
    },
    send: records => Promise.all(records.map(record => send(transaction, record))),
    sendOffsets: ({ consumer, offsets }) => transaction.sendOffsets({ consumer, topics: offsets() }),
    end: isCommit => (isCommit ? transaction.commit() : transaction.abort()),
    close: () => producer.disconnect(),
  }
}

const recordOf = ({ topic, partition, message }) => ({
  ...message,
  topic,
  partition,
  headers: pairsOf(message.headers),
})

const isolationOf = isolation => (isolation === undefined ? {} : { 'isolation.level': isolation })

async function openConsumer(configs) {
  const consumer = kafka.consumer({ 'enable.auto.commit': false, 'auto.offset.reset': 'earliest', ...configs })
  await consumer.connect()
  consumers.add(consumer)
  return consumer
}

async function closeConsumer(consumer) {
  if (consumers.delete(consumer)) await consumer.disconnect()
}

/** Follows what a member has. */
function rebalancing(assigned) {
  const has = new Map()
  return ({ code }, changed) => {
    for (const { topic, partition } of changed) {
      if (code === ERR__ASSIGN_PARTITIONS) has.set(`${topic}-${partition}`, [topic, partition])
      else has.delete(`${topic}-${partition}`)
    }
    assigned([...has.values()])
  }
}

serve(
  { client: '@confluentinc/kafka-javascript', version: '1.10.1', engine: `librdkafka ${librdkafkaVersion}` },
  {
    async createTopics(topics) {
      const created = await (await adminOf()).createTopics({
        topics: topics.map(({ name, partitions, replicationFactor, configs }) => ({
          topic: name,
          numPartitions: partitions,
          replicationFactor,
          configEntries: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
        })),
      })
      if (!created) throw Object.assign(new Error('a topic was there already'), { code: ERR_TOPIC_ALREADY_EXISTS })
    },
    listTopics: async () => (await adminOf()).listTopics(),
    deleteTopics: async topics => (await adminOf()).deleteTopics({ topics }),
    async produce(settings, records) {
      const producer = await producerOf(settings)
      return Promise.all(records.map(record => send(producer, record)))
    },
    async read({ topic, count, isolation }) {
      const consumer = await openConsumer({
        'group.id': `reader-${process.hrtime.bigint()}`,
        ...isolationOf(isolation),
      })
      const records = []
      await consumer.subscribe({ topics: [topic] })
      await new Promise(resolve => {
        consumer.run({
          async eachMessage(payload) {
            if (records.push(recordOf(payload)) === count) resolve()
          },
        })
      })
      await closeConsumer(consumer)
      return records
    },
    async sender(settings, topic) {
      const producer = await producerOf(settings)
      return {
        send: (partition, value) => send(producer, { topic, partition, key: null, value }),
        inFlight: settings.idempotent ? 20 : 1,
      }
    },
    transactional: openTransactional,
    async join({ group, protocol, topics, isolation }, { assigned, records }) {
      const consumer = await openConsumer({
        'group.id': group,
        ...isolationOf(isolation),
        'group.protocol': protocol,
        // In the consumer protocol the brokers say these: group.consumer.heartbeat.interval.ms, group.consumer.session.timeout.ms.
        ...(protocol === 'classic' ? { 'session.timeout.ms': 6000, 'heartbeat.interval.ms': 200 } : {}),
        rebalance_cb: rebalancing(assigned),
      })
      await consumer.subscribe({ topics })
      const next = new Map()
      await consumer.run({
        async eachMessage(payload) {
          next.set(`${payload.topic} ${payload.partition}`, payload)
          records([recordOf(payload)])
        },
      })
      const offsets = () =>
        [...next.values()].map(({ topic, partition, message }) => ({
          topic,
          partitions: [{ partition, offset: `${Number(message.offset) + 1}` }],
        }))
      return {
        consumer,
        offsets,
        async commit() {
          try {
            await consumer.commitOffsets()
          } catch (error) {
            if (error.code !== ERR__NO_OFFSET) throw error
          }
        },
        leave: () => closeConsumer(consumer),
      }
    },
    async close() {
      for (const consumer of consumers) await closeConsumer(consumer)
      for (const producer of producers.values()) await (await producer).disconnect()
      await (await admin)?.disconnect()
    },
  },
)
