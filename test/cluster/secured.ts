/** Clusters that ask who is there, and how our clients tell them. */
import { Admin, type Cluster, type ClusterOptions, Consumer, createCluster, Producer } from '../../src/index.ts'

export const mechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'] as const
export type Mechanism = (typeof mechanisms)[number]

export const password = "alice's secret"
const module = 'org.apache.kafka.common.security'

/** What a client of Java's would have as `sasl.jaas.config`. */
export function jaasOf(mechanism: Mechanism, name = 'alice', secret = password): string {
  switch (mechanism) {
    case 'PLAIN':
      return `${module}.plain.PlainLoginModule required username="${name}" password="${secret}";`
    case 'OAUTHBEARER':
      return `${module}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="${name}";`
    default:
      return `${module}.scram.ScramLoginModule required username="${name}" password="${secret}";`
  }
}

export function saslOf(mechanism: Mechanism, name?: string, secret?: string) {
  return {
    'security.protocol': 'SASL_PLAINTEXT',
    'sasl.mechanism': mechanism,
    'sasl.jaas.config': jaasOf(mechanism, name, secret),
  } as const
}

export function secured(options: ClusterOptions = {}): Promise<Cluster> {
  return createCluster({
    brokers: 1,
    topics: { orders: {} },
    sasl: { users: { alice: password, bob: 'hunter2' }, mechanisms },
    ...options,
  })
}

/** Sends a record, reads it again, and asks for the cluster: three kinds of clients, each with connections of its own. */
export async function works(config: object, brokers = 1): Promise<void> {
  const producer = new Producer(config)
  const consumer = new Consumer({ ...config, 'auto.offset.reset': 'earliest' })
  const admin = new Admin(config as never)
  try {
    const { offset } = await producer.send({ topic: 'orders', partition: 0, value: 'paid' })
    consumer.assign([{ topic: 'orders', partition: 0 }])
    consumer.seek({ topic: 'orders', partition: 0 }, offset)
    const records = await consumer.poll({ timeoutMs: 5_000 })
    if (String(records[0]?.value) !== 'paid') throw new Error(`read ${String(records[0]?.value)}`)
    const { nodes } = await admin.describeCluster()
    if (nodes.length !== brokers) throw new Error(`${nodes.length} brokers`)
  } finally {
    await Promise.all([producer.close(), consumer.close(), admin.close()])
  }
}

/** How a producer is refused. */
export async function refusal(config: object): Promise<Error> {
  const producer = new Producer({ 'max.block.ms': 3_000, ...config })
  try {
    await producer.send({ topic: 'orders', value: 'x' })
    return new Error('it worked')
  } catch (error) {
    return error as Error
  } finally {
    await producer.close({ timeoutMs: 0 })
  }
}
