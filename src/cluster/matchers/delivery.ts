/**
 * Whether the records of a topic are exactly the expected ones: in order for each partition, and of one another in any
 * order. An expected record that does not name its partition may be in any.
 */
import type { BytesRecord } from '../topic-handle.ts'
import { type ExpectedRecord, matches } from './expected-record.ts'
import { isAsymmetric, isLikeBytes } from './likeness.ts'

/** Expected records that could be in several partitions are tried so often; then the first that fits counts. */
const MOST_STEPS = 20_000

export function isDelivered(expected: readonly ExpectedRecord[], actual: readonly BytesRecord[]): boolean {
  if (expected.length !== actual.length) return false
  const partitions = [...byPartition(actual).values()]
  // Where every record can go to one place only, there is nothing to try.
  return isPlain(expected, partitions) ? inPlace(expected, partitions) : canBePlaced(expected, partitions)
}

/** Each expected record goes to the front of some partition; where that leads nowhere, to the next one's. */
function canBePlaced(expected: readonly ExpectedRecord[], partitions: readonly (readonly BytesRecord[])[]): boolean {
  const at = partitions.map(() => 0)
  const chosen: number[] = []
  const dead = new Set<string>()
  let [first, steps] = [0, 0]
  while (chosen.length < expected.length) {
    const wanted = expected[chosen.length]!
    const isDead = first === 0 && dead.has(at.join())
    const found = partitions.findIndex((records, p) => {
      const record = records[at[p]!]
      return p >= first && record !== undefined && matches(wanted, record)
    })
    if (found >= 0 && !isDead) {
      at[found]!++
      chosen.push(found)
      first = 0
      continue
    }
    dead.add(at.join())
    const last = chosen.pop()
    if (last === undefined || steps++ > MOST_STEPS) return false
    at[last]!--
    first = last + 1
  }
  return true
}

function isPlain(expected: readonly ExpectedRecord[], partitions: readonly unknown[]): boolean {
  return (
    partitions.length <= 1 || expected.every(({ partition }) => partition !== undefined && !isAsymmetric(partition))
  )
}

function inPlace(expected: readonly ExpectedRecord[], partitions: readonly (readonly BytesRecord[])[]): boolean {
  return partitions.every(records => {
    const wanted = partitions.length === 1 ? expected : expected.filter(each => isOf(each, records[0]!.partition))
    return wanted.length === records.length && wanted.every((each, index) => matches(each, records[index]!))
  })
}

export function isOf({ partition }: ExpectedRecord, index: number): boolean {
  return partition !== undefined && !isAsymmetric(partition) && String(partition) === String(index)
}

export function byPartition(records: readonly BytesRecord[]): Map<number, BytesRecord[]> {
  const found = new Map<number, BytesRecord[]>()
  for (const record of records) {
    const list = found.get(record.partition)
    if (list === undefined) found.set(record.partition, [record])
    else list.push(record)
  }
  return found
}

/** One line of a comparison: both, or only the expected, or only the actual record. */
export interface Line {
  readonly expected: ExpectedRecord | undefined
  readonly actual: BytesRecord | undefined
}

/** Beyond, only the equal beginning is found. */
const MOST_COMPARED = 250_000

/** The two lists side by side, with as many pairs as possible: what is missing, and what is there instead. */
export function aligned(expected: readonly ExpectedRecord[], actual: readonly BytesRecord[]): Line[] {
  let start = 0
  while (start < expected.length && start < actual.length && matches(expected[start]!, actual[start]!)) start++
  const lines: Line[] = expected.slice(0, start).map((each, index) => ({ expected: each, actual: actual[index] }))
  const [wanted, there] = [expected.slice(start), actual.slice(start)]
  if (wanted.length * there.length > MOST_COMPARED) {
    return [...lines, ...wanted.map(onlyExpected), ...there.map(onlyActual)]
  }
  return [...lines, ...besideTheirKeys(longestCommon(wanted, there))]
}

/**
 * What is expected and matches nothing moves to the record of the same key that is there instead. Where records of that key
 * are as expected, their order says more: then it moves past none of them.
 */
function besideTheirKeys(lines: readonly Line[]): Line[] {
  const partners = new Map<Line, Line>()
  const equal = lines.filter(({ expected, actual }) => expected !== undefined && actual !== undefined)
  const surplus = new Set(lines.filter(({ expected }) => expected === undefined))
  const runs = runsOf(lines)
  for (const line of lines) {
    const { expected, actual } = line
    if (expected === undefined || actual !== undefined) continue
    const same = [...surplus].filter(other => hasKeyOf(expected, other.actual!))
    const near = same.find(other => runs.get(other) === runs.get(line))
    const partner = near ?? (equal.some(other => hasKeyOf(expected, other.actual!)) ? undefined : same[0])
    if (partner === undefined) continue
    surplus.delete(partner)
    partners.set(partner, line)
  }
  const moved = new Set(partners.values())
  return lines.flatMap(line => {
    if (moved.has(line)) return []
    const before = partners.get(line)
    return before === undefined ? [line] : [before, line]
  })
}

/** Lines that are not equal, numbered by the equal lines before them. */
function runsOf(lines: readonly Line[]): Map<Line, number> {
  const runs = new Map<Line, number>()
  let run = 0
  for (const line of lines) {
    if (line.expected !== undefined && line.actual !== undefined) run++
    else runs.set(line, run)
  }
  return runs
}

/** It says which key it has, and that is the record's. */
export function hasKeyOf({ key }: ExpectedRecord, actual: BytesRecord): boolean {
  return key !== undefined && key !== null && !isAsymmetric(key) && isLikeBytes(key, actual.key)
}

const onlyExpected = (expected: ExpectedRecord): Line => ({ expected, actual: undefined })
const onlyActual = (actual: BytesRecord): Line => ({ expected: undefined, actual })

function longestCommon(wanted: readonly ExpectedRecord[], there: readonly BytesRecord[]): Line[] {
  const lengths = Array.from({ length: wanted.length + 1 }, () => new Array<number>(there.length + 1).fill(0))
  for (let i = wanted.length - 1; i >= 0; i--) {
    for (let j = there.length - 1; j >= 0; j--) {
      const [skipWanted, skipThere] = [lengths[i + 1]![j]!, lengths[i]![j + 1]!]
      const both = matches(wanted[i]!, there[j]!) ? lengths[i + 1]![j + 1]! + 1 : 0
      lengths[i]![j] = Math.max(both, skipWanted, skipThere)
    }
  }
  const lines: Line[] = []
  let [i, j] = [0, 0]
  while (i < wanted.length || j < there.length) {
    const here = lengths[i]?.[j] ?? 0
    if (
      i < wanted.length &&
      j < there.length &&
      matches(wanted[i]!, there[j]!) &&
      here === lengths[i + 1]![j + 1]! + 1
    ) {
      lines.push({ expected: wanted[i++], actual: there[j++] })
    } else if (i < wanted.length && (j === there.length || lengths[i + 1]![j]! === here)) {
      lines.push(onlyExpected(wanted[i++]!))
    } else {
      lines.push(onlyActual(there[j++]!))
    }
  }
  return lines
}
