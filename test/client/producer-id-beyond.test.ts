/**
 * A broker may give ids that no number of JavaScript's holds exactly; mini-kafka refuses them (docs/deviations.md), and says so
 * at once: nobody waits for a time limit.
 */
import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { apiVersions } from '../../src/apis/api-versions.ts'
import { findCoordinator } from '../../src/apis/find-coordinator.ts'
import { initProducerId } from '../../src/apis/init-producer-id.ts'
import { metadata } from '../../src/apis/metadata.ts'
import { Producer, type ProducerOptions } from '../../src/index.ts'
import { framed } from '../../src/network/framing.ts'
import type { AnyApi, ResponseInput } from '../../src/wire/api.ts'
import { joined } from '../../src/wire/frame.ts'
import { encodeResponse, readRequestHeader } from '../../src/wire/header.ts'
import { Reader } from '../../src/wire/reader.ts'

const ANSWERED = [apiVersions, metadata, findCoordinator, initProducerId]
const STAND_IN = 0x0123456789ab

/** A broker of one topic, whose producer ids are random numbers of 63 bits. */
async function strangeBroker() {
  const answers: Record<string, (port: number) => object> = {
    ApiVersions: () => ({
      apiKeys: ANSWERED.map(({ key, versions: { min, max } }) => ({ apiKey: key, minVersion: min, maxVersion: max })),
    }),
    Metadata: port => ({
      brokers: [{ nodeId: 1, host: '127.0.0.1', port, rack: null }],
      clusterId: 'strange',
      controllerId: 1,
      topics: [
        {
          name: 'orders',
          topicId: 'AAAAAAAAAAAAAAAAAAAAAQ',
          partitions: [{ partitionIndex: 0, leaderId: 1, leaderEpoch: 0, replicaNodes: [1], isrNodes: [1] }],
        },
      ],
    }),
    FindCoordinator: port => ({ coordinators: [{ key: 'transfer', nodeId: 1, host: '127.0.0.1', port }] }),
    InitProducerId: () => ({ producerId: STAND_IN, producerEpoch: 0 }),
  }
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.on('data', chunk => {
      for (let at = 0; at + 4 <= chunk.length; ) {
        const size = chunk.readInt32BE(at)
        const reader = new Reader([chunk.subarray(at + 4, at + 4 + size)])
        at += 4 + size
        const header = readRequestHeader(reader, key => ANSWERED.find(api => api.key === key) as AnyApi | undefined)
        const { port } = server.address() as { port: number }
        const body = answers[header.api.name]!(port) as ResponseInput<AnyApi>
        const frame = joined(encodeResponse(header.api, header.apiVersion, header.correlationId, body).slices)
        const bytes = Buffer.from(frame)
        const place = bytes.indexOf('00000123456789ab', 'hex')
        if (place >= 0) bytes.write('7fedcba987654321', place, 'hex')
        socket.write(Buffer.concat(framed({ slices: [bytes], length: bytes.length })))
      }
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  return { servers: `127.0.0.1:${port}`, close: () => server.close() }
}

test.each<[string, ProducerOptions, (producer: Producer) => Promise<unknown>]>([
  ['an idempotent producer', {}, producer => producer.send({ topic: 'orders', value: 'paid' })],
  ['a transactional one', { 'transactional.id': 'transfer' }, producer => producer.initTransactions()],
])('%s that is given an id beyond 2^53 fails at once, and says why (C-61)', async (_, options, use) => {
  const broker = await strangeBroker()
  const producer = new Producer({ 'bootstrap.servers': broker.servers, ...options })
  try {
    await expect(use(producer)).rejects.toMatchObject({
      message: expect.stringContaining(
        'the answer to InitProducerId cannot be taken: the int64 9218247941278745377 lies outside ±2^53',
      ),
      retriable: false,
    })
  } finally {
    await producer.close({ timeoutMs: 0 })
    broker.close()
  }
})
