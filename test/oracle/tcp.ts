import { connect, type Socket } from 'node:net'
import type { ChannelReceiver, CloseReason } from '../../src/network/channel.ts'
import { type Address, addressText, type Carrier, type Channel, ConnectionError } from '../../src/network/channel.ts'
import { type Frame, frameOf } from '../../src/wire/frame.ts'

/** Cuts a stream of bytes into frames: an int32 length, and so many bytes (W-1). */
export class Framing {
  #bytes: Buffer = Buffer.alloc(0)

  /** The frames that are complete now, without their length. */
  push(chunk: Buffer): Buffer[] {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk])
    const frames: Buffer[] = []
    while (this.#bytes.length >= 4) {
      const length = this.#bytes.readInt32BE(0)
      if (this.#bytes.length < 4 + length) break
      frames.push(this.#bytes.subarray(4, 4 + length))
      this.#bytes = this.#bytes.subarray(4 + length)
    }
    return frames
  }
}

export function writeFrame(socket: Socket, slices: readonly Uint8Array[], length: number): void {
  const head = Buffer.alloc(4)
  head.writeInt32BE(length, 0)
  socket.write(Buffer.concat([head, ...slices]))
}

/** Connections of a test to a real broker, over TCP. It only connects. */
export const tcpCarrier: Carrier = {
  connect(from: string, to: Address): Promise<Channel> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: to.host, port: to.port, noDelay: true })
      socket.once('error', error => reject(new ConnectionError(`${from} → ${addressText(to)}: ${error.message}`)))
      socket.once('connect', () => {
        socket.removeAllListeners('error')
        resolve(new TcpChannel(socket, addressText(to)))
      })
    })
  },
  listen() {
    throw new ConnectionError('this carrier only connects')
  },
}

class TcpChannel implements Channel {
  readonly peer: string
  readonly #socket: Socket
  readonly #framing = new Framing()
  #receiver: ChannelReceiver | undefined
  #closed = false

  constructor(socket: Socket, peer: string) {
    this.peer = peer
    this.#socket = socket
    socket.on('data', chunk => {
      for (const bytes of this.#framing.push(chunk)) {
        if (!this.#closed) this.#receiver?.onFrame(frameOf([bytes]))
      }
    })
    socket.on('error', error => this.#end(error.message))
    socket.on('close', () => this.#end('closed by the peer'))
  }

  get isClosed(): boolean {
    return this.#closed
  }

  send(frame: Frame): void {
    if (!this.#closed) writeFrame(this.#socket, frame.slices, frame.length)
  }

  close(reason: CloseReason): void {
    this.#socket.destroy()
    this.#end(reason)
  }

  receive(receiver: ChannelReceiver): void {
    this.#receiver = receiver
  }

  #end(reason: CloseReason): void {
    if (this.#closed) return
    this.#closed = true
    this.#socket.destroy()
    this.#receiver?.onClose(reason)
  }
}
