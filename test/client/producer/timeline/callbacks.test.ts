import { afterEach, expect, test } from 'vitest'
import type { ProducerInterceptor } from '../../../../src/client/producer/producer-interceptors.ts'
import type { ProducerRecord, RecordMetadata } from '../../../../src/client/producer/producer-record.ts'
import { exceptionOf, linesOf, Stage, traceOf } from './stage.ts'

let stage: Stage
afterEach(() => stage?.close())

const text = (metadata: RecordMetadata) => `${metadata.partition}/${metadata.offset}`

test('callbacks of a partition come in the order of the sends; one that throws disturbs no other (C-48)', async () => {
  stage = await Stage.open({ 'linger.ms': 100 })
  const told: string[] = []
  const sends = Array.from({ length: 4 }, (_, i) =>
    stage.producer.send({ topic: 't', partition: i % 2, value: `r${i}` }, metadata => {
      told.push(`callback r${i} ${text(metadata)}`)
      if (i === 0) throw new Error('never mind')
    }),
  )
  await Promise.all(sends)
  const theirs = traceOf('callbacks').flatMap(line => /callback r\d \d\/\d/.exec(line) ?? [])
  expect(told.toSorted()).toEqual(theirs.toSorted())
  const of = (lines: readonly string[], partition: number) => lines.filter(line => line.includes(` ${partition}/`))
  for (const partition of [0, 1]) expect(of(told, partition)).toEqual(of(theirs, partition))
})

/** Says what it is told, and adds its letter to the value. */
class Speaking implements ProducerInterceptor {
  readonly #letter: string
  readonly #said: string[]

  constructor(letter: string, said: string[]) {
    this.#letter = letter
    this.#said = said
  }

  onSend(record: ProducerRecord): ProducerRecord {
    const value = String(record.value)
    this.#said.push(`interceptor ${this.#letter} onSend value ${value.slice(0, 2)}`)
    if (value === 'v!' && this.#letter === 'A') throw new Error('not this one')
    return { ...record, value: `${value}${this.#letter}` }
  }

  onAcknowledgement(metadata: RecordMetadata, error: unknown): void {
    const how = error === undefined ? 'ok' : exceptionOf(error)
    this.#said.push(`interceptor ${this.#letter} onAcknowledgement ${text(metadata)} ${how}`)
  }

  close(): void {
    this.#said.push(`interceptor ${this.#letter} close`)
  }
}

test('interceptors come one after the other, then the callback; one that throws is passed over (C-20, C-21, C-48)', async () => {
  const said: string[] = []
  const serialize = (_: string, value: unknown) => {
    if (String(value).startsWith('bad')) throw new TypeError('not this')
    return new TextEncoder().encode(String(value))
  }
  stage = await Stage.open(
    {
      'interceptor.classes': [new Speaking('A', said), new Speaking('B', said)],
      'value.serializer': serialize,
      'max.request.size': 1000,
    },
    { warm: false },
  )
  const send = async (value: string, partition?: number) => {
    const record = { topic: 't', value, ...(partition === undefined ? {} : { partition }) }
    const sent = stage.producer.send(record, (metadata, error) => {
      said.push(`user callback ${text(metadata)} ${error === undefined ? 'ok' : exceptionOf(error)}`)
    })
    await sent.catch(() => {})
    return said.splice(0)
  }
  const told = (...lines: string[]) => lines
  expect(await send('v', 0)).toEqual(
    told(
      'interceptor A onSend value v',
      'interceptor B onSend value vA',
      'interceptor A onAcknowledgement 0/0 ok',
      'interceptor B onAcknowledgement 0/0 ok',
      'user callback 0/0 ok',
    ),
  )
  expect(await send('v!', 0)).toEqual(
    told(
      'interceptor A onSend value v!',
      'interceptor B onSend value v!',
      'interceptor A onAcknowledgement 0/1 ok',
      'interceptor B onAcknowledgement 0/1 ok',
      'user callback 0/1 ok',
    ),
  )
  // Here nothing is thrown by send, so the callback hears of what the Java producer throws, too.
  expect(await send('bad')).toEqual(
    told(
      'interceptor A onSend value ba',
      'interceptor B onSend value ba',
      'interceptor A onAcknowledgement -1/-1 SerializationException',
      'interceptor B onAcknowledgement -1/-1 SerializationException',
      'user callback -1/-1 SerializationException',
    ),
  )
  const tooLarge = await send('x'.repeat(2000))
  expect(tooLarge).toContain('user callback -1/-1 RecordTooLargeException')
  expect(tooLarge).toContain('interceptor B onAcknowledgement -1/-1 RecordTooLargeException')
  await stage.producer.close()
  expect(said).toEqual(['interceptor A close', 'interceptor B close'])
  const acknowledged = traceOf('interceptors').filter(line => line.includes('onAcknowledgement'))
  expect(acknowledged.map(line => / (-?\d+\/-?\d+ \w+)/.exec(line)![1])).toEqual([
    '0/0 ok',
    '0/0 ok',
    '0/1 ok',
    '0/1 ok',
    '-1/-1 SerializationException',
    '-1/-1 SerializationException',
    '-1/-1 RecordTooLargeException',
    '-1/-1 RecordTooLargeException',
  ])
})

test('interceptors see a record that is sent after close, and how it ends (C-20)', async () => {
  const said: string[] = []
  stage = await Stage.open({ 'interceptor.classes': [new Speaking('A', said)] }, { warm: false })
  await stage.producer.close()
  said.length = 0
  await stage.producer.send({ topic: 't', partition: 0, value: 'v' }).catch(() => {})
  expect(said).toEqual(['interceptor A onSend value v', 'interceptor A onAcknowledgement 0/-1 IllegalStateException'])
  expect(traceOf('closed-send-callback').slice(0, 2).join()).toContain('onAcknowledgement 0/-1 IllegalStateException')
})

test('a record without topic, with a negative partition or timestamp, or of the wrong type is refused; null data has size -1 (C-21, C-25, C-27)', async () => {
  stage = await Stage.open({}, { warm: false })
  const refusals = [
    [{ value: 'x' }, 'IllegalArgumentException'],
    [{ topic: 't', partition: -1, value: 'x' }, 'IllegalArgumentException'],
    [{ topic: 't', partition: 0, timestamp: -1, value: 'x' }, 'IllegalArgumentException'],
    [{ topic: 't', key: 7, value: 'x' }, 'SerializationException'],
  ] as const
  for (const [record, exception] of refusals) {
    const ended = await stage.watch('a', stage.producer.send(record as never))
    expect(exceptionOf(ended.error)).toBe(exception)
  }
  const record = { topic: 't', partition: 0, timestamp: 0, key: null, value: null } as const
  expect(await stage.producer.send(record)).toMatchObject({ serializedKeySize: -1, serializedValueSize: -1 })
  expect(await stage.producer.send(record)).toMatchObject({ offset: 1 })
  const theirs = traceOf('record-checks').join()
  expect(theirs).toContain('[t, -1, null] threw IllegalArgumentException')
  expect(theirs).toContain('null key and value: sizes -1/-1')
})

test('from a callback a producer may send, flush and close (C-70, C-71)', async () => {
  stage = await Stage.open()
  const later: Promise<unknown>[] = []
  const first = stage.producer.send({ topic: 't', partition: 0, value: 'a' }, () => {
    later.push(
      stage.send('b'),
      stage.producer.flush().catch((error: Error) => error),
    )
  })
  await first
  expect(linesOf('flush-in-callback').map(({ text }) => text)).toEqual([
    '> Produce acks=-1 t-0 epoch=0 seq=1 n=1 [a]',
    '< Produce t-0 NONE base=1',
    'flush in the callback threw KafkaException',
  ])
  expect(await later[0]).toMatchObject({ metadata: { offset: 2 } })
  await stage.producer.send({ topic: 't', partition: 0, value: 'c' }, () => {
    later.push(stage.producer.close({ timeoutMs: 0 }))
  })
  await Promise.all(later)
  await expect(stage.producer.send({ topic: 't', value: 'd' })).rejects.toMatchObject({ name: 'IllegalStateError' })
})
