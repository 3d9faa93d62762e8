/** MockProducer, method by state and row by row, against what the Java class was seen to do (mock-producer.json). */
import { expect, expectTypeOf, test } from 'vitest'
import {
  ClientError,
  createCluster,
  type GroupOffsets,
  KafkaError,
  MockProducer,
  Producer,
  type ProducerRecord,
  type RecordMetadata,
} from '../../src/index.ts'
import java from '../data/kafka/mock-producer.json' with { type: 'json' }

const group = { groupId: 'g', generationId: -1, memberId: '', groupInstanceId: null } as never
const offsets = [{ topic: 'in', partition: 0, offset: 9 }]
const record = (value = 'x'): ProducerRecord => ({ topic: 'orders', value })

type Mock = MockProducer

/** How to get a mock into each state of the matrix. */
const states: Record<string, (mock: Mock) => Promise<void> | void> = {
  new: () => {},
  initialized: mock => mock.initTransactions(),
  inTransaction: async mock => {
    await mock.initTransactions()
    await mock.beginTransaction()
  },
  committed: async mock => {
    await states.inTransaction!(mock)
    await mock.commitTransaction()
  },
  aborted: async mock => {
    await states.inTransaction!(mock)
    await mock.abortTransaction()
  },
  fenced: async mock => {
    await mock.initTransactions()
    mock.fenceProducer()
  },
  fencedInTransaction: async mock => {
    await states.inTransaction!(mock)
    mock.fenceProducer()
  },
  closed: mock => mock.close(),
  closedAfterFenced: async mock => {
    await states.fenced!(mock)
    await mock.close()
  },
}

const calls: Record<string, (mock: Mock) => unknown> = {
  initTransactions: mock => mock.initTransactions(),
  beginTransaction: mock => mock.beginTransaction(),
  sendOffsetsToTransaction: mock => mock.sendOffsetsToTransaction(offsets, group),
  'sendOffsetsToTransaction(empty)': mock => mock.sendOffsetsToTransaction([], group),
  'sendOffsetsToTransaction(null group)': mock => mock.sendOffsetsToTransaction(offsets, null as never),
  commitTransaction: mock => mock.commitTransaction(),
  abortTransaction: mock => mock.abortTransaction(),
  send: mock => mock.send(record()),
  flush: mock => mock.flush(),
  partitionsFor: mock => mock.partitionsFor('orders'),
  metrics: mock => mock.metrics(),
  clientInstanceId: mock => mock.clientInstanceId(),
  fenceProducer: mock => mock.fenceProducer(),
  completeNext: mock => mock.completeNext(),
  errorNext: mock => mock.errorNext(new Error('x')),
  history: mock => mock.history(),
  clear: mock => mock.clear(),
  close: mock => mock.close(),
  'close(negative)': mock => mock.close({ timeoutMs: -1 }),
}

/** Java's class of an error of ours. */
function javaName(error: unknown): string {
  if (error instanceof ClientError) {
    if (error.cause instanceof KafkaError) return `KafkaException caused by ${error.cause.exception}`
    return 'UnsupportedOperationException'
  }
  if (error instanceof KafkaError) return error.exception
  return (error as Error).name.replace(/Error$/, 'Exception')
}

async function outcome(call: () => unknown): Promise<string> {
  try {
    await call()
    return 'ok'
  } catch (error) {
    return javaName(error)
  }
}

/** What has no counterpart: JavaScript has no NullPointerException. */
const translated = (name: string) => (name === 'NullPointerException' ? 'IllegalArgumentException' : name)

const matrix = Object.entries(java.matrix as Record<string, Record<string, string>>).flatMap(([method, row]) =>
  Object.entries(row).map(([state, expected]) => [method, state, translated(expected)] as const),
)

test.each(matrix)('%s when %s: %s', async (method, state, expected) => {
  const mock = new MockProducer({ autoComplete: true })
  await states[state]!(mock)
  expect(await outcome(() => calls[method]!(mock))).toBe(expected)
})

test.each(java.methods.map(text => [text.slice(0, text.indexOf('('))] as const))('it has %s()', method => {
  expect(typeof new MockProducer()[method as keyof MockProducer]).toBe('function')
})

// --- exceptions by field ---------------------------------------------------------------------------------------------

const Arithmetic = () => Object.assign(new Error('injected'), { name: 'ArithmeticError' })
type Field = Exclude<Extract<keyof MockProducer, `${string}Exception`>, 'injectTimeoutException'>
const ofField: Record<Field, [state: string, method: string]> = {
  initTransactionException: ['new', 'initTransactions'],
  beginTransactionException: ['initialized', 'beginTransaction'],
  sendOffsetsToTransactionException: ['inTransaction', 'sendOffsetsToTransaction'],
  commitTransactionException: ['inTransaction', 'commitTransaction'],
  abortTransactionException: ['inTransaction', 'abortTransaction'],
  sendException: ['new', 'send'],
  flushException: ['new', 'flush'],
  partitionsForException: ['new', 'partitionsFor'],
  closeException: ['new', 'close'],
}

test.each(java.fields)('$field: $first, again $second, set back $afterNull; $order', async row => {
  const field = row.field as Field
  const [state, method] = ofField[field]
  const mock = new MockProducer({ autoComplete: true })
  await states[state]!(mock)
  mock[field] = Arithmetic()
  expect([await outcome(() => calls[method]!(mock)), await outcome(() => calls[method]!(mock))]).toEqual([
    row.first,
    row.second,
  ])
  mock[field] = null
  expect(await outcome(() => calls[method]!(mock))).toBe(row.afterNull)

  const other = new MockProducer({ autoComplete: true })
  if (row.order.startsWith('without')) {
    if (field === 'initTransactionException') await other.initTransactions()
    other[field] = Arithmetic()
    expect(await outcome(() => calls[method]!(other))).toBe(/: (\w+)/.exec(row.order)![1])
    return
  }
  if (field === 'flushException') {
    await states.inTransaction!(other)
    other.flushException = Arithmetic()
    const ends = [await outcome(() => other.commitTransaction()), await outcome(() => other.abortTransaction())]
    expect([...ends, other.transactionInFlight()]).toEqual(['ArithmeticException', 'ArithmeticException', true])
    other.flushException = null
  }
  if (field === 'sendException') {
    other.sendException = Arithmetic()
    await outcome(() => other.send(record()))
    expect(other.history()).toHaveLength(0)
    other.sendException = null
  }
  if (field !== 'closeException') await other.close()
  other[field] = Arithmetic()
  expect(await outcome(() => calls[method]!(other))).toBe(/when closed: (\w+)/.exec(row.order)![1])
  if (field === 'closeException') expect(other.closed()).toBe(false)
})

// --- behaviours ------------------------------------------------------------------------------------------------------

/** A promise's state now, and its result as the table writes it. */
async function seen(sent: Promise<RecordMetadata>): Promise<string> {
  const pending = Symbol('pending')
  const state = await Promise.race([sent.catch(error => error), Promise.resolve(pending).then(() => pending)])
  if (state === pending) return 'pending'
  return state instanceof Error ? `failed ${javaName(state)}` : `done ${text(state as RecordMetadata)}`
}

function text({ partition, offset, timestamp, serializedKeySize, serializedValueSize }: RecordMetadata): string {
  return `partition ${partition} offset ${offset} timestamp ${timestamp} sizes ${serializedKeySize}/${serializedValueSize}`
}

const told = (mock: Mock, sent: ProducerRecord = record()) => {
  const heard: string[] = []
  const result = mock.send(sent, (metadata, error) => {
    heard.push(`${text(metadata)} ${error === undefined ? 'null' : javaName(error)}`)
  })
  return { result, heard }
}

const infos = (...ids: number[]) =>
  ids.map(partition => ({
    topic: 'orders',
    partition,
    leader: undefined,
    replicas: [],
    inSyncReplicas: [],
    offlineReplicas: [],
  }))

async function inTransaction(options = { autoComplete: true }): Promise<Mock> {
  const mock = new MockProducer(options)
  await states.inTransaction!(mock)
  return mock
}

/** Sizes of everything, as the rows about transactions list them. */
const counts = (mock: Mock) =>
  [
    `history ${mock.history().length}`,
    `uncommitted ${mock.uncommittedRecords().length}/${mock.uncommittedOffsets().size}`,
    `offsetsHistory ${mock.consumerGroupOffsetsHistory().length}`,
  ].join(', ')

/** Row → what is seen here; the same text as in the table, unless the row stands in `otherwise`. */
const behaviours: Record<string, () => Promise<string> | string> = {
  'auto-send': async () => {
    const { result, heard } = told(new MockProducer({ autoComplete: true }))
    const before = `callback before send returns: [${heard.join()}]`
    return `${await seen(result)}; ${before}`
  },
  'auto-explicit': async () => {
    const mock = new MockProducer({ autoComplete: true })
    mock.send(record())
    return seen(mock.send({ ...record(), partition: 7, timestamp: 99 }))
  },
  'auto-other-topic': () => {
    const mock = new MockProducer({ autoComplete: true })
    mock.send(record())
    return seen(mock.send({ topic: 'audit', value: 'x' }))
  },
  'auto-null': () => {
    const mock = new MockProducer({ autoComplete: true })
    mock.send(record())
    mock.send(record())
    return seen(mock.send({ topic: 'orders', key: null, value: null }))
  },
  'auto-clear': async () => {
    const mock = new MockProducer({ autoComplete: true })
    for (let n = 0; n < 3; n++) mock.send(record())
    mock.clear()
    return `${await seen(mock.send(record()))}; history ${mock.history().length}`
  },
  'manual-pending': async () => {
    const mock = new MockProducer()
    const futures = [await seen(mock.send(record())), await seen(mock.send(record()))]
    return `futures ${futures.join(', ')}; history ${mock.history().length}; flushed() ${mock.flushed()}`
  },
  'manual-error': async () => {
    const mock = new MockProducer()
    const [first, second] = [told(mock), told(mock)]
    const answer = mock.errorNext(Object.assign(new Error('x'), { name: 'IllegalStateError' }))
    const callbacks = [...first.heard.map(each => `1:${each}`), ...second.heard.map(each => `2:${each}`)]
    const failed = `first future ${await seen(first.result)}; callbacks [${callbacks.join()}]`
    return `returns ${answer}; ${failed}; history still ${mock.history().length}`
  },
  'manual-complete': async () => {
    const mock = new MockProducer()
    const [, second] = [told(mock), told(mock)]
    mock.errorNext(new Error('x'))
    const answer = mock.completeNext()
    return `returns ${answer}; second future ${await seen(second!.result)}; callbacks [2:${second!.heard.join()}]`
  },
  'manual-none': () => {
    const mock = new MockProducer()
    return `${mock.completeNext()}/${mock.errorNext(new Error('x'))}`
  },
  'manual-offset-gap': async () => {
    const mock = new MockProducer()
    const [, second] = [mock.send(record()), mock.send(record())]
    mock.errorNext(new Error('x'))
    mock.completeNext()
    return `the failed send used up offset 0; the next had ${(await second).offset}`
  },
  'manual-flush': async () => {
    const mock = new MockProducer()
    for (let n = 0; n < 2; n++) mock.send(record())
    const sent = mock.send(record())
    await mock.flush()
    return `future ${await seen(sent)}; flushed() ${mock.flushed()}`
  },
  'manual-close': async () => {
    const mock = new MockProducer()
    for (let n = 0; n < 3; n++) mock.send(record())
    await mock.flush()
    const sent = mock.send(record())
    await mock.close()
    const pending = `future ${await seen(sent)}`
    return `${pending}; completeNext() after close: ${mock.completeNext()}, future then ${await seen(sent)}`
  },
  'manual-clear': async () => {
    const mock = new MockProducer()
    const sent = mock.send(record())
    mock.clear()
    return `future ${await seen(sent)}; completeNext() ${mock.completeNext()}; flushed() ${mock.flushed()}`
  },
  'callback-throws': async () => {
    const mock = new MockProducer({ autoComplete: true })
    const angry = () => {
      throw Arithmetic()
    }
    return `send throws ${await outcome(() => mock.send(record(), angry))}; history ${mock.history().length}`
  },
  'callback-throws-manual': async () => {
    const mock = new MockProducer()
    const sent = mock.send(record(), () => {
      throw Arithmetic()
    })
    return `${await outcome(() => mock.completeNext())}; future ${await seen(sent)}`
  },
  'callback-before-done': async () => {
    const mock = new MockProducer()
    const order: string[] = []
    const sent = mock.send(record(), () => order.push(`in callback isDone=${order.includes('done')}`))
    const after = sent.then(() => order.push('done'))
    mock.completeNext()
    await after
    return `[${order[0]}]`
  },
  'cluster-null-partitioner': () => {
    const mock = new MockProducer({ autoComplete: true, topics: { orders: infos(1, 0, 2) } })
    return seen(mock.send({ topic: 'orders', key: 'k', value: 'x' }))
  },
  'cluster-explicit': () =>
    seen(new MockProducer({ autoComplete: true, topics: { orders: 3 } }).send({ ...record(), partition: 2 })),
  'cluster-explicit-bad': () => {
    const mock = new MockProducer({ autoComplete: true, topics: { orders: 3 } })
    return outcome(() => mock.send({ ...record(), partition: 3 }))
  },
  'cluster-unknown-topic': () =>
    seen(new MockProducer({ autoComplete: true, topics: { audit: 3 } }).send({ ...record(), partition: 9 })),
  'cluster-partitionsFor': async () => {
    const mock = new MockProducer({ topics: { orders: 3 } })
    return `${(await mock.partitionsFor('orders')).length} / ${(await mock.partitionsFor('audit')).length}`
  },
  'cluster-round-robin': async () => {
    const mock = new MockProducer({
      autoComplete: true,
      topics: { orders: infos(1, 0, 2) },
      'partitioner.class': 'RoundRobinPartitioner',
    })
    let all = ''
    for (let n = 0; n < 4; n++) all += `${await seen(mock.send(record()))}; `
    return all
  },
  'cluster-null-serializers': () =>
    seen(new MockProducer({ autoComplete: true, topics: { orders: 1 } }).send(record())),
  'no-arg': () => seen(new MockProducer().send(record())),
  'no-arg-explicit': () => seen(new MockProducer().send({ ...record(), partition: 1 })),
  'wrong-type': async () => {
    const mock = new MockProducer({ autoComplete: true, 'key.serializer': 'string' })
    const thrown = await outcome(() => mock.send({ topic: 'orders', key: 5 as never, value: 'x' }))
    return `${thrown}; history ${mock.history().length}`
  },
  'txn-before-commit': async () => {
    const mock = await inTransaction()
    mock.send(record())
    await mock.sendOffsetsToTransaction([{ topic: 'in', partition: 0, offset: 5 }], group)
    await mock.sendOffsetsToTransaction([...offsets, { topic: 'in', partition: 1, offset: 1 }], group)
    const known = mock.uncommittedOffsets().get('g')!
    const pending = `uncommittedOffsets in-0=${known.get('in-0')!.offset} partitions=${known.size}`
    const sizes = `history ${mock.history().length}, uncommittedRecords ${mock.uncommittedRecords().length}`
    const committed = `offsetsHistory ${mock.consumerGroupOffsetsHistory().length}`
    return `${sizes}, ${pending}, ${committed}, sentOffsets ${mock.sentOffsets()}`
  },
  'txn-commit': async () => {
    const mock = await inTransaction()
    mock.send(record())
    await mock.sendOffsetsToTransaction(offsets, group)
    await mock.commitTransaction()
    const flags = `committed ${mock.transactionCommitted()}, inFlight ${mock.transactionInFlight()}`
    return `${counts(mock)}, ${flags}, commitCount ${mock.commitCount()}, sentOffsets ${mock.sentOffsets()}`
  },
  'txn-begin-resets': async () => {
    const mock = await inTransaction()
    await mock.sendOffsetsToTransaction(offsets, group)
    await mock.commitTransaction()
    await mock.beginTransaction()
    return `committed ${mock.transactionCommitted()}, sentOffsets ${mock.sentOffsets()}`
  },
  'txn-abort': async () => {
    const mock = await inTransaction()
    mock.send(record())
    await mock.sendOffsetsToTransaction(offsets, group)
    await mock.commitTransaction()
    await mock.beginTransaction()
    mock.send(record())
    await mock.sendOffsetsToTransaction(offsets, group)
    await mock.abortTransaction()
    const flags = `aborted ${mock.transactionAborted()}, committed ${mock.transactionCommitted()}`
    return `${counts(mock)}, ${flags}, commitCount ${mock.commitCount()}, sentOffsets ${mock.sentOffsets()}`
  },
  'txn-offset-after-abort': async () => {
    const mock = await inTransaction()
    mock.send(record())
    await mock.commitTransaction()
    await mock.beginTransaction()
    mock.send(record())
    await mock.abortTransaction()
    return seen(mock.send(record()))
  },
  'txn-send-outside': async () => {
    const mock = new MockProducer({ autoComplete: true })
    mock.send(record())
    await mock.initTransactions()
    mock.send(record())
    return `goes straight to history: ${mock.history().length}`
  },
  'txn-abort-completes': async () => {
    const mock = await inTransaction({ autoComplete: false })
    const sent = mock.send(record())
    await mock.abortTransaction()
    return `future ${await seen(sent)} (aborted records complete with success)`
  },
  'txn-commit-after-error': async () => {
    const mock = await inTransaction({ autoComplete: false })
    mock.send(record())
    mock.errorNext(new Error('x'))
    const commit = await outcome(() => mock.commitTransaction())
    return `commit ${commit}, history ${mock.history().length} (the failed record counts as committed)`
  },
  'txn-fence': async () => {
    const mock = await inTransaction({ autoComplete: false })
    const sent = mock.send(record())
    mock.fenceProducer()
    const state = `inFlight ${mock.transactionInFlight()}; uncommitted ${mock.uncommittedRecords().length}`
    return `future ${await seen(sent)}; ${state}`
  },
  'txn-fence-complete': async () => {
    const mock = await inTransaction({ autoComplete: false })
    for (let n = 0; n < 2; n++) mock.send(record())
    await mock.flush()
    const sent = mock.send(record())
    mock.fenceProducer()
    return `returns ${mock.completeNext()}; future ${await seen(sent)}`
  },
  'txn-close': async () => {
    const mock = await inTransaction()
    await mock.close()
    const flags = `inFlight ${mock.transactionInFlight()}, aborted ${mock.transactionAborted()}`
    return `${flags}, closed ${mock.closed()}`
  },
  'close-twice': async () => {
    const mock = new MockProducer()
    await mock.close()
    return outcome(() => mock.close())
  },
  'instance-unset': () => outcome(() => new MockProducer().clientInstanceId()),
  'instance-timeouts': async () => {
    const mock = new MockProducer()
    mock.setClientInstanceId('5Ae4cCt0R3WjTL0aAAAAAg')
    mock.injectTimeoutException(2)
    const id = () => outcome(() => mock.clientInstanceId())
    return `${await id()}, ${await id()}, ${await id()}`
  },
  'instance-timeouts-forever': async () => {
    const mock = new MockProducer()
    mock.setClientInstanceId('5Ae4cCt0R3WjTL0aAAAAAg')
    mock.injectTimeoutException(-1)
    const id = () => outcome(() => mock.clientInstanceId())
    return `${await id()}, ${await id()}`
  },
  'instance-disabled': () => {
    const mock = new MockProducer()
    mock.setClientInstanceId('5Ae4cCt0R3WjTL0aAAAAAg')
    mock.disableTelemetry()
    return outcome(() => mock.clientInstanceId())
  },
  'history-copy': () => {
    const mock = new MockProducer({ autoComplete: true })
    const before = mock.history()
    mock.send(record())
    return `${before.length} (a copy)`
  },
  'uncommittedOffsets-live': async () => {
    const mock = await inTransaction()
    const before = mock.uncommittedOffsets()
    await mock.sendOffsetsToTransaction(offsets, group)
    return `${before.size} (the live map)`
  },
  'uncommittedOffsets-mutable': async () => {
    const mock = await inTransaction()
    await mock.sendOffsetsToTransaction(offsets, group)
    const modified = await outcome(() => mock.uncommittedOffsets().clear())
    return `${modified}; sentOffsets ${mock.sentOffsets()}`
  },
  'commit-empty-offsets': async () => {
    const mock = await inTransaction()
    await mock.sendOffsetsToTransaction(offsets, group)
    mock.uncommittedOffsets().clear()
    await mock.commitTransaction()
    return `offsetsHistory ${mock.consumerGroupOffsetsHistory().length}`
  },
  'metrics-map': async () => {
    const mock = new MockProducer()
    const entries = Object.keys(mock.metrics()).length
    const modified = await outcome(() => {
      mock.metrics()['record-send-total'] = 1
    })
    return `${entries} entries, mutable: ${modified}`
  },
  'record-identity': () => {
    const mock = new MockProducer({ autoComplete: true })
    const headers: Record<string, string> = {}
    const sent = { ...record(), headers }
    mock.send(sent)
    headers.later = 'x'
    const writable = 'headers writable true (KafkaProducer makes them read-only)'
    return `same object ${mock.history()[0] === sent}, ${writable}`
  },
  'init-twice-after-flag': async () => {
    const mock = new MockProducer()
    await mock.initTransactions()
    const flags = [mock.transactionInitialized(), mock.transactionInFlight()]
    return [...flags, mock.transactionCommitted(), mock.transactionAborted()].join('/')
  },
  'clear-in-txn': async () => {
    const mock = await inTransaction()
    mock.send(record())
    mock.clear()
    return `uncommitted ${mock.uncommittedRecords().length}, inFlight ${mock.transactionInFlight()}`
  },
  'clear-keeps-count': async () => {
    const mock = await inTransaction()
    mock.clear()
    await mock.commitTransaction()
    return `commitCount ${mock.commitCount()}`
  },
  'clear-keeps-flags': async () => {
    const mock = await inTransaction()
    await mock.commitTransaction()
    mock.clear()
    const flags = `committed ${mock.transactionCommitted()}, initialized ${mock.transactionInitialized()}`
    return `commitCount ${mock.commitCount()}, ${flags}`
  },
}

/** Where we differ on purpose: without serializers Java's fails with a NullPointerException, and casts do not exist here. */
const otherwise: Record<string, string> = {
  'cluster-null-serializers': 'done partition 0 offset 0 timestamp -1 sizes 0/0',
  'no-arg': 'pending',
  'no-arg-explicit': 'pending',
  'wrong-type': 'SerializationException; history 0',
}

test.each(java.behaviours)('$id: $do', async row => {
  expect(await behaviours[row.id]!()).toBe(otherwise[row.id] ?? row.seen)
})

test('every row of the table is one of these tests', () => {
  expect(Object.keys(behaviours)).toEqual(java.behaviours.map(({ id }) => id))
  expect(Object.keys(calls)).toEqual(Object.keys(java.matrix))
  expect(Object.keys(ofField)).toEqual(java.fields.map(({ field }) => field))
})

// --- beyond the table ------------------------------------------------------------------------------------------------

interface Order {
  readonly id: number
}

/** A service as it would be written against our clients. */
class Orders {
  readonly #producer: Producer<string, Order>
  constructor(producer: Producer<string, Order>) {
    this.#producer = producer
  }
  async pay(id: number): Promise<number> {
    const { offset } = await this.#producer.send({ topic: 'orders', key: String(id), value: { id } })
    return offset
  }
}

test('a service takes a MockProducer where it takes a Producer', async () => {
  const mock = new MockProducer<string, Order>({ autoComplete: true, 'value.serializer': 'json' })
  expect(await new Orders(mock).pay(7)).toBe(0)
  expect(mock.history()).toEqual([{ topic: 'orders', key: '7', value: { id: 7 } }])
  await using cluster = await createCluster({ brokers: 1, topics: { orders: {} } })
  expect(await new Orders(cluster.producer<string, Order>({ 'value.serializer': 'json' })).pay(7)).toBe(0)
})

test('its types are those of the producer', () => {
  expectTypeOf<MockProducer<string, Order>>().toExtend<Producer<string, Order>>()
  expectTypeOf(new MockProducer().send).toEqualTypeOf<Producer['send']>()
  expectTypeOf(new MockProducer({ 'key.serializer': 'string', 'value.serializer': 'int32' })).toEqualTypeOf<
    MockProducer<string | null | undefined, number | null | undefined>
  >()
  expectTypeOf(new MockProducer<string, Order>().history()).toEqualTypeOf<ProducerRecord<string, Order>[]>()
  expectTypeOf(new MockProducer().consumerGroupOffsetsHistory()).toEqualTypeOf<GroupOffsets[]>()
  expect(new MockProducer()).not.toBeInstanceOf(Producer)
})

test('a failure that nobody looks at is no unhandled rejection, and one that is has the very error', async () => {
  const mock = new MockProducer()
  mock.send(record())
  const second = mock.send(record())
  const error = new KafkaError('NOT_ENOUGH_REPLICAS')
  expect([mock.errorNext(error), mock.errorNext(error)]).toEqual([true, true])
  await expect(second).rejects.toBe(error)
})

test('what cannot be sent is refused as by a Producer, and not recorded', async () => {
  const mock = new MockProducer({ autoComplete: true })
  await expect(mock.send({ ...record(), partition: -1 })).rejects.toThrow('Invalid partition: -1.')
  await expect(mock.send({ value: 'x' } as never)).rejects.toThrow('Topic cannot be null')
  const slow = new MockProducer({ autoComplete: true, 'value.serializer': async () => Buffer.of(1) })
  await expect(slow.send({ topic: 'orders', value: 'x' })).rejects.toThrow('serializes at once')
  expect([mock.history(), slow.history()]).toEqual([[], []])
})

test('misspelt options, and counts that are none, are refused', () => {
  expect(() => new MockProducer({ autocomplete: true } as never)).toThrow(
    "a MockProducer: unknown field 'autocomplete': did you mean 'autoComplete'?",
  )
  expect(() => new MockProducer({ topics: { orders: 0 } })).toThrow(
    'topics of a MockProducer have 1 or more partitions',
  )
})

test('metrics and their subscriptions are what was set', () => {
  const mock = new MockProducer()
  mock.setMockMetrics('record-send-total', 7)
  mock.registerMetricForSubscription('orders-total')
  mock.registerMetricForSubscription('audit-total')
  mock.unregisterMetricFromSubscription('orders-total')
  mock.unregisterMetricFromSubscription('never-there')
  expect([mock.metrics(), mock.addedMetrics()]).toEqual([{ 'record-send-total': 7 }, ['audit-total']])
})
