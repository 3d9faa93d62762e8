import type { Address, Carrier } from '../network/channel.ts'
import type { Runtime } from '../runtime/runtime.ts'

/** A member of a group, while its consumer is open. */
export interface LivingMember {
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
}
