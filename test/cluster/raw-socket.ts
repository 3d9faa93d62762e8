import { connect as openSocket, type Socket } from 'node:net'
import { apiVersions } from '../../src/apis/api-versions.ts'
import { framed } from '../../src/network/framing.ts'
import { encodeRequest } from '../../src/wire/header.ts'

const software = { clientSoftwareName: 'raw', clientSoftwareVersion: '1' }

/** An ApiVersions request, as it goes over the wire. */
export function hello(correlationId: number, clientId: string | null = 'raw'): Buffer {
  return Buffer.concat(framed(encodeRequest(apiVersions, 4, correlationId, clientId, software)))
}

/** A client of another process, as bytes. */
export class RawSocket {
  readonly socket: Socket
  closed: string | undefined
  #bytes = Buffer.alloc(0)

  constructor(address: string) {
    const [host, port] = address.split(':') as [string, string]
    this.socket = openSocket({ host, port: Number(port) })
    this.socket.on('data', chunk => {
      this.#bytes = Buffer.concat([this.#bytes, chunk])
    })
    this.socket.on('error', error => {
      this.closed = (error as NodeJS.ErrnoException).code ?? error.message
    })
    this.socket.on('close', () => {
      this.closed ??= 'ended'
    })
  }

  /** Correlation ids of the answers, in their order. */
  get answers(): number[] {
    const ids: number[] = []
    for (let at = 0; at + 8 <= this.#bytes.length; at += 4 + this.#bytes.readInt32BE(at))
      ids.push(this.#bytes.readInt32BE(at + 4))
    return ids
  }
}

/** Real time: what sockets do, no runtime of ours drives. */
export async function until(condition: () => boolean, timeoutMs = 4_000): Promise<void> {
  for (const end = Date.now() + timeoutMs; !condition(); ) {
    if (Date.now() > end) throw new Error(`not within ${timeoutMs} ms: ${condition}`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

export const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
