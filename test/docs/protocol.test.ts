import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { apis } from '../../src/apis/registry.ts'
import type { AnyApi } from '../../src/wire/api.ts'
import { protocol } from '../apis/protocol.ts'

/** One row for each API, from its declaration. */
function row(api: AnyApi): string {
  const { advertised, versions, flexibleFrom } = api
  const range = (span: { min: number; max: number }) =>
    span.min === span.max ? `${span.min}` : `${span.min}–${span.max}`
  const by = [api.broker && 'broker', api.controller && 'controller'].filter(Boolean).join(', ')
  const flexible = Number.isFinite(flexibleFrom) ? `${flexibleFrom}+` : 'never'
  return `| ${api.key} | ${api.name} | ${range(versions)} | ${api.broker ? range(advertised) : '–'} | ${flexible} | ${by} |`
}

const { releases } = JSON.parse(readFileSync(new URL('../data/kafka/releases.json', import.meta.url), 'utf8')) as {
  releases: Record<string, { kraft: Record<string, unknown> }>
}

/** What a 4.3 broker advertises, and a broker here does not take. */
function missing(): string {
  const ours = new Set(apis.map(api => api.key))
  const names = new Map(protocol.requests.map(({ apiKey, name }) => [apiKey, name.replace(/Request$/, '')]))
  const keys = Object.keys(releases['4.3']!.kraft).map(Number)
  return keys
    .filter(key => !ours.has(key))
    .map(key => `- ${names.get(key)} (${key})`)
    .join('\n')
}

test('docs/protocol.md is what the declarations say; rewrite it with `npm run docs`', async () => {
  const text = `# The protocol

Made from the declarations in \`src/apis/\`; a test fails when it is stale. Versions are Kafka 4.3.1's. What is not listed is
not advertised, and a request for it closes the connection (W-5).

| Key | API | Versions taken | Advertised to clients | Flexible | Answered by |
|--:|---|---|---|---|---|
${apis.map(row).join('\n')}

## Not here

What a stock 4.3 broker advertises beside these:

${missing()}
`
  await expect(text).toMatchFileSnapshot('../../docs/protocol.md')
})
