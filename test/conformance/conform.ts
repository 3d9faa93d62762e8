import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import '../setup.ts'
import { readClient, whyNotInstalled } from './client.ts'
import { type Place, type PlaceName, places } from './place.ts'
import { storiesOf } from './stories/all.ts'
import type { Telling } from './table.ts'
import { World } from './world.ts'

declare module 'vitest' {
  interface TaskMeta {
    /** What the table of docs/clients.md is made of. */
    telling?: Telling
  }
}

/** Tells every story that the client can take part in, at both places. */
export function conform(name: string): void {
  const client = readClient(name)
  const missing = whyNotInstalled(client)

  describe.each(Object.keys(places) as PlaceName[])(`${client.title}, %s`, place => {
    // Each story embedded has a cluster of its own; the command line is started once, as its users do.
    const isShared = place === 'command line'
    let shared: Place | undefined
    beforeAll(async () => {
      if (isShared && missing === undefined) shared = await places[place]()
    })
    afterAll(async () => {
      await shared?.end()
      expect(shared?.disorder ?? []).toEqual([])
    })

    for (const { title, column, aspect, tell } of storiesOf(client).filter(story => story.places.includes(place))) {
      const telling: Telling = { client: name, place, column, aspect }
      test(title, { meta: { telling } }, async ({ task, skip }) => {
        if (missing !== undefined) {
          expect(process.env.CI, missing).not.toBe('true')
          skip(missing)
        }
        const world = await World.start(client, shared ?? (await places[place]()), !isShared)
        task.meta.telling = { ...telling, hello: world.driver.hello }
        const failure: Error | undefined = await tell(world).then(
          () => undefined,
          error => error,
        )
        const disorder = await world.end()
        if (failure !== undefined) {
          failure.message += disorder.map(line => `\nbesides: ${line}`).join('')
          throw failure
        }
        expect(disorder).toEqual([])
      })
    }
  })
}
