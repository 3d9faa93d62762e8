/** What a client says to a listener with SASL, frame by frame, and what comes back: on any Kafka. */
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { connect as openSocket, type Socket } from 'node:net'
import { apiOf } from '../../src/apis/registry.ts'
import { saslAuthenticate } from '../../src/apis/sasl-authenticate.ts'
import { saslHandshake } from '../../src/apis/sasl-handshake.ts'
import { framed } from '../../src/network/framing.ts'
import type { AnyApi, RequestInput } from '../../src/wire/api.ts'
import { errorOf } from '../../src/wire/errors.ts'
import { encodeRequest, readResponse } from '../../src/wire/header.ts'
import { Reader } from '../../src/wire/reader.ts'
import { sleep } from './raw-socket.ts'

export type Step =
  /** A request, by the key of its API. */
  | { readonly ask: number; readonly version: number; readonly body: object; readonly answeredIn?: number }
  | { readonly handshake: string; readonly version?: number }
  /** A token in SaslAuthenticate; a function gets the broker's last one. */
  | { readonly token: string | ((last: string) => string); readonly version?: number }
  /** A token as it is. */
  | { readonly raw: string | ((last: string) => string) }
  /** Anything. */
  | { readonly bytes: Buffer }
  | { readonly sleep: number }

const SILENCE_MS = 4_000

/** Says all of it, or until the other end has had enough; answers what came back, a line for each step. */
export async function converse(server: string, steps: readonly Step[]): Promise<string[]> {
  const line = new Line(server)
  const said: string[] = []
  let last = ''
  try {
    for (const step of steps) {
      if ('sleep' in step) {
        await sleep(step.sleep)
        continue
      }
      const { text, token } = await say(line, step, last)
      said.push(text)
      if (token !== undefined) last = token
      if (text === 'closed') break
    }
    if (said.at(-1) !== 'closed' && /ILLEGAL|FAILED|UNSUPPORTED_SASL/.test(said.at(-1) ?? '')) {
      said.push((await line.read(1_500)) === undefined ? 'closed' : 'more')
    }
    return said
  } finally {
    line.end()
  }
}

async function say(
  line: Line,
  step: Exclude<Step, { sleep: number }>,
  last: string,
): Promise<{ text: string; token?: string }> {
  if ('bytes' in step) {
    line.write(step.bytes)
    return { text: (await line.read()) === undefined ? 'closed' : 'answered' }
  }
  if ('raw' in step) {
    const token = Buffer.from(typeof step.raw === 'string' ? step.raw : step.raw(last), 'latin1')
    const size = Buffer.alloc(4)
    size.writeInt32BE(token.length)
    line.write(Buffer.concat([size, token]))
    const answer = await line.read()
    return answer === undefined
      ? { text: 'closed' }
      : {
          text: answer.toString().startsWith('r=') ? 'challenge' : `token '${answer.toString('latin1')}'`,
          token: answer.toString('latin1'),
        }
  }
  if ('handshake' in step) {
    const answer = await line.request(saslHandshake, step.version ?? 1, { mechanism: step.handshake })
    if (answer === undefined) return { text: 'closed' }
    const names = [...answer.mechanisms].sort().join(' ')
    return { text: `${saslHandshake.name} ${errorOf(answer.errorCode).name} [${names}]` }
  }
  if ('token' in step) {
    const text = typeof step.token === 'string' ? step.token : step.token(last)
    const authBytes = Buffer.from(text, 'latin1')
    const answer = await line.request(saslAuthenticate, step.version ?? 2, { authBytes })
    if (answer === undefined) return { text: 'closed' }
    const { errorCode, errorMessage, authBytes: token, sessionLifetimeMs } = answer
    const shown = Buffer.from(token).toString('latin1')
    const kind = shown.startsWith('r=') ? 'challenge' : shown.startsWith('v=') ? 'signature' : shown
    const lifetime = sessionLifetimeMs > 0 ? ' for a while' : ''
    return {
      text: `${saslAuthenticate.name} ${errorOf(errorCode).name} ${errorMessage ?? ''}|${kind}${lifetime}`,
      token: shown,
    }
  }
  const api = apiOf(step.ask)!
  const answer = await line.request(api, step.version, step.body as RequestInput<AnyApi>, step.answeredIn)
  return { text: answer === undefined ? 'closed' : `${api.name} ${errorsIn(answer).join(' ') || 'NONE'}` }
}

/** All codes, wherever they stand, each once. */
function errorsIn(answer: object): string[] {
  const found = new Set<string>()
  const look = (value: unknown) => {
    if (Array.isArray(value)) value.forEach(look)
    else if (typeof value === 'object' && value !== null) {
      for (const [name, inner] of Object.entries(value)) {
        if (/^(?:partitionE|e)rrorCode$/.test(name) && inner !== 0) found.add(errorOf(inner as number).name)
        else look(inner)
      }
    }
  }
  look(answer)
  return [...found]
}

/** A connection on which one thing is said at a time. */
class Line {
  readonly #socket: Socket
  #bytes = Buffer.alloc(0)
  #isClosed = false
  #wake: () => void = () => {}
  #correlation = 0

  constructor(server: string) {
    const [host, port] = server.split(':') as [string, string]
    this.#socket = openSocket({ host, port: Number(port), noDelay: true })
    this.#socket.on('data', chunk => {
      this.#bytes = Buffer.concat([this.#bytes, chunk])
      this.#wake()
    })
    this.#socket.on('error', () => {})
    this.#socket.on('close', () => {
      this.#isClosed = true
      this.#wake()
    })
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes)
  }

  /** The next frame; undefined: there is none, and will be none. */
  async read(timeoutMs = SILENCE_MS): Promise<Buffer | undefined> {
    for (const end = Date.now() + timeoutMs; ; ) {
      if (this.#bytes.length >= 4 && this.#bytes.length >= 4 + this.#bytes.readInt32BE(0)) {
        const frame = this.#bytes.subarray(4, 4 + this.#bytes.readInt32BE(0))
        this.#bytes = this.#bytes.subarray(4 + frame.length)
        return frame
      }
      if (this.#isClosed) return undefined
      const left = end - Date.now()
      if (left <= 0) throw new Error('silence')
      await new Promise<void>(done => {
        const timer = setTimeout(done, left)
        this.#wake = () => {
          clearTimeout(timer)
          done()
        }
      })
    }
  }

  async request<A extends AnyApi>(api: A, version: number, body: RequestInput<A>, answeredIn = version) {
    const id = ++this.#correlation
    const known = Math.min(version, api.versions.max)
    const frame = Buffer.concat(framed(encodeRequest(api, known, id, 'dialogue', body)))
    // A version that nobody knows is written over one that is known.
    frame.writeInt16BE(version, 6)
    this.write(frame)
    const answer = await this.read()
    return answer && readResponse(new Reader([answer]), api, Math.min(answeredIn, api.versions.max), id)
  }

  end(): void {
    this.#socket.destroy()
  }
}

interface ScramVariation {
  readonly header?: string
  readonly name?: string
  readonly extensions?: string
  readonly channel?: string
  readonly noncePrefix?: string
  readonly nonceSuffix?: string
  readonly proof?: string
}

/** An exchange of SCRAM-SHA-256, told from RFC 5802 alone, with something wrong in it, if so wished. */
export function scram(
  password: string,
  {
    header = 'n,,',
    name = 'alice',
    extensions = '',
    channel,
    noncePrefix = '',
    nonceSuffix = '',
    proof,
  }: ScramVariation = {},
): Step[] {
  const bare = `n=${name},r=clientnonce${extensions}`
  const final = (challenge: string) => {
    const fields = new Map(challenge.split(',').map(part => [part.slice(0, 1), part.slice(2)]))
    const salt = Buffer.from(fields.get('s') ?? '', 'base64')
    const hmac = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest()
    const salted = pbkdf2Sync(password, salt, Number(fields.get('i') ?? 1), 32, 'sha256')
    const clientKey = hmac(salted, 'Client Key')
    const binding = channel ?? Buffer.from(header).toString('base64')
    const withoutProof = `c=${binding},r=${noncePrefix}${fields.get('r')}${nonceSuffix}`
    const signature = hmac(createHash('sha256').update(clientKey).digest(), `${bare},${challenge},${withoutProof}`)
    const own = Buffer.from(clientKey.map((byte, index) => byte ^ signature[index]!)).toString('base64')
    return `${withoutProof},p=${proof ?? own}`
  }
  return [{ handshake: 'SCRAM-SHA-256' }, { token: header + bare }, { token: final }]
}

/** A token of OAUTHBEARER that nobody has signed. */
export function unsigned(claims: object, header: object = { alg: 'none' }, signature = ''): string {
  const part = (data: object) => Buffer.from(JSON.stringify(data)).toString('base64url')
  return `${part(header)}.${part(claims)}.${signature}`
}
