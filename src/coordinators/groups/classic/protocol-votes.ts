import { javaHash } from '../../partition-for.ts'
import type { MemberProtocol } from './classic-member.ts'

interface Voter {
  readonly protocols: readonly MemberProtocol[]
}

/** The protocols that all of them offer, in the order of the first. */
export function sharedProtocols(members: Iterable<Voter>): string[] {
  const [first, ...others] = members
  if (first === undefined) return []
  const shared = others.map(member => new Set(member.protocols.map(({ name }) => name)))
  const names = new Set(first.protocols.map(({ name }) => name))
  return [...names].filter(name => shared.every(offered => offered.has(name)))
}

/**
 * What a group goes by: each member votes for the first protocol of its own that all share, and the one with most votes
 * wins (G-13). Between equals Kafka takes the one that its hash map yields first: `sticky` before `range`.
 */
export function electProtocol(members: readonly Voter[]): string | undefined {
  const candidates = new Set(sharedProtocols(members))
  const votes = new Map<string, number>()
  for (const { protocols } of members) {
    const choice = protocols.find(({ name }) => candidates.has(name))?.name
    if (choice !== undefined) votes.set(choice, (votes.get(choice) ?? 0) + 1)
  }
  const inOrder = inHashOrder([...votes.keys()])
  let elected = inOrder[0]
  for (const name of inOrder) if (votes.get(name)! > votes.get(elected!)!) elected = name
  return elected
}

/** As Java's HashMap iterates over them: by slot of a table whose size is a power of two, at most three quarters full. */
function inHashOrder(names: readonly string[]): string[] {
  let size = 16
  while (names.length > size * 0.75) size *= 2
  const slot = (name: string) => {
    const hash = javaHash(name)
    return (hash ^ (hash >>> 16)) & (size - 1)
  }
  return [...names].sort((a, b) => slot(a) - slot(b))
}
