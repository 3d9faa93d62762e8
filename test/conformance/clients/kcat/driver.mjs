/** kcat: a process for each thing that it is asked for. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { bootstrapServers, pause, security, serve } from '../line-protocol.mjs'

const [, version, librdkafka] = /Version (\S+) \(.*librdkafka (\S+)/.exec(
  execFileSync('kcat', ['-V'], { encoding: 'utf8' }),
)

/** Neither is in any record of the stories. */
const BETWEEN_KEY_AND_VALUE = '|key~value|'
const BETWEEN_RECORDS = '|record~record|'

/** kcat reads its input in blocks of so many bytes: as the key of each record it makes the one before go out. */
const BLOCK = 'k'.repeat(1024)

/** `-X` for each. */
const settings = values => Object.entries(values).flatMap(([name, value]) => ['-X', `${name}=${value}`])
const quick = {
  'client.id': 'kcat',
  'reconnect.backoff.ms': 50,
  'reconnect.backoff.max.ms': 100,
  'retry.backoff.ms': 50,
  'topic.metadata.refresh.fast.interval.ms': 100,
  ...security.librdkafka,
}

const running = new Set()
function kcat(args, values = {}) {
  const child = spawn('kcat', ['-b', bootstrapServers, '-E', ...settings({ ...quick, ...values }), ...args])
  running.add(child)
  child.ended = once(child, 'close').then(([code]) => {
    running.delete(child)
    return code
  })
  child.stdin.on('error', () => {})
  child.said = ''
  createInterface({ input: child.stderr }).on('line', line => {
    child.said = `${child.said}${line}\n`.slice(-4_000)
    child.onLine?.(line)
  })
  return child
}

async function succeeded(child) {
  const code = await child.ended
  if (code !== 0) throw new Error(`kcat ended with ${code}: ${child.said.trim()}`)
}

const producing = ({ acks, idempotent }) => ({
  'request.required.acks': acks,
  'message.timeout.ms': 30_000,
  'linger.ms': 1,
  ...(idempotent ? { 'enable.idempotence': true } : { 'max.in.flight': 1 }),
})

/** At `-vvv` it tells of each record, in order, what became of it. */
function onDelivery(child, delivered, failed) {
  child.onLine = line => {
    const [, offset] = /^% Message delivered to partition \d+ \(offset (-?\d+)\)/.exec(line) ?? []
    if (offset !== undefined) delivered(Number(offset))
    else if (/^% (Delivery failed|ERROR: Failed to produce)/.test(line)) failed(line)
  }
}

/** One process sends what has the same partition and headers; an empty key or value means null to all of it, or to none. */
const kindOf = ({ partition, headers, key, value }) =>
  JSON.stringify([partition, headers.map(([name, bytes]) => [name, `${bytes}`]), key === null, value === null])

async function produceAlike({ compression, ...producer }, records) {
  const [{ topic, partition, headers, key, value }] = records
  const args = ['-P', '-vvv', '-t', topic, '-p', `${partition}`, '-z', compression, '-D', BETWEEN_RECORDS]
  for (const [name, bytes] of headers) args.push('-H', `${name}=${bytes}`)
  if (key !== null) args.push('-K', BETWEEN_KEY_AND_VALUE)
  if (value === null) args.push('-Z')
  const child = kcat(args, producing(producer))
  const offsets = []
  onDelivery(
    child,
    offset => offsets.push(offset < 0 || producer.acks === '0' ? null : offset),
    () => {},
  )
  const parts = records.flatMap(record => [
    ...(record.key === null ? [] : [record.key, Buffer.from(BETWEEN_KEY_AND_VALUE)]),
    record.value ?? Buffer.alloc(0),
    Buffer.from(BETWEEN_RECORDS),
  ])
  child.stdin.end(Buffer.concat(parts))
  await succeeded(child)
  return offsets
}

const isolationOf = isolation => (isolation === undefined ? {} : { 'isolation.level': isolation })

/** Both lengths go before the bytes, so that they may be anything; headers are text. */
const FORMAT = '%t %p %o %T %K %S\\n%k%s%h\\n'
const LINE_FEED = 0x0a

/** Records as they come out of a process. */
function onRecords(child, take) {
  let rest = Buffer.alloc(0)
  child.stdout.on('data', bytes => {
    rest = Buffer.concat([rest, bytes])
    for (;;) {
      const head = rest.indexOf(LINE_FEED)
      if (head < 0) return
      const [topic, ...numbers] = rest.toString('latin1', 0, head).split(' ')
      const [partition, offset, timestamp, keyLength, valueLength] = numbers.map(Number)
      const valueAt = head + 1 + Math.max(keyLength, 0)
      const headersAt = valueAt + Math.max(valueLength, 0)
      const end = rest.indexOf(LINE_FEED, headersAt)
      if (end < 0) return
      const key = keyLength < 0 ? null : rest.subarray(head + 1, valueAt)
      const value = valueLength < 0 ? null : rest.subarray(valueAt, headersAt)
      const pairs = rest.toString('utf8', headersAt, end).split(',').filter(Boolean)
      const headers = pairs.map(pair => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)])
      take({ topic, partition, offset, timestamp, key, value, headers })
      rest = rest.subarray(end + 1)
    }
  })
}

serve(
  { client: 'kcat', version, engine: `librdkafka ${librdkafka}` },
  {
    async produce(producer, records) {
      const offsets = []
      for (let at = 0; at < records.length; ) {
        let end = at + 1
        while (end < records.length && kindOf(records[end]) === kindOf(records[at])) end++
        offsets.push(...(await produceAlike(producer, records.slice(at, end))))
        at = end
      }
      return offsets
    },

    async read({ topic, count, isolation }) {
      const args = ['-C', '-q', '-u', '-t', topic, '-o', 'beginning', '-c', `${count}`, '-f', FORMAT]
      const child = kcat(args, isolationOf(isolation))
      const records = []
      onRecords(child, record => records.push(record))
      await succeeded(child)
      return records
    },

    async sender({ compression, ...producer }, topic) {
      const lines = new Map()
      const open = partition => {
        const args = ['-P', '-vvv', '-t', topic, '-p', `${partition}`, '-z', compression, '-K', BETWEEN_KEY_AND_VALUE]
        const child = kcat(args, producing(producer))
        const waiting = []
        onDelivery(
          child,
          () => waiting.shift()?.resolve(),
          line => waiting.shift()?.reject(new Error(line)),
        )
        void child.ended.then(code => {
          for (const { reject } of waiting.splice(0)) reject(new Error(`kcat ended with ${code}: ${child.said}`))
        })
        return { child, waiting }
      }
      const send = (partition, value) => {
        const line = lines.get(partition) ?? open(partition)
        lines.set(partition, line)
        return new Promise((resolve, reject) => {
          line.waiting.push({ resolve, reject })
          line.child.stdin.write(`${BLOCK}${BETWEEN_KEY_AND_VALUE}${value}\n`)
        })
      }
      const finish = () => {
        for (const { child } of lines.values()) child.stdin.end()
      }
      // It tells of deliveries when it has read more: to wait for them before writing more would be to wait for ever.
      return { send, inFlight: Number.POSITIVE_INFINITY, finish }
    },

    async join({ group, topics, isolation }, { assigned, records, failed }) {
      const child = kcat(['-G', group, '-u', '-f', FORMAT, ...topics], {
        'auto.offset.reset': 'earliest',
        ...isolationOf(isolation),
        'session.timeout.ms': 6_000,
        'heartbeat.interval.ms': 200,
        'fetch.wait.max.ms': 100,
        // It commits when it leaves, and when it is told to give partitions back.
        'auto.commit.interval.ms': 3_600_000,
      })
      let isLeaving = false
      onRecords(child, record => records([record]))
      child.onLine = line => {
        const [, what, list] = /^% Group .* rebalanced .*: (assigned|revoked): (.*)$/.exec(line) ?? []
        if (what === undefined) return
        const all = [...list.matchAll(/(\S+) \[(\d+)\]/g)].map(([, topic, partition]) => [topic, Number(partition)])
        assigned(what === 'assigned' ? all : [])
      }
      void child.ended.then(code => isLeaving || failed(`kcat ended with ${code}: ${child.said}`))
      return {
        async commit() {},
        async leave() {
          isLeaving = true
          child.kill('SIGTERM')
          await child.ended
        },
      }
    },

    async close() {
      for (const child of running) child.stdin.end()
      await Promise.race([Promise.all([...running].map(({ ended }) => ended)), pause(2_000)])
      for (const child of running) child.kill('SIGTERM')
    },
  },
)
