import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { clientNames, clientsFolder, readClient } from '../conformance/client.ts'
import { storiesOf } from '../conformance/stories/all.ts'
import { helloOf, pageOf, rowOf, rowsOf } from '../conformance/table.ts'

const page = readFileSync(new URL('../../docs/clients.md', import.meta.url), 'utf8')
const rows = rowsOf(page)

test('docs/clients.md says of every client that all its stories passed; `npm run test:conformance -- --update` makes it', () => {
  const wanted = new Map(
    clientNames.map(name => {
      const client = readClient(name)
      const told = storiesOf(client).flatMap(({ column, aspect, places }) =>
        places.map(place => ({ client: name, place, column, aspect, passed: true })),
      )
      const row = rows.get(name)
      return [name, rowOf(client, row === undefined ? { client: name, version: '?', engine: '?' } : helloOf(row), told)]
    }),
  )
  expect(page).toBe(pageOf(wanted))
})

test('its versions are those that get installed; what is a package of the system may be of another', () => {
  const own = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8')).packages
  for (const name of clientNames.filter(each => each !== 'kcat')) {
    // Java's client is that of the oracle.
    const files = name === 'java' ? ['../../../oracle/kafka.mjs'] : ['package.json', 'requirements.txt', 'go.mod']
    const texts = files.map(file => join(clientsFolder, name, file)).filter(existsSync)
    const named = [...texts.map(file => readFileSync(file, 'utf8')), own[`node_modules/${name}`]?.version ?? ''].join()
    expect(named, name).toContain(helloOf(rows.get(name)!).version)
  }
})
