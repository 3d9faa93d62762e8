import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FrameSizeError, Framing, framed } from '../../src/network/framing.ts'
import { frameOf, joined } from '../../src/wire/frame.ts'

const MEGABYTE = 1024 * 1024

function all(framing: Framing): Uint8Array[] {
  const frames: Uint8Array[] = []
  for (let frame = framing.next(); frame !== undefined; frame = framing.next()) frames.push(joined(frame.slices))
  return frames
}

test('whatever a frame is sliced into, and wherever the stream is cut, the same frames come out (W-1)', () => {
  const slice = fc.uint8Array({ maxLength: 5_000 })
  const frame = fc
    .array(slice, { minLength: 1, maxLength: 6 })
    .filter(slices => slices.some(({ length }) => length > 0))
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 9_000 })), (frames, cuts) => {
      const stream = joined([new Uint8Array(0), ...frames.flatMap(slices => framed(frameOf(slices)))])
      const framing = new Framing(MEGABYTE)
      const seen: Uint8Array[] = []
      let at = 0
      for (const cut of [...cuts, stream.length]) {
        framing.push(stream.subarray(at, at + cut))
        at = Math.min(stream.length, at + cut)
        // Some are taken at once, some later, as a paused channel does.
        if (cut % 2 === 0) seen.push(...all(framing))
      }
      seen.push(...all(framing))
      expect(seen.map(bytes => [...bytes])).toEqual(frames.map(slices => [...joined(slices)]))
      expect(framing.pending).toBe(0)
    }),
    { numRuns: 200 },
  )
})

test('a frame within one chunk is a view of it, one that comes in several has memory of its own', () => {
  const [whole] = framed(frameOf([Buffer.alloc(1_000, 1)]))
  const framing = new Framing(MEGABYTE)
  framing.push(whole!)
  expect(framing.next()!.slices[0]!.buffer).toBe(whole!.buffer)
  framing.push(whole!.subarray(0, 500))
  expect(framing.next()).toBeUndefined()
  framing.push(whole!.subarray(500))
  const { slices, length } = framing.next()!
  expect([slices.length, length, slices[0]!.buffer.byteLength]).toEqual([1, 1_000, 1_000])
})

test('big slices are written as they are, small ones are joined behind the size', () => {
  const [big, bigger] = [new Uint8Array(100_000), new Uint8Array(200_000)]
  const small = Uint8Array.of(1, 2, 3)
  const pieces = framed(frameOf([small, small, big, bigger, small]))
  expect(pieces.map(({ length }) => length)).toEqual([10, 100_000, 200_000, 3])
  expect([pieces[1] === big, pieces[2] === bigger]).toEqual([true, true])
  expect(pieces[0]).toEqual(Buffer.from([0, 4, 0x93, 0xe9, 1, 2, 3, 1, 2, 3]))
  expect(framed(frameOf([small]))).toHaveLength(1)
})

test.each([
  [[0, 0, 0, 0], 'a frame of 0 bytes'],
  [[0xff, 0xff, 0xff, 0xff], 'a frame of -1 bytes'],
  [[0, 0x10, 0, 1], 'a frame of 1048577 bytes, more than socket.request.max.bytes, 1048576'],
])('the size %j is refused as soon as it is there (W-1)', (bytes, sentence) => {
  const framing = new Framing(MEGABYTE)
  framing.push(Uint8Array.from(bytes.slice(0, 3)))
  expect(framing.next()).toBeUndefined()
  framing.push(Uint8Array.from(bytes.slice(3)))
  expect(() => framing.next()).toThrow(new FrameSizeError(sentence))
})

test('a size alone sets aside no more than a megabyte, and a frame of many is whole', () => {
  const size = 50 * MEGABYTE
  const framing = new Framing(2 * size)
  const prefix = Buffer.alloc(5)
  prefix.writeInt32BE(size, 0)
  const before = process.memoryUsage().arrayBuffers
  framing.push(prefix)
  expect(framing.next()).toBeUndefined()
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(5 * MEGABYTE)
  const chunk = Buffer.alloc(65_536, 7)
  for (let sent = 1; sent < size; sent += chunk.length) {
    framing.push(chunk.subarray(0, size - sent))
    const frame = framing.next()
    if (frame === undefined) continue
    expect(frame.length).toBe(size)
    const expected = Buffer.alloc(size, 7)
    expected[0] = 0
    expect(Buffer.compare(joined(frame.slices), expected)).toBe(0)
    return
  }
  throw new Error('the frame never came')
})

test('bytes that are lent, and bytes read to their place, make the same frames, of memory that is theirs (W-1)', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 200_000 }), { minLength: 1, maxLength: 6 })
  const reads = fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1 })
  fc.assert(
    fc.property(sizes, reads, fc.boolean(), (lengths, cuts, isPaused) => {
      const bodies = lengths.map((length, at) => Buffer.alloc(length, at + 1))
      const stream = Buffer.concat(bodies.flatMap(body => framed(frameOf([body]))))
      const framing = new Framing(MEGABYTE)
      const chunk = Buffer.alloc(64 * 1024)
      const seen: Uint8Array[] = []
      // As a socket is read: to where the frame lacks bytes, else into the chunk that every read overwrites.
      for (let at = 0, read = 0; at < stream.length; read++) {
        const into = framing.room() ?? chunk
        const count = stream.copy(into, 0, at, Math.min(stream.length, at + cuts[read % cuts.length]!))
        at += count
        if (into === chunk) framing.lend(chunk.subarray(0, count))
        else framing.filled(count)
        if (!isPaused || read % 3 === 0) seen.push(...all(framing))
        framing.giveBack()
        chunk.fill(0xff)
      }
      seen.push(...all(framing))
      expect(seen.map(bytes => [bytes.length, bytes.every(byte => byte === bytes[0]), bytes[0]])).toEqual(
        bodies.map(body => [body.length, true, body[0]]),
      )
      expect(framing.pending).toBe(0)
    }),
    { numRuns: 150 },
  )
})
