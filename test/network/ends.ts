import type { Channel, FrameLabel } from '../../src/network/channel.ts'
import { LinkNetwork } from '../../src/network/link.ts'
import type { InstalledRule, Rule } from '../../src/network/rules.ts'
import { START_TIME, VirtualRuntime } from '../../src/runtime/virtual.ts'
import { type Frame, frameOf, joined } from '../../src/wire/frame.ts'

export const label: FrameLabel = { kind: 'request', api: 'Produce' }

export function frame(text: string): Frame {
  return frameOf([new TextEncoder().encode(text)])
}

export function textOf({ slices }: Frame): string {
  return new TextDecoder().decode(joined(slices))
}

/** One end of a connection that writes down what it sees. */
export class End {
  readonly channel: Channel
  readonly seen: string[] = []
  readonly times: number[] = []

  constructor(channel: Channel, now: () => number) {
    this.channel = channel
    channel.receive({
      onFrame: arrived => {
        this.seen.push(textOf(arrived))
        this.times.push(now())
      },
      onClose: reason => {
        this.seen.push(`closed: ${reason}`)
        this.times.push(now())
      },
    })
  }

  send(...texts: string[]): void {
    for (const text of texts) this.channel.send(frame(text), label)
  }
}

/** A network with listeners `a` and `b`, on virtual time. */
export class Ground {
  readonly time: VirtualRuntime
  readonly network: LinkNetwork
  /** The accepting ends, in their order. */
  readonly accepted: End[] = []

  constructor(seed = 1) {
    this.time = new VirtualRuntime({ seed })
    this.network = new LinkNetwork(this.time)
    for (const name of ['a', 'b']) {
      this.network.listen(name, { host: name, port: 1 }, channel => this.accepted.push(new End(channel, this.passed)))
    }
  }

  readonly passed = (): number => this.time.now() - START_TIME

  rule(name: string, rule: Rule): InstalledRule {
    return this.network.rules.install(name, rule)
  }

  async pair(from = 'a', to = 'b'): Promise<[near: End, far: End]> {
    const channel = await this.time.drive('connect', () => this.network.connect(from, { host: to, port: 1 }))
    return [new End(channel, this.passed), this.accepted.at(-1)!]
  }

  pass(ms: number): Promise<void> {
    return this.time.drive('a while', () => this.time.sleep(ms, { housekeeping: false }), { patient: true })
  }
}
