import { produce } from '../../../src/apis/produce.ts'
import { type Cluster, createCluster, delay, hold, type Producer, reset } from '../../../src/index.ts'
import type { ProducerFault, ProducerSchedule } from './producer-schedule.ts'

export interface SentRecord {
  /** Counts from 0, in the order of the calls. */
  readonly index: number
  readonly asked: number | undefined
  /** How often its promise and its callback were told; they must agree. */
  settled: number
  called: number
  partition: number
  /** −1: nobody knows. */
  offset: number
  error: Error | undefined
}

export interface ProducerOutcome {
  readonly schedule: ProducerSchedule
  readonly sent: readonly SentRecord[]
  /** Indexes of records, in the order in which their callbacks came. */
  readonly told: readonly number[]
  /** Of each partition: the records of its log, in order. */
  readonly logs: readonly (readonly number[])[]
  /** What was free of buffer.memory: the least that was ever seen, and at the end. */
  readonly leastFree: number
  readonly freeAtEnd: number
  readonly memory: number
}

const PARTITIONS = 2

/** Runs a schedule: records go out while faults come and go, then all is healed, flushed, closed and read. */
export async function runProducer(
  schedule: ProducerSchedule,
  mutants: readonly string[] = [],
): Promise<ProducerOutcome> {
  const cluster = await createCluster({
    brokers: 3,
    seed: schedule.seed,
    mutants,
    configs: { 'broker.session.timeout.ms': 1_000, 'broker.heartbeat.interval.ms': 200 },
    topics: { t: { partitions: PARTITIONS, replicationFactor: 3, configs: { 'min.insync.replicas': 2 } } },
  })
  try {
    const producer = cluster.producer(schedule.config)
    // A broker takes whatever sequence a producer comes with that it has never heard of: order is promised from then on.
    for (let partition = 0; partition < PARTITIONS; partition++) {
      await producer.send({ topic: 't', partition, value: `${-1 - partition}` }).catch(() => {})
    }
    const watch = new Watch(producer)
    const faults = Promise.all(schedule.faults.map(fault => befall(cluster, fault)))
    faults.catch(() => {})
    for (const [index, one] of schedule.sends.entries()) {
      if (one.afterMs > 0) await cluster.clock.advance(one.afterMs)
      watch.send(index, one)
      if (index + 1 === schedule.flushAfter) await producer.flush()
    }
    await faults
    await cluster.heal()
    await producer.flush()
    await cluster.clock.advance(2 * (schedule.config['request.timeout.ms'] ?? 30_000))
    watch.look()
    const freeAtEnd = producer.metrics()['buffer-available-bytes']!
    await producer.close({ timeoutMs: 1_000 })
    await cluster.clock.advance(1)
    return {
      schedule,
      sent: watch.sent,
      told: watch.told,
      logs: await logsOf(cluster),
      leastFree: watch.leastFree,
      freeAtEnd,
      memory: schedule.config['buffer.memory'] ?? 33_554_432,
    }
  } finally {
    await cluster.close()
  }
}

/** Sends, and sees how it ends. */
class Watch {
  readonly sent: SentRecord[] = []
  readonly told: number[] = []
  leastFree = Number.POSITIVE_INFINITY
  readonly #producer: Producer

  constructor(producer: Producer) {
    this.#producer = producer
  }

  send(index: number, { partition, bytes }: ProducerSchedule['sends'][number]): void {
    const record: SentRecord = {
      index,
      asked: partition,
      settled: 0,
      called: 0,
      partition: -1,
      offset: -1,
      error: undefined,
    }
    this.sent.push(record)
    const where = partition === undefined ? {} : { partition }
    const promise = this.#producer.send({ topic: 't', value: `${index}.`.padEnd(bytes, '.'), ...where }, () => {
      record.called++
      this.told.push(index)
      this.look()
    })
    this.look()
    promise.then(
      metadata => {
        record.settled++
        record.partition = metadata.partition
        record.offset = metadata.offset
      },
      (error: Error) => {
        record.settled++
        record.error = error
      },
    )
  }

  look(): void {
    this.leastFree = Math.min(this.leastFree, this.#producer.metrics()['buffer-available-bytes']!)
  }
}

async function befall(cluster: Cluster, fault: ProducerFault): Promise<void> {
  await cluster.clock.advance(fault.atMs)
  switch (fault.kind) {
    case 'lose answer':
    case 'lose request': {
      const kind = fault.kind === 'lose answer' ? 'response' : 'request'
      cluster.network.rule(reset({ api: produce, kind, times: fault.times }))
      return
    }
    case 'refuse': {
      const { error, times, when } = fault
      cluster.failNext(produce, { error, times, when, optional: true })
      return
    }
    case 'crash leader': {
      const { leader } = cluster.partition('t', 0)
      if (leader !== undefined && cluster.brokers.every(({ isRunning }) => isRunning))
        await cluster.broker(leader).crash()
      return
    }
    default: {
      const filter = { from: 'producer-1', api: produce }
      const rule = cluster.network.rule(fault.kind === 'hold' ? hold(filter) : delay(fault.ms, filter))
      await cluster.clock.advance(fault.lastsMs)
      rule.dispose()
    }
  }
}

async function logsOf(cluster: Cluster): Promise<number[][]> {
  const logs: number[][] = []
  for (let partition = 0; partition < PARTITIONS; partition++) {
    await cluster.runUntil(() => cluster.partition('t', partition).leader !== undefined, { timeoutMs: 60_000 })
    const end = () => cluster.partition('t', partition)
    await cluster.runUntil(() => end().highWatermark === end().endOffset, { timeoutMs: 60_000 })
    const consumer = cluster.consumer({ 'auto.offset.reset': 'earliest', 'value.deserializer': 'string' })
    consumer.assign([{ topic: 't', partition }])
    const log: number[] = []
    while (log.length < end().endOffset) {
      for (const { value } of await consumer.poll({ timeoutMs: 1_000 })) log.push(Number.parseInt(String(value), 10))
    }
    logs.push(log)
  }
  return logs
}
