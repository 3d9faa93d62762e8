import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import recorded from '../data/kafka/delegation-tokens.json' with { type: 'json' }
import { delegationTokenStory, tokenUsers } from '../security/delegation-token-story.ts'
import { type Oracle, startKafka } from './kafka.mjs'

const oracleOf = inject('oracle')
const missing = oracleOf === undefined ? 'run by vitest.oracle.config.ts' : oracleOf.missing

/** A cluster of its own each time, for the tokens of an earlier attempt would be shown, too. */
async function startedKafka(dir: string): Promise<Oracle> {
  const module = 'org.apache.kafka.common.security'
  const listener = 'listener.name.sasl_plaintext'
  const users = Object.entries(tokenUsers).map(([user, password]) => `user_${user}="${password}"`)
  return startKafka({
    dir: join(dir, 'kafka'),
    configs: {
      'delegation.token.secret.key': 'sesame',
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': 'User:ANONYMOUS;User:admin',
    },
    brokerConfigs: {
      listeners: 'PLAINTEXT://127.0.0.1:{port},SASL_PLAINTEXT://127.0.0.1:{port2}',
      'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256',
      [`${listener}.plain.sasl.jaas.config`]: `${module}.plain.PlainLoginModule required ${users.join(' ')};`,
      [`${listener}.scram-sha-256.sasl.jaas.config`]: `${module}.scram.ScramLoginModule required;`,
    },
  })
}

test.skipIf(missing !== undefined)(
  'Apache Kafka gives, shows, prolongs and ends delegation tokens as we do',
  async () => {
    const dir = mkdtempSync(join(tmpdir(), 'tokens-'))
    const kafka = await startedKafka(dir)
    try {
      const { port, port2 } = kafka.node(1) as unknown as { port: number; port2: number }
      const told = await delegationTokenStory({ plaintext: `127.0.0.1:${port}`, sasl: `127.0.0.1:${port2}` })
      expect(told).toEqual(recorded.told)
    } finally {
      await kafka.stop()
      rmSync(dir, { recursive: true, force: true })
    }
  },
)
