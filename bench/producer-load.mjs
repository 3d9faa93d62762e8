// One producer of one library, in a process of its own, told by `bench/producer.mjs` what to send.
import { Session } from 'node:inspector/promises'
import { createRequire } from 'node:module'
import { performance } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'

const [kind, servers] = process.argv.slice(2)
const AT_ONCE = 20_000

/**
 * Each answers `send(values)`, a promise of all of them being acknowledged, and `close()`; and `flush()` where the library
 * has one that settles all promises of before.
 */
const makers = {
  async 'mini-kafka'({ lingerMs, batchBytes }) {
    const { Producer } = await import('mini-kafka')
    const producer = new Producer({ 'bootstrap.servers': servers, 'linger.ms': lingerMs, 'batch.size': batchBytes })
    await producer.partitionsFor('bench')
    return {
      send: ([value]) => producer.send({ topic: 'bench', value }),
      flush: () => producer.flush(),
      close: () => producer.close(),
      metrics: () => producer.metrics(),
    }
  },
  async kafkajs() {
    const { Kafka, logLevel, Partitioners } = await import('kafkajs')
    const kafka = new Kafka({ brokers: servers.split(','), logLevel: logLevel.NOTHING })
    const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })
    await producer.connect()
    return {
      send: values => producer.send({ topic: 'bench', acks: -1, messages: values.map(value => ({ value })) }),
      close: () => producer.disconnect(),
    }
  },
  async 'kafka-ts'({ size }) {
    const { createKafkaClient, setLogger } = await import('kafka-ts')
    const silent = () => {}
    setLogger({ debug: silent, info: silent, warn: silent, error: silent })
    const bootstrapServers = servers.split(',').map(address => {
      const [host, port] = address.split(':')
      return { host, port: Number(port) }
    })
    const kafka = createKafkaClient({ clientId: 'bench', bootstrapServers })
    // Records of a request, a quarter of which are a batch of a partition: max.message.bytes is 1 MiB.
    const producer = kafka.createProducer({ maxBatchSize: Math.min(5_000, 2_000_000 / size) })
    return {
      send: values => producer.send(values.map(value => ({ topic: 'bench', value }))),
      close: () => producer.close(),
    }
  },
  async 'node-rdkafka'({ lingerMs }) {
    const at = new URL('../test/conformance/clients/node-rdkafka/package.json', import.meta.url)
    const rdkafka = createRequire(at)('node-rdkafka')
    const producer = new rdkafka.Producer(
      {
        'bootstrap.servers': servers,
        'linger.ms': lingerMs,
        'enable.idempotence': true,
        'queue.buffering.max.messages': 1_000_000,
        dr_cb: true,
      },
      { 'request.required.acks': -1 },
    )
    await new Promise((done, fail) => producer.connect({}, error => (error ? fail(error) : done())))
    producer.setPollInterval(2)
    // A function for each record, as a promise for each would need; told in the order in which they were sent, nearly.
    producer.on('delivery-report', (error, report) => report.opaque(error))
    return {
      send: ([value]) =>
        new Promise((done, fail) => {
          producer.produce('bench', null, value, null, null, error => (error ? fail(error) : done()))
        }),
      close: () => new Promise(done => producer.disconnect(done)),
    }
  },
}

async function burst(client, { size, call, count }) {
  const values = Array.from({ length: call }, () => Buffer.alloc(size, 'x'))
  // No more on the way than others can bear: kafkajs makes a request of each call.
  const most = Math.max(1, Math.min(AT_ONCE, kind === 'kafkajs' && call === 1 ? 500 : AT_ONCE) / call)
  let waited = []
  let onTheWay = 0
  const from = performance.now()
  const cpu = process.cpuUsage()
  for (let sent = 0; sent < count; sent += call) {
    const acknowledged = client.send(values)
    if (client.flush === undefined) waited.push(acknowledged)
    if (++onTheWay < most && sent + call < count) continue
    await (client.flush === undefined ? Promise.all(waited) : client.flush())
    waited = []
    onTheWay = 0
  }
  const { user, system } = process.cpuUsage(cpu)
  return { rate: (count / (performance.now() - from)) * 1000, cpuMs: (user + system) / count }
}

async function trickle(client, { size, count, everyMs }) {
  const value = Buffer.alloc(size, 'x')
  const times = []
  const sent = []
  for (let n = 0; n < count; n += everyMs * 10) {
    for (let m = 0; m < everyMs * 10; m++) {
      const from = performance.now()
      sent.push(client.send([value]).then(() => times.push(performance.now() - from)))
    }
    await pause(everyMs)
  }
  await Promise.all(sent)
  return { p50: times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] }
}

/** What is allocated on the heap for each record, by samples, whether it was collected since or not. */
async function allocation(client, job) {
  const session = new Session()
  session.connect()
  await burst(client, job)
  await session.post('HeapProfiler.startSampling', {
    samplingInterval: 4096,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  })
  await burst(client, job)
  const { profile } = await session.post('HeapProfiler.stopSampling')
  session.disconnect()
  const sizeOf = node => node.selfSize + node.children.reduce((sum, child) => sum + sizeOf(child), 0)
  return { bytes: sizeOf(profile.head) / job.count }
}

process.on('message', async job => {
  let client
  try {
    client = await makers[kind](job)
  } catch (error) {
    process.send({ missing: String(error.message).split('\n')[0] })
    return
  }
  if (job.probe) {
    await client.close()
    process.send({})
    return
  }
  // Connections, metadata and a producer id are no part of what is measured.
  await client.send([Buffer.alloc(job.size, 'x')])
  const told = await (job.allocation ? allocation : job.everyMs ? trickle : burst)(client, job)
  const after = client.metrics?.()
  await client.close()
  const perRequest = after?.['records-per-request-avg']
  // A head of 61 bytes, and ten or so beside the value of each record.
  process.send({ ...told, perRequest, perBatch: ((after?.['batch-size-avg'] ?? 0) - 61) / (job.size + 10) })
})
process.on('disconnect', () => process.exit())
