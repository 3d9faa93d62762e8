/**
 * Which known name was probably meant.
 *
 * Edit distance with transpositions; a name counts as near when at most a third of it would have to change, so that
 * `retires` finds `retries` and `colour` finds nothing among Kafka's keys.
 */
export function nearestName(name: string, names: Iterable<string>): string | undefined {
  const wanted = name.toLowerCase()
  let nearest: string | undefined
  let least = Math.floor(Math.max(name.length, 3) / 3) + 1
  for (const candidate of names) {
    const distance = editDistance(wanted, candidate.toLowerCase(), least)
    if (distance < least) {
      least = distance
      nearest = candidate
    }
  }
  return nearest
}

/** `: did you mean 'x'?`, or nothing: the end of an error that refuses a name. */
export function didYouMean(name: string, names: Iterable<string>): string {
  const nearest = nearestName(name, names)
  return nearest === undefined ? '' : `: did you mean '${nearest}'?`
}

/** The same, and all that there are: `: did you mean 'x'? There are: x, y`. */
export function amongThese(name: string, names: readonly string[]): string {
  if (names.length === 0) return ': there are none'
  const nearest = didYouMean(name, names)
  return `${nearest === '' ? '; there' : `${nearest} There`} are: ${names.join(', ')}`
}

/** The first field that nobody knows, as the end of an error that refuses it: `'x': did you mean 'y'?`; undefined: none. */
export function unknownField(given: object, known: readonly string[]): string | undefined {
  for (const name of Object.keys(given)) {
    if (!known.includes(name)) return `'${name}'${didYouMean(name, known)}`
  }
  return undefined
}

/** Insertions, deletions, replacements and swaps of neighbours from `a` to `b`; anything from `limit` on is `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1]
      let cost = Math.min(last[column - 1]! + (same ? 0 : 1), last[column]! + 1, current[column - 1]! + 1)
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        cost = Math.min(cost, beforeLast[column - 2]! + 1)
      }
      current.push(cost)
    }
    if (Math.min(...current) >= limit) return limit
    beforeLast = last
    last = current
  }
  return Math.min(last[b.length]!, limit)
}
