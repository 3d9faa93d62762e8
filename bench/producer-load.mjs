// One producer of one library, in a process of its own, told by `bench/producer.mjs` what to send.
import { createRequire } from 'node:module'
import { PerformanceObserver, performance } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'

const [kind, servers] = process.argv.slice(2)
const AT_ONCE = 20_000

/** Each answers `send(values)`, a promise of all of them being acknowledged, and `close()`. */
const makers = {
  async 'mini-kafka'({ lingerMs, batchBytes }) {
    const { Producer } = await import('mini-kafka')
    const producer = new Producer({ 'bootstrap.servers': servers, 'linger.ms': lingerMs, 'batch.size': batchBytes })
    await producer.partitionsFor('bench')
    return {
      send: ([value]) => producer.send({ topic: 'bench', value }),
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
  async 'kafka-ts'() {
    const { createKafkaClient, setLogger } = await import('kafka-ts')
    const silent = () => {}
    setLogger({ debug: silent, info: silent, warn: silent, error: silent })
    const bootstrapServers = servers.split(',').map(address => {
      const [host, port] = address.split(':')
      return { host, port: Number(port) }
    })
    const kafka = createKafkaClient({ clientId: 'bench', bootstrapServers })
    const producer = kafka.createProducer({ maxBatchSize: 5_000 })
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
  const from = performance.now()
  const cpu = process.cpuUsage()
  for (let sent = 0; sent < count; sent += call) {
    waited.push(client.send(values))
    if (waited.length >= most) {
      await Promise.all(waited)
      waited = []
    }
  }
  await Promise.all(waited)
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

async function allocation(client, job) {
  let collected = false
  const seen = new PerformanceObserver(() => {
    collected = true
  })
  await burst(client, job)
  globalThis.gc()
  await pause(50)
  seen.observe({ entryTypes: ['gc'] })
  const before = process.memoryUsage()
  await burst(client, job)
  const after = process.memoryUsage()
  await pause(10)
  const each = key => (after[key] - before[key]) / job.count
  return { bytes: each('heapUsed'), external: each('arrayBuffers'), collected }
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
