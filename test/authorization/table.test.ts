/**
 * Who may what: the same questions, put by the same subjects, as to a real Apache Kafka with its StandardAuthorizer
 * (test/oracle/authorization.test.ts), and the same answers.
 */
import { expect, test } from 'vitest'
import { createCluster } from '../../src/index.ts'
import { questions } from './all-questions.ts'
import { ROOT } from './grants.ts'
import { miniKafkaPlace } from './mini-kafka-place.ts'
import { recordedTable } from './recorded-table.ts'
import { furnish } from './setting.ts'
import { askAll, differencesOf, rowsOf } from './table.ts'

test('everybody gets the answers that a real Kafka gives them (M-70, M-71, M-72, M-73)', {
  timeout: 120_000,
}, async () => {
  await using cluster = await createCluster({
    brokers: 1,
    authorizer: { superUsers: [`User:${ROOT}`] },
    configs: {
      'delegation.token.secret.key': 'sesame',
      'offsets.topic.num.partitions': 1,
      'transaction.state.log.num.partitions': 1,
      'transaction.max.timeout.ms': 900_000,
    },
  })
  const place = miniKafkaPlace(cluster)
  await furnish(place)
  const table = await askAll(place, questions)
  const recorded = recordedTable()
  expect(rowsOf(recorded).size).toBeGreaterThan(5000)
  // A broker that fails within itself is no behaviour to copy (docs/deviations.md): we say what is wrong.
  const isFault = (difference: string) => /Kafka: .*UNKNOWN_SERVER_ERROR/.test(difference)
  const differences = differencesOf(recorded, table)
  expect(differences.filter(each => !isFault(each))).toEqual([])
  expect(differences.filter(isFault)).toHaveLength(5)
})
