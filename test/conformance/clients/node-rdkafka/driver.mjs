import rdkafka from 'node-rdkafka'
import { bootstrapServers, security, serve } from '../line-protocol.mjs'

const { AdminClient, CODES, KafkaConsumer, Producer } = rdkafka
const { ERR__ASSIGN_PARTITIONS, ERR__NO_OFFSET } = CODES.ERRORS
const BEGINNING = -2

const connection = {
  'client.id': 'node-rdkafka',
  'bootstrap.servers': bootstrapServers,
  'reconnect.backoff.ms': 50,
  'reconnect.backoff.max.ms': 100,
  'retry.backoff.ms': 50,
  'retry.backoff.max.ms': 100,
  'topic.metadata.refresh.fast.interval.ms': 50,
  ...security.librdkafka,
}

/** What takes a callback, as a promise. */
const done = call =>
  new Promise((resolve, reject) => call((error, result) => (error ? reject(error) : resolve(result))))

const connect = client => done(callback => client.connect({}, callback))
const disconnect = client => done(callback => client.disconnect(callback))

const admin = AdminClient.create(connection)
const producers = new Map()

async function connectedProducer(configs, acks) {
  const producer = new Producer(
    { ...connection, ...configs, 'linger.ms': 1, dr_cb: true },
    // Settings of topics are heeded here only.
    { 'request.required.acks': acks, 'message.timeout.ms': 25_000 },
  )
  producer.on('event.error', error => process.stderr.write(`producer: ${error.message}\n`))
  producer.on('delivery-report', (error, { offset, opaque }) => {
    if (error) opaque.reject(error)
    else opaque.resolve(offset < 0 ? null : offset) // acks=0: no offset is known
  })
  await connect(producer)
  producer.setPollInterval(5)
  return producer
}

const openProducer = ({ acks, compression, idempotent }) =>
  connectedProducer(
    { 'compression.codec': compression, 'enable.idempotence': idempotent },
    acks === 'all' ? -1 : Number(acks),
  )

/** Its calls of transactions give up after 5 s, unless they are told another time. */
const PATIENCE_MS = 20_000

async function openTransactional(transactionalId) {
  const producer = await connectedProducer({ 'transactional.id': transactionalId }, -1)
  await done(callback => producer.initTransactions(PATIENCE_MS, callback))
  return {
    begin: () => done(callback => producer.beginTransaction(callback)),
    send: records => Promise.all(records.map(record => send(producer, record))),
    sendOffsets: ({ consumer }) =>
      done(callback => producer.sendOffsetsToTransaction(consumer.position(), consumer, PATIENCE_MS, callback)),
    end: isCommit =>
      done(callback =>
        isCommit ? producer.commitTransaction(PATIENCE_MS, callback) : producer.abortTransaction(PATIENCE_MS, callback),
      ),
    close: () => disconnect(producer),
  }
}

function producerOf(settings) {
  const name = JSON.stringify(settings)
  if (!producers.has(name)) producers.set(name, openProducer(settings))
  return producers.get(name)
}

const send = (producer, { topic, partition, key, value, headers = [], timestamp }) =>
  new Promise((resolve, reject) => {
    const named = headers.map(([name, bytes]) => ({ [name]: bytes }))
    producer.produce(topic, partition, value, key, timestamp, { resolve, reject }, named)
  })

const recordOf = ({ headers = [], ...record }) => ({ ...record, headers: headers.flatMap(Object.entries) })

const isolationOf = isolation => (isolation === undefined ? {} : { 'isolation.level': isolation })

async function openConsumer(configs, topicConfigs = {}) {
  const consumer = new KafkaConsumer({ ...connection, 'enable.auto.commit': false, ...configs }, topicConfigs)
  consumer.on('event.error', error => process.stderr.write(`consumer: ${error.message}\n`))
  await connect(consumer)
  return consumer
}

/**
 * A consumer that hands over what it gets until it is closed. It asks for a number of records each time: `consume()` without one reads in
 * a thread that `disconnect` does not wait for, and the process may crash.
 */
class Flow {
  static #open = new Set()
  #consumer
  #isOpen = true
  #ended

  constructor(consumer, take) {
    this.#consumer = consumer
    consumer.setDefaultConsumeTimeout(50)
    Flow.#open.add(this)
    this.#ended = this.#run(take)
  }

  async #run(take) {
    while (this.#isOpen) {
      const records = await done(callback => this.#consumer.consume(100, callback))
      if (records.length > 0) take(records.map(recordOf))
    }
  }

  async close() {
    if (!Flow.#open.delete(this)) return
    this.#isOpen = false
    await this.#ended
    await disconnect(this.#consumer)
  }

  static async closeAll() {
    for (const flow of Flow.#open) await flow.close()
  }
}

/** Follows what a member has, and obeys. */
function rebalancing(assigned) {
  const has = new Map()
  return function (error, changed) {
    const isCooperative = this.rebalanceProtocol() === 'COOPERATIVE'
    for (const { topic, partition } of changed) {
      if (error.code === ERR__ASSIGN_PARTITIONS) has.set(`${topic}-${partition}`, [topic, partition])
      else has.delete(`${topic}-${partition}`)
    }
    if (error.code === ERR__ASSIGN_PARTITIONS) isCooperative ? this.incrementalAssign(changed) : this.assign(changed)
    else isCooperative ? this.incrementalUnassign(changed) : this.unassign()
    assigned([...has.values()])
  }
}

serve(
  { client: 'node-rdkafka', version: '3.6.1', engine: `librdkafka ${rdkafka.librdkafkaVersion}` },
  {
    async createTopics(topics) {
      for (const { name, partitions, replicationFactor, configs } of topics) {
        const topic = {
          topic: name,
          num_partitions: partitions,
          replication_factor: replicationFactor,
          config: configs,
        }
        await done(callback => admin.createTopic(topic, callback))
      }
    },
    async listTopics() {
      const producer = await producerOf({ acks: 'all', compression: 'none', idempotent: false })
      const { topics } = await done(callback => producer.getMetadata({ timeout: 10_000 }, callback))
      return topics.map(({ name }) => name)
    },
    async deleteTopics(names) {
      for (const name of names) await done(callback => admin.deleteTopic(name, callback))
    },
    async produce(settings, records) {
      const producer = await producerOf(settings)
      return Promise.all(records.map(record => send(producer, record)))
    },
    async read({ topic, partitions, count, isolation }) {
      const consumer = await openConsumer({ 'group.id': 'reader', ...isolationOf(isolation) })
      consumer.assign(Array.from({ length: partitions }, (_, partition) => ({ topic, partition, offset: BEGINNING })))
      const all = []
      let flow
      await new Promise(resolve => {
        flow = new Flow(consumer, records => {
          if (all.push(...records) >= count) resolve()
        })
      })
      await flow.close()
      return all
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
      const consumer = await openConsumer(
        {
          'group.id': group,
          ...isolationOf(isolation),
          'group.protocol': protocol,
          // In the consumer protocol the brokers say these: group.consumer.heartbeat.interval.ms, group.consumer.session.timeout.ms.
          ...(protocol === 'classic' ? { 'session.timeout.ms': 6000, 'heartbeat.interval.ms': 200 } : {}),
          rebalance_cb: rebalancing(assigned),
        },
        { 'auto.offset.reset': 'earliest' },
      )
      consumer.subscribe(topics)
      const flow = new Flow(consumer, records)
      return {
        consumer,
        commit() {
          try {
            consumer.commitSync()
          } catch (error) {
            if (error.code !== ERR__NO_OFFSET) throw error
          }
        },
        leave: () => flow.close(),
      }
    },
    async close() {
      await Flow.closeAll()
      for (const producer of producers.values()) await disconnect(await producer)
      admin.disconnect()
    },
  },
)
