import { expect, test } from 'vitest'
import { type Address, type Channel, ConnectionError } from '../../src/network/channel.ts'
import { frameOf, joined } from '../../src/wire/frame.ts'
import { label } from './ends.ts'

/** One carrier with somebody who listens, as the contract needs it. */
export interface CarrierGround {
  /** Where the listener is, and what it accepted. */
  readonly address: Address
  readonly accepted: Channel[]
  /** Nobody is there. */
  readonly nowhere: Address
  /** Nobody accepts any more. */
  stopListening(): void
  connect(to?: Address): Promise<Channel>
  until(condition: () => boolean): Promise<void>
  /** Whatever can happen by itself has happened. */
  settle(): Promise<void>
  close(): Promise<void>
}

/** An end that writes down what it sees; `stopAt` pauses it at the frame with that number. */
class Recorder {
  readonly channel: Channel
  readonly frames: Uint8Array[] = []
  readonly closed: string[] = []
  drains = 0
  stopAt = Number.POSITIVE_INFINITY

  constructor(channel: Channel) {
    this.channel = channel
    channel.receive({
      onFrame: ({ slices }) => {
        this.frames.push(joined(slices))
        if (this.frames.length >= this.stopAt) channel.pause()
      },
      onClose: reason => this.closed.push(reason),
      onDrain: () => {
        this.drains++
      },
    })
  }

  get texts(): string[] {
    return this.frames.map(bytes => new TextDecoder().decode(bytes))
  }

  send(...texts: string[]): void {
    for (const text of texts) this.channel.send(frameOf([new TextEncoder().encode(text)]), label)
  }
}

function patterned(length: number): Uint8Array {
  return Buffer.alloc(length, `${length} bytes, again and again; `)
}

/** What every carrier keeps to, whatever it is made of. */
export function carrierContract(name: string, mount: () => Promise<CarrierGround>): void {
  const story = (
    title: string,
    run: (ground: CarrierGround, ends: () => Promise<[Recorder, Recorder]>) => Promise<void>,
  ) =>
    test(`${name}: ${title}`, async () => {
      const ground = await mount()
      try {
        await run(ground, async () => {
          const near = new Recorder(await ground.connect())
          await ground.until(() => ground.accepted.length > 0)
          return [near, new Recorder(ground.accepted.at(-1)!)]
        })
      } finally {
        await ground.close()
      }
    })

  story(
    'frames arrive whole and in order, both ways, whatever their size and however they are sliced (W-1)',
    async (ground, ends) => {
      const [near, far] = await ends()
      const sizes = [1, 3, 100, 4_096, 65_536, 65_537, 200_000, 1, 3_000_000, 7]
      for (const size of sizes) {
        const bytes = patterned(size)
        const at = Math.floor(size / 3)
        near.channel.send(frameOf([bytes.subarray(0, at), bytes.subarray(at, at + 1), bytes.subarray(at + 1)]), label)
        far.channel.send(frameOf([bytes]), label)
      }
      await ground.until(() => near.frames.length === sizes.length && far.frames.length === sizes.length)
      for (const end of [near, far]) {
        expect(end.frames.map(frame => frame.length)).toEqual(sizes)
        expect(end.frames.every(frame => Buffer.compare(frame, patterned(frame.length)) === 0)).toBe(true)
      }
    },
  )

  story(
    'the end of a connection arrives behind what was sent before it, and after it nothing',
    async (ground, ends) => {
      const [near, far] = await ends()
      near.send('1', '2', 'x'.repeat(500_000), '4')
      near.channel.close('enough')
      near.send('too late')
      await ground.until(() => far.closed.length > 0)
      far.send('too late as well')
      await ground.settle()
      expect(far.texts.map(text => text.length)).toEqual([1, 1, 500_000, 1])
      expect([far.closed.length, near.closed.length, near.frames.length]).toEqual([1, 0, 0])
      expect([near.channel.isClosed, far.channel.isClosed]).toEqual([true, true])
    },
  )

  story(
    'where nobody listens, or not any more, a connection is refused with an error that says where',
    async ground => {
      const { host, port } = ground.nowhere
      const refused = ground.connect(ground.nowhere)
      await expect(refused).rejects.toThrow(ConnectionError)
      await expect(refused).rejects.toThrow(`${host}:${port}`)
      ground.stopListening()
      await expect(ground.connect()).rejects.toThrow(ConnectionError)
    },
  )

  story('what was accepted stays when the listener goes', async (ground, ends) => {
    const [near, far] = await ends()
    ground.stopListening()
    near.send('still here')
    await ground.until(() => far.frames.length > 0)
    expect(far.texts).toEqual(['still here'])
  })

  story('what is sent before the other end receives is kept for it', async ground => {
    const near = new Recorder(await ground.connect())
    near.send('1', '2')
    await ground.until(() => ground.accepted.length > 0)
    await ground.settle()
    const far = new Recorder(ground.accepted[0]!)
    await ground.until(() => far.frames.length === 2)
    expect(far.texts).toEqual(['1', '2'])
  })

  story('a connection that broke before anybody received says so to whoever receives then', async ground => {
    const near = await ground.connect()
    await ground.until(() => ground.accepted.length > 0)
    near.close('at once')
    await ground.settle()
    const far = new Recorder(ground.accepted[0]!)
    await ground.until(() => far.closed.length > 0)
    expect([far.frames, far.closed.length]).toEqual([[], 1])
  })

  story(
    'a paused end takes nothing, the frame at which it paused is the last, and resuming brings the rest in order (W-4)',
    async (ground, ends) => {
      const [near, far] = await ends()
      far.stopAt = 2
      near.send('1', '2', '3', '4', '5')
      await ground.until(() => far.frames.length === 2)
      await ground.settle()
      expect(far.texts).toEqual(['1', '2'])
      far.stopAt = 4
      far.channel.resume()
      await ground.until(() => far.frames.length === 4)
      await ground.settle()
      expect(far.texts).toEqual(['1', '2', '3', '4'])
      far.stopAt = Number.POSITIVE_INFINITY
      far.channel.resume()
      far.channel.resume()
      near.send('6')
      await ground.until(() => far.frames.length === 6)
      expect(far.texts).toEqual(['1', '2', '3', '4', '5', '6'])
    },
  )

  story(
    'frames that lie before the end of a connection are taken first, however long that takes',
    async (ground, ends) => {
      const [near, far] = await ends()
      far.stopAt = 1
      near.send('1', '2', '3')
      await ground.until(() => far.frames.length === 1)
      near.channel.close('gone')
      await ground.settle()
      expect([far.texts, far.closed]).toEqual([['1'], []])
      far.stopAt = Number.POSITIVE_INFINITY
      far.channel.resume()
      await ground.until(() => far.closed.length > 0)
      expect(far.texts).toEqual(['1', '2', '3'])
    },
  )

  story(
    'whoever sends to an end that takes nothing finds the way full, and is told once when it is free again',
    async (ground, ends) => {
      const [near, far] = await ends()
      far.channel.pause()
      const megabyte = frameOf([new Uint8Array(1024 * 1024)])
      let sent = 0
      while (!near.channel.isFull || sent < 3) {
        if (sent >= 64) throw new Error('64 MB were sent to nobody, and the way is not full')
        near.channel.send(megabyte, label)
        sent++
        await ground.settle()
      }
      expect(far.frames).toEqual([])
      const before = near.drains
      far.channel.resume()
      await ground.until(() => far.frames.length === sent && !near.channel.isFull)
      await ground.settle()
      expect(near.drains).toBe(before + 1)
    },
  )

  story('the other direction is not held up by an end that takes nothing', async (ground, ends) => {
    const [near, far] = await ends()
    far.channel.pause()
    near.send('unread')
    far.send('an answer')
    await ground.until(() => near.frames.length === 1)
    expect([near.texts, far.texts]).toEqual([['an answer'], []])
  })
}
