/** One part of a regular expression. */
export type PatternPart =
  | { readonly kind: 'character'; readonly test: (code: number) => boolean }
  | { readonly kind: 'sequence'; readonly parts: readonly PatternPart[] }
  | { readonly kind: 'choice'; readonly parts: readonly PatternPart[] }
  | { readonly kind: 'repeat'; readonly part: PatternPart; readonly min: number; readonly max: number }
  /** Takes no characters, and holds at some positions. */
  | { readonly kind: 'place'; readonly holds: (text: readonly number[], at: number) => boolean }

/**
 * Whether `text` as a whole matches. Instead of trying one way after the other, all positions that a part can end at are
 * followed at once, so that no expression takes longer than its size times the square of the text's (as RE2 promises).
 */
export function matchesWhole(pattern: PatternPart, text: string): boolean {
  const codes = Array.from(text, character => character.codePointAt(0)!)
  return endsOf(pattern, codes, new Set([0])).has(codes.length)
}

function endsOf(part: PatternPart, text: readonly number[], starts: ReadonlySet<number>): ReadonlySet<number> {
  if (starts.size === 0) return starts
  switch (part.kind) {
    case 'character': {
      const ends = new Set<number>()
      for (const at of starts) if (at < text.length && part.test(text[at]!)) ends.add(at + 1)
      return ends
    }
    case 'place':
      return new Set([...starts].filter(at => part.holds(text, at)))
    case 'sequence':
      return part.parts.reduce((from, next) => endsOf(next, text, from), starts)
    case 'choice':
      return new Set(part.parts.flatMap(choice => [...endsOf(choice, text, starts)]))
    case 'repeat':
      return repeatedEnds(part, text, starts)
  }
}

function repeatedEnds(
  { part, min, max }: Extract<PatternPart, { kind: 'repeat' }>,
  text: readonly number[],
  starts: ReadonlySet<number>,
): ReadonlySet<number> {
  let ends = starts
  for (let i = 0; i < min && ends.size > 0; i++) {
    const next = endsOf(part, text, ends)
    // Once more changes nothing any more, however often it has to be.
    if (next.size === ends.size && [...next].every(at => ends.has(at))) break
    ends = next
  }
  const all = new Set(ends)
  let newest = ends
  for (let i = min; i < max && newest.size > 0; i++) {
    newest = new Set([...endsOf(part, text, newest)].filter(at => !all.has(at)))
    for (const at of newest) all.add(at)
  }
  return all
}
