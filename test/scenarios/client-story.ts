import { describe, inject, test } from 'vitest'
import type {} from '../oracle/setup.ts'
import { type ClientPlace, clientMounts } from './client-place.ts'

export interface ClientStoryOptions {
  /** Something befalls the cluster: not for one that is somebody else's. */
  readonly breaks?: boolean
  /** Brokers that there must be. */
  readonly brokers?: number
}

type Tell = (place: ClientPlace) => Promise<void>

/**
 * A test that only has our public clients, told in every place that can stage it: in process on virtual time, over TCP,
 * and on a real Kafka. What ends differently there is a bug of ours, or is listed in docs/deviations.md.
 */
export function clientStory(title: string, tell: Tell): void
export function clientStory(title: string, options: ClientStoryOptions, tell: Tell): void
export function clientStory(title: string, options: ClientStoryOptions | Tell, told?: Tell): void {
  const [{ breaks = false, brokers = 1 }, tell] =
    typeof options === 'function' ? [{} as ClientStoryOptions, options] : [options, told as Tell]
  describe.each(clientMounts(inject('oracle')))('$name', mount => {
    // Somebody else's cluster may be far away, and make its internal topics for the first of them.
    test(title, mount.isForeign ? { timeout: 60_000 } : {}, async context => {
      if (mount.missing !== undefined) context.skip(mount.missing)
      if (breaks && mount.isForeign) context.skip('whoever runs that cluster would not like its brokers to be stopped')
      const place = await mount.open()
      try {
        if (mount.isForeign && brokers > 1) {
          const { nodes } = await place.admin().describeCluster()
          if (nodes.length < brokers) context.skip(`it takes ${brokers} brokers, and there are ${nodes.length}`)
        }
        await tell(place)
      } finally {
        await place.close()
      }
    })
  })
}
