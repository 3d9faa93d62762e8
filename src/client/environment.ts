import type { Address, Carrier } from '../network/channel.ts'
import type { Runtime } from '../runtime/runtime.ts'

/** Where a client lives: whose time it goes by, who carries its connections, and whom it asks first. */
export interface ClientEnvironment {
  readonly runtime: Runtime
  readonly carrier: Carrier
  /** Where to find the cluster; the rest is learnt from there. */
  readonly bootstrap: readonly Address[]
  /** Who connects, as rules of the network and the trace name it: `producer-1`. */
  readonly clientName: string
}
