import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test, vi } from 'vitest'
import { frameMemory } from '../../src/network/frame-memory.ts'

const MEGABYTE = 1024 * 1024
const isShared = (bytes: Uint8Array) => bytes.buffer instanceof SharedArrayBuffer

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

test('a small frame lies in memory of its own, a large one in memory that V8 does not count', () => {
  expect(isShared(frameMemory(1000))).toBe(false)
  expect(isShared(frameMemory(MEGABYTE))).toBe(true)
})

test('no more than 128 MB go uncounted before garbage is collected, and as much again behind that', async () => {
  const held: Buffer[] = []
  while (held.length < 200) held.push(frameMemory(MEGABYTE))
  expect(held.filter(isShared).length).toBeGreaterThan(100)
  expect(held.filter(isShared).length).toBeLessThanOrEqual(129)
  expect(isShared(frameMemory(MEGABYTE))).toBe(false)

  await vi.waitFor(() => {
    collectGarbage()
    expect(isShared(frameMemory(MEGABYTE))).toBe(true)
  })
})
