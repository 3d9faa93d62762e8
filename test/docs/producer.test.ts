import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { createCluster } from '../../src/index.ts'

const path = '../../docs/producer.md'
const [from, to] = ['<!-- drawn -->\n', '<!-- /drawn -->']

test('the diagram of docs/producer.md is the trace of a send; draw it anew with `npm run docs`', async () => {
  await using cluster = await createCluster({ seed: 1, topics: { orders: { assignments: [[1, 2, 3]] } } })
  const before = cluster.trace.count
  const producer = cluster.producer({ acks: 'all' })
  await producer.send({ topic: 'orders', key: 'ORDER-1001', value: 'paid' })
  const diagram = cluster.trace.diagram(({ number }) => number > before)
  const text = readFileSync(new URL(path, import.meta.url), 'utf8')
  const [start, end] = [text.indexOf(from) + from.length, text.indexOf(to)]
  expect([start > from.length, end >= start]).toEqual([true, true])
  await expect(`${text.slice(0, start)}\n\`\`\`mermaid\n${diagram}\n\`\`\`\n\n${text.slice(end)}`).toMatchFileSnapshot(
    path,
  )
})
