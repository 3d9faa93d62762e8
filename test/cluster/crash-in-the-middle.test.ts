import { createCluster } from 'mini-kafka'
import { expect, test } from 'vitest'
import { envelope } from '../../src/apis/envelope.ts'
import { produce } from '../../src/apis/produce.ts'
import { apis } from '../../src/apis/registry.ts'
import type { AnyApi, RequestInput } from '../../src/wire/api.ts'
import { batchOf } from '../../src/wire/batch-builder.ts'
import { Records } from '../../src/wire/records.ts'
import { defaultOf } from '../../src/wire/schema.ts'
import { ask } from '../apis/asking.ts'

/** A request that names nothing, which every API takes. */
function blank(api: AnyApi): RequestInput<AnyApi> {
  return Object.fromEntries(
    Object.entries(api.request.fields).map(([name, field]) => [name, defaultOf(field as never)]),
  )
}

const sides = apis.flatMap(api => [
  ...(api.broker === undefined ? [] : [{ api, name: api.name, side: 'broker' as const }]),
  // An envelope is opened before anybody looks at it: what is inside has a case of its own.
  ...(api.controller === undefined || api === envelope ? [] : [{ api, name: api.name, side: 'controller' as const }]),
])

for (const where of ['before', 'after'] as const) {
  test.each(sides)(
    `a crash of the $side ${where} it handles $name: nothing of that life goes on, not even after a restart`,
    async ({ api, side }) => {
      await using cluster = await createCluster({ topics: { t: { replicationFactor: 3 } } })
      const node = side === 'broker' ? cluster.leaderOf('t', 0) : cluster.controller
      let reached = false
      let wentOn = false
      cluster.intercept(api, async (request, next) => {
        if (request.from !== 'asker') return next()
        if (where === 'after') await next()
        reached = true
        await request.sleep(1_000)
        wentOn = true
        return next()
      })

      const answer = ask(cluster, node.id, api, blank(api)).then(
        () => 'answered',
        () => 'lost',
      )
      await cluster.runUntil(() => reached)
      await node.crash()
      await node.restart()
      await cluster.clock.advance(5_000)

      expect(await answer).toBe('lost')
      expect(wentOn).toBe(false)
    },
  )
}

test('an acks=all append that waits for its followers when the leader crashes is neither answered nor settled by the next life', async () => {
  await using cluster = await createCluster({
    topics: { t: { replicationFactor: 3, configs: { 'min.insync.replicas': 2 } } },
  })
  const leader = cluster.leaderOf('t', 0)
  const followers = cluster.followersOf('t', 0)
  for (const follower of followers) await follower.pause()
  const records = Records.of([batchOf([{ value: 'waits' }], { timestamp: cluster.clock.now() })])
  const topicData = [{ name: 't', partitionData: [{ index: 0, records }] }]
  const answer = ask(cluster, leader.id, produce, { acks: -1, timeoutMs: 60_000, topicData }, 12).then(
    () => 'answered',
    () => 'lost',
  )
  await cluster.runUntil(() => cluster.partition('t', 0).endOffset === 1)
  await leader.crash()
  for (const follower of followers) await follower.resume()
  await leader.restart()
  await cluster.runUntil(() => cluster.partition('t', 0).inSyncReplicas.length === 3)
  expect(await answer).toBe('lost')
})
