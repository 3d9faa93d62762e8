/** docs/clients.md: what a run of the conformance tests has shown, a row for each client. */
import { type Client, clientNames, readClient } from './client.ts'
import type { Hello } from './driver.ts'
import type { PlaceName } from './place.ts'
import { type Column, columns } from './stories/story.ts'

/** One story, for one client, at one place. */
export interface Telling {
  readonly client: string
  readonly place: PlaceName
  readonly column: Column
  readonly aspect: string
  /** Once it ran. */
  readonly hello?: Hello
}

export interface Told extends Telling {
  readonly passed: boolean
}

const introduction = `# Clients that were seen to work

Made by \`npm run clients && npm run test:conformance -- --update\`: each client in a process of its own, embedded (against
\`createCluster({ listen: true })\` in the test's process) and against the command line \`mini-kafka\`, three brokers each, every topic with
three replicas and \`min.insync.replicas=2\`. Records are compared byte for byte: keys, values, headers, tombstones, timestamps, as the
client reads them and as ours does; the client reads what ours wrote, too. Fail-over is shown embedded, where the test can crash a broker: nothing that the client was told is
written is lost, and of an idempotent producer nothing is there twice or out of order. Transactions: it *reads* by isolation level what ours wrote in transactions; what it
commits, over topics, is read together, what it aborts by nobody; *offsets* of a group go with the transaction; *fencing*: when its process is killed in mid-transaction, or another takes over,
what was open is aborted, and what was committed is there once; *fail-over*: so too when the coordinator crashes, with a commit decided and not a marker written. A row names what passed; "–" is what the client does not have.
`

const heads: Readonly<Record<Column, string>> = {
  admin: 'Topics',
  produce: 'Produce, fetch',
  idempotence: 'Idempotence',
  groups: 'Groups',
  transactions: 'Transactions',
  'fail-over': 'Fail-over',
}

/** What passed at every place, and what did not, with the place. */
function cell(told: readonly Told[]): string {
  const aspects = [...new Set(told.map(({ aspect }) => aspect))]
  if (aspects.length === 0) return '–'
  const named = aspects.map(aspect => {
    const failed = told.filter(each => each.aspect === aspect && !each.passed).map(({ place }) => place)
    return failed.length === 0 ? aspect : `**${aspect} fails, ${[...new Set(failed)].join(' and ')}**`
  })
  return named.join(', ')
}

export function rowOf({ title, language, can }: Client, hello: Hello, told: readonly Told[]): string {
  const cells = columns.map(column => {
    const text = cell(told.filter(each => each.column === column))
    return column === 'produce' && text !== '–' ? `acks ${can.acks!.join(', ')}; ${text}` : text
  })
  return `| ${[title, language, hello.version, hello.engine, ...cells].join(' | ')} |`
}

/** Of the rows' clients, by their names. */
export function pageOf(rows: ReadonlyMap<string, string>): string {
  const head = ['Client', 'Language', 'Version', 'Engine', ...columns.map(column => heads[column])]
  const clients = clientNames.filter(name => rows.has(name)).map(readClient)
  const remarks = clients
    .filter(client => client.remarks.length > 0)
    .map(({ title, remarks: each }) => `### ${title}\n\n${each.map(remark => `- ${remark}`).join('\n')}\n`)
  const table = [
    `| ${head.join(' | ')} |`,
    `|${'---|'.repeat(head.length)}`,
    ...clients.map(({ name }) => rows.get(name)!),
  ]
  return [introduction, `${table.join('\n')}\n`, '## What their users must set or know\n', ...remarks].join('\n')
}

/** The rows of a page, by the names of their clients; those of clients that are no more are left out. */
export function rowsOf(page: string): Map<string, string> {
  const lines = page.split('\n').filter(line => line.startsWith('| '))
  const rows = new Map<string, string>()
  for (const name of clientNames) {
    const line = lines.find(each => each.startsWith(`| ${readClient(name).title} | `))
    if (line !== undefined) rows.set(name, line)
  }
  return rows
}

/** What a row says of itself. */
export function helloOf(row: string): Hello {
  const [client, , version, engine] = row.slice(2, -2).split(' | ') as [string, string, string, string]
  return { client, version, engine }
}
