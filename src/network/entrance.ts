import type { Runtime } from '../runtime/runtime.ts'
import type { Frame } from '../wire/frame.ts'
import type { Principal } from '../wire/principal.ts'
import type { Address, Caller, Channel } from './channel.ts'
import { apiKeyOf, clientIdOf, EXTERNAL, externalName } from './external-name.ts'
import type { FrameLimit } from './framing.ts'
import type { LinkNetwork } from './link.ts'
import type { TcpChannel } from './tcp-channel.ts'

/** What may lie between a socket and its broker in each direction, beside the kernel's own buffers. */
const WINDOW_BYTES = 64 * 1024

export interface EntranceOptions {
  readonly runtime: Runtime
  readonly network: LinkNetwork
  /** Whose entrance it is, as errors and the trace name it. */
  readonly name: string
  /** Names of nodes: no client from outside may go by one. */
  readonly isNode: (name: string) => boolean
  /** Name of an API, for rules and the trace. */
  readonly apiName: (key: number) => string
  /** Of a frame, once its sender has said who it is. */
  readonly frameLimit: FrameLimit
}

/**
 * Where a socket becomes a connection of the in-process network, under a name of its own (`externalName`): what comes from
 * the socket travels there. So rules, delays and verbs are the same for all clients, and backpressure goes through in both
 * directions.
 */
export class Entrance {
  readonly #options: EntranceOptions

  constructor(options: EntranceOptions) {
    this.#options = options
  }

  /**
   * The first request says what it calls itself; until then the socket has no connection inside. `principal`: who it is, if its
   * certificate has said so.
   */
  admit(socket: TcpChannel, inside: Address, gone: () => void = () => {}, principal?: Principal): void {
    const { network, apiName, isNode } = this.#options
    let link: Channel | undefined
    let name = `${EXTERNAL}@${socket.peer}`
    const forward = (to: Channel, frame: Frame) => {
      to.send(frame, { kind: 'request', api: apiName(apiKeyOf(frame)) })
      if (to.isFull) socket.pause()
    }
    socket.receive({
      onFrame: frame => {
        if (link !== undefined) {
          forward(link, frame)
          return
        }
        socket.pause()
        // What is no request says nothing of its client: it may be a token that is none of the trace's business.
        const isRequest = !apiName(apiKeyOf(frame)).startsWith('API ')
        name = externalName(isRequest ? clientIdOf(frame) : null, socket.peer, isNode)
        network.connect(name, inside, WINDOW_BYTES, this.#caller(socket, principal)).then(
          connected => {
            link = connected
            if (socket.isClosed) {
              connected.close('the client has gone')
              return
            }
            this.#join(socket, connected, gone)
            forward(connected, frame)
            if (!connected.isFull) socket.resume()
          },
          () => socket.reset(),
        )
      },
      onClose: reason => {
        gone()
        this.#traceClose(name, reason)
        link?.close(reason)
      },
      onDrain: () => link?.resume(),
    })
  }

  #join(socket: TcpChannel, link: Channel, gone: () => void): void {
    link.receive({
      onFrame: frame => {
        socket.send(frame)
        if (socket.isFull) link.pause()
      },
      onClose: (reason, isReset = false) => {
        gone()
        if (isReset) socket.reset()
        else socket.close(reason)
      },
      onDrain: () => socket.resume(),
    })
  }

  #traceClose(peer: string, reason: string): void {
    const { runtime, name } = this.#options
    runtime.trace.add('connection', name, { what: 'closed', peer, reason })
  }

  /** An address of IPv4 in the clothes of IPv6 is written as what it is. */
  #caller(socket: TcpChannel, principal: Principal | undefined): Caller {
    const { peer } = socket
    const host = peer.slice(0, peer.lastIndexOf(':')).replaceAll(/[[\]]|^\[?::ffff:(?=\d+\.)/gi, '')
    return { host, principal, isOutside: true, authenticated: () => socket.allow(this.#options.frameLimit) }
  }
}
