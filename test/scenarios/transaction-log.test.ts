import { expect } from 'vitest'
import { fetch } from '../../src/apis/fetch.ts'
import { transactionStates } from '../../src/coordinators/transactions/transaction.ts'
import { transactionCodec } from '../../src/coordinators/transactions/transaction-records.ts'
import { recordsOf } from '../../src/wire/record.ts'
import { story } from './story.ts'
import { Topic } from './topic.ts'
import { TransactionalId } from './transaction.ts'

/** What `__transaction_state` holds of an id, as our codec reads it: what is written, and not what follows from the clock. */
async function logged({ world, name, coordinator, partition }: TransactionalId) {
  const found: string[] = []
  for (let fetchOffset = 0; ; ) {
    const response = await world.request(coordinator, fetch, 12, {
      replicaId: -1,
      maxWaitMs: 0,
      minBytes: 1,
      maxBytes: 1 << 20,
      isolationLevel: 0,
      topics: [{ topic: '__transaction_state', partitions: [{ partition, fetchOffset, partitionMaxBytes: 1 << 20 }] }],
      forgottenTopicsData: [],
    })
    const batches = response.responses[0]!.partitions[0]!.records?.batches() ?? []
    if (batches.length === 0) return found
    for (const batch of batches) {
      expect([batch.isTransactional, batch.hasProducer]).toEqual([false, false])
      for (const record of recordsOf(batch)) {
        const decoded = transactionCodec.decode(record)
        if (decoded?.key.transactionalId !== name) continue
        found.push(decoded.value === null ? 'tombstone' : shown(record.value!, decoded.value))
      }
    }
    fetchOffset = batches.at(-1)!.nextOffset
  }
}

type Value = NonNullable<NonNullable<ReturnType<typeof transactionCodec.decode>>['value']>

/** `v1 Ongoing epoch 0, t-0, client 2, begun`; and of producer ids only what is not the present one. */
function shown(bytes: Uint8Array, value: Value): string {
  const partitions = value.transactionPartitions
    ?.flatMap(({ topic, partitionIds }) => partitionIds.map(id => `${topic}-${id}`))
    .sort()
  const said = [
    `v${bytes[1]} ${transactionStates[value.transactionStatus]} epoch ${value.producerEpoch}`,
    partitions === undefined ? 'null' : `[${partitions.join(' ')}]`,
    `client ${value.clientTransactionVersion}`,
    value.transactionStartTimestampMs < 0 ? 'never begun' : 'begun',
  ]
  if (value.previousProducerId !== value.producerId) said.push(`before: ${value.previousProducerId}`)
  if (value.nextProducerId !== -1) said.push(`next: ${value.nextProducerId}`)
  expect(value.transactionLastUpdateTimestampMs).toBeGreaterThanOrEqual(value.transactionStartTimestampMs)
  expect([value.transactionTimeoutMs, value.nextProducerEpoch]).toEqual([60_000, -1])
  return said.join(', ')
}

story(
  'what becomes of a transactional id is written to __transaction_state in this order, and no more (T-6)',
  async world => {
    const id = await TransactionalId.open(world)
    const topic = await Topic.create(world, [[1], [2]])
    const at = (...partitions: number[]) => `[${partitions.map(partition => `${topic.name}-${partition}`).join(' ')}]`
    let producer = await id.become()
    await id.write(producer, topic, ['a'])
    await id.write(producer, topic, ['b'], { sequence: 1 })
    await id.write(producer, topic, ['c'], { partition: 1 })
    producer = await id.ended(producer, 'commit')
    await id.write(producer, topic, ['d'])
    producer = await id.ended(producer, 'abort')
    const version2 = [
      'v1 Empty epoch 0, null, client 0, never begun',
      `v1 Ongoing epoch 0, ${at(0)}, client 2, begun`,
      `v1 Ongoing epoch 0, ${at(0, 1)}, client 2, begun`,
      `v1 PrepareCommit epoch 1, ${at(0, 1)}, client 2, begun`,
      'v1 CompleteCommit epoch 1, [], client 2, begun',
      `v1 Ongoing epoch 1, ${at(0)}, client 2, begun`,
      `v1 PrepareAbort epoch 2, ${at(0)}, client 2, begun`,
      'v1 CompleteAbort epoch 2, [], client 2, begun',
    ]
    expect(await logged(id)).toEqual(version2)

    producer = await id.become()
    await id.add(producer, topic, [0, 1])
    await id.add(producer, topic, [1])
    await id.write(producer, topic, ['e'], { version: 11 })
    await id.ended(producer, 'commit', 4)
    expect((await id.end(producer, 'commit', 4)).error).toBe('NONE')
    await id.add(producer, topic)
    await id.become()
    expect((await logged(id)).slice(version2.length)).toEqual([
      'v1 Empty epoch 3, null, client 2, never begun',
      `v1 Ongoing epoch 3, ${at(0, 1)}, client 0, begun`,
      `v1 PrepareCommit epoch 3, ${at(0, 1)}, client 0, begun`,
      'v1 CompleteCommit epoch 3, [], client 0, begun',
      `v1 Ongoing epoch 3, ${at(0)}, client 0, begun`,
      `v1 PrepareAbort epoch 4, ${at(0)}, client 2, begun`,
      'v1 CompleteAbort epoch 4, [], client 2, begun',
      'v1 Empty epoch 5, null, client 2, never begun',
    ])
  },
)
