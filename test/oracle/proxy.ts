import { connect, createServer, type Server, type Socket } from 'node:net'
import { Framing, framed } from '../../src/network/framing.ts'
import { frameOf } from '../../src/wire/frame.ts'

/** What a rule of the proxy is asked about. */
export interface ProxiedFrame {
  /** Who made the connection, and who accepted it: a response goes from `to` to `from`. */
  readonly from: number
  readonly to: number
  readonly kind: 'request' | 'response'
  readonly apiKey: number
}

/** Whether the frame is held, with everything behind it on the same connection. */
export type HoldRule = (frame: ProxiedFrame) => boolean

const API_VERSIONS = 18
const MAX_FRAME_BYTES = 100 * 1024 * 1024

/** The frames that are complete now, without their size. */
function framesOf(framing: Framing, chunk: Buffer): Buffer[] {
  framing.push(chunk)
  const frames: Buffer[] = []
  for (let frame = framing.next(); frame !== undefined; frame = framing.next()) {
    const { buffer, byteOffset, length } = frame.slices[0]!
    frames.push(Buffer.from(buffer, byteOffset, length))
  }
  return frames
}

function write(socket: Socket, bytes: Buffer): void {
  for (const piece of framed(frameOf([bytes]))) socket.write(piece)
}

/** Which node a connection comes from: all of Kafka's clients inside a cluster say it in their client id. */
function nodeOf(clientId: string): number | undefined {
  const found =
    /^broker-(\d+)-(?:fetcher-\d+|txn-marker-sender)$/.exec(clientId) ??
    /^raft-client-(\d+)$/.exec(clientId) ??
    /^(\d+)$/.exec(clientId)
  return found === null ? undefined : Number(found[1])
}

/**
 * What nodes of a real cluster say to each other passes here, frame by frame, so that a test can hold it back: a
 * follower's fetches, a leader's AlterPartition, everything between a broker and the controller.
 */
export class Proxies {
  readonly #rules = new Set<HoldRule>()
  readonly #servers: Server[] = []
  readonly #tunnels = new Set<Tunnel>()
  /** Client ids that name no node: none is expected. */
  readonly unknownClients = new Set<string>()

  /** Carries what comes to `proxyPort` to node `to` at `innerPort`. */
  async open(to: number, proxyPort: number, innerPort: number): Promise<void> {
    const server = createServer(socket => {
      const tunnel = new Tunnel(socket, to, innerPort, this)
      this.#tunnels.add(tunnel)
      socket.on('close', () => this.#tunnels.delete(tunnel))
    })
    this.#servers.push(server)
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(proxyPort, '127.0.0.1', resolve)
    })
  }

  isHeld(frame: ProxiedFrame): boolean {
    for (const rule of this.#rules) if (rule(frame)) return true
    return false
  }

  /** Answers how to lift it: what was held travels on, in its order. */
  install(rule: HoldRule): () => void {
    this.#rules.add(rule)
    return () => {
      if (!this.#rules.delete(rule)) return
      for (const tunnel of this.#tunnels) tunnel.pump()
    }
  }

  liftAll(): void {
    this.#rules.clear()
    for (const tunnel of this.#tunnels) tunnel.pump()
  }

  close(): void {
    for (const server of this.#servers) server.close()
    for (const tunnel of this.#tunnels) tunnel.destroy()
  }
}

interface Waiting {
  readonly bytes: Buffer
  readonly apiKey: number
}

/** One connection through the proxy. */
class Tunnel {
  readonly #near: Socket
  readonly #far: Socket
  readonly #to: number
  readonly #proxies: Proxies
  readonly #requests: Waiting[] = []
  readonly #responses: Waiting[] = []
  /** APIs of the requests that are out, in order: responses have no name of their own. */
  readonly #asked: number[] = []
  #from: number | undefined
  #nearEnded = false
  #farEnded = false

  constructor(near: Socket, to: number, innerPort: number, proxies: Proxies) {
    this.#near = near
    this.#to = to
    this.#proxies = proxies
    this.#far = connect({ host: '127.0.0.1', port: innerPort, noDelay: true })
    near.setNoDelay(true)
    const requests = new Framing(MAX_FRAME_BYTES)
    const responses = new Framing(MAX_FRAME_BYTES)
    near.on('data', chunk => {
      for (const bytes of framesOf(requests, chunk)) this.#request(bytes)
      this.pump()
    })
    this.#far.on('data', chunk => {
      for (const bytes of framesOf(responses, chunk)) {
        this.#responses.push({ bytes, apiKey: this.#asked.shift() ?? -1 })
      }
      this.pump()
    })
    // Errors are followed by a close, which is what the other side is told.
    near.on('error', () => {})
    this.#far.on('error', () => {})
    near.on('close', () => {
      this.#nearEnded = true
      this.pump()
    })
    this.#far.on('close', () => {
      this.#farEnded = true
      this.pump()
    })
  }

  #request(bytes: Buffer): void {
    const apiKey = bytes.readInt16BE(0)
    const length = bytes.readInt16BE(8)
    const clientId = length < 0 ? '' : bytes.toString('utf8', 10, 10 + length)
    const from = nodeOf(clientId)
    if (from === undefined) this.#proxies.unknownClients.add(clientId)
    this.#from ??= from
    this.#requests.push({ bytes, apiKey })
  }

  #isHeld(kind: 'request' | 'response', apiKey: number): boolean {
    return this.#from !== undefined && this.#proxies.isHeld({ from: this.#from, to: this.#to, kind, apiKey })
  }

  /** Sends on whatever no rule holds. */
  pump(): void {
    for (let next = this.#requests[0]; next !== undefined; next = this.#requests[0]) {
      if (this.#isHeld('request', next.apiKey)) break
      this.#requests.shift()
      this.#asked.push(next.apiKey)
      if (!this.#farEnded) write(this.#far, next.bytes)
    }
    for (let next = this.#responses[0]; next !== undefined; next = this.#responses[0]) {
      if (this.#isHeld('response', next.apiKey)) break
      this.#responses.shift()
      if (!this.#nearEnded) write(this.#near, next.bytes)
    }
    // The end of a connection travels behind what was sent before it, and is held as that is.
    if (this.#nearEnded && this.#requests.length === 0 && !this.#isHeld('request', API_VERSIONS)) this.#far.end()
    if (this.#farEnded && this.#responses.length === 0 && !this.#isHeld('response', API_VERSIONS)) this.#near.end()
  }

  destroy(): void {
    this.#near.destroy()
    this.#far.destroy()
  }
}
