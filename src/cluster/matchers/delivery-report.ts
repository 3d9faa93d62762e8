import type { Cluster } from '../cluster.ts'
import type { BytesRecord } from '../topic-handle.ts'
import type { Isolation } from '../visible-records.ts'
import { aligned, byPartition, hasKeyOf, isOf, type Line } from './delivery.ts'
import {
  differences,
  type ExpectedRecord,
  type Field,
  fieldsOf,
  matches,
  showField,
  showRecord,
} from './expected-record.ts'
import { standing, story } from './partition-story.ts'

const SHOWN_LINES = 20
/** Records that match are shown next to those that do not. */
const AROUND = 2

/** Why the records are not the expected ones: partition by partition, with what explains it. */
export function report(
  cluster: Cluster,
  topic: string,
  isolation: Isolation,
  expected: readonly ExpectedRecord[],
  actual: readonly BytesRecord[],
): string {
  const { lines, unequal } = comparison(cluster, topic, expected, actual, 'delivered')
  for (const partition of unequal) {
    lines.push(...explained(cluster, topic, partition, isolation))
  }
  return lines.join('\n').trimEnd()
}

/**
 * Where the two differ, partition by partition: lines, and the partitions; all of them if it is in none. `did`: what became
 * of the actual ones.
 */
export function comparison(
  cluster: Cluster,
  topic: string,
  expected: readonly ExpectedRecord[],
  actual: readonly BytesRecord[],
  did: 'delivered' | 'consumed',
): { lines: string[]; unequal: number[] } {
  const { groups, anywhere } = grouped(cluster, topic, expected, actual)
  const fields = fieldsOf(expected)
  const lines: string[] = []
  const unequal: number[] = []
  for (const [partition, { wanted, there }] of groups) {
    const compared = aligned(wanted, there)
    if (compared.every(line => line.expected !== undefined && line.actual !== undefined)) continue
    unequal.push(partition)
    lines.push(`${topic}-${partition}  (- expected, + ${did})`, ...shown(compared, fields, did), '')
  }
  if (anywhere.length > 0) {
    const missing = anywhere.map(each => ({ expected: each, actual: undefined }))
    lines.push('in no partition', ...shown(missing, fields, did), '')
  }
  return { lines, unequal: unequal.length > 0 ? unequal : [...groups.keys()] }
}

interface Group {
  readonly wanted: ExpectedRecord[]
  readonly there: readonly BytesRecord[]
}

/** Who names no partition is expected where it is found, or where its key is; if that is nowhere, nowhere in particular. */
function grouped(
  cluster: Cluster,
  topic: string,
  expected: readonly ExpectedRecord[],
  actual: readonly BytesRecord[],
): { groups: Map<number, Group>; anywhere: ExpectedRecord[] } {
  const there = byPartition(actual)
  const count = cluster.topic(topic).partitionCount
  const groups = new Map<number, Group>()
  for (let p = 0; p < count; p++) groups.set(p, { wanted: [], there: there.get(p) ?? [] })
  const taken = new Set<BytesRecord>()
  const places = expected.map(each => {
    const named = count === 1 ? 0 : [...groups.keys()].find(partition => isOf(each, partition))
    const found = actual.find(record => {
      return !taken.has(record) && matches(each, record) && (named === undefined || record.partition === named)
    })
    if (found !== undefined) taken.add(found)
    return named ?? found?.partition
  })
  const anywhere: ExpectedRecord[] = []
  for (const [index, each] of expected.entries()) {
    const partition = places[index] ?? actual.find(record => !taken.has(record) && hasKeyOf(each, record))?.partition
    if (partition === undefined) anywhere.push(each)
    else groups.get(partition)!.wanted.push(each)
  }
  return { groups, anywhere }
}

function shown(compared: readonly Line[], fields: readonly Field[], did: string): string[] {
  const isEqual = ({ expected, actual }: Line) => expected !== undefined && actual !== undefined
  const near = compared.map((_, index) => {
    return compared.slice(Math.max(0, index - AROUND), index + AROUND + 1).some(line => !isEqual(line))
  })
  const lines: string[] = []
  let equal = 0
  const skip = () => {
    if (equal > 0) lines.push(`    … ${equal} as expected`)
    equal = 0
  }
  for (const [index, line] of compared.entries()) {
    if (!near[index]) {
      equal++
      continue
    }
    skip()
    if (lines.length >= SHOWN_LINES) {
      lines.push(`    … and ${compared.length - index} more lines`)
      return lines
    }
    const { expected, actual } = line
    if (isEqual(line)) lines.push(`    ${showRecord(actual!, fields)}`)
    else if (expected !== undefined) lines.push(`  - ${showRecord(expected)}`)
    else lines.push(`  + ${showRecord(actual!, fields)}`, ...whatDiffers(compared[index - 1], actual!, did))
  }
  skip()
  return lines
}

/** One record stands in the place of another: in which fields they differ. */
function whatDiffers(before: Line | undefined, actual: BytesRecord, did: string): string[] {
  if (before?.expected === undefined || before.actual !== undefined) return []
  const { expected } = before
  return differences(expected, actual).map(field => {
    return `      ${field}: expected ${showField(field, expected)}, ${did} ${showField(field, actual)}`
  })
}

function explained(cluster: Cluster, topic: string, partition: number, isolation: Isolation): string[] {
  const view = cluster.partition(topic, partition)
  const { highWatermark, lastStableOffset, endOffset } = view
  const lines = [standing(view)]
  if (endOffset > highWatermark) {
    const range = offsets(highWatermark, endOffset)
    lines.push(`  not delivered: ${range}, at or above the high watermark (not on every in-sync replica)`)
  }
  if (isolation === 'read_committed' && highWatermark > lastStableOffset) {
    const range = offsets(lastStableOffset, highWatermark)
    lines.push(`  not delivered: ${range}, at or above the last stable offset (a transaction is open)`)
  }
  return [...lines, ...story(cluster, topic, partition), '']
}

function offsets(from: number, to: number): string {
  return to - from === 1 ? `offset ${from}` : `offsets ${from} to ${to - 1}`
}
