import { expect, test } from 'vitest'
import { createCluster } from '../../src/index.ts'

test('a call that has run out of patience says which broker throttles whom, and for how long', async () => {
  await using cluster = await createCluster({
    brokers: 1,
    patienceMs: 60_000,
    quotas: [{ clientId: 'a', controllerMutationRate: 0.1 }],
  })
  const admin = cluster.admin({ 'client.id': 'a' })
  await admin.createTopics([{ name: 'many', partitions: 15 }])
  const once = { retryOnQuotaViolation: false }
  await expect(admin.createTopics([{ name: 'more' }], once)).rejects.toThrow('THROTTLING_QUOTA_EXCEEDED')
  // 139 seconds, of which it waits for the first sixty.
  await expect(admin.listTopics()).rejects.toThrow(/which throttles it for another 7\d{4} ms/)
})
