import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { isTextField, type Json, SOME_TEXT, type Transcript } from './normal-form.ts'

const FILE = fileURLToPath(new URL('../data/kafka-answers.json', import.meta.url))
const ABOUT = 'What Apache Kafka 4.3.1 answered to the steps of test/differential: RECORD=1 npm run test:oracle'
/** What is shorter is written where it stands. */
const LEAST_SHARED = 40

/** A chapter's steps, those of all versions of an API together: `Fetch v* from the end` → `4-6:17 7-11:18`. */
type Steps = Readonly<Record<string, string>>

interface RecordedFile {
  readonly about: string
  /** Answers and parts of answers, each once; `{"=": 7}` stands for the seventh. */
  readonly values: readonly Json[]
  readonly chapters: Readonly<Record<string, Steps>>
}

/** What a real Kafka answered when this was last recorded, chapter by chapter. */
export function recordedAnswers(): Readonly<Record<string, Transcript>> {
  if (!existsSync(FILE)) return {}
  const { values, chapters } = JSON.parse(readFileSync(FILE, 'utf8')) as RecordedFile
  const whole = (value: Json): Json => {
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) return value.map(whole)
    const shared = (value as { readonly '='?: number })['=']
    if (shared !== undefined) return whole(values[shared]!)
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, whole(inner as Json)]))
  }
  const transcript = (steps: Steps): Transcript =>
    Object.fromEntries(
      Object.entries(steps).flatMap(([title, spans]) =>
        spans.split(' ').flatMap(span => namesOf(title, span).map(name => [name, whole(values[indexIn(span)]!)])),
      ),
    )
  return Object.fromEntries(Object.entries(chapters).map(([title, steps]) => [title, transcript(steps)]))
}

function indexIn(span: string): number {
  return Number(span.split(':')[1])
}

function namesOf(title: string, span: string): string[] {
  const [from, until = from] = span.split(':')[0]!.split('-').map(Number)
  if (!title.includes(' v* ')) return [title]
  return Array.from({ length: until! - from! + 1 }, (_, i) => title.replace(' v* ', ` v${from! + i} `))
}

/** That there is a sentence is kept, its words are Kafka's own. */
function withoutTexts(name: string, value: Json): Json {
  if (isTextField(name) && typeof value === 'string' && value !== '') return SOME_TEXT
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(inner => withoutTexts('', inner))
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutTexts(key, inner as Json)]))
}

/** Writes the file anew. */
export function record(played: Readonly<Record<string, Transcript>>): void {
  const chapters = withoutTexts('', played) as Readonly<Record<string, Transcript>>
  const values = new Values(Object.values(chapters).flatMap(steps => Object.values(steps)))
  const recorded = Object.entries(chapters).map(([title, transcript]) => {
    const lines = [...spansOf(transcript, values)].map(
      ([step, spans]) => `    ${JSON.stringify(step)}: ${JSON.stringify(spans.join(' '))}`,
    )
    return `  ${JSON.stringify(title)}: {\n${lines.join(',\n')}\n  }`
  })
  const text = `{"about": ${JSON.stringify(ABOUT)},
"values": [
${values.texts.join(',\n')}
],
"chapters": {
${recorded.join(',\n')}
}}
`
  writeFileSync(FILE, text)
}

/** Neighbouring versions with the same answer share a span. */
function spansOf(transcript: Transcript, values: Values): Map<string, string[]> {
  const spans = new Map<string, string[]>()
  for (const [step, answer] of Object.entries(transcript)) {
    const version = /^\w+ v(\d+) /.exec(step)?.[1] ?? '0'
    const title = step.replace(/^(\w+) v\d+ /, '$1 v* ')
    const list = spans.get(title) ?? []
    spans.set(title, list)
    const index = values.indexOf(answer)
    const last = list.at(-1) ?? ':'
    const [from, until = from] = last.split(':')[0]!.split('-')
    if (indexIn(last) === index && Number(until) === Number(version) - 1) {
      list[list.length - 1] = `${from}-${version}:${index}`
    } else list.push(`${version}:${index}`)
  }
  return spans
}

/** Gives every answer a number, and every part that several of them have. */
class Values {
  readonly texts: string[] = []
  readonly #uses = new Map<string, number>()
  readonly #indexes = new Map<string, number>()

  constructor(answers: readonly Json[]) {
    for (const answer of answers) this.#count(answer)
  }

  indexOf(value: Json): number {
    const whole = JSON.stringify(value)
    const known = this.#indexes.get(whole)
    if (known !== undefined) return known
    const text = JSON.stringify(this.#parts(value))
    const index = this.texts.push(text) - 1
    this.#indexes.set(whole, index)
    return index
  }

  #count(value: Json): void {
    if (typeof value !== 'object' || value === null) return
    const text = JSON.stringify(value)
    const uses = (this.#uses.get(text) ?? 0) + 1
    this.#uses.set(text, uses)
    if (uses === 1) for (const inner of Object.values(value)) this.#count(inner as Json)
  }

  #parts(value: Json): Json {
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) return value.map(inner => this.#shared(inner))
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, this.#shared(inner as Json)]))
  }

  #shared(value: Json): Json {
    if (typeof value !== 'object' || value === null) return value
    const text = JSON.stringify(value)
    const isShared = text.length >= LEAST_SHARED && (this.#uses.get(text) ?? 0) > 1
    return isShared ? { '=': this.indexOf(value) } : this.#parts(value)
  }
}
