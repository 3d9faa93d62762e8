import { expect, test } from 'vitest'
import { BufferPool } from '../../src/client/producer/buffer-pool.ts'
import { VirtualRuntime } from '../../src/runtime/virtual.ts'
import { BufferExhaustedError, IllegalArgumentError } from '../../src/wire/errors.ts'

function pool(total: number) {
  const runtime = new VirtualRuntime({ seed: 1 })
  const waits: [ms: number, inVain: boolean][] = []
  return { runtime, waits, pool: new BufferPool(runtime, total, (ms, inVain) => waits.push([ms, inVain])) }
}

test('waiters are served strictly in order: 10 bytes stay behind 60 although 20 are free (C-31)', async () => {
  const { runtime, pool: memory } = pool(100)
  expect(memory.take(80)).toBe(true)
  const served: number[] = []
  const waits = [60, 10].map(bytes => memory.wait(bytes, 1_000).then(() => served.push(bytes)))
  expect(memory.take(5)).toBe(false)
  await runtime.drive('a while', () => runtime.sleep(10))
  expect(served).toEqual([])
  memory.give(50)
  await Promise.all(waits)
  expect(served).toEqual([60, 10])
  expect(memory.available).toBe(0)
})

test('who waits in vain gets a BufferExhaustedError after max.block.ms, and the next in line its turn (C-24)', async () => {
  const { runtime, waits, pool: memory } = pool(100)
  memory.take(80)
  const large = memory.wait(60, 100)
  const small = memory.wait(20, 1_000)
  await expect(runtime.drive('the wait', () => large)).rejects.toThrow(
    new BufferExhaustedError(
      'Failed to allocate 60 bytes within the configured max blocking time 100 ms. ' +
        'Total memory: 100 bytes. Available memory: 20 bytes.',
    ),
  )
  await small
  expect(memory.available).toBe(0)
  expect(waits).toEqual([
    [100, true],
    [100, false],
  ])
})

test('max.block.ms of 0 does not wait at all (C-24)', async () => {
  const { pool: memory } = pool(10)
  expect(memory.take(10)).toBe(true)
  await expect(memory.wait(1, 0)).rejects.toThrow(BufferExhaustedError)
})

test('more than there will ever be is refused at once (C-31)', async () => {
  const { pool: memory } = pool(10)
  await expect(memory.wait(11, 1_000)).rejects.toThrow(
    new IllegalArgumentError(
      'Attempt to allocate 11 bytes, but there is a hard limit of 10 on memory allocations (buffer.memory).',
    ),
  )
})
