import { describe, expect, test } from 'vitest'
import { allocateProducerIds } from '../../src/apis/allocate-producer-ids.ts'
import { createTopics } from '../../src/apis/create-topics.ts'
import { fetch } from '../../src/apis/fetch.ts'
import { Controller } from '../../src/controller/controller.ts'
import { MemoryStore } from '../../src/log/memory-store.ts'
import { ClusterImage } from '../../src/metadata/image.ts'
import { applyBatch, METADATA_TOPIC, METADATA_TOPIC_ID } from '../../src/metadata/metadata-batch.ts'
import type { RequestContext } from '../../src/wire/api.ts'
import { errorOf } from '../../src/wire/errors.ts'
import { CLUSTER_ID, contextOf, DrivenController } from './driven-controller.ts'

const NEWEST = 18

function fetchFrom(driven: DrivenController, fetchOffset: number, other: Other = {}) {
  const {
    replicaId = 1,
    maxWaitMs = 500,
    version = NEWEST,
    topicId = METADATA_TOPIC_ID,
    currentLeaderEpoch = -1,
  } = other
  const named = version >= 13 ? { topicId } : { topic: METADATA_TOPIC }
  const partition = { partition: 0, fetchOffset, currentLeaderEpoch, partitionMaxBytes: 1 << 20 }
  return driven.begin(
    fetch,
    {
      ...(version >= 15 ? { replicaState: { replicaId, replicaEpoch: -1 } } : { replicaId }),
      maxWaitMs,
      minBytes: 1,
      topics: [{ ...named, partitions: [partition] }],
      forgottenTopicsData: [],
    },
    version,
    other.context,
  )
}

interface Other {
  replicaId?: number
  maxWaitMs?: number
  version?: number
  topicId?: string
  currentLeaderEpoch?: number
  context?: Partial<RequestContext>
}

const onlyPartition = (response: Awaited<ReturnType<typeof fetchFrom>>) => response.responses[0]!.partitions[0]!

describe('brokers follow the metadata log', () => {
  test('a broker that replays what it fetched knows what the controller knows', async () => {
    const driven = DrivenController.withBrokers(2)
    driven.createTopic('orders', [[1, 2]])
    const image = new ClusterImage()
    const answer = onlyPartition(await fetchFrom(driven, 0))
    expect(answer.highWatermark).toBe(driven.controller.endOffset)
    for (const batch of answer.records!.batches()) applyBatch(image, batch)
    expect(image.offset).toBe(driven.image.offset)
    expect(image.epoch).toBe(1)
    expect(image.partition('orders', 0)).toEqual(driven.partition('orders'))
    expect([...image.brokers]).toEqual([...driven.image.brokers])
  })

  test('a fetch at the end waits for the next append, and is woken at that very moment', async () => {
    const driven = DrivenController.withBrokers(1)
    const end = driven.controller.endOffset
    const waiting = fetchFrom(driven, end, { maxWaitMs: 60_000 })
    expect(waiting).toBeInstanceOf(Promise)
    await driven.advance(100)
    const at = driven.runtime.now()
    driven.register(2)
    const [answer, answeredAt] = await driven.runtime.drive('fetch', async () => {
      const response = await waiting
      return [onlyPartition(response), driven.runtime.now()] as const
    })
    expect(answeredAt).toBe(at)
    expect(answer.records!.batches()[0]!.baseOffset).toBe(end)
  })

  test('or until its max_wait has passed, and then it is empty', async () => {
    const driven = new DrivenController()
    const at = driven.runtime.now()
    const response = await driven.runtime.drive('fetch', async () => fetchFrom(driven, driven.controller.endOffset))
    expect(driven.runtime.now()).toBe(at + 500)
    expect(onlyPartition(response)).toMatchObject({ errorCode: 0, highWatermark: driven.controller.endOffset })
    expect(onlyPartition(response).records!.byteLength).toBe(0)
  })

  test('by name before topic ids, and only this log', async () => {
    const driven = new DrivenController()
    const code = async (offset: number, other: Other) => {
      const { errorCode } = onlyPartition(await fetchFrom(driven, offset, { maxWaitMs: 0, ...other }))
      return errorOf(errorCode).name
    }
    expect(await code(0, { version: 12 })).toBe('NONE')
    const other = await fetchFrom(driven, 0, { maxWaitMs: 0, topicId: 'ZZZZZZZZZZZZZZZZZZZZZQ' })
    expect(other).toMatchObject({ errorCode: 42, responses: [] })
    expect(await code(driven.controller.endOffset + 1, {})).toBe('OFFSET_OUT_OF_RANGE')
    expect(await code(-1, {})).toBe('OFFSET_OUT_OF_RANGE')
    expect(await code(0, { currentLeaderEpoch: 1 })).toBe('NONE')
    expect(await code(0, { currentLeaderEpoch: 0 })).toBe('FENCED_LEADER_EPOCH')
    expect(await code(0, { currentLeaderEpoch: 2 })).toBe('UNKNOWN_LEADER_EPOCH')
  })

  test('a connection that closes takes its waiting fetch along', async () => {
    const driven = new DrivenController()
    let close = () => {}
    const onClose = (run: () => void) => {
      close = run
      return () => {}
    }
    let answered = false
    const waiting = fetchFrom(driven, driven.controller.endOffset, {
      context: { closed: { isClosed: false, onClose } },
    })
    void (waiting as Promise<unknown>).then(() => {
      answered = true
    })
    close()
    driven.register(1)
    await driven.advance(10_000)
    expect(answered).toBe(false)
  })

  test('a client is answered when the brokers that follow have applied what it made', async () => {
    const driven = DrivenController.withBrokers(2)
    const end = driven.controller.endOffset
    const fetches = [1, 2].map(replicaId => fetchFrom(driven, end, { replicaId }))
    const topics = [{ name: 'x', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }]
    let created = false
    const creating = Promise.resolve(driven.begin(createTopics, { topics })).then(() => {
      created = true
    })
    await Promise.all(fetches)
    const after = driven.controller.endOffset
    void fetchFrom(driven, after, { replicaId: 1 })
    await driven.advance(10)
    expect(created).toBe(false)
    void fetchFrom(driven, after, { replicaId: 2 })
    await driven.advance(1)
    await creating
    expect(created).toBe(true)
  })

  test('but a broker that does not fetch holds no answer up for long', async () => {
    const driven = DrivenController.withBrokers(2)
    void fetchFrom(driven, driven.controller.endOffset, { replicaId: 1 })
    const topics = [{ name: 'x', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }]
    const at = driven.runtime.now()
    const answer = await driven.runtime.drive('create', async () => driven.begin(createTopics, { topics }))
    expect(answer.topics[0]!.errorCode).toBe(0)
    expect(driven.runtime.now()).toBe(at + 100)
  })
})

describe('producer ids (I-15)', () => {
  test('come in blocks of 1000, each given once, also over a restart of the controller', () => {
    const driven = DrivenController.withBrokers(2)
    const block = (brokerId: number) => {
      const answer = driven.ask(allocateProducerIds, { brokerId, brokerEpoch: driven.epochOf(brokerId) })
      return [answer.producerIdStart, answer.producerIdLen]
    }
    expect(block(1)).toEqual([0, 1000])
    expect(block(2)).toEqual([1000, 1000])
    driven.restartController()
    expect(block(1)).toEqual([2000, 1000])
  })

  test('only for a registered life of a broker', () => {
    const driven = DrivenController.withBrokers(1)
    const { errorCode } = driven.ask(allocateProducerIds, { brokerId: 1, brokerEpoch: driven.epochOf(1) + 1 })
    expect(errorOf(errorCode).name).toBe('STALE_BROKER_EPOCH')
  })
})

describe('a store that takes its time', () => {
  /** Answers later, as a store that does real I/O. */
  class SlowStore extends MemoryStore {
    failing = false
    readonly sleep: () => Promise<void>

    constructor(sleep: () => Promise<void>) {
      super()
      this.sleep = sleep
    }

    override append(...args: Parameters<MemoryStore['append']>): ReturnType<MemoryStore['append']> {
      return this.sleep().then(() => {
        if (this.failing) throw new Error('the disk is gone')
        return super.append(...args)
      }) as never
    }
  }

  test('is waited for before anybody is answered, and brokers read only what it has', async () => {
    const { runtime } = new DrivenController()
    const store = new SlowStore(() => runtime.sleep(50))
    const controller = new Controller({ runtime, store, clusterId: CLUSTER_ID })
    await runtime.drive('start', () => controller.start())
    const before = controller.endOffset
    const at = runtime.now()
    const answer = controller.registerBroker({
      brokerId: 1,
      clusterId: CLUSTER_ID,
      incarnationId: 'AAAAAAAAAAAAAAAAAAAAAw',
      listeners: [],
      features: [],
      rack: null,
      isMigratingZkBroker: false,
      logDirs: [],
      previousBrokerEpoch: -1,
    })
    expect(controller.endOffset).toBe(before)
    expect(controller.image.broker(1)).toBeDefined()
    expect(await runtime.drive('register', () => answer)).toMatchObject({ errorCode: 0 })
    expect(runtime.now()).toBe(at + 50)
    expect(controller.endOffset).toBe(before + 1)
  })

  test('a power loss takes nothing that was answered: what is not flushed does not count as stored', async () => {
    const driven = DrivenController.withBrokers(1)
    driven.createTopic('orders', [[1]])
    driven.store.lost()
    driven.restartController()
    expect(driven.image.topic('orders')).toBeDefined()
    const { runtime } = driven
    const store = new SlowStore(() => runtime.sleep(50))
    const controller = new Controller({ runtime, store, clusterId: CLUSTER_ID })
    await runtime.drive('start', () => controller.start())
    const configs = [{ name: 'message.max.bytes', configOperation: 0, value: '5' }]
    const resources = [{ resourceType: 4, resourceName: '', configs }]
    await runtime.drive('alter', () => controller.incrementalAlterConfigs({ resources, validateOnly: false }))
    store.lost()
    const next = new Controller({ runtime, store, clusterId: CLUSTER_ID })
    await runtime.drive('start', () => next.start())
    expect(next.image.configsOf(4, '').get('message.max.bytes')).toBe('5')
    expect(next.endOffset).toBe(controller.endOffset)
  })

  test('once it fails, the controller refuses everything: NOT_CONTROLLER', async () => {
    const { runtime } = new DrivenController()
    const store = new SlowStore(() => runtime.sleep(50))
    const controller = new Controller({ runtime, store, clusterId: CLUSTER_ID })
    await runtime.drive('start', () => controller.start())
    store.failing = true
    const request = {
      topics: [],
      timeoutMs: 1000,
      validateOnly: false,
    }
    const config = {
      resourceType: 4,
      resourceName: '',
      configs: [{ name: 'message.max.bytes', configOperation: 0, value: '5' }],
    }
    const altered = await runtime.drive('alter', () =>
      controller.incrementalAlterConfigs({ resources: [config], validateOnly: false }),
    )
    expect(errorOf(altered.responses[0]!.errorCode).name).toBe('NOT_CONTROLLER')
    expect(controller.isActive).toBe(false)
    const fetched = await controller.fetch({ topics: [] } as never, contextOf(NEWEST))
    expect(errorOf(fetched.errorCode!).name).toBe('NOT_CONTROLLER')
    expect(await controller.createTopics(request)).toMatchObject({ topics: [] })
  })
})
