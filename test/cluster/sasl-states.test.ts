/** What a listener with SASL answers to whom, word by word: as Apache Kafka does (test/oracle/sasl-states.test.ts). */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Cluster, createCluster } from '../../src/index.ts'
import { converse } from './sasl-dialogue.ts'
import { dialogues, MAX_REAUTH_MS, people } from './sasl-dialogues.ts'

let cluster: Cluster
beforeAll(async () => {
  cluster = await createCluster({
    brokers: 1,
    listen: { sasl: { users: people, mechanisms: ['PLAIN', 'SCRAM-SHA-256', 'OAUTHBEARER'] } },
    configs: { 'connections.max.reauth.ms': MAX_REAUTH_MS },
    topics: { orders: {} },
  })
})
afterAll(() => cluster?.close())

test.concurrent.each(dialogues)('%s (M-60…M-64)', async (_, steps, answers) => {
  expect(await converse(cluster.bootstrapServers, steps())).toEqual(answers)
})
