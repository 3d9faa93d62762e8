import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { Framing, framed } from '../../src/network/framing.ts'
import { Intake, readThrough } from '../../src/network/intake.ts'
import { frameOf } from '../../src/wire/frame.ts'

const MEGABYTE = 1024 * 1024
const ends: (() => void)[] = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
})

interface Pair {
  readonly listener: Server
  readonly client: Socket
  readonly server: Socket
  readonly intake: Intake
}

async function pair(): Promise<Pair> {
  const intake = new Intake(new Framing(8 * MEGABYTE))
  const listener = createServer({ pauseOnConnect: true, allowHalfOpen: true })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const client = connect((listener.address() as AddressInfo).port, '127.0.0.1')
  const [accepted] = (await once(listener, 'connection')) as [Socket]
  const server = readThrough(intake, accepted)
  ends.push(
    () => client.destroy(),
    () => server.destroy(),
    () => listener.close(),
  )
  return { listener, client, server, intake }
}

/** Writes a frame; resolves with the answer that the other end writes when it has it. */
async function exchanged({ client, server, intake }: Pair, body: Buffer): Promise<Uint8Array> {
  let frame: Uint8Array | undefined
  intake.into(() => {
    frame = intake.framing.next()?.slices[0] ?? frame
    if (frame !== undefined) server.write('seen')
    return true
  })
  server.resume()
  for (const piece of framed(frameOf([body]))) client.write(piece)
  await once(client, 'data')
  return frame!
}

test('an accepted socket is read through the intake: no chunk of it is ever seen, and big frames lie in memory of their own', async () => {
  const two = await pair()
  let chunks = 0
  two.server.on('data', () => chunks++)
  for (const size of [10, 3 * MEGABYTE, 100_000]) {
    const body = Buffer.alloc(size, size % 251)
    const frame = await exchanged(two, body)
    expect(body.equals(frame)).toBe(true)
  }
  expect(chunks).toBe(0)
  expect(two.server.remotePort).toBe((two.client.address() as AddressInfo).port)
})

test('the end of the other end is seen, and the server is closed when its sockets are', async () => {
  const two = await pair()
  await exchanged(two, Buffer.from('hello'))
  two.client.end()
  await once(two.server, 'end')
  two.server.destroy()
  two.listener.close()
  await once(two.listener, 'close')
  expect(two.listener.listening).toBe(false)
})

test('what is discarded is read all the same, so that the end behind it is seen', async () => {
  const { client, server, intake } = await pair()
  intake.discard()
  server.resume()
  client.write(Buffer.alloc(MEGABYTE))
  client.end()
  await once(server, 'end')
  expect(intake.framing.pending).toBe(0)
})

test('a socket that has no handle, as those of other runtimes, stays as it is', () => {
  const bare = new Socket()
  ends.push(() => bare.destroy())
  expect(readThrough(new Intake(new Framing(MEGABYTE)), bare)).toBe(bare)
})
