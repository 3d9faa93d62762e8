import type { Address, Carrier, Channel, ChannelReceiver, CloseReason, FrameLabel } from '../network/channel.ts'
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
    // A connection that is made after the life's end belongs to nobody.
    connecting.then(
      channel => {
        if (this.#life.isOver) channel.close('nobody is left to use it')
      },
      () => {},
    )
    return this.#adopt(await this.#life.guard(connecting))
  }

  listen(name: string, at: Address, accept: (channel: Channel) => void): { close(): void } {
    const listener = this.#carrier.listen(name, at, channel => accept(this.#adopt(channel)))
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
    this.#open.add(adopted)
    return adopted
  }
}

class LifeChannel implements Channel {
  readonly #life: Life
  readonly #channel: Channel
  readonly #gone: () => void

  constructor(life: Life, channel: Channel, gone: () => void) {
    this.#life = life
    this.#channel = channel
    this.#gone = gone
  }

  get peer(): string {
    return this.#channel.peer
  }

  get isClosed(): boolean {
    return this.#channel.isClosed
  }

  send(frame: Frame, label: FrameLabel): void {
    this.#channel.send(frame, label)
  }

  close(reason: CloseReason): void {
    this.#gone()
    this.#channel.close(reason)
  }

  receive(receiver: ChannelReceiver): void {
    this.#channel.receive({
      onFrame: frame => this.#life.enter(() => receiver.onFrame(frame)),
      onClose: reason => {
        this.#gone()
        this.#life.enter(() => receiver.onClose(reason))
      },
    })
  }
}
