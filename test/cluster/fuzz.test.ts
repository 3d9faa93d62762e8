/**
 * Frames that are broken, or strange, on a broker that listens. `npm run fuzz` sends a million of them;
 * `MINI_KAFKA_FUZZ_FRAMES` says how many, `MINI_KAFKA_SEED` which.
 */
import { connect as openSocket, type Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type Cluster, createCluster, Producer } from 'mini-kafka'
import { expect, test } from 'vitest'
import { Random } from '../../src/runtime/random.ts'
import { batchOf } from '../../src/wire/batch-builder.ts'
import { joined } from '../../src/wire/frame.ts'
import { FrameGenerator } from './frame-generator.ts'
import { hello, until } from './raw-socket.ts'
import '../../src/vitest.ts'

const FRAMES = Number(process.env.MINI_KAFKA_FUZZ_FRAMES ?? 2_000)
const SEED = Number(process.env.MINI_KAFKA_SEED ?? 1)
const CONNECTIONS = 16
/** A request that waits for long is right, too: then the client goes. */
const PATIENCE_MS = 400
const SENTINEL = 0x7abcdef1

type Fate = 'answered' | 'closed' | 'waiting'

const sentinel = Buffer.alloc(4)
sentinel.writeInt32BE(SENTINEL, 0)

/** A connection that sends one frame at a time, and behind it a request that is right. */
class FuzzConnection {
  readonly #socket: Socket
  #tail = Buffer.alloc(0)
  #settle: (fate: Fate) => void = () => {}
  isOver = false

  constructor(address: string) {
    const [host, port] = address.split(':') as [string, string]
    this.#socket = openSocket({ host, port: Number(port), noDelay: true })
    this.#socket.setTimeout(PATIENCE_MS, () => this.#end('waiting'))
    this.#socket.on('error', () => this.#end('closed'))
    this.#socket.on('close', () => this.#end('closed'))
    this.#socket.on('data', chunk => {
      const seen = Buffer.concat([this.#tail, chunk])
      this.#tail = seen.subarray(-3)
      if (!seen.includes(sentinel)) return
      this.#tail = Buffer.alloc(0)
      this.#settle('answered')
    })
  }

  /** What follows is answered, or the connection was closed. */
  send(frame: Uint8Array): Promise<Fate> {
    return new Promise(resolve => {
      this.#settle = resolve
      const size = Buffer.alloc(4)
      size.writeInt32BE(frame.length, 0)
      this.#socket.write(Buffer.concat([size, frame, hello(SENTINEL)]))
    })
  }

  end(): void {
    this.#end('closed')
  }

  #end(fate: Fate): void {
    this.isOver = true
    this.#socket.destroy()
    this.#settle(fate)
  }
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

function memoryUsed(): number {
  collect()
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

async function fuzz(cluster: Cluster, generator: FrameGenerator, frames: number): Promise<Record<Fate, number>> {
  const fates = { answered: 0, closed: 0, waiting: 0 }
  let sent = 0
  const worker = async (_: unknown, index: number) => {
    let connection: FuzzConnection | undefined
    while (sent < frames) {
      if (connection === undefined || connection.isOver) {
        connection = new FuzzConnection(cluster.addresses[index % cluster.addresses.length]!)
      }
      fates[await connection.send(generator.next(sent++))]++
    }
    connection?.end()
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, worker))
  return fates
}

test(
  `${FRAMES} broken and strange frames: every connection is answered or closed, nothing grows, and the cluster works on (W-5, W-32)`,
  async () => {
    await using cluster = await createCluster({
      listen: true,
      brokers: 2,
      topics: { orders: { partitions: 2, replicationFactor: 2 } },
      configs: { 'auto.create.topics.enable': false, 'broker.session.timeout.ms': 10_000 },
      trace: { limit: 100 },
      seed: SEED,
    })
    const batch = batchOf([{ timestamp: 1_700_000_000_000, key: Buffer.from('k'), value: Buffer.from('v') }])
    const generator = new FrameGenerator(new Random(SEED).fork('fuzz'), joined([batch.head, batch.body]))
    const warm = await fuzz(cluster, generator, FRAMES / 2)
    const before = memoryUsed()
    const fates = await fuzz(cluster, generator, FRAMES / 2)
    await until(() => cluster.brokers.every(broker => broker.openSockets === 0))
    expect(memoryUsed() - before).toBeLessThan(100 * 1024 * 1024)
    expect(Math.min(fates.answered, fates.closed)).toBeGreaterThan(FRAMES / 20)
    expect(warm.waiting + fates.waiting).toBeLessThan(FRAMES / 100)
    expect(cluster.trace.events().filter(({ kind }) => kind === 'bug')).toEqual([])
    await using producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers })
    await cluster.createTopic({ name: 'after' })
    expect((await producer.send({ topic: 'after', value: 'still here' })).offset).toBe(0)
    await expect(cluster).toHaveDelivered('after', [{ value: 'still here' }])
  },
  30_000 + 5 * FRAMES,
)
