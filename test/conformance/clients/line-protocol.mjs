/** What all drivers written for Node have in common: protocol.md beside this file, but for the client's own calls. */
import { createInterface } from 'node:readline'

export const bootstrapServers = process.argv.at(-1)

/** How to say who one is, if anybody asks: protocol.md says what is in there. */
export const security = JSON.parse(process.env.CLIENT_SECURITY ?? '{}')

/** Between two values that a steady load sends to one partition. */
const PACE_MS = 5

const toBase64 = bytes => (bytes == null ? null : Buffer.from(bytes).toString('base64'))
const fromBase64 = text => (text == null ? null : Buffer.from(text, 'base64'))

function tell(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

/** A record as a client gave it (bytes, numbers or what `Number` takes), for the harness. */
export function recordOut({ topic, partition, offset, key, value, headers = [], timestamp }) {
  return {
    topic,
    partition,
    offset: Number(offset),
    key: toBase64(key),
    value: toBase64(value),
    headers: headers.map(([name, bytes]) => [name, toBase64(bytes)]),
    timestamp: Number(timestamp),
  }
}

/** A record to produce: bytes where the harness has base64. */
function recordIn({ key, value, headers = [], ...rest }) {
  return {
    ...rest,
    key: fromBase64(key),
    value: fromBase64(value),
    headers: headers.map(([name, text]) => [name, fromBase64(text)]),
  }
}

export const pause = ms => new Promise(resolve => setTimeout(resolve, ms))

/** Tells of several moments in one line. */
class Acknowledged {
  #waiting = []

  constructor(load) {
    this.load = load
    this.all = []
  }

  add(value) {
    this.all.push(value)
    if (this.#waiting.push(value) === 1) setTimeout(() => this.#tell(), 20)
  }

  #tell() {
    tell({ event: 'acknowledged', load: this.load, values: this.#waiting })
    this.#waiting = []
  }
}

/** `<partition>:<n>` to each partition, again and again, at most `inFlight` of each at a time. */
class Load {
  #running = true
  #lines
  #finish
  failed = []

  constructor(name, partitions, { send, inFlight = 1, finish = () => {} }) {
    this.acknowledged = new Acknowledged(name)
    this.#finish = finish
    this.#lines = Array.from({ length: partitions }, (_, partition) => this.#line(partition, send, inFlight))
  }

  async #line(partition, send, inFlight) {
    const underWay = new Set()
    for (let i = 0; this.#running; i++) {
      const value = `${partition}:${i}`
      const sent = Promise.resolve(send(partition, Buffer.from(value)))
        .then(
          () => this.acknowledged.add(value),
          error => {
            process.stderr.write(`${value} failed: ${error?.message ?? error}\n`)
            this.failed.push(value)
          },
        )
        .finally(() => underWay.delete(sent))
      underWay.add(sent)
      await pause(PACE_MS)
      while (underWay.size >= inFlight) await Promise.race(underWay)
    }
    await Promise.all(underWay)
  }

  async stop() {
    this.#running = false
    this.#finish()
    await Promise.all(this.#lines)
    return { acknowledged: this.acknowledged.all, failed: this.failed }
  }
}

/**
 * Runs a driver. `client` has these methods, all but `close` may be missing; what they throw is the answer's error (its `code` if that
 * is a number):
 *
 * - `createTopics(topics)`, `listTopics()` → names, `deleteTopics(names)`
 * - `produce(producer, records)` → offsets or nothing; records' keys, values and headers are Buffers or null
 * - `read({ topic, partitions, count, isolation })` → records for `recordOut`
 * - `sender(producer, topic)` → `{ send(partition, value: Buffer) → promise, inFlight = 1, finish() }`, for loads; `finish` says that no more comes
 * - `join({ group, protocol, topics, isolation, transactionalId }, { assigned(pairs), records(list for recordOut), failed(message) })` → `{ commit(), leave() }`
 * - `transactional(transactionalId)` → `{ begin(), send(records), sendOffsets(what join returned), end(isCommit), close() }`, initialized;
 *   `close` also when it is fenced
 * - `close()`: everything that is still open
 */
export function serve(hello, client) {
  const loads = new Map()
  const members = new Map()
  const transactionals = new Map()

  /** What is fenced, or in mid-transaction, may be closed anyhow. */
  const closeTransactional = producer =>
    Promise.resolve(producer?.close()).catch(error => process.stderr.write(`${error?.stack ?? error}\n`))

  const operations = {
    createTopics: async ({ topics }) => void (await client.createTopics(topics)),
    listTopics: async () => ({ topics: await client.listTopics() }),
    deleteTopics: async ({ topics }) => void (await client.deleteTopics(topics)),
    async produce({ producer, records }) {
      const offsets = await client.produce(producer, records.map(recordIn))
      return { offsets: records.map((_, i) => (offsets?.[i] == null ? null : Number(offsets[i]))) }
    },
    read: async ({ topic, partitions, count, isolation }) => ({
      records: (await client.read({ topic, partitions, count, isolation })).map(recordOut),
    }),
    async start({ load, producer, topic, partitions }) {
      loads.set(load, new Load(load, partitions, await client.sender(producer, topic)))
    },
    stop: ({ load }) => loads.get(load).stop(),
    async join({ member, ...wanted }) {
      const joined = await client.join(wanted, {
        assigned: partitions => tell({ event: 'assigned', member, partitions }),
        records: records => tell({ event: 'records', member, records: records.map(recordOut) }),
        failed: message => tell({ event: 'failed', member, message }),
      })
      members.set(member, joined)
    },
    commit: async ({ member }) => void (await members.get(member).commit()),
    async leave({ member }) {
      await members.get(member).leave()
      members.delete(member)
    },
    async init({ transactionalId }) {
      await closeTransactional(transactionals.get(transactionalId))
      transactionals.delete(transactionalId)
      transactionals.set(transactionalId, await client.transactional(transactionalId))
    },
    begin: async ({ transactionalId }) => void (await transactionals.get(transactionalId).begin()),
    async send({ transactionalId, records }) {
      await transactionals.get(transactionalId).send(records.map(recordIn))
    },
    async sendOffsets({ transactionalId, member }) {
      await transactionals.get(transactionalId).sendOffsets(members.get(member))
    },
    end: async ({ transactionalId, outcome }) =>
      void (await transactionals.get(transactionalId).end(outcome === 'commit')),
  }

  async function answer(request) {
    try {
      const run = operations[request.op]
      if (run === undefined) throw new Error(`no operation '${request.op}'`)
      tell({ id: request.id, result: (await run(request)) ?? {} })
    } catch (error) {
      process.stderr.write(`${request.op}: ${error?.stack ?? error}\n`)
      const code = typeof error?.code === 'number' ? error.code : null
      tell({ id: request.id, error: { code, message: String(error?.message ?? error) } })
    }
  }

  async function end() {
    for (const load of loads.values()) void load.stop()
    for (const member of members.values()) await member.leave()
    for (const producer of transactionals.values()) await closeTransactional(producer)
    await client.close()
    process.exitCode = 0
  }

  tell(hello)
  createInterface({ input: process.stdin })
    .on('line', line => void answer(JSON.parse(line)))
    .on('close', () => void end())
}
