import fc from 'fast-check'
import { expect, test } from 'vitest'
import { lineOf, Trace } from '../../src/runtime/trace.ts'

test('the ring keeps the newest events, oldest first, and numbers that are never reused', () => {
  fc.assert(
    fc.property(fc.nat(50), fc.nat(20), (count, limit) => {
      const trace = new Trace(() => 0, limit)
      for (let i = 1; i <= count; i++) trace.add('client', 'a', { what: `${i}` })
      const kept = Array.from({ length: Math.min(count, limit) }, (_, i) => count - Math.min(count, limit) + i + 1)
      expect(trace.events().map(event => event.number)).toEqual(kept)
      expect(trace.events().map(event => event.fields.what)).toEqual(kept.map(String))
      expect(trace.count).toBe(count)
    }),
  )
})

test('time counts from the start of the cluster', () => {
  let now = 5_000
  const trace = new Trace(() => now)
  now = 5_412
  trace.add('append', 'broker-1', { what: 'orders-0', base: 0, last: 4, inSync: [1, 2], left: undefined })
  expect(trace.text()).toBe('    412 ms  broker-1     append         orders-0 base=0 last=4 inSync=[1,2]')
  expect(lineOf(trace.events()[0]!)).toBe(trace.text())
})

test('a line of JSON is the event', () => {
  const trace = new Trace(() => 0)
  trace.add('fault', 'network', { what: 'hold', from: 'a' })
  trace.add('node', 'broker-1', { what: 'crash' })
  expect(
    trace
      .json()
      .split('\n')
      .map(line => JSON.parse(line)),
  ).toEqual([
    { number: 1, at: 0, kind: 'fault', who: 'network', fields: { what: 'hold', from: 'a' } },
    { number: 2, at: 0, kind: 'node', who: 'broker-1', fields: { what: 'crash' } },
  ])
})

test('the diagram has an arrow for a request, a dashed one for a response, and a note for the rest', () => {
  const trace = new Trace(() => 0)
  trace.add('request', 'producer-1', { to: 'broker-1', api: 'Produce', version: 13 })
  trace.add('append', 'broker-1', { what: 'orders-0; #1', base: 0 })
  trace.add('response', 'broker-1', { to: 'producer-1', api: 'Produce' })
  expect(trace.diagram()).toBe(
    [
      'sequenceDiagram',
      '  producer_1->>broker_1: Produce version=13',
      '  Note over broker_1: append orders-0   1 base=0',
      '  broker_1-->>producer_1: Produce',
    ].join('\n'),
  )
  expect(trace.diagram(event => event.kind === 'append').split('\n')).toHaveLength(2)
})

test('a listener sees each event while it happens, until it ends; ending one within an event spares the others', () => {
  const trace = new Trace(() => 0, 0)
  const seen: string[] = []
  const end = trace.listen(event => {
    seen.push(`a ${event.number}`)
    end()
  })
  trace.listen(event => seen.push(`b ${event.number}`))
  trace.add('client', 'x', {})
  trace.add('client', 'x', {})
  expect(seen).toEqual(['a 1', 'b 1', 'b 2'])
})
