import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Json } from '../differential/normal-form.ts'
import { subjects } from './grants.ts'
import type { Table } from './table.ts'

const FILE = fileURLToPath(new URL('../data/kafka/denials.json', import.meta.url))
const ABOUT =
  'Who got which answer from Apache Kafka 4.3.1 with its StandardAuthorizer: test/authorization, recorded by RECORD=1 npm run test:oracle'

/** Stands for all subjects that no other answer of a question names. */
const OTHERS = 'all others'

interface RecordedFile {
  readonly about: string
  readonly table: Readonly<
    Record<string, readonly { readonly who: readonly string[] | typeof OTHERS; readonly answer: Json }[]>
  >
}

/** What a real Kafka answered when this was last recorded. */
export function recordedTable(): Table {
  if (!existsSync(FILE)) return {}
  const { table } = JSON.parse(readFileSync(FILE, 'utf8')) as RecordedFile
  return Object.fromEntries(
    Object.entries(table).map(([title, answers]) => {
      const named = new Set(answers.flatMap(({ who }) => (who === OTHERS ? [] : who)))
      const others = [...subjects.keys()].filter(subject => !named.has(subject))
      return [title, answers.map(({ who, answer }) => ({ who: who === OTHERS ? others : who, answer }))]
    }),
  )
}

/** Writes the file anew. */
export function recordTable(table: Table): void {
  const questions = Object.entries(table).map(([title, answers]) => {
    const isByAll = answers.flatMap(({ who }) => who).length === subjects.size
    const most = Math.max(...answers.map(({ who }) => who.length))
    const others = isByAll ? answers.find(({ who }) => who.length === most) : undefined
    const lines = answers.map(
      each =>
        `  {"who": ${JSON.stringify(each === others ? OTHERS : each.who)}, "answer": ${JSON.stringify(each.answer)}}`,
    )
    return `${JSON.stringify(title)}: [\n${lines.join(',\n')}\n]`
  })
  writeFileSync(FILE, `{"about": ${JSON.stringify(ABOUT)},\n"table": {\n${questions.join(',\n')}\n}}\n`)
}
