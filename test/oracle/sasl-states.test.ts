/** The dialogues of test/cluster/sasl-states.test.ts, with a real Apache Kafka. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { Admin } from '../../src/index.ts'
import { converse } from '../cluster/sasl-dialogue.ts'
import { dialogues, MAX_REAUTH_MS, people } from '../cluster/sasl-dialogues.ts'
import { type Oracle, startKafka } from './kafka.mjs'

const oracleOf = inject('oracle')
const missing = oracleOf === undefined ? 'run by vitest.oracle.config.ts' : oracleOf.missing
const module = 'org.apache.kafka.common.security'
const listener = 'listener.name.sasl_plaintext'

let kafka: Oracle
let server: string

beforeAll(async () => {
  if (missing !== undefined) return
  const users = Object.entries(people).map(([name, password]) => `user_${name}="${password}"`)
  kafka = await startKafka({
    dir: join(oracleOf!.dir, 'sasl-states'),
    brokerConfigs: {
      listeners: 'PLAINTEXT://127.0.0.1:{port},SASL_PLAINTEXT://127.0.0.1:{port2}',
      'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,OAUTHBEARER',
      'connections.max.reauth.ms': `${MAX_REAUTH_MS}`,
      [`${listener}.plain.sasl.jaas.config`]: `${module}.plain.PlainLoginModule required ${users.join(' ')};`,
      [`${listener}.scram-sha-256.sasl.jaas.config`]: `${module}.scram.ScramLoginModule required;`,
      [`${listener}.oauthbearer.sasl.jaas.config`]: `${module}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`,
    },
  })
  server = `127.0.0.1:${(kafka.node(1) as unknown as Record<string, number>).port2}`
  const admin = new Admin({ 'bootstrap.servers': kafka.bootstrapServers })
  const mechanism = 'SCRAM-SHA-256'
  await admin.alterUserScramCredentials(
    Object.entries(people).map(([user, password]) => ({ user, mechanism, password })),
  )
  await admin.createTopics([{ name: 'orders', partitions: 1, replicationFactor: 1 }])
  await admin.close()
}, 120_000)

afterAll(async () => {
  await kafka?.stop()
})

describe.skipIf(missing !== undefined)('Apache Kafka', () => {
  test.concurrent.each(dialogues)('%s (M-60…M-64)', async (_, steps, answers) => {
    expect(await converse(server, steps())).toEqual(answers)
  })
})
