import { apis } from '../../src/apis/registry.ts'
import type { Channel } from '../../src/network/channel.ts'
import { LinkNetwork } from '../../src/network/link.ts'
import { Interceptors } from '../../src/node/intercept.ts'
import { Life } from '../../src/node/life.ts'
import { LifeCarrier } from '../../src/node/life-carrier.ts'
import { Receiver } from '../../src/node/receive.ts'
import { START_TIME, VirtualRuntime } from '../../src/runtime/virtual.ts'
import type { AnyApi, RequestContext, RequestInput, RequestOf, ResponseInput } from '../../src/wire/api.ts'
import { errorCodes } from '../../src/wire/errors.ts'
import { frameOf, joined } from '../../src/wire/frame.ts'
import { encodeRequest } from '../../src/wire/header.ts'

type Answer = ResponseInput<AnyApi> | undefined

/** What a node does with a request that reached it. */
export type Handler = (api: AnyApi, body: RequestOf<AnyApi>, context: RequestContext) => Answer | Promise<Answer>

const plain: Handler = api => {
  if (api.name === 'ApiVersions') return { errorCode: 0, apiKeys: [] }
  if (api.name === 'Metadata') return { brokers: [], topics: [] }
  return {}
}

/** One node that takes every API a broker has, with handlers of the test; everything in front of them is the real thing. */
export class NodeUnderTest {
  readonly time: VirtualRuntime
  readonly network: LinkNetwork
  readonly interceptors = new Interceptors()
  readonly handled: { readonly api: string; readonly body: RequestOf<AnyApi>; readonly context: RequestContext }[] = []
  life: Life
  handler: Handler = plain

  constructor(options: { hopAlways?: boolean } = {}) {
    this.time = new VirtualRuntime({ seed: 1, ...options })
    this.network = new LinkNetwork(this.time)
    this.life = this.start()
  }

  start(): Life {
    const life = new Life(this.time)
    this.life = life
    const handle = (api: AnyApi) => (node: NodeUnderTest, body: RequestOf<AnyApi>, context: RequestContext) => {
      node.handled.push({ api: api.name, body, context })
      return node.handler(api, body, context)
    }
    const receiver = new Receiver<NodeUnderTest>({
      life,
      name: 'broker-1',
      nodeId: 1,
      node: this,
      side: 'broker',
      apis: new Map(
        apis.filter(api => api.broker !== undefined).map(api => [api.key, { ...api, broker: handle(api) } as AnyApi]),
      ),
      interceptors: this.interceptors,
      peerId: name => (name.startsWith('broker-') ? Number(name.slice(7)) : undefined),
      unknownApiVersions: {
        errorCode: errorCodes.UNSUPPORTED_VERSION,
        apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 4 }],
      },
    })
    const carrier = new LifeCarrier(life, this.network, 'broker-1')
    carrier.listen('broker-1', { host: 'broker-1', port: 1 }, channel => receiver.accept(channel))
    return life
  }

  async client(name = 'client'): Promise<RawClient> {
    const connecting = this.network.connect(name, { host: 'broker-1', port: 1 })
    return new RawClient(await this.time.drive('connect', () => connecting))
  }

  readonly passed = (): number => this.time.now() - START_TIME

  pass(ms: number): Promise<void> {
    return this.time.drive('a while', () => this.time.sleep(ms, { housekeeping: false }), { patient: true })
  }

  /** Why the node closed connections, as its trace says it. */
  get refusals(): unknown[] {
    return this.time.trace.events().flatMap(({ kind, fields }) => (kind === 'connection' ? [fields.reason] : []))
  }
}

/** A client that sends bytes and sees bytes. */
export class RawClient {
  readonly channel: Channel
  /** Frames that came back, as hexadecimal. */
  readonly answers: string[] = []
  closed: string | undefined

  constructor(channel: Channel) {
    this.channel = channel
    channel.receive({
      onFrame: ({ slices }) => this.answers.push(Buffer.from(joined(slices)).toString('hex')),
      onClose: reason => {
        this.closed = reason
      },
    })
  }

  send(hex: string): void {
    this.channel.send(frameOf([Buffer.from(hex, 'hex')]), { kind: 'request', api: 'raw' })
  }

  ask<A extends AnyApi>(api: A, correlationId: number, body: RequestInput<A>, version = api.versions.max): void {
    const frame = encodeRequest(api, version, correlationId, 'me', body)
    this.channel.send(frame, { kind: 'request', api: api.name })
  }

  /** Correlation ids of what came back. */
  get correlations(): number[] {
    return this.answers.map(hex => Number.parseInt(hex.slice(0, 8), 16))
  }
}
