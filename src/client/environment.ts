import type { Address, Carrier } from '../network/channel.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { AssignedPartition } from './consumer/assigned-partition.ts'
import type { TopicChoice } from './consumer/topic-choice.ts'

/** A consumer with a `group.id`, while it is open: whether or not it is a member. */
export interface LivingMember {
  /** Of the consumer: `consumer-1`. */
  readonly name: string
  readonly groupId: string
  /** '' as long as no coordinator has given it one. */
  readonly memberId: string
  /** What it subscribes to; undefined: nothing. */
  readonly choice: TopicChoice | undefined
  /** It assigns its partitions itself: it never joins. */
  readonly isManual: boolean
  /** What it reads, and where it stands. */
  readonly partitions: Iterable<AssignedPartition>
  /** A poll is pending, or an iteration waits for its next record. */
  readonly isPolling: boolean
  /** When its last poll ended, in milliseconds since the epoch; undefined: it has never been polled. */
  readonly polledAt: number | undefined
  /** `enable.auto.commit` */
  readonly commitsByItself: boolean
  /** How soon it looks again for topics that match its RegExp: `metadata.max.age.ms`. */
  readonly metadataMaxAgeMs: number
  /** The id as which it beats, and is answered well; undefined: it does not, or something is wrong. */
  readonly steadyMemberId: string | undefined
}

/** Where a client lives: whose time it goes by, who carries its connections, and whom it asks first. */
export interface ClientEnvironment {
  readonly runtime: Runtime
  readonly carrier: Carrier
  /** Where to find the cluster; the rest is learnt from there. */
  readonly bootstrap: readonly Address[]
  /** Who connects, as rules of the network and the trace name it: `producer-1`. */
  readonly clientName: string
  /** Members of groups that live here, as whoever watches over virtual time has to know them. */
  readonly members?: Set<LivingMember>
  /** Rules that are switched off, for tests of checkers. */
  readonly mutants?: ReadonlySet<string>
  /** Its connections are encrypted where `security.protocol` says so. Default false: there is nothing to encrypt for. */
  readonly speaksTls?: boolean
  /** Told of configuration that was given in vain. Default `console.warn`. */
  readonly warn?: (text: string) => void
  /** The client has closed: nobody needs to keep it any longer. It settles when that is done. */
  readonly closed?: () => void | Promise<void>
}
