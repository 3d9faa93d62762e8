import { inject, test } from 'vitest'
import { apacheKafka } from '../oracle/kafka-world.ts'
import type {} from '../oracle/setup.ts'
import { miniKafka } from './mini-kafka-world.ts'
import type { Mount, Power, World } from './world.ts'

function mountOf(): Mount {
  const oracle = inject('oracle')
  return oracle === undefined ? miniKafka : apacheKafka(oracle.dir, oracle.missing)
}

/** What a story asks of its world beyond the rest, and why. */
export interface StoryOptions {
  readonly needs?: Power
  /** Why it is told on mini-kafka only. */
  readonly onlyHere?: string
}

/** A test that is told in every world that can stage it. Its title is a fact, with the rules that say so. */
export function story(title: string, tell: (world: World) => Promise<void>): void
export function story(title: string, options: StoryOptions, tell: (world: World) => Promise<void>): void
export function story(
  title: string,
  options: StoryOptions | ((world: World) => Promise<void>),
  told?: (world: World) => Promise<void>,
): void {
  const [{ needs, onlyHere }, tell] =
    typeof options === 'function' ? [{} as StoryOptions, options] : [options, told as (world: World) => Promise<void>]
  const mount = mountOf()
  test(title, async context => {
    if (mount.missing !== undefined) context.skip(mount.missing)
    if (needs !== undefined && !mount.powers.has(needs)) context.skip(`${mount.name} has no ${needs}`)
    if (onlyHere !== undefined && mount !== miniKafka) context.skip(onlyHere)
    const world = await mount.open()
    try {
      await tell(world)
    } finally {
      await world.close()
    }
  })
}
