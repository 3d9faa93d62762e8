import { expect, test } from 'vitest'
import { createCluster } from '../../src/index.ts'
import recorded from '../data/kafka/delegation-tokens.json' with { type: 'json' }
import { delegationTokenStory, tokenUsers } from './delegation-token-story.ts'

test('delegation tokens are given, shown, prolonged, taken and ended as by a real Kafka (KIP-48, KIP-373)', async () => {
  await using cluster = await createCluster({
    brokers: 1,
    listen: [{}, { sasl: { users: tokenUsers, mechanisms: ['PLAIN', 'SCRAM-SHA-256'] } }],
    authorizer: { superUsers: ['User:ANONYMOUS', 'User:admin'] },
    configs: { 'delegation.token.secret.key': 'sesame' },
  })
  const plaintext = cluster.bootstrapServersOf('PLAINTEXT')
  const sasl = cluster.bootstrapServersOf('SASL_PLAINTEXT')
  expect(await delegationTokenStory({ plaintext, sasl })).toEqual(recorded.told)
})
