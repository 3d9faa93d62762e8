import { expect, test } from 'vitest'
import { apis } from '../../src/apis/registry.ts'
import type { AnyApi } from '../../src/wire/api.ts'

/** One row for each API, from its declaration. */
function row(api: AnyApi): string {
  const { advertised, versions, flexibleFrom } = api
  const range = (span: { min: number; max: number }) =>
    span.min === span.max ? `${span.min}` : `${span.min}–${span.max}`
  const by = [api.broker && 'broker', api.controller && 'controller'].filter(Boolean).join(', ')
  const flexible = Number.isFinite(flexibleFrom) ? `${flexibleFrom}+` : 'never'
  return `| ${api.key} | ${api.name} | ${range(versions)} | ${api.broker ? range(advertised) : '–'} | ${flexible} | ${by} |`
}

test('docs/protocol.md is what the declarations say; rewrite it with `npm run docs`', async () => {
  const text = `# The protocol

Made from the declarations in \`src/apis/\`; a test fails when it is stale. Versions are Kafka 4.3.1's. What is not listed is
not advertised, and a request for it closes the connection (W-5).

| Key | API | Versions taken | Advertised to clients | Flexible | Answered by |
|--:|---|---|---|---|---|
${apis.map(row).join('\n')}
`
  await expect(text).toMatchFileSnapshot('../../docs/protocol.md')
})
