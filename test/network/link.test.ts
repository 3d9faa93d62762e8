import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Channel, ConnectionError } from '../../src/network/channel.ts'
import { LinkNetwork } from '../../src/network/link.ts'
import { isBetween, type Passage } from '../../src/network/rules.ts'
import { RealRuntime } from '../../src/runtime/real.ts'
import { End, frame, Ground, label, textOf } from './ends.ts'

const between = (passage: Passage) => isBetween(passage, 'a', 'b')
const numbered = (count: number) => Array.from({ length: count }, (_, i) => `${i}`)

test('frames arrive in the order in which they were sent, by reference', async () => {
  const ground = new Ground()
  const [near, far] = await ground.pair()
  near.send('1', '2')
  far.send('x')
  near.send('3')
  await ground.pass(10)
  expect([near.seen, far.seen]).toEqual([['x'], ['1', '2', '3']])
  const sent = frame('the same memory')
  let received: unknown
  near.channel.receive({
    onFrame: arrived => {
      received = arrived
    },
    onClose: () => {},
  })
  far.channel.send(sent, label)
  await ground.pass(2)
  expect(received).toBe(sent)
})

test('a connection is FIFO in both directions, whatever the delays', async () => {
  const step = fc.record({ back: fc.boolean(), wait: fc.nat(5), delay: fc.nat(50) })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.nat(), async (steps, seed) => {
      const ground = new Ground(seed)
      const [near, far] = await ground.pair()
      let afterMs = 0
      ground.rule('delay', () => ({ afterMs }))
      const expected: [string[], string[]] = [[], []]
      for (const [index, { back, wait, delay }] of steps.entries()) {
        afterMs = delay
        const end = back ? far : near
        end.send(`${index}`)
        expected[back ? 0 : 1].push(`${index}`)
        await ground.pass(wait)
      }
      await ground.pass(100)
      expect([near.seen, far.seen]).toEqual(expected)
    }),
    { numRuns: 100 },
  )
})

test('it is FIFO on real time too, where timers keep no order among themselves', async () => {
  const time = new RealRuntime({ seed: 1 })
  const network = new LinkNetwork(time)
  const seen: string[] = []
  network.listen('b', { host: 'b', port: 1 }, channel =>
    channel.receive({ onFrame: arrived => seen.push(textOf(arrived)), onClose: () => {} }),
  )
  const channel = await network.connect('a', { host: 'b', port: 1 })
  let afterMs = 0
  network.rules.install('delay', () => ({ afterMs }))
  for (let i = 0; i < 60; i++) {
    afterMs = [12, 0, 3][i % 3]!
    channel.send(frame(`${i}`), label)
    // The loop's clock falls behind the wall clock, so that a later timer may be due first.
    for (const until = performance.now() + 1; performance.now() < until; );
    if (i % 10 === 9) await new Promise(resolve => setImmediate(resolve))
  }
  while (seen.length < 60) await new Promise(resolve => setTimeout(resolve, 5))
  expect(seen).toEqual(numbered(60))
  await time.close(new Error('closed'))
})

test('what follows a delayed frame on the same connection stays behind it, in time too', async () => {
  const ground = new Ground()
  const [near, far] = await ground.pair()
  const slow = ground.rule('slow', () => ({ afterMs: 100 }))
  const from = ground.passed()
  near.send('1')
  slow.dispose()
  near.send('2')
  await ground.pass(200)
  expect(far.seen).toEqual(['1', '2'])
  for (const at of far.times) expect([100, 101]).toContain(at - from)
})

test('delays of a connection do not concern another one between the same two', async () => {
  const ground = new Ground()
  const [slow, slowFar] = await ground.pair()
  const [fast, fastFar] = await ground.pair()
  const rule = ground.rule('delay', () => ({ afterMs: 100 }))
  slow.send('slow')
  rule.dispose()
  fast.send('fast')
  await ground.pass(50)
  expect([slowFar.seen, fastFar.seen]).toEqual([[], ['fast']])
  await ground.pass(60)
  expect(slowFar.seen).toEqual(['slow'])
})

test('nobody listens: the connection is refused, with who and where', async () => {
  const ground = new Ground()
  const refused = ground.pair('a', 'nobody')
  await expect(refused).rejects.toThrow(new ConnectionError('a found nobody listening at nobody:1'))
})

test('one address is listened at once, and again when it was given up', () => {
  const { network } = new Ground()
  const at = { host: 'c', port: 1 }
  const first = network.listen('c', at, () => {})
  expect(() => network.listen('other', at, () => {})).toThrow('c:1 is in use')
  first.close()
  const second = network.listen('other', at, () => {})
  first.close()
  expect(() => network.listen('c', at, () => {})).toThrow('c:1 is in use')
  second.close()
})

test('close travels behind the frames that were sent before it, and ends both directions', async () => {
  const ground = new Ground()
  const [near, far] = await ground.pair()
  ground.rule('delay', ({ what }) => (what === 'frame' ? { afterMs: 50 } : 'pass'))
  near.send('1', '2')
  near.channel.close('enough')
  near.send('never')
  far.send('nobody is there any more')
  await ground.pass(200)
  expect(far.seen).toEqual(['1', '2', 'closed: enough'])
  expect([near.seen, near.channel.isClosed, far.channel.isClosed]).toEqual([[], true, true])
})

test('a hold keeps a frame and everything behind it, close included, until it is lifted; then all goes on in order', async () => {
  const ground = new Ground()
  const [near, far] = await ground.pair()
  const rule = ground.rule('hold 2', ({ bytes }) => (bytes === 2 ? 'hold' : 'pass'))
  near.send('1', '22', '3')
  near.channel.close('bye')
  await ground.pass(1_000)
  expect([far.seen, ground.network.isHolding, rule.hits]).toEqual([['1'], true, 1])
  rule.dispose()
  await ground.pass(10)
  expect([far.seen, ground.network.isHolding, rule.hits]).toEqual([['1', '22', '3', 'closed: bye'], false, 1])
})

test('what one rule held another may hold, and hits count passages, not questions', async () => {
  const ground = new Ground()
  const [near, far] = await ground.pair()
  const first = ground.rule('first', () => 'hold')
  const second = ground.rule('second', ({ bytes }) => (bytes === 1 ? 'hold' : 'pass'))
  near.send('1', '22')
  ground.rule('unconcerned', () => 'pass').dispose()
  first.dispose()
  await ground.pass(10)
  expect([far.seen, first.hits, second.hits]).toEqual([[], 1, 1])
  second.dispose()
  await ground.pass(10)
  expect([far.seen, first.hits, second.hits]).toEqual([['1', '22'], 1, 1])
})

test('what a rule holds stays held until that rule is lifted, also when the rule is used up', async () => {
  const ground = new Ground()
  const [near, far] = await ground.pair()
  let left = 1
  const once = ground.rule('hold once', () => (left-- > 0 ? 'hold' : 'pass'))
  near.send('1')
  ground.rule('another', () => 'pass').dispose()
  await ground.pass(10)
  expect(far.seen).toEqual([])
  once.dispose()
  await ground.pass(10)
  expect(far.seen).toEqual(['1'])
})

test('a cut holds what goes between the two, both ways, and nothing else', async () => {
  const ground = new Ground()
  const [near, far] = await ground.pair()
  const [other, otherFar] = await ground.pair('c', 'b')
  const cut = ground.rule('cut', passage => (between(passage) ? 'hold' : 'pass'))
  near.send('1')
  far.send('2')
  other.send('3')
  await ground.pass(10)
  expect([near.seen, far.seen, otherFar.seen]).toEqual([[], [], ['3']])
  cut.dispose()
  await ground.pass(10)
  expect([near.seen, far.seen]).toEqual([['2'], ['1']])
})

test('a one-way cut lets the other way through', async () => {
  const ground = new Ground()
  const [near, far] = await ground.pair()
  ground.rule('cut', ({ from, to }) => (from === 'a' && to === 'b' ? 'hold' : 'pass'))
  near.send('1')
  far.send('2')
  await ground.pass(10)
  expect([near.seen, far.seen]).toEqual([['2'], []])
})

test.each([
  ['both ways', between],
  ['there', ({ from }: Passage) => from === 'a'],
  ['back', ({ from }: Passage) => from === 'b'],
] as const)('a connect under a cut (%s) waits, and is made when the cut is lifted', async (_, concerns) => {
  const ground = new Ground()
  const cut = ground.rule('cut', passage => (concerns(passage) ? 'hold' : 'pass'))
  let connected: Channel | undefined
  void ground.network.connect('a', { host: 'b', port: 1 }).then(channel => {
    connected = channel
  })
  await ground.pass(100)
  expect([connected, ground.accepted.length, ground.network.isHolding]).toEqual([undefined, 0, true])
  cut.dispose()
  await ground.pass(10)
  expect([connected?.peer, ground.accepted[0]!.channel.peer, ground.network.isHolding]).toEqual(['b', 'a', false])
})

test('a connect that was held finds whoever listens when it is let go', async () => {
  const ground = new Ground()
  const listener = ground.network.listen('c', { host: 'c', port: 1 }, () => {})
  const cut = ground.rule('cut', () => 'hold')
  const connecting = expect(ground.network.connect('a', { host: 'c', port: 1 })).rejects.toThrow(
    'a found nobody listening at c:1',
  )
  listener.close()
  cut.dispose()
  await ground.pass(10)
  await connecting
})

test('a delayed connect takes that long, and a reset one is refused', async () => {
  const ground = new Ground()
  const slow = ground.rule('slow', ({ what, from }) => (what === 'connect' && from === 'a' ? { afterMs: 500 } : 'pass'))
  await ground.pair()
  expect(ground.passed()).toBeGreaterThanOrEqual(500)
  expect(ground.passed()).toBeLessThanOrEqual(501)
  slow.dispose()
  ground.rule('refuse', ({ what }) => (what === 'connect' ? 'reset' : 'pass'))
  await expect(ground.pair()).rejects.toThrow('a was refused by b')
})

test('a reset breaks the connection: both ends learn of it, and what was on its way is lost', async () => {
  const ground = new Ground()
  const [near, far] = await ground.pair()
  ground.rule('slow', ({ bytes }) => (bytes === 1 ? { afterMs: 100 } : 'pass'))
  const rule = ground.rule('reset', ({ bytes }) => (bytes === 2 ? 'reset' : 'pass'))
  near.send('1', '22', '3')
  // Not within the call: whoever sends is not told before its own call has ended.
  expect([near.seen, near.channel.isClosed]).toEqual([[], false])
  await ground.pass(200)
  expect(near.seen).toEqual(['closed: connection reset between a and b'])
  expect(far.seen).toEqual(['closed: connection reset between a and b'])
  expect([near.channel.isClosed, far.channel.isClosed, rule.hits]).toEqual([true, true, 1])
})

test('an end that closes while the connection breaks hears nothing more, the other one does', async () => {
  const ground = new Ground()
  const [near, far] = await ground.pair()
  ground.rule('reset', ({ what }) => (what === 'frame' ? 'reset' : 'pass'))
  near.send('1')
  near.channel.close('done')
  await ground.pass(10)
  expect([near.seen, far.seen]).toEqual([[], ['closed: connection reset between a and b']])
})

test('a rule may lift itself while it judges: one reset, and the next connection works', async () => {
  const ground = new Ground()
  const [near] = await ground.pair()
  const rule = ground.rule('reset once', ({ what }) => {
    if (what !== 'frame') return 'pass'
    rule.dispose()
    return 'reset'
  })
  near.send('1')
  await ground.pass(10)
  const [again, far] = await ground.pair()
  again.send('2')
  await ground.pass(10)
  expect([near.seen, far.seen, rule.hits]).toEqual([['closed: connection reset between a and b'], ['2'], 1])
})

test('a rule that lifts another one while frames are let go keeps their order', async () => {
  const ground = new Ground()
  const [near, far] = await ground.pair()
  const hold = ground.rule('hold', () => 'hold')
  const other = ground.rule('other', () => 'pass')
  near.send('1', '2', '3')
  ground.rule('lifts', () => {
    other.dispose()
    return 'pass'
  })
  hold.dispose()
  await ground.pass(10)
  expect(far.seen).toEqual(['1', '2', '3'])
})

test('what arrives before anybody receives it is kept, in its order, with the end behind it', async () => {
  const ground = new Ground()
  let late: Channel | undefined
  ground.network.listen('late', { host: 'late', port: 1 }, channel => {
    late = channel
  })
  const channel = await ground.time.drive('connect', () => ground.network.connect('a', { host: 'late', port: 1 }))
  channel.send(frame('1'), label)
  channel.send(frame('2'), label)
  await ground.pass(10)
  const end = new End(late!, ground.passed)
  expect(end.seen).toEqual([])
  channel.send(frame('3'), label)
  channel.close('bye')
  await ground.pass(10)
  expect(end.seen).toEqual(['1', '2', '3', 'closed: bye'])
})

test('a call that is given up is told what the rules hold back', async () => {
  const ground = new Ground()
  const [near] = await ground.pair()
  ground.rule('cut a – b', () => 'hold')
  near.send('1')
  void ground.network.connect('c', { host: 'b', port: 1 })
  const call = ground.time.drive('send', () => ground.time.deferred().promise)
  await expect(call).rejects.toThrow(
    "on:\n  a connection of c to b: 'cut a – b' holds it back\n  what a sent to b: 'cut a – b' holds it back\n",
  )
})

test('a fault that fires is an event of the trace: which rule, between whom, on what', async () => {
  const ground = new Ground()
  const [near] = await ground.pair()
  ground.rule('slow', ({ what }) => (what === 'frame' ? { afterMs: 5 } : 'hold'))
  near.send('1')
  near.channel.close('bye')
  expect(ground.time.trace.events().map(({ kind, fields }) => [kind, fields])).toEqual([
    ['fault', { what: 'delay 5 ms', rule: 'slow', from: 'a', to: 'b', on: 'Produce request' }],
    ['fault', { what: 'hold', rule: 'slow', from: 'a', to: 'b', on: 'close' }],
  ])
})

test('the same seed gives the same arrivals, another seed others', async () => {
  const arrivals = async (seed: number) => {
    const ground = new Ground(seed)
    const [near, far] = await ground.pair()
    for (let i = 0; i < 30; i++) {
      near.send(`${i}`)
      await ground.pass(3)
    }
    return far.times.join()
  }
  expect(await arrivals(1)).toBe(await arrivals(1))
  expect(await arrivals(1)).not.toBe(await arrivals(2))
})
