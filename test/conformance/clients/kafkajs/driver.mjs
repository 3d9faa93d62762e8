/** kafkajs, with the codecs that this repository has anyway. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { init as loadZstd, compress as packZstd, decompress as unpackZstd } from '@bokuweb/zstd-wasm'
import kafkajs from 'kafkajs'
import { compressFrame, decompressFrame } from 'lz4-napi'
import { compress as packSnappy, uncompress as unpackSnappy } from 'snappy'
import { bootstrapServers, security, serve } from '../line-protocol.mjs'

const { CompressionCodecs, CompressionTypes, Kafka, Partitioners, logLevel } = kafkajs
const manifest = createRequire(import.meta.url).resolve('kafkajs/package.json')
const { version } = JSON.parse(readFileSync(manifest, 'utf8'))

/** Java's producers write snappy in blocks, each behind its length, after a head of 16 bytes; kafkajs-snappy reads that too. */
const XERIAL = Buffer.from('\x82SNAPPY\0', 'latin1')

async function unpackXerial(bytes) {
  if (!bytes.subarray(0, XERIAL.length).equals(XERIAL)) return unpackSnappy(bytes)
  const blocks = []
  for (let at = 16; at < bytes.length; ) {
    const from = at + 4
    at = from + bytes.readUInt32BE(at)
    blocks.push(await unpackSnappy(bytes.subarray(from, at)))
  }
  return Buffer.concat(blocks)
}

await loadZstd()
CompressionCodecs[CompressionTypes.Snappy] = () => ({
  compress: ({ buffer }) => packSnappy(buffer),
  decompress: unpackXerial,
})
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: ({ buffer }) => compressFrame(buffer),
  decompress: bytes => decompressFrame(bytes),
})
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: async ({ buffer }) => Buffer.from(packZstd(buffer)),
  decompress: async bytes => Buffer.from(unpackZstd(bytes)),
})

const compressions = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 }
const acksOf = { 0: 0, 1: 1, all: -1 }
const retry = { initialRetryTime: 50, maxRetryTime: 100, retries: 100 }
/** It takes an unknown topic for one that it will hear of. */
const hasty = { ...retry, retries: 5 }

const saslOf = ({ mechanism, username, password, token }) =>
  mechanism === 'OAUTHBEARER'
    ? { mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value: token }) }
    : { mechanism: mechanism.toLowerCase(), username, password }

const kafka = new Kafka({
  clientId: 'kafkajs',
  brokers: bootstrapServers.split(','),
  ...(security.tls === undefined ? {} : { ssl: security.tls }),
  ...(security.sasl === undefined ? {} : { sasl: saslOf(security.sasl) }),
  retry,
  logLevel: logLevel.WARN,
  logCreator:
    () =>
    ({ label, namespace, log }) =>
      process.stderr.write(`${label} ${namespace} ${log.message}\n`),
})

const admin = kafka.admin({ retry: hasty })
let connecting
const connectedAdmin = async () => {
  connecting ??= admin.connect()
  await connecting
  return admin
}

const producers = new Map()
function producerOf({ idempotent }) {
  const known = producers.get(idempotent)
  if (known !== undefined) return known
  const made = (async () => {
    const config = { createPartitioner: Partitioners.DefaultPartitioner, retry, allowAutoTopicCreation: false }
    const producer = kafka.producer(idempotent ? { ...config, idempotent, maxInFlightRequests: 1 } : config)
    await producer.connect()
    return producer
  })()
  producers.set(idempotent, made)
  return made
}

/** `CompressionTypes` and acks of what the protocol calls them. */
const sending = ({ acks, compression }) => ({ acks: acksOf[acks], compression: compressions[compression] })

/** kafkajs has an array where a name occurs more than once. */
function headersIn(pairs) {
  const headers = {}
  for (const [name, bytes] of pairs) headers[name] = [...(headers[name] ?? []), bytes]
  return headers
}

const headersOut = (headers = {}) =>
  Object.entries(headers).flatMap(([name, value]) => (Array.isArray(value) ? value : [value]).map(each => [name, each]))

const recordOf = (topic, partition, { offset, key, value, headers, timestamp }) => ({
  topic,
  partition,
  offset,
  key,
  value,
  headers: headersOut(headers),
  timestamp,
})

/** kafkajs throws its own refusals with a name, those of several topics within. */
function rethrow(error) {
  const cause = error.errors?.[0] ?? error.cause ?? error
  throw Object.assign(new Error(cause.message), { code: cause.code ?? null })
}

/** In runs of one topic and partition: a `send` to several loses those whose leader dies meanwhile. */
function runsOf(records) {
  const runs = new Map()
  for (const record of records) {
    const name = `${record.topic} ${record.partition}`
    runs.set(name, [...(runs.get(name) ?? []), record])
  }
  return [...runs.values()]
}

async function openTransactional(transactionalId) {
  const producer = kafka.producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    retry,
    allowAutoTopicCreation: false,
    transactionalId,
    idempotent: true,
    maxInFlightRequests: 1,
  })
  await producer.connect()
  let transaction
  return {
    async begin() {
      transaction = await producer.transaction().catch(rethrow)
    },
    async send(records) {
      for (const run of runsOf(records)) {
        const messages = run.map(({ partition, key, value, headers }) => ({
          partition,
          key,
          value,
          headers: headersIn(headers),
        }))
        await transaction.send({ topic: run[0].topic, messages }).catch(rethrow)
      }
    },
    async sendOffsets({ group, offsets }) {
      const topics = offsets().map(({ topic, partition, offset }) => ({ topic, partitions: [{ partition, offset }] }))
      await transaction.sendOffsets({ consumerGroupId: group, topics }).catch(rethrow)
    },
    end: isCommit => (isCommit ? transaction.commit() : transaction.abort()).catch(rethrow),
    close: () => producer.disconnect(),
  }
}

const consumers = new Set()
async function consume(groupId, topics, config, onRecord) {
  const consumer = kafka.consumer({
    groupId,
    heartbeatInterval: 100,
    rebalanceTimeout: 400,
    maxWaitTimeInMs: 100,
    retry: { ...retry, retries: 3 },
    ...config,
  })
  consumers.add(consumer)
  const leave = async () => {
    await consumer.disconnect()
    consumers.delete(consumer)
  }
  const run = async () => {
    await consumer.connect()
    await consumer.subscribe({ topics, fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ topic, partition, message }) => onRecord(recordOf(topic, partition, message)),
    })
  }
  return { consumer, run, leave }
}

/** Its default is read_committed. */
const isolationOf = isolation => ({ readUncommitted: isolation === 'read_uncommitted' })

let readings = 0

serve(
  { client: 'kafkajs', version, engine: 'own' },
  {
    async createTopics(topics) {
      const wanted = topics.map(({ name, partitions, replicationFactor, configs }) => ({
        topic: name,
        numPartitions: partitions,
        replicationFactor,
        configEntries: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
      }))
      const made = await (await connectedAdmin()).createTopics({ topics: wanted, waitForLeaders: true }).catch(rethrow)
      // For a topic that is there already it resolves, with false.
      if (!made) throw Object.assign(new Error('Topic with this name already exists'), { code: 36 })
    },
    listTopics: async () => (await connectedAdmin()).listTopics(),
    deleteTopics: async topics => (await connectedAdmin()).deleteTopics({ topics }).catch(rethrow),

    async produce(producer, records) {
      const messages = records.map(({ partition, key, value, headers, timestamp }) => ({
        partition,
        key,
        value,
        headers: headersIn(headers),
        ...(timestamp === undefined ? {} : { timestamp: `${timestamp}` }),
      }))
      const [{ topic }] = records
      const client = await producerOf(producer)
      const answers = await client.send({ topic, messages, ...sending(producer) }).catch(rethrow)
      const next = new Map(answers.map(({ partition, baseOffset }) => [partition, Number(baseOffset)]))
      return records.map(({ partition }) => {
        const offset = next.get(partition)
        if (offset !== undefined) next.set(partition, offset + 1)
        return offset
      })
    },

    async read({ topic, count, isolation }) {
      const records = []
      let enough
      const done = new Promise(resolve => {
        enough = resolve
      })
      const { run, leave } = await consume(
        `reading-${process.pid}-${++readings}`,
        [topic],
        isolationOf(isolation),
        record => {
          if (records.push(record) === count) enough()
        },
      )
      await run()
      await done
      await leave()
      return records
    },

    async sender(producer, topic) {
      const client = await producerOf(producer)
      return {
        send: (partition, value) => client.send({ topic, messages: [{ partition, value }], ...sending(producer) }),
      }
    },

    transactional: openTransactional,

    async join({ group, topics, isolation }, { assigned, records, failed }) {
      const next = new Map()
      const { consumer, run, leave } = await consume(group, topics, isolationOf(isolation), record => {
        next.set(`${record.topic} ${record.partition}`, record)
        records([record])
      })
      consumer.on(consumer.events.GROUP_JOIN, ({ payload }) =>
        assigned(
          Object.entries(payload.memberAssignment).flatMap(([topic, partitions]) =>
            partitions.map(partition => [topic, partition]),
          ),
        ),
      )
      consumer.on(consumer.events.CRASH, ({ payload }) => {
        if (!payload.restart) failed(payload.error.message)
      })
      await run()
      const offsets = () =>
        [...next.values()].map(({ topic, partition, offset }) => ({
          topic,
          partition,
          offset: `${Number(offset) + 1}`,
        }))
      return { group, offsets, commit: () => consumer.commitOffsets(offsets()), leave }
    },

    async close() {
      for (const consumer of consumers) await consumer.disconnect()
      for (const producer of producers.values()) await (await producer).disconnect()
      await admin.disconnect()
    },
  },
)
