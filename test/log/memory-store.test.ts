import { describe, expect, test } from 'vitest'
import { MemoryStores } from '../../src/log/memory-store.ts'
import { batchOf } from '../../src/wire/batch-builder.ts'
import { storeContract } from './store-contract.ts'

storeContract('a store in memory', () => new MemoryStores(), { runs: 300 })

describe('a store in memory', () => {
  const replica = { broker: 1, topic: 'orders', topicId: 'AAAAAAAAAAAAAAAAAAAAAA', partition: 0 }

  test('answers at once, without a promise, and keeps batches by reference', () => {
    const store = new MemoryStores().store(replica)
    expect(store.open()).toEqual({ startOffset: 0, endOffset: 0 })
    const batch = batchOf([{ value: 'v' }])
    expect(store.append(0, batch)).toBeUndefined()
    expect(store.read(0, 1)[0]).toBe(batch)
  })

  test('a store that lost its power without a flush is empty', () => {
    const stores = new MemoryStores()
    const store = stores.store(replica)
    store.append(0, batchOf([{ value: 'v' }]))
    stores.powerOff(2)
    expect(store.open().endOffset).toBe(1)
    stores.powerOff(1)
    expect(store.open().endOffset).toBe(0)
  })
})
