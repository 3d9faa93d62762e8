import { createServer } from 'node:net'
import { type Address, type Carrier, type Channel, ConnectionError } from '../../src/network/channel.ts'
import { LinkNetwork } from '../../src/network/link.ts'
import { PairedStream } from '../../src/network/stream-pair.ts'
import { TcpCarrier } from '../../src/network/tcp.ts'
import { TcpChannel } from '../../src/network/tcp-channel.ts'
import { RealRuntime } from '../../src/runtime/real.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import { VirtualRuntime } from '../../src/runtime/virtual.ts'
import { type CarrierGround, carrierContract } from './carrier-contract.ts'

function ground(
  runtime: Runtime,
  carrier: Carrier,
  places: { readonly address: Address; readonly nowhere: Address; readonly accepted: Channel[]; stopListening(): void },
): CarrierGround {
  return {
    ...places,
    connect: (to = places.address) => runtime.drive('connect', () => carrier.connect('near', to)),
    until: condition => runtime.drive('until', () => runtime.until(condition).promise),
    settle: () => runtime.drive('settle', () => runtime.sleep(20, { housekeeping: false })),
    close: async () => {
      if (carrier instanceof TcpCarrier) await carrier.close()
      await runtime.close(new Error('closed'))
    },
  }
}

async function links(runtime: Runtime): Promise<CarrierGround> {
  const network = new LinkNetwork(runtime)
  const address = { host: 'far', port: 1 }
  const accepted: Channel[] = []
  const listener = network.listen('far', address, channel => accepted.push(channel))
  const stopListening = () => listener.close()
  return ground(runtime, network, { address, nowhere: { host: 'nobody', port: 1 }, accepted, stopListening })
}

carrierContract('links on virtual time', () => links(new VirtualRuntime({ seed: 1 })))
carrierContract('links on real time', () => links(new RealRuntime({ seed: 1 })))

carrierContract('TCP', async () => {
  const runtime = new RealRuntime({ seed: 1 })
  const carrier = new TcpCarrier({ runtime })
  const accepted: Channel[] = []
  const listener = carrier.listen('far', { host: '127.0.0.1', port: 0 }, channel => accepted.push(channel))
  const address = await listener.opened
  const stopListening = () => listener.close()
  return ground(runtime, carrier, { address, nowhere: await freePort(), accepted, stopListening })
})

carrierContract('a pair of streams instead of sockets', async () => {
  const runtime = new RealRuntime({ seed: 1 })
  const accepted: Channel[] = []
  const address = { host: 'far', port: 1 }
  let isListening = true
  const channel = (socket: PairedStream, peer: string) =>
    new TcpChannel({ runtime, socket, peer, frameLimit: 100_000_000, gone: () => {} })
  const carrier: Carrier = {
    connect: async (from, to) => {
      if (!isListening || to.host !== 'far') throw new ConnectionError(`nobody at ${to.host}:${to.port}`)
      const [near, far] = PairedStream.pair()
      accepted.push(channel(far, from))
      return channel(near, 'far')
    },
    listen: () => ({ close() {} }),
  }
  const stopListening = () => {
    isListening = false
  }
  return ground(runtime, carrier, { address, nowhere: { host: 'nobody', port: 1 }, accepted, stopListening })
})

/** A port that nobody listens at. */
async function freePort(): Promise<Address> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  return { host: '127.0.0.1', port }
}
