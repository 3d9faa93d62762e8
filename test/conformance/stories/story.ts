import type { Client } from '../client.ts'
import type { PlaceName } from '../place.ts'
import type { World } from '../world.ts'

/** Columns of docs/clients.md. */
export const columns = ['admin', 'produce', 'idempotence', 'groups', 'transactions', 'fail-over'] as const
export type Column = (typeof columns)[number]

/** What any client that can do it must get to do here. */
export interface Story {
  readonly column: Column
  /** What of the column it shows, as the table names it: `gzip`, `consumer`. */
  readonly aspect: string
  /** A fact. */
  readonly title: string
  /** Where it can be told: things can befall only what the test owns. */
  readonly places: readonly PlaceName[]
  tell(world: World): Promise<void>
}

export type Stories = (client: Client) => Story[]

export const everywhere: readonly PlaceName[] = ['embedded', 'command line']
export const embeddedOnly: readonly PlaceName[] = ['embedded']
