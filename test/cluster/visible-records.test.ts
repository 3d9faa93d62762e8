import { expect, test } from 'vitest'
import { visibleRecords } from '../../src/cluster/visible-records.ts'
import type { ReplicaLog } from '../../src/log/replica-log.ts'
import { controlBatch } from '../../src/wire/control-record.ts'
import { append, batch, NOW, openLog } from '../log/logs.ts'

function transactional(log: ReplicaLog, producerId: number, baseSequence: number, values: readonly string[]): void {
  append(log, batch(values, { producerId, producerEpoch: 0, baseSequence, transactional: true }), {
    origin: 'coordinator',
  })
}

function end(log: ReplicaLog, producerId: number, type: 'COMMIT' | 'ABORT'): void {
  append(log, controlBatch({ type, producerId, producerEpoch: 0, coordinatorEpoch: 0, timestamp: NOW }), {
    origin: 'coordinator',
  })
}

async function seen(log: ReplicaLog, isolation: 'read_committed' | 'read_uncommitted'): Promise<string[]> {
  const records = await visibleRecords(log, isolation)
  return records.map(({ record, control }) => control ?? String(record.value && Buffer.from(record.value)))
}

test('aborted records are hidden from readers of committed ones, also between those of others (F-9)', async () => {
  const log = openLog({}, { verifyTransactions: false })
  transactional(log, 1, 0, ['a1'])
  append(log, batch(['plain']))
  transactional(log, 2, 0, ['b1'])
  end(log, 1, 'ABORT')
  transactional(log, 1, 1, ['a2'])
  end(log, 2, 'COMMIT')
  end(log, 1, 'COMMIT')
  log.advanceHighWatermark(log.endOffset)

  expect(await seen(log, 'read_committed')).toEqual(['plain', 'b1', 'ABORT', 'a2', 'COMMIT', 'COMMIT'])
  expect(await seen(log, 'read_uncommitted')).toEqual(['a1', 'plain', 'b1', 'ABORT', 'a2', 'COMMIT', 'COMMIT'])
})

test('what comes after an open transaction is not committed yet (F-8)', async () => {
  const log = openLog({}, { verifyTransactions: false })
  append(log, batch(['before']))
  transactional(log, 1, 0, ['open'])
  append(log, batch(['after']))
  log.advanceHighWatermark(log.endOffset)

  expect(await seen(log, 'read_committed')).toEqual(['before'])
  expect(await seen(log, 'read_uncommitted')).toEqual(['before', 'open', 'after'])
})

test('records below the log start are not shown, though their batch is still there', async () => {
  const log = openLog()
  append(log, batch(['a', 'b', 'c']))
  log.advanceHighWatermark(3)
  log.deleteRecordsBefore(2)

  expect(await seen(log, 'read_committed')).toEqual(['c'])
})
