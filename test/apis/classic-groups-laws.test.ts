import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Cluster } from '../../src/index.ts'
import { createCluster } from '../../src/index.ts'
import { ConnectionError } from '../../src/network/channel.ts'
import { beat, type Joined, join, leave, stateOf, sync } from './classic-asking.ts'
import { keptOn, OFFSETS_TOPIC } from './committing.ts'

const GROUP = 'billing'
const terms = { sessionMs: 6_000, rebalanceMs: 4_000 }
/** The last two are static members. */
const ACTORS = 5

/** Real milliseconds: dozens of clusters one after the other. */
const SLOW_MS = 30_000

type Verb = 'go on' | 'join' | 'late sync' | 'leave' | 'restart'

type Step =
  | { readonly do: Verb; readonly actor: number; readonly topic: string }
  | { readonly do: 'all go on'; readonly topic: string }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'coordinator'; readonly verb: 'crash' | 'stop' }

/** Somebody who takes part, one request at a time, and forgets what it was told only when it restarts. */
class Actor {
  readonly instanceId: string | undefined
  memberId = ''
  joined: Joined | undefined
  /** The last generation that it was told of. */
  last: Joined | undefined
  /** The generation before: a request of it may still be under way. */
  earlier: Joined | undefined
  /** It has called SyncGroup in its generation. */
  hasSynced = false
  busy: Promise<void> | undefined

  constructor(index: number) {
    this.instanceId = index >= ACTORS - 2 ? `i${index}` : undefined
  }

  get speaking() {
    const instance = this.instanceId === undefined ? {} : { instanceId: this.instanceId }
    return { memberId: this.memberId, generation: this.joined?.generation ?? -1, ...instance }
  }
}

/** What was seen of a generation: two members that were told of the same one agree on it. */
interface Generation {
  readonly leader: string
  readonly protocol: string | null
}

class Run {
  readonly cluster: Cluster
  readonly actors = Array.from({ length: ACTORS }, (_, index) => new Actor(index))
  /** Whose a member id is, or was. */
  readonly owners = new Map<string, Actor>()
  /** By generation and, since one that a fail-over lost is begun again, by the coordinator's epoch. */
  readonly seen = new Map<string, Generation>()
  readonly failures: unknown[] = []
  assigned = 0

  constructor(cluster: Cluster) {
    this.cluster = cluster
  }

  async take(step: Step): Promise<void> {
    const { cluster } = this
    if (step.do === 'wait') return cluster.clock.advance(step.ms)
    if (step.do === 'coordinator') {
      const leader = cluster.coordinatorOf({ group: GROUP })
      await leader[step.verb]()
      await leader.restart()
      return
    }
    if (step.do === 'all go on') {
      for (const actor of this.actors) this.#start(actor, 'go on', step.topic)
      return cluster.clock.advance(100)
    }
    const actor = this.actors[step.actor]!
    if (step.do === 'restart') {
      actor.memberId = ''
      actor.joined = undefined
      actor.earlier = undefined
      return
    }
    this.#start(actor, step.do, step.topic)
    await cluster.clock.advance(20)
  }

  #start(actor: Actor, verb: Verb, topic: string): void {
    if (actor.busy !== undefined) return
    actor.busy = this.#ask(actor, verb, topic).then(
      () => {
        actor.busy = undefined
      },
      error => {
        actor.busy = undefined
        // Of a broker that is gone there is no answer.
        if (!(error instanceof ConnectionError)) this.failures.push(error)
      },
    )
  }

  async #ask(actor: Actor, verb: Verb, topic: string): Promise<void> {
    if (verb === 'join' || actor.joined === undefined) return this.#join(actor, topic)
    if (verb === 'leave') await leave(this.cluster, GROUP, actor.speaking)
    else if (verb === 'late sync') await this.#sync(actor, actor.earlier)
    else if (actor.hasSynced) await this.#beat(actor)
    else await this.#sync(actor, actor.joined)
  }

  async #beat(actor: Actor): Promise<void> {
    const { joined } = actor
    const error = await beat(this.cluster, GROUP, actor.speaking)
    if (error !== 'NONE' && actor.joined === joined) actor.joined = undefined
    if (error === 'UNKNOWN_MEMBER_ID') actor.memberId = ''
  }

  async #join(actor: Actor, topic: string): Promise<void> {
    const { memberId, instanceId } = actor
    const protocols = topic === 'a' ? ['range', 'sticky'] : ['sticky', 'range']
    const asked = {
      memberId,
      topics: [topic],
      protocols,
      ...terms,
      ...(instanceId === undefined ? {} : { instanceId }),
    }
    const answer = await join(this.cluster, GROUP, asked)
    // It was restarted meanwhile: the answer reached nobody.
    if (actor.memberId !== memberId) return
    if (answer.error === 'UNKNOWN_MEMBER_ID' || answer.error === 'FENCED_INSTANCE_ID') actor.memberId = ''
    if (answer.error !== 'NONE' && answer.error !== 'MEMBER_ID_REQUIRED') return
    actor.memberId = answer.memberId
    this.owners.set(answer.memberId, actor)
    if (answer.error === 'MEMBER_ID_REQUIRED') return
    if (actor.last?.memberId === answer.memberId) actor.earlier = actor.last
    actor.last = answer
    actor.joined = answer
    actor.hasSynced = false
    const { generation, protocol } = answer
    // A static member that is back has another id in the same generation.
    const leader = answer.leader.replace(/^(i\d)-.*/, '$1')
    const key = `${generation} ${this.cluster.partition(OFFSETS_TOPIC, 0).leaderEpoch}`
    const known = this.seen.get(key)
    if (known === undefined) this.seen.set(key, { leader, protocol })
    else expect({ leader, protocol }).toEqual(known)
    expect(answer.members.length > 0).toBe(answer.leader === answer.memberId)
  }

  async #sync(actor: Actor, joined: Joined | undefined): Promise<void> {
    if (joined === undefined) return
    const members = joined.answer.members.map(({ memberId, groupInstanceId }) => [
      memberId,
      groupInstanceId ?? memberId,
    ])
    const assignments = Object.fromEntries(members.map(([id, who]) => [id!, `${joined.generation} ${who}`]))
    const { error, assignment } = await sync(this.cluster, GROUP, {
      ...actor.speaking,
      generation: joined.generation,
      protocol: joined.protocol,
      assignments,
    })
    if (joined === actor.joined) {
      if (error === 'NONE') actor.hasSynced = true
      else actor.joined = undefined
      if (error === 'UNKNOWN_MEMBER_ID') actor.memberId = ''
    }
    if (error !== 'NONE' || assignment === '') return
    this.assigned++
    // Never what is another's, nor of another generation.
    expect(assignment).toBe(`${joined.generation} ${actor.instanceId ?? joined.memberId}`)
  }
}

const actor = fc.nat(ACTORS - 1)
const topic = fc.constantFrom('a', 'b')
const rarely = fc.constantFrom<Verb>('join', 'late sync', 'leave', 'restart')
const steps = (verbs: readonly ('crash' | 'stop')[]) =>
  fc.array(
    fc.oneof(
      { weight: 12, arbitrary: fc.record({ do: fc.constant('go on'), actor, topic }) },
      { weight: 8, arbitrary: fc.record({ do: fc.constant('all go on'), topic }) },
      { weight: 4, arbitrary: fc.record({ do: rarely, actor, topic }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('wait'), ms: fc.constantFrom(500, 4_500) }) },
      ...verbs.map(verb => ({ weight: 1, arbitrary: fc.constant({ do: 'coordinator', verb } as const) })),
    ) as fc.Arbitrary<Step>,
    { minLength: 30, maxLength: 90 },
  )

/** Whatever came before: all that was asked is answered, and a group that nobody speaks to any more empties. */
async function ends(run: Run): Promise<void> {
  const { cluster } = run
  await Promise.all(run.actors.map(({ busy }) => busy))
  await cluster.clock.advance(20_000)
  expect(run.failures).toEqual([])
  expect(['Empty', 'no group']).toContain(await stateOf(cluster, GROUP))
  for (const each of run.actors) each.memberId = ''
  const [first, second] = run.actors as [Actor, Actor]
  for (const each of [first, second]) await run.take({ do: 'join', actor: run.actors.indexOf(each), topic: 'a' })
  await Promise.all([first, second].map(each => run.take({ do: 'join', actor: run.actors.indexOf(each), topic: 'a' })))
  await Promise.all([first.busy, second.busy])
  expect(await stateOf(cluster, GROUP)).toBe('CompletingRebalance')
}

interface Terms {
  readonly brokers: number
  readonly verbs?: readonly ('crash' | 'stop')[]
  readonly mutants?: readonly string[]
  readonly numRuns: number
}

/** How often somebody was given something: laws of groups in which nothing happens hold too. */
async function hold({ brokers, verbs = [], mutants = [], numRuns }: Terms): Promise<number> {
  let assigned = 0
  const law = fc.asyncProperty(steps(verbs), async taken => {
    await using cluster = await createCluster({
      brokers,
      mutants,
      configs: { 'group.initial.rebalance.delay.ms': 500 },
      topics: keptOn(...[1, 2, 3].slice(0, brokers)),
    })
    const run = new Run(cluster)
    for (const step of taken) await run.take(step)
    await ends(run)
    assigned += run.assigned
  })
  await fc.assert(law, { numRuns, seed: 1, endOnFailure: true })
  return assigned
}

/** G-13, G-15: who is told of a generation agrees on it, nobody is given what is another's, and all is answered. */
test(
  'requests of members hold the laws of a group in whatever order they come',
  async () => expect(await hold({ brokers: 1, numRuns: 20 })).toBeGreaterThan(50),
  SLOW_MS,
)

test(
  'requests of members hold the laws of a group over crashes and stops of its coordinator',
  async () => expect(await hold({ brokers: 3, verbs: ['crash', 'stop'], numRuns: 8 })).toBeGreaterThan(15),
  SLOW_MS,
)

test(
  'the laws find a coordinator that does not look at generations',
  () => expect(hold({ brokers: 1, mutants: ['no-generation-check'], numRuns: 40 })).rejects.toThrow('Property failed'),
  SLOW_MS,
)
