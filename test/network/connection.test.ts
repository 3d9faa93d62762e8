import fc from 'fast-check'
import { expect, test } from 'vitest'
import { apiVersions } from '../../src/apis/api-versions.ts'
import { type Channel, ConnectionError } from '../../src/network/channel.ts'
import { Connection, RequestTimeoutError } from '../../src/network/connection.ts'
import { type AnyApi, defineApi, type RequestOf } from '../../src/wire/api.ts'
import { type Frame, frameOf, joined } from '../../src/wire/frame.ts'
import { encodeResponse, type RequestHeader, readRequestHeader } from '../../src/wire/header.ts'
import { Reader } from '../../src/wire/reader.ts'
import { int32, string } from '../../src/wire/schema.ts'
import { Ground } from './ends.ts'

const echo = defineApi({
  key: 500,
  name: 'Echo',
  versions: '0-2',
  flexibleFrom: 2,
  request: { text: string },
  response: { text: string, throttleTimeMs: int32.since(1).ignorable() },
})

interface Asked {
  readonly header: RequestHeader
  readonly text: string
}

/** A client's end, and at the other one whoever answers by hand. */
class Conversation extends Ground {
  readonly asked: Asked[] = []
  readonly lost: string[] = []
  server!: Channel
  connection!: Connection
  closed: string | undefined

  async begin(options: { housekeeping?: boolean } = {}): Promise<void> {
    this.network.listen('server', { host: 'server', port: 1 }, channel => {
      this.server = channel
      channel.receive({ onFrame: frame => this.#asked(frame), onClose: reason => this.lost.push(reason) })
    })
    const channel = await this.time.drive('connect', () => this.network.connect('client', { host: 'server', port: 1 }))
    this.connection = new Connection(channel, {
      runtime: this.time,
      clientId: 'me',
      onClose: error => {
        this.closed = error.message
      },
      ...options,
    })
  }

  #asked(frame: Frame): void {
    const reader = new Reader(frame.slices)
    const header = readRequestHeader(reader, key => [echo, apiVersions].find(api => api.key === key))
    const body = header.api.request.codec(header.apiVersion).read(reader) as RequestOf<typeof echo>
    this.asked.push({ header, text: body.text })
  }

  /** The oldest question that was not answered yet. */
  answer(text: string, correlationId?: number): void {
    const { header } = this.asked.shift()!
    this.raw(encodeResponse(echo, header.apiVersion, correlationId ?? header.correlationId, { text }))
  }

  raw(frame: Frame): void {
    this.server.send(frame, { kind: 'response', api: 'Echo' })
  }

  ask(text: string, timeoutMs = 30_000, version = 2): Promise<string> {
    const answered = this.connection.request(echo, version, { text }, timeoutMs).then(response => response.text)
    answered.catch(() => {})
    return answered
  }
}

async function conversation(options: { housekeeping?: boolean } = {}): Promise<Conversation> {
  const made = new Conversation()
  await made.begin(options)
  return made
}

test.each([0, 1, 2])(
  'a request of version %i carries key, version, correlation id and client id (W-8)',
  async version => {
    const talk = await conversation()
    void talk.ask('hello', 30_000, version)
    await talk.pass(5)
    const { header, text } = talk.asked[0]!
    expect([header.apiKey, header.apiVersion, header.correlationId, header.clientId, text]).toEqual([
      500,
      version,
      0,
      'me',
      'hello',
    ])
    talk.answer('world')
    await talk.pass(5)
    expect(talk.connection.inFlight).toBe(0)
  },
)

test('pipelined requests are answered in their order, each to whoever asked (W-2)', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(3), { minLength: 1, maxLength: 30 }), async waits => {
      const talk = await conversation()
      const answers: Promise<string>[] = []
      for (const [index, ms] of waits.entries()) {
        answers.push(talk.ask(`${index}`))
        await talk.pass(ms)
        if (index % 3 === 2 && talk.asked.length > 0) talk.answer(`answer to ${talk.asked[0]!.text}`)
      }
      await talk.pass(5)
      expect(talk.asked.map(({ header }) => header.correlationId)).toEqual(
        talk.asked.map((_, i) => waits.length - talk.asked.length + i),
      )
      while (talk.asked.length > 0) talk.answer(`answer to ${talk.asked[0]!.text}`)
      await talk.pass(5)
      expect(await Promise.all(answers)).toEqual(waits.map((_, i) => `answer to ${i}`))
    }),
    { numRuns: 50 },
  )
})

test('a response with another correlation id than the oldest request’s closes the connection, everything is unknown (W-3)', async () => {
  const talk = await conversation()
  const [one, two] = [talk.ask('1'), talk.ask('2')]
  await talk.pass(5)
  talk.answer('?', 1)
  await talk.pass(5)
  const why =
    'the connection to server was closed: a response could not be read: Echo was answered with correlation id 1, not 0'
  await expect(one).rejects.toThrow(why)
  await expect(two).rejects.toThrow(why)
  await talk.pass(5)
  expect([talk.closed, talk.connection.isClosed, talk.lost.length]).toEqual([why, true, 1])
})

test.each([
  ['nothing at all', []],
  ['half a header', [0, 0]],
  ['a header without a body', [0, 0, 0, 0, 0]],
  ['a text longer than the frame', [0, 0, 0, 0, 0, 100, 65]],
])('a malformed response (%s) closes the connection and loses what is in flight', async (_, bytes) => {
  const talk = await conversation()
  const one = talk.ask('1')
  await talk.pass(5)
  talk.raw(frameOf([Uint8Array.from(bytes)]))
  await talk.pass(5)
  await expect(one).rejects.toThrow('a response could not be read')
  await expect(one).rejects.toBeInstanceOf(ConnectionError)
  expect(talk.connection.isClosed).toBe(true)
})

test('whatever bytes come, they answer the request or end the connection: nothing else is hurt', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), async bytes => {
      const talk = await conversation()
      const one = talk.ask('1').then(
        () => 'answered',
        error => (error instanceof ConnectionError ? 'lost' : error),
      )
      await talk.pass(5)
      talk.raw(frameOf([bytes]))
      await talk.pass(5)
      expect(['answered', 'lost']).toContain(await one)
      expect(talk.time.trace.events().filter(({ kind }) => kind === 'bug')).toEqual([])
    }),
  )
})

test('a response that nobody asked for closes the connection', async () => {
  const talk = await conversation()
  talk.raw(frameOf([Uint8Array.of(0, 0, 0, 0, 0)]))
  await talk.pass(5)
  expect(talk.closed).toBe('the connection to server was closed: a response came that nobody asked for')
})

test('an answer that does not come in time closes the connection: everything in flight on it is unknown (C-42)', async () => {
  const talk = await conversation()
  const ends: [string, number][] = []
  const note = (name: string) => (error: Error) => {
    expect(error).toBeInstanceOf(RequestTimeoutError)
    expect(error.message).toBe('Echo to server was not answered in time')
    ends.push([name, talk.passed()])
  }
  const from = talk.passed()
  talk.ask('1', 1_000).catch(note('1'))
  await talk.pass(500)
  talk.ask('2', 1_000).catch(note('2'))
  await talk.pass(2_000)
  expect(ends).toEqual([
    ['1', from + 1_000],
    ['2', from + 1_000],
  ])
  expect(talk.lost).toEqual(['a request was not answered in time'])
})

test('the earliest deadline counts, not that of the oldest request', async () => {
  const talk = await conversation()
  const from = talk.passed()
  let lostAt = -1
  void talk.ask('patient', 30_000)
  talk.ask('hasty', 1_000).catch(() => {
    lostAt = talk.passed()
  })
  await talk.pass(5_000)
  expect(lostAt - from).toBe(1_000)
})

test('an answer in time ends its deadline: a later request has one of its own', async () => {
  const talk = await conversation()
  const from = talk.passed()
  const one = talk.ask('1', 1_000)
  await talk.pass(100)
  talk.answer('a')
  await talk.pass(800)
  expect(await one).toBe('a')
  const two = talk.ask('2', 1_000)
  await talk.pass(500)
  expect([talk.passed() - from, talk.connection.isClosed]).toEqual([1_400, false])
  talk.answer('b')
  await talk.pass(5)
  expect(await two).toBe('b')
})

test('a connection with nothing in flight leaves no timer behind', async () => {
  const talk = await conversation()
  const one = talk.ask('1', 1_000)
  await talk.pass(5)
  talk.answer('a')
  await talk.pass(5)
  expect(await one).toBe('a')
  const before = talk.time.events
  await talk.pass(10_000)
  expect(talk.time.events - before).toBe(1)
})

test('deadlines of housekeeping move along where time leaps', async () => {
  const talk = await conversation({ housekeeping: true })
  const [one, two] = [talk.ask('1', 30_000), talk.ask('2', 31_500)]
  await talk.pass(5)
  const moved: number[] = []
  talk.time.onLeap(ms => moved.push(ms))
  talk.time.calm = () => true
  await talk.pass(40_000)
  expect(moved).toEqual([40_000])
  talk.answer('a')
  talk.time.calm = () => false
  // The first deadline would have been here; the second one is 1.5 s later, as it was.
  await talk.pass(30_500)
  expect([await one, talk.connection.isClosed]).toEqual(['a', false])
  await talk.pass(1_500)
  await expect(two).rejects.toThrow('Echo to server was not answered in time')
})

test('the other end closes: what is in flight is lost, with the reason', async () => {
  const talk = await conversation()
  const one = talk.ask('1')
  await talk.pass(5)
  talk.server.close('going down')
  await talk.pass(5)
  await expect(one).rejects.toThrow('the connection to server was closed: going down')
  expect(talk.closed).toBe('the connection to server was closed: going down')
})

test('closing it loses what is in flight at once, and what is asked later', async () => {
  const talk = await conversation()
  const one = talk.ask('1')
  talk.connection.close()
  const two = talk.ask('2')
  const why = 'the connection to server was closed: closed by the client'
  await expect(one).rejects.toThrow(why)
  await expect(two).rejects.toThrow(why)
  expect(() => talk.connection.sendOnly(echo, 2, { text: '3' })).toThrow(why)
  await talk.pass(5)
  expect(talk.lost).toEqual(['closed by the client'])
})

test('a request without an answer (acks=0) takes a correlation id, and no place among those in flight', async () => {
  const talk = await conversation()
  talk.connection.sendOnly(echo, 2, { text: 'one way' })
  const one = talk.ask('1')
  await talk.pass(5)
  expect(talk.asked.map(({ header, text }) => [header.correlationId, text])).toEqual([
    [0, 'one way'],
    [1, '1'],
  ])
  talk.asked.shift()
  talk.answer('a')
  await talk.pass(5)
  expect(await one).toBe('a')
})

test('a request that cannot be encoded is thrown at once, and the connection goes on', async () => {
  const talk = await conversation()
  expect(() => talk.connection.request(echo, 2, { text: 7 as never }, 1_000)).toThrow()
  const one = talk.ask('1')
  await talk.pass(5)
  talk.answer('a')
  await talk.pass(5)
  expect(await one).toBe('a')
})

test('ApiVersions of an unknown version is read in version 0, error 35 (W-11)', async () => {
  const talk = await conversation()
  const asked = talk.connection.request(apiVersions, 4, {}, 1_000)
  const body = { errorCode: 35, apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 3 }] }
  talk.raw(encodeResponse(apiVersions as AnyApi, 0, 0, body))
  await talk.pass(5)
  const answer = await asked
  expect([answer.errorCode, answer.apiKeys]).toEqual([35, [{ apiKey: 18, minVersion: 0, maxVersion: 3 }]])
})

test('what it waits for can be told', async () => {
  const talk = await conversation()
  void talk.ask('1')
  void talk.ask('2')
  expect(talk.connection.waiting()).toEqual(['Echo to server', 'Echo to server'])
})

test('the same frame comes out of the wire for the same request', async () => {
  const talk = await conversation()
  const frames: string[] = []
  talk.server.receive({
    onFrame: frame => frames.push(Buffer.from(joined(frame.slices)).toString('hex')),
    onClose() {},
  })
  void talk.ask('hi')
  await talk.pass(5)
  // Key 500, version 2, correlation id 0, client id of 2 bytes, no tags; text of 2 bytes, no tags (W-8, W-25, W-30).
  expect(frames).toEqual(['01f4000200000000' + '00026d65' + '00' + '036869' + '00'])
})
