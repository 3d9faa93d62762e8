import {
  type Address,
  type Carrier,
  type Channel,
  type ChannelReceiver,
  ConnectionError,
} from '../../src/network/channel.ts'
import { Connection } from '../../src/network/connection.ts'
import type { Deferred, Runtime } from '../../src/runtime/runtime.ts'
import type { AnyApi, RequestInput, ResponseOf } from '../../src/wire/api.ts'
import { type Frame, frameOf, joined } from '../../src/wire/frame.ts'
import type { Line } from './world.ts'

const REQUEST_TIMEOUT_MS = 60_000

/** A test's connection to a broker, whichever world carries it. */
export class ConnectedLine implements Line {
  readonly #runtime: Runtime
  readonly #channel: Channel
  readonly #connection: Connection
  #ended = false
  #hungUp = false
  /** Somebody wants the next frame as it is. */
  #wanted: Deferred<Uint8Array> | undefined

  private constructor(runtime: Runtime, channel: Channel) {
    this.#runtime = runtime
    this.#channel = channel
    this.#connection = new Connection(this.#tapped(channel), {
      runtime,
      clientId: 'story',
      onClose: () => {
        this.#ended = true
      },
    })
  }

  static async open(runtime: Runtime, carrier: Carrier, address: Address): Promise<ConnectedLine> {
    const channel = await runtime.drive('connect', () => carrier.connect('story', address))
    return new ConnectedLine(runtime, channel)
  }

  request<A extends AnyApi>(
    api: A,
    version: number,
    body: RequestInput<A>,
    timeoutMs = REQUEST_TIMEOUT_MS,
  ): Promise<ResponseOf<A>> {
    return this.#runtime.drive(`${api.name} v${version}`, () => this.#connection.request(api, version, body, timeoutMs))
  }

  async sendOnly<A extends AnyApi>(api: A, version: number, body: RequestInput<A>): Promise<void> {
    this.#connection.sendOnly(api, version, body)
  }

  async sendBytes(bytes: Uint8Array): Promise<void> {
    this.#channel.send(frameOf([bytes]), { kind: 'request', api: 'Raw' })
  }

  receiveBytes(): Promise<Uint8Array> {
    const wanted = this.#runtime.deferred<Uint8Array>()
    this.#wanted = wanted
    return this.#runtime.drive('receiveBytes', () => wanted.promise)
  }

  /** The channel, with a way past the connection for a frame that is wanted as it is. */
  #tapped(channel: Channel): Channel {
    return {
      peer: channel.peer,
      get isClosed() {
        return channel.isClosed
      },
      get isFull() {
        return channel.isFull
      },
      pause: () => channel.pause(),
      resume: () => channel.resume(),
      send: (frame, label) => channel.send(frame, label),
      close: reason => channel.close(reason),
      receive: (receiver: ChannelReceiver) =>
        channel.receive({
          onFrame: (frame: Frame) => {
            const wanted = this.#wanted
            this.#wanted = undefined
            if (wanted === undefined) receiver.onFrame(frame)
            else wanted.resolve(joined(frame.slices))
          },
          onClose: reason => {
            this.#wanted?.reject(new ConnectionError(reason))
            receiver.onClose(reason)
          },
        }),
    }
  }

  async closes(withinMs: number): Promise<boolean> {
    await this.#runtime.drive('closes', async () => {
      const deadline = this.#runtime.now() + withinMs
      while (!this.#ended && this.#runtime.now() < deadline) await this.#runtime.sleep(10, { housekeeping: false })
    })
    return this.#ended && !this.#hungUp
  }

  close(): void {
    this.#hungUp = true
    this.#connection.close()
  }
}

/** Polls until the condition holds. @throws an Error that says what was waited for. */
export async function pollUntil(
  runtime: Runtime,
  what: string,
  condition: () => Promise<boolean> | boolean,
  timeoutMs: number,
  everyMs: number,
): Promise<void> {
  await runtime.drive(
    what,
    async () => {
      const deadline = runtime.now() + timeoutMs
      let last: unknown
      for (;;) {
        try {
          if (await condition()) return
        } catch (error) {
          // A broker that is on its way down or up: asked again.
          last = error
        }
        if (runtime.now() > deadline) {
          throw new Error(`waited ${timeoutMs} ms for: ${what}`, last === undefined ? {} : { cause: last })
        }
        await runtime.sleep(everyMs, { housekeeping: false })
      }
    },
    { patient: true },
  )
}
