import { type ExpectedDifference, expectedDifferences, ownWords } from './expected-differences.ts'
import { isTextField, type Json, SOME_TEXT, type Transcript } from './normal-form.ts'

export interface Difference {
  readonly step: string
  /** Where in the answer: `topics.0.errorCode`; empty: the whole of it. */
  readonly path: string
  /** Undefined: there is nothing. */
  readonly kafka: Json | undefined
  readonly ours: Json | undefined
}

/** Field by field, in the order of the steps. */
export function differences(kafka: Transcript, ours: Transcript): Difference[] {
  const found: Difference[] = []
  for (const step of new Set([...Object.keys(kafka), ...Object.keys(ours)])) {
    compare({ step, path: '', kafka: kafka[step], ours: ours[step] }, found)
  }
  return found
}

function compare(both: Difference, found: Difference[]): void {
  const { step, path, kafka, ours } = both
  if (kafka === ours || (kafka === SOME_TEXT && typeof ours === 'string' && ours !== '')) return
  if (!isNested(kafka) || !isNested(ours) || Array.isArray(kafka) !== Array.isArray(ours)) {
    found.push(both)
    return
  }
  const keys = new Set([...Object.keys(kafka), ...Object.keys(ours)])
  if (Array.isArray(kafka) && Array.isArray(ours) && kafka.length !== ours.length) {
    const at = path === '' ? 'length' : `${path}.length`
    found.push({ step, path: at, kafka: kafka.length, ours: ours.length })
    for (const key of keys) if (Number(key) >= Math.min(kafka.length, ours.length)) keys.delete(key)
  }
  for (const key of keys) {
    compare({ step, path: path === '' ? key : `${path}.${key}`, kafka: kafka[key], ours: ours[key] }, found)
  }
}

function isNested(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null
}

/** Whether both say something, each in its own words, or we say more than the code, which is all that Kafka says. */
export function isWording({ path, kafka, ours }: Difference): boolean {
  const isText = typeof kafka === 'string' ? kafka !== '' : kafka === null
  return isTextField(path) && isText && typeof ours === 'string' && ours !== ''
}

/** Whether somebody has said that, and why, it is so. */
export function expectation(difference: Difference): ExpectedDifference | string | undefined {
  if (isWording(difference)) return ownWords.find(api => difference.step.startsWith(`${api} `))
  return expectedDifferences.find(({ step, path, kafka, ours }) => {
    if (!step.test(difference.step) || !path.test(difference.path)) return false
    return agrees(kafka, difference.kafka) && agrees(ours, difference.ours)
  })
}

/** Left out, anything will do. */
function agrees(expected: Json | RegExp | undefined, found: Json | undefined): boolean {
  if (expected === undefined) return true
  if (expected instanceof RegExp) return expected.test(textOf(found))
  return textOf(expected) === textOf(found)
}

function textOf(value: Json | undefined): string {
  return value === undefined ? 'nothing' : JSON.stringify(value)
}

/** A line for whoever has to mend it. */
export function lineOf({ step, path, kafka, ours }: Difference): string {
  return `${step} | ${path} | kafka: ${textOf(kafka)} | ours: ${textOf(ours)}`
}
