import { type Cluster, type ClusterOptions, type Consumer, createCluster, type Named } from '../../src/index.ts'

export type Member = Named<Consumer<string, string>>
export type MemberConfig = Parameters<Cluster['consumer']>[0]

/** A cluster whose topic `orders` has four partitions, and whose groups wait for nobody. */
export function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  return createCluster({
    topics: { orders: { partitions: 4, replicationFactor: 3 } },
    configs: { 'auto.create.topics.enable': false, 'group.initial.rebalance.delay.ms': 0 },
    ...options,
  })
}

/** A consumer of group `billing` that begins at the beginning and reads text. */
export function member(cluster: Cluster, config: MemberConfig = {}): Member {
  return cluster.consumer<string, string>({
    'group.id': 'billing',
    'auto.offset.reset': 'earliest',
    'key.deserializer': 'string',
    'value.deserializer': 'string',
    ...config,
  })
}

/** `count` records to each partition: `orders-0#0`, … */
export async function fill(cluster: Cluster, count: number, topic = 'orders', partitions = 4): Promise<void> {
  const producer = cluster.producer()
  const sends: Promise<unknown>[] = []
  for (let partition = 0; partition < partitions; partition++) {
    for (let i = 0; i < count; i++) {
      sends.push(producer.send({ topic, partition, value: `${topic}-${partition}#${i}` }))
    }
  }
  await Promise.all(sends)
  await producer.close()
}

/** All poll, side by side, until it holds. What they found, by member. */
export async function pollUntil(members: readonly Member[], condition: () => boolean, atMostMs = 120_000) {
  const found = new Map(members.map(each => [each, [] as string[]]))
  for (let left = atMostMs; !condition(); left -= 500) {
    if (left <= 0) throw new Error(`not in ${atMostMs} ms: ${condition}`)
    const polls = members.map(async each => {
      const records = await each.poll({ timeoutMs: 500 })
      found.get(each)!.push(...records.map(({ value }) => value))
    })
    await Promise.all(polls)
  }
  return found
}

/** As text: `orders-0 orders-1`. */
export function assigned(consumer: Pick<Member, 'assignment'>): string {
  return textOf(consumer.assignment())
}

export function textOf(partitions: readonly { topic: string; partition: number }[]): string {
  return partitions
    .map(({ topic, partition }) => `${topic}-${partition}`)
    .sort()
    .join(' ')
}

/** A listener that writes down what it is told: `+ orders-0`, `- orders-0`, `lost orders-0`. */
export function diary() {
  const entries: string[] = []
  const entry = (what: string) => (partitions: readonly { topic: string; partition: number }[]) => {
    entries.push(`${what} ${textOf(partitions)}`.trimEnd())
  }
  return {
    entries,
    listener: { onPartitionsAssigned: entry('+'), onPartitionsRevoked: entry('-'), onPartitionsLost: entry('lost') },
  }
}

/** Every partition of `orders` has one owner among them. */
export function isShared(members: readonly Member[], partitions = 4): boolean {
  const all = members.flatMap(each => each.assignment().map(({ topic, partition }) => `${topic}-${partition}`))
  return all.length === partitions && new Set(all).size === partitions && members.every(each => assigned(each) !== '')
}
