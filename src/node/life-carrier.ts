import type { Address, Caller, Carrier, Channel, ChannelReceiver, CloseReason, FrameLabel } from '../network/channel.ts'
import type { Frame } from '../wire/frame.ts'
import type { Life } from './life.ts'

/**
 * The network as one life of a node knows it: what arrives waits while the node is paused, and when the life ends all of
 * its connections and listeners end with it.
 */
export class LifeCarrier implements Carrier {
  readonly #life: Life
  readonly #carrier: Carrier
  readonly #open = new Set<{ close(reason: string): void }>()

  constructor(life: Life, carrier: Carrier, name: string) {
    this.#life = life
    this.#carrier = carrier
    life.onEnd(() => {
      for (const each of [...this.#open]) each.close(`${name} is gone`)
      this.#open.clear()
    })
  }

  async connect(from: string, to: Address): Promise<Channel> {
    const connecting = this.#carrier.connect(from, to)
    // Made while the node is paused it is the node's; made after its end it is nobody's.
    const adopted = connecting.then(channel => this.#adopt(channel))
    return this.#life.guard(adopted)
  }

  /** While the node is paused, connections are made, but nobody takes them up. */
  listen(name: string, at: Address, accept: (channel: Channel) => void): { close(): void } {
    const listener = this.#carrier.listen(name, at, channel => {
      const adopted = this.#adopt(channel)
      this.#life.enter(() => accept(adopted))
    })
    this.#open.add(listener)
    return {
      close: () => {
        this.#open.delete(listener)
        listener.close()
      },
    }
  }

  #adopt(channel: Channel): Channel {
    const adopted = new LifeChannel(this.#life, channel, () => this.#open.delete(adopted))
    if (this.#life.isOver) adopted.close('nobody is left to use it')
    else this.#open.add(adopted)
    return adopted
  }
}

class LifeChannel implements Channel {
  readonly #life: Life
  readonly #channel: Channel
  readonly #gone: () => void
  /** As the node knows: while it is paused it learns nothing. */
  #closed = false
  /** By the node. */
  #paused = false
  /** The node is paused: one frame is withheld by its life, and those behind it stay on the way. */
  #withheld = false

  constructor(life: Life, channel: Channel, gone: () => void) {
    this.#life = life
    this.#channel = channel
    this.#gone = gone
  }

  get peer(): string {
    return this.#channel.peer
  }

  get caller(): Caller | undefined {
    return this.#channel.caller
  }

  get isClosed(): boolean {
    return this.#closed
  }

  send(frame: Frame, label: FrameLabel): void {
    if (!this.#closed) this.#channel.send(frame, label)
  }

  close(reason: CloseReason): void {
    if (this.#closed) return
    this.#closed = true
    this.#gone()
    this.#channel.close(reason)
  }

  get isFull(): boolean {
    return this.#channel.isFull
  }

  pause(): void {
    this.#paused = true
    this.#channel.pause()
  }

  resume(): unknown {
    this.#paused = false
    return this.#withheld ? undefined : this.#channel.resume()
  }

  receive(receiver: ChannelReceiver): void {
    const { onDrain } = receiver
    this.#channel.receive({
      onFrame: frame => {
        if (this.#life.isOver) return undefined
        if (!this.#life.isWithholding) return this.#take(receiver, frame)
        this.#withheld = true
        this.#channel.pause()
        return this.#life.enter(() => this.#takeWithheld(receiver, frame))
      },
      onClose: (reason, isReset) => {
        this.#life.enter(() => {
          if (this.#closed) return
          this.#closed = true
          this.#gone()
          receiver.onClose(reason, isReset)
        })
      },
      ...(onDrain === undefined
        ? {}
        : { onDrain: () => this.#life.enter(() => (this.#closed ? undefined : receiver.onDrain!())) }),
    })
  }

  #take(receiver: ChannelReceiver, frame: Frame): unknown {
    return this.#closed ? undefined : receiver.onFrame(frame)
  }

  #takeWithheld(receiver: ChannelReceiver, frame: Frame): unknown {
    this.#withheld = false
    const taken = this.#take(receiver, frame)
    const next = this.#paused || this.#closed ? undefined : this.#channel.resume()
    return taken === undefined || next === undefined ? (taken ?? next) : Promise.all([taken, next])
  }
}
