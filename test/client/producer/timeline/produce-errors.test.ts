import { readFileSync } from 'node:fs'
import { afterEach, expect, test } from 'vitest'
import type { ErrorName } from '../../../../src/wire/errors.ts'
import { exceptionOf, produce, refusal, Stage } from './stage.ts'

interface Behaviour {
  readonly send: string
  readonly metadataRefresh: boolean
  readonly next?: string
  readonly resentWith?: string
  readonly nextWith?: string
}

interface Row {
  readonly behaviour: { readonly plain: Behaviour; readonly idempotent: Behaviour }
  readonly codes: Readonly<Record<string, readonly [code: number, exception: string]>>
}

const data = JSON.parse(readFileSync(new URL('../../../data/kafka/producer-timeline.json', import.meta.url), 'utf8'))
const rows: readonly Row[] = data.produceErrors

let stage: Stage
afterEach(() => stage?.close())

const backoff = { 'retry.backoff.ms': 20, 'retry.backoff.max.ms': 20, 'linger.ms': 0 } as const

/** Epoch and sequence that changed, as the data says it. */
function stampOf(line: string | undefined, epoch: number, sequence: number): string | undefined {
  const found = / epoch=(\d+) seq=(\d+)/.exec(line ?? '')
  if (found === null || (Number(found[1]) === epoch && Number(found[2]) === sequence)) return undefined
  const raised = Number(found[1]) - epoch
  return `${raised === 0 ? 'epoch' : `epoch+${raised}`} seq ${found[2]}`
}

for (const kind of ['plain', 'idempotent'] as const) {
  for (const { behaviour, codes } of rows) {
    const names = Object.keys(codes)
    const of = behaviour[kind]
    const which = names.length > 4 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} others` : names.join(', ')
    test(`${kind === 'plain' ? 'a plain' : 'an idempotent'} producer meets ${which}: ${JSON.stringify(of)} (C-42, C-43, C-53, C-54)`, async () => {
      stage = await Stage.open()
      for (const [error, [, exception]] of Object.entries(codes)) {
        const told = await meets(kind, error as ErrorName, exception)
        expect(told, error).toEqual(of)
      }
    })
  }
}

/** What send throws in Java, and what it answers with a failed future (C-56). */
function refusalOf(error: unknown): string {
  const exception = exceptionOf(error)
  return exception === 'KafkaException' ? `threw ${exception}` : `failed ${exception}`
}

async function meets(kind: 'plain' | 'idempotent', error: ErrorName, exception: string): Promise<Behaviour> {
  const producer = stage.another({ ...backoff, 'enable.idempotence': kind === 'idempotent' })
  stage.proxy.off(produce)
  await stage.send('warm', {}, producer)
  await stage.wait(60)
  stage.writing.begin()
  stage.proxy.on(produce, (body, { n }) => (n === 1 ? { answer: refusal(body, error) } : undefined))
  const first = await stage.send('a', {}, producer)
  if (first.error !== undefined) expect(exceptionOf(first.error), error).toBe(exception)
  const second = await stage.send('b', {}, producer)
  await stage.wait(60)
  const requests = stage.texts('Produce').filter(text => text.startsWith('>'))
  const wasResent = requests.filter(text => text.endsWith('[a]')).length > 1
  const resentWith = wasResent ? stampOf(requests[1], 0, 1) : undefined
  const nextLine = requests.findLast(text => text.endsWith('[b]'))
  const nextWith = wasResent ? undefined : stampOf(nextLine, 0, 2)
  await producer.close()
  return {
    send: first.error !== undefined ? 'failed' : wasResent ? 'retried, ok' : `ok offset ${first.metadata?.offset}`,
    metadataRefresh: stage.times('> Metadata').length > 0,
    next: second.error === undefined ? 'ok' : refusalOf(second.error),
    ...(resentWith === undefined ? {} : { resentWith }),
    ...(nextWith === undefined ? {} : { nextWith }),
  }
}
