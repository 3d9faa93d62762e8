import type { Outcome } from './universe.ts'

/** Each law answers its witnesses: none when it holds. */

/** An acknowledged record is at its offset, for ever. */
export function lostRecords({ sent, log }: Outcome): string[] {
  return sent
    .filter(({ offset, value }) => offset >= 0 && log.get(offset) !== value)
    .map(
      ({ offset, value }) =>
        `${value} was acknowledged at offset ${offset}, where there is ${log.get(offset) ?? 'nothing'}`,
    )
}

/** No two replicas differ below their high watermarks. */
export function divergence({ replicas }: Outcome): string[] {
  const [first, ...others] = [...replicas]
  if (first === undefined) return []
  return others
    .filter(([, batches]) => batches.join('\n') !== first[1].join('\n'))
    .map(
      ([id, batches]) =>
        `broker ${id} has\n  ${batches.join('\n  ')}\nbroker ${first[0]} has\n  ${first[1].join('\n  ')}`,
    )
}

/** What one producer sent stands in the order in which it was sent. */
export function disorder({ log }: Outcome): string[] {
  const witnesses: string[] = []
  let last = -1
  for (const [offset, value] of [...log].sort(([a], [b]) => a - b)) {
    const index = Number(value.slice(1))
    if (index <= last) witnesses.push(`${value} stands at offset ${offset}, behind v${last}`)
    last = Math.max(last, index)
  }
  return witnesses
}

/** No sequence of a producer is stored twice. */
export function repeatedSequences({ batches }: Outcome): string[] {
  const stored = batches.filter(({ producerId }) => producerId >= 0)
  return twice(
    stored.map(({ producerId, producerEpoch, baseSequence, baseOffset }) => [
      `producer ${producerId} epoch ${producerEpoch} sequence ${baseSequence}`,
      baseOffset,
    ]),
  )
}

/** No record is stored twice. */
export function duplicates({ log }: Outcome): string[] {
  return twice([...log].map(([offset, value]) => [value, offset]))
}

function twice(stored: readonly (readonly [what: string, offset: number])[]): string[] {
  const witnesses: string[] = []
  const seen = new Map<string, number>()
  for (const [what, offset] of stored) {
    const before = seen.get(what)
    if (before !== undefined) witnesses.push(`${what} stands at offsets ${before} and ${offset}`)
    seen.set(what, offset)
  }
  return witnesses
}
