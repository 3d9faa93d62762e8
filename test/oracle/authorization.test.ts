/**
 * The table of denials (test/authorization), asked of a real Apache Kafka with its StandardAuthorizer: every subject logs in
 * by SASL/PLAIN and puts every question. RECORD=1 writes down what it answers, for the tests that have no Kafka.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { saslAuthenticate } from '../../src/apis/sasl-authenticate.ts'
import { saslHandshake } from '../../src/apis/sasl-handshake.ts'
import { TcpCarrier } from '../../src/network/tcp.ts'
import { RealRuntime } from '../../src/runtime/real.ts'
import { questions } from '../authorization/all-questions.ts'
import { ROOT, subjects } from '../authorization/grants.ts'
import type { Place } from '../authorization/place.ts'
import { recordedTable, recordTable } from '../authorization/recorded-table.ts'
import { furnish } from '../authorization/setting.ts'
import { askAll, differencesOf } from '../authorization/table.ts'
import { ConnectedLine, pollUntil } from '../scenarios/line.ts'
import { type Oracle, startKafka } from './kafka.mjs'

const oracleOf = inject('oracle')
const missing = oracleOf === undefined ? 'run by vitest.oracle.config.ts' : oracleOf.missing
const module = 'org.apache.kafka.common.security.plain.PlainLoginModule'
const dir = join(oracleOf?.dir ?? '', 'authorization')
const runtime = new RealRuntime({ seed: 1 })
const carrier = new TcpCarrier({ runtime })
const lines = new Map<string, ConnectedLine>()
let kafka: Oracle

beforeAll(async () => {
  if (missing !== undefined) return
  kafka = await startKafka({
    dir,
    configs: {
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': `User:ANONYMOUS;User:${ROOT}`,
      'delegation.token.secret.key': 'sesame',
      'offsets.topic.num.partitions': '1',
      'transaction.state.log.num.partitions': '1',
    },
    brokerConfigs: {
      listeners: 'PLAINTEXT://127.0.0.1:{port},SASL_PLAINTEXT://127.0.0.1:{port2}',
      'sasl.enabled.mechanisms': 'PLAIN',
      'transaction.max.timeout.ms': '900000',
      'listener.name.sasl_plaintext.plain.sasl.jaas.config': `${module} required ${[...subjects.keys()].map(name => `user_${name}="secret"`).join(' ')};`,
    },
  })
}, 120_000)

afterAll(async () => {
  for (const line of lines.values()) line.close()
  await kafka?.stop()
  if (missing === undefined) rmSync(dir, { recursive: true, force: true })
})

async function login(subject: string): Promise<ConnectedLine> {
  const line = await ConnectedLine.open(runtime, carrier, place.address)
  await line.request(saslHandshake, 1, { mechanism: 'PLAIN' })
  const { errorCode } = await line.request(saslAuthenticate, 2, { authBytes: Buffer.from(`\0${subject}\0secret`) })
  expect(errorCode).toBe(0)
  return line
}

const place: Place = {
  get address() {
    return { host: '127.0.0.1', port: (kafka.node(1) as unknown as { readonly port2: number }).port2 }
  },
  async ask(subject, api, version, body) {
    const line = lines.get(subject) ?? (await login(subject))
    lines.set(subject, line)
    try {
      return await line.request(api, version, body, 10_000)
    } catch (error) {
      lines.delete(subject)
      line.close()
      throw error
    }
  },
  now: () => runtime.now(),
  eventually: (what, condition) => pollUntil(runtime, what, condition, 40_000, 50),
  topicIds: new Map(),
}

test.skipIf(missing !== undefined)('who may what on a real Kafka (M-72, M-73)', { timeout: 300_000 }, async () => {
  await furnish(place)
  const table = await askAll(place, questions)
  if (process.env.RECORD !== undefined) recordTable(table)
  expect(differencesOf(recordedTable(), table)).toEqual([])
})
