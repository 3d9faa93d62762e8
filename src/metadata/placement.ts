import { KafkaError } from '../wire/errors.ts'

/** A registered broker, as far as it matters where replicas go. */
export interface PlacementBroker {
  readonly brokerId: number
  readonly rack: string | null
  readonly fenced: boolean
}

/** Draws an integer from 0 to n − 1. */
export type Choose = (name: string, n: number) => number

/**
 * Places the replicas of new partitions as Kafka's StripedReplicaPlacer does: each partition begins one rack and one
 * broker further than the one before, its replicas lie in different racks as long as there are any left, and within a
 * rack unfenced brokers go before fenced ones. The first replica, which is to lead, is always unfenced. Where
 * the first partition begins is drawn; after as many partitions as there are unfenced brokers, orders are drawn anew.
 *
 * @throws {KafkaError} INVALID_REPLICATION_FACTOR for more replicas than registered brokers, or when all are fenced.
 */
export function placeReplicas(
  brokers: Iterable<PlacementBroker>,
  partitions: number,
  replicationFactor: number,
  choose: Choose,
): number[][] {
  const racks = new Racks(brokers, choose)
  if (replicationFactor > racks.brokers) {
    throw refused(
      replicationFactor,
      `cannot be reached because only ${racks.brokers} broker(s) are registered, or some brokers have all their log directories cordoned.`,
    )
  }
  if (racks.unfenced === 0) throw refused(replicationFactor, 'cannot be reached because all brokers are fenced.')
  const placed: number[][] = []
  for (let partition = 0; partition < partitions; partition++) placed.push(racks.place(replicationFactor))
  return placed
}

function refused(replicationFactor: number, why: string): KafkaError {
  return new KafkaError(
    'INVALID_REPLICATION_FACTOR',
    `Unable to replicate the partition ${replicationFactor} time(s): The target replication factor of ${replicationFactor} ${why}`,
  )
}

/** Brokers in turn: each round begins one further than the one before. */
class Turn {
  readonly brokers: number[] = []
  #start = 0
  #given = 0
  #round = -1

  begin(choose: Choose): void {
    this.brokers.sort((a, b) => a - b)
    if (this.brokers.length > 0) this.#start = choose('placement', this.brokers.length)
  }

  shuffle(choose: Choose): void {
    shuffle(this.brokers, choose)
  }

  /** The next broker of this round; −1 when it has given all. */
  next(round: number): number {
    const count = this.brokers.length
    if (count === 0) return -1
    if (this.#round !== round) {
      this.#round = round
      this.#given = 0
      this.#start = (this.#start + 1) % count
    }
    if (this.#given >= count) return -1
    return this.brokers[(this.#start + this.#given++) % count]!
  }
}

interface Rack {
  readonly unfenced: Turn
  readonly fenced: Turn
}

class Racks {
  readonly #racks: Rack[]
  readonly #choose: Choose
  readonly brokers: number
  readonly unfenced: number
  #round = 0
  #roundsLeft: number
  #first: number

  constructor(brokers: Iterable<PlacementBroker>, choose: Choose) {
    const byName = new Map<string, Rack>()
    let all = 0
    let unfenced = 0
    for (const { brokerId, rack: name, fenced } of brokers) {
      const key = name ?? ''
      let rack = byName.get(key)
      if (rack === undefined) {
        rack = { unfenced: new Turn(), fenced: new Turn() }
        byName.set(key, rack)
      }
      ;(fenced ? rack.fenced : rack.unfenced).brokers.push(brokerId)
      all++
      if (!fenced) unfenced++
    }
    this.#racks = [...byName.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, rack]) => rack)
    for (const rack of this.#racks) {
      rack.unfenced.begin(choose)
      rack.fenced.begin(choose)
    }
    this.#first = this.#racks.length > 0 ? choose('placement', this.#racks.length) : 0
    this.#choose = choose
    this.brokers = all
    this.unfenced = unfenced
    this.#roundsLeft = unfenced
  }

  place(replicationFactor: number): number[] {
    if (this.#roundsLeft === 0) this.#drawAnew()
    this.#roundsLeft--
    this.#round++
    const count = this.#racks.length
    const start = this.#first
    this.#first = (this.#first + 1) % count
    let leaderRack = start
    let leader = -1
    for (; ; leaderRack = (leaderRack + 1) % count) {
      leader = this.#racks[leaderRack]!.unfenced.next(this.#round)
      if (leader >= 0) break
    }
    const replicas = [leader]
    let rack = (leaderRack + 1) % count
    while (replicas.length < replicationFactor) {
      const broker = this.#nextOf(this.#racks[rack]!)
      if (broker >= 0) replicas.push(broker)
      rack = (rack + 1) % count
    }
    return replicas
  }

  #nextOf(rack: Rack): number {
    const unfenced = rack.unfenced.next(this.#round)
    return unfenced >= 0 ? unfenced : rack.fenced.next(this.#round)
  }

  /** So that followers of one leader do not always sit on the same brokers. */
  #drawAnew(): void {
    this.#roundsLeft = this.unfenced
    shuffle(this.#racks, this.#choose)
    for (const rack of this.#racks) {
      rack.unfenced.shuffle(this.#choose)
      rack.fenced.shuffle(this.#choose)
    }
  }
}

function shuffle<T>(items: T[], choose: Choose): void {
  for (let last = items.length - 1; last > 0; last--) {
    const drawn = choose('placement', last + 1)
    const item = items[last]!
    items[last] = items[drawn]!
    items[drawn] = item
  }
}
