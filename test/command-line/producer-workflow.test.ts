/**
 * A producer's whole conversation with a cluster that the command line has started, field by field: ApiVersions, Metadata,
 * CreateTopics, Produce. As a Kafka 3.4, whose greatest versions are those that a client of 3.9.1 settles on there.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { apiVersions } from '../../src/apis/api-versions.ts'
import { createTopics } from '../../src/apis/create-topics.ts'
import { metadata } from '../../src/apis/metadata.ts'
import { produce } from '../../src/apis/produce.ts'
import { TcpCarrier } from '../../src/network/tcp.ts'
import { RealRuntime } from '../../src/runtime/real.ts'
import { batchOf } from '../../src/wire/batch-builder.ts'
import { Records } from '../../src/wire/records.ts'
import { Project } from '../doors/project.ts'
import { ConnectedLine } from '../scenarios/line.ts'
import { serversOf, Typed } from './typed.ts'

const runtime = new RealRuntime({ seed: 1 })
const carrier = new TcpCarrier({ runtime })
let project: Project
let started: Typed
let port: number
let line: ConnectedLine

beforeAll(async () => {
  project = new Project()
  started = new Typed(project, ['--brokers', '1', '--port', '0', '--kafka-version', '3.4', '--topic', 'orders:2:1'])
  port = Number((await serversOf(started)).split(':')[1])
  line = await ConnectedLine.open(runtime, carrier, { host: '127.0.0.1', port })
}, 60_000)
afterAll(async () => {
  line?.close()
  await carrier.close()
  await runtime.close(new Error('closed'))
  started?.process.kill('SIGKILL')
  project.remove()
})

const anyUuid = expect.stringMatching(/^[\w-]{22}$/)
const noAuthorizer = -2147483648

test('1. ApiVersions: the client says who it is, the broker which versions it speaks', async () => {
  // Byte for byte, as the client writes it: key 18, version 3, correlation id 7, client id, no tags; then its two names.
  const compact = (text: string) => [Buffer.from([text.length + 1]), Buffer.from(text)]
  const request = Buffer.concat([
    Buffer.from([0, 18, 0, 3, 0, 0, 0, 7, 0, 10]),
    Buffer.from('producer-1'),
    Buffer.from([0]),
    ...compact('apache-kafka-java'),
    ...compact('3.9.1'),
    Buffer.from([0]),
  ])
  const answered = line.receiveBytes()
  await line.sendBytes(request)
  const answer = Buffer.from(await answered)
  expect([answer.readInt32BE(0), answer.readInt16BE(4)]).toEqual([7, 0])
  const count = answer[6]! - 1
  const ranges = new Map(
    Array.from({ length: count }, (_, i) => {
      const at = 7 + i * 7
      return [answer.readInt16BE(at), [answer.readInt16BE(at + 2), answer.readInt16BE(at + 4)]]
    }),
  )
  // From Fetch 4, ListOffsets 1 and CreateTopics 2 on: Kafka 4's floors (docs/deviations.md).
  expect([0, 1, 2, 3, 18, 19].map(key => [key, ranges.get(key)])).toEqual([
    [0, [0, 9]],
    [1, [4, 13]],
    [2, [1, 7]],
    [3, [0, 12]],
    [18, [0, 3]],
    [19, [2, 7]],
  ])
  const software = { clientSoftwareName: 'apache-kafka-java', clientSoftwareVersion: '3.9.1' }
  const { errorCode, apiKeys, throttleTimeMs } = await line.request(apiVersions, 3, software)
  expect([errorCode, throttleTimeMs, apiKeys.length]).toEqual([0, 0, count])
})

test('2. Metadata: brokers, the controller, and the partitions of the topic', async () => {
  const request = {
    topics: [{ name: 'orders' }],
    allowAutoTopicCreation: false,
    includeTopicAuthorizedOperations: false,
  }
  const partition = (partitionIndex: number) => ({
    errorCode: 0,
    partitionIndex,
    leaderId: 1,
    leaderEpoch: 0,
    replicaNodes: [1],
    isrNodes: [1],
    offlineReplicas: [],
  })
  const orders = {
    errorCode: 0,
    name: 'orders',
    topicId: anyUuid,
    isInternal: false,
    partitions: [partition(0), partition(1)],
    topicAuthorizedOperations: noAuthorizer,
  }
  const answer = await line.request(metadata, 12, request)
  expect(answer).toMatchObject({
    throttleTimeMs: 0,
    brokers: [{ nodeId: 1, host: '127.0.0.1', port, rack: null }],
    clusterId: anyUuid,
    controllerId: 1,
    topics: [orders],
  })
  expect((await line.request(metadata, 12, { ...request, topics: null })).topics).toMatchObject([orders])
})

test('3. CreateTopics: a topic that is not there is refused by Metadata, created with its configuration, and there', async () => {
  const asked = {
    topics: [{ name: 'payments' }],
    allowAutoTopicCreation: false,
    includeTopicAuthorizedOperations: false,
  }
  expect((await line.request(metadata, 12, asked)).topics).toMatchObject([
    { errorCode: 3, name: 'payments', partitions: [] },
  ])
  const answer = await line.request(createTopics, 7, {
    topics: [
      {
        name: 'payments',
        numPartitions: 3,
        replicationFactor: 1,
        assignments: [],
        configs: [{ name: 'retention.ms', value: '604800000' }],
      },
    ],
    timeoutMs: 30_000,
    validateOnly: false,
  })
  expect(answer).toMatchObject({
    throttleTimeMs: 0,
    topics: [
      { name: 'payments', topicId: anyUuid, errorCode: 0, errorMessage: null, numPartitions: 3, replicationFactor: 1 },
    ],
  })
  const configs = answer.topics[0]!.configs!
  expect(configs.find(({ name }) => name === 'retention.ms')).toEqual({
    name: 'retention.ms',
    value: '604800000',
    readOnly: false,
    configSource: 1,
    isSensitive: false,
  })
  const { topics } = await line.request(metadata, 12, asked)
  expect(topics[0]!.partitions.map(({ partitionIndex, leaderId }) => [partitionIndex, leaderId])).toEqual([
    [0, 1],
    [1, 1],
    [2, 1],
  ])
})

test('4. Produce: the batch is appended, and the offset of its first record answered', async () => {
  const batch = (...values: string[]) =>
    Records.of([
      batchOf(
        values.map(value => ({
          timestamp: 1_000,
          key: Buffer.from('ORDER-1001'),
          value: Buffer.from(value),
          headers: [],
        })),
      ),
    ])
  const request = (records: Records) => ({
    transactionalId: null,
    acks: -1,
    timeoutMs: 30_000,
    topicData: [{ name: 'orders', partitionData: [{ index: 1, records }] }],
  })
  const answer = (baseOffset: number) => ({
    responses: [
      {
        name: 'orders',
        partitionResponses: [
          {
            index: 1,
            errorCode: 0,
            baseOffset,
            logAppendTimeMs: -1,
            logStartOffset: 0,
            recordErrors: [],
            errorMessage: null,
          },
        ],
      },
    ],
    throttleTimeMs: 0,
  })
  expect(await line.request(produce, 9, request(batch('placed', 'paid')))).toMatchObject(answer(0))
  expect(await line.request(produce, 9, request(batch('sent')))).toMatchObject(answer(2))

  const at = ['--topic', 'orders', '--bootstrap-server', `127.0.0.1:${port}`]
  const read = new Typed(project, [
    'consume',
    ...at,
    '--from-beginning',
    '--max-records',
    '3',
    '--format',
    '%p@%o %k:%v\\n',
  ])
  expect(await read.ended()).toBe(0)
  expect(read.lines).toEqual(['1@0 ORDER-1001:placed', '1@1 ORDER-1001:paid', '1@2 ORDER-1001:sent'])
})
