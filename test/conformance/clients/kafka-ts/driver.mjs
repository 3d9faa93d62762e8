/** kafka-ts, from the root's `node_modules`. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import {
  API,
  createKafkaClient,
  LogLevel,
  saslPlain,
  saslScramSha256,
  saslScramSha512,
  setLogger,
  setLogLevel,
} from 'kafka-ts'
import { bootstrapServers, pause, security, serve } from '../line-protocol.mjs'

const manifest = createRequire(import.meta.url).resolve('kafka-ts/package.json')
const { version } = JSON.parse(readFileSync(manifest, 'utf8'))

const say = (text, about) => process.stderr.write(`${text} ${about?.message ?? JSON.stringify(about) ?? ''}\n`)
setLogger({ debug: say, info: say, warn: say, error: say })
setLogLevel(LogLevel.DEBUG)

const mechanisms = { PLAIN: saslPlain, 'SCRAM-SHA-256': saslScramSha256, 'SCRAM-SHA-512': saslScramSha512 }
const { tls = null, sasl } = security

const kafka = createKafkaClient({
  clientId: 'kafka-ts',
  bootstrapServers: bootstrapServers.split(',').map(address => {
    const [host, port] = address.split(':')
    return { host, port: Number(port) }
  }),
  ssl: tls,
  sasl: sasl === undefined ? null : mechanisms[sasl.mechanism](sasl),
})

/** What the harness calls `code`. */
function rethrow(error) {
  throw Object.assign(error, { code: error.errorCode ?? null })
}

/** There is no admin client: what an API says, to any broker. */
let connecting
async function ask(api, body) {
  connecting ??= (async () => {
    const cluster = kafka.createCluster()
    await cluster.connect()
    return cluster
  })()
  return (await connecting).sendRequest(api, body).catch(rethrow)
}

let producer
function producerOf() {
  producer ??= kafka.createProducer({ retryDelayMs: 50, maxRetryDelayMs: 100, maxRetries: 200 })
  return producer
}

const text = bytes => bytes?.toString() ?? null

const recordOf = ({ topic, partition, offset, key, value, headers, timestamp }) => ({
  topic,
  partition,
  offset,
  key: key === null ? null : Buffer.from(key),
  value: value === null ? null : Buffer.from(value),
  headers: Object.entries(headers).map(([name, header]) => [name, header === null ? null : Buffer.from(header)]),
  timestamp,
})

/** As Kafka numbers them. */
const isolationOf = isolation =>
  isolation === undefined ? {} : { isolationLevel: isolation === 'read_committed' ? 1 : 0 }

const consumers = new Set()
async function consume(config) {
  const consumer = await kafka.startConsumer({ maxWaitMs: 100, fromBeginning: true, ...config })
  consumers.add(consumer)
  const leave = async () => {
    consumers.delete(consumer)
    await consumer.close()
  }
  return { consumer, leave }
}

serve(
  { client: 'kafka-ts', version, engine: 'own' },
  {
    async createTopics(topics) {
      const wanted = topics.map(({ name, partitions, replicationFactor, configs }) => ({
        name,
        numPartitions: partitions,
        replicationFactor,
        configs: Object.entries(configs).map(([config, value]) => ({ name: config, value })),
      }))
      await ask(API.CREATE_TOPICS, { topics: wanted, timeoutMs: 5_000 })
    },
    listTopics: async () => (await ask(API.METADATA, { topics: null })).topics.map(({ name }) => name),
    async deleteTopics(names) {
      const topics = names.map(name => ({ name, topicId: null }))
      await ask(API.DELETE_TOPICS, { topics, timeoutMs: 5_000 })
    },

    /** It tells nobody the offsets. */
    async produce(_, records) {
      const messages = records.map(({ topic, partition, key, value, headers, timestamp }) => ({
        topic,
        partition,
        key: text(key),
        value: text(value),
        headers: Object.fromEntries(headers.map(([name, header]) => [name, text(header)])),
        ...(timestamp === undefined ? {} : { timestamp: BigInt(timestamp) }),
      }))
      await producerOf().send(messages).catch(rethrow)
    },

    async read({ topic, count, isolation }) {
      const records = []
      let enough
      const done = new Promise(resolve => {
        enough = resolve
      })
      const { leave } = await consume({
        topics: [topic],
        ...isolationOf(isolation),
        onBatch(messages) {
          records.push(...messages.map(recordOf))
          if (records.length >= count) enough()
        },
      })
      await done
      await leave()
      return records
    },

    async sender(_, topic) {
      const made = producerOf()
      return { send: (partition, value) => made.send([{ topic, partition, value: value.toString() }]) }
    },

    async join({ group, protocol, topics, isolation }, { assigned, records }) {
      const { consumer, leave } = await consume({
        topics,
        ...isolationOf(isolation),
        groupId: group,
        groupProtocol: protocol,
        sessionTimeoutMs: 6_000,
        rebalanceTimeoutMs: 2_000,
        onBatch: messages => records(messages.map(recordOf)),
      })
      // Nobody is told what a consumer has: it is looked at.
      let told = '{}'
      const look = setInterval(() => {
        const has = consumer.metadata.getAssignment()
        if (JSON.stringify(has) === told) return
        told = JSON.stringify(has)
        assigned(Object.entries(has).flatMap(([topic, partitions]) => partitions.map(each => [topic, each])))
      }, 10)
      return {
        /** It does so after every batch. */
        commit: () => pause(0),
        async leave() {
          clearInterval(look)
          await leave()
        },
      }
    },

    async close() {
      for (const consumer of consumers) await consumer.close()
      await producer?.close()
      if (connecting !== undefined) await (await connecting).disconnect()
    },
  },
)
