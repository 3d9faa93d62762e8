import { ConnectionError } from '../../src/network/channel.ts'
import { errorOf } from '../../src/wire/errors.ts'
import { isTextField, type Json, jsonOf, NormalForm, SOME_TEXT } from '../differential/normal-form.ts'
import { fitting } from '../differential/version-fit.ts'
import { subjects } from './grants.ts'
import type { Place } from './place.ts'
import type { Question } from './questions.ts'

/** What a normal form leaves of a field that means nothing. */
const BLURRED = '~'

/** Question → its answers, each once, with the subjects that got it. */
export type Table = Readonly<Record<string, readonly { readonly who: readonly string[]; readonly answer: Json }[]>>

/** Every subject puts every question, one after the other. */
export async function askAll(place: Place, questions: readonly Question[]): Promise<Table> {
  const startedAt = place.now()
  const table: Record<string, { who: string[]; answer: Json }[]> = {}
  for (const question of questions) {
    await question.before?.(place)
    const answers = new Map<string, { who: string[]; answer: Json }>()
    for (const subject of question.who ?? subjects.keys()) {
      const answer = await answerTo(question, subject, place, startedAt)
      const key = JSON.stringify(answer)
      const known = answers.get(key)
      if (known === undefined) answers.set(key, { who: [subject], answer })
      else known.who.push(subject)
    }
    table[question.title] = [...answers.values()]
  }
  return table
}

async function answerTo(question: Question, subject: string, place: Place, startedAt: number): Promise<Json> {
  const { api, version, title, body, blur } = question
  try {
    const response = await place.ask(subject, api, version, fitting(api, version, body(subject, place)))
    const raw = jsonOf(api.response.fields, response as object, version)
    const form = new NormalForm({ addresses: [place.address], startedAt, endedAt: place.now() })
    for (const [name, id] of place.topicIds) form.known(id, name)
    const own = JSON.parse(JSON.stringify(form.of(title, raw, ['throttleTimeMs', ...blur])).replaceAll(subject, '<me>'))
    return plain('', own)
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error
    return 'closed'
  }
}

/**
 * What is looked at: errors by name, no blurred fields, lists in whatever order. That there is a sentence is kept, its words
 * are Kafka's own.
 */
function plain(name: string, value: Json): Json {
  if (isTextField(name) && typeof value === 'string' && value !== '') return SOME_TEXT
  if (isErrorField(name) && typeof value === 'number') return errorOf(value).name
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return sorted(value.map(inner => plain('', inner)))
  const seen = Object.entries(value).filter(([, inner]) => inner !== BLURRED)
  return Object.fromEntries(seen.map(([key, inner]) => [key, plain(key, inner as Json)]))
}

function isErrorField(name: string): boolean {
  return /errorCode$/i.test(name)
}

function sorted(list: readonly Json[]): readonly Json[] {
  if (list.some(each => typeof each !== 'object')) return list
  return list
    .map(each => [JSON.stringify(each), each] as const)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, each]) => each)
}

/** A row for each subject and question. */
export function rowsOf(table: Table): Map<string, string> {
  const rows = new Map<string, string>()
  for (const [title, answers] of Object.entries(table)) {
    for (const { who, answer } of answers)
      for (const subject of who) rows.set(`${subject}: ${title}`, JSON.stringify(answer))
  }
  return rows
}

/** Rows that differ, in words. */
export function differencesOf(expected: Table, found: Table): string[] {
  const [before, after] = [rowsOf(expected), rowsOf(found)]
  return [...new Set([...before.keys(), ...after.keys()])].flatMap(key => {
    const [there, here] = [before.get(key), after.get(key)]
    return there === here ? [] : [`${key}\n  Kafka: ${there}\n  here:  ${here}`]
  })
}
