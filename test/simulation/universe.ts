import { type Cluster, createCluster, cut, delay, isolate } from '../../src/index.ts'
import { IllegalStateError } from '../../src/wire/errors.ts'
import type { Fault, Schedule } from './schedule.ts'

export interface UniverseOptions {
  readonly acks: 'all' | 1
  readonly minInSync?: number
  readonly uncleanElection?: boolean
  readonly mutants?: readonly string[]
  readonly hopAlways?: boolean
  /** Every append reaches the disk, so that any number of power losses loses nothing. */
  readonly flushed?: boolean
  /** Default 5, Kafka's. */
  readonly maxInFlight?: number
  /** Faults of the network, pauses and the controller only: no broker restarts. */
  readonly noRestarts?: boolean
  /** So many brokers lose power, unflushed as they are, and none crashes besides. */
  readonly powerLosses?: number
}

export interface Sent {
  /** Counts from 0, in the order of the calls. */
  readonly index: number
  readonly value: string
  /** Acknowledged here; −1 while nobody knows; −2 when it was refused. */
  offset: number
}

/** What there was at the end, when everything worked again. */
export interface Outcome {
  readonly sent: readonly Sent[]
  /** Value by offset, as the leader has it below its high watermark. */
  readonly log: ReadonlyMap<number, string>
  readonly replicas: ReadonlyMap<number, readonly string[]>
  readonly highWatermarks: ReadonlyMap<number, number>
  readonly batches: readonly { baseOffset: number; producerId: number; producerEpoch: number; baseSequence: number }[]
  readonly trace: string
}

/** Runs a schedule: records go in while faults come and go, then everything is healed and read. */
export async function runUniverse(schedule: Schedule, options: UniverseOptions): Promise<Outcome> {
  const { acks, minInSync = 2, uncleanElection = false, flushed = true } = options
  const cluster = await createCluster({
    brokers: 3,
    seed: schedule.seed,
    ...(options.mutants === undefined ? {} : { mutants: options.mutants }),
    ...(options.hopAlways === undefined ? {} : { hopAlways: options.hopAlways }),
    trace: { limit: 1_000_000 },
    // Shorter than Kafka's, so that a schedule of half a minute has several elections and shrinks.
    configs: {
      'broker.session.timeout.ms': 3000,
      'broker.heartbeat.interval.ms': 500,
      'replica.lag.time.max.ms': 4000,
    },
    topics: {
      t: {
        partitions: 1,
        replicationFactor: 3,
        configs: {
          'min.insync.replicas': minInSync,
          'unclean.leader.election.enable': uncleanElection,
          ...(flushed ? { 'flush.messages': 1 } : {}),
        },
      },
    },
  })
  try {
    const faults = scheduleFaults(cluster, schedule, options)
    // If the sends fail, the cluster is closed under the faults: the failure of the sends is the one to tell.
    faults.catch(() => {})
    const sent = await sendAll(cluster, schedule, acks, options.maxInFlight ?? 5)
    await faults
    await cluster.heal()
    await cluster.runUntil(() => isWhole(cluster), {
      timeoutMs: 600_000,
      describe: () =>
        JSON.stringify(cluster.partition('t', 0), (_, value) => (value instanceof Map ? [...value] : value)),
    })
    return await outcomeOf(cluster, sent)
  } finally {
    await cluster.close()
  }
}

async function sendAll(cluster: Cluster, schedule: Schedule, acks: 'all' | 1, maxInFlight: number): Promise<Sent[]> {
  const producer = cluster.producer({
    acks,
    'delivery.timeout.ms': 60_000,
    'request.timeout.ms': 5_000,
    'linger.ms': 0,
    'max.in.flight.requests.per.connection': maxInFlight,
  })
  const sent: Sent[] = []
  const pending: Promise<void>[] = []
  for (let index = 0; index < schedule.sends; index++) {
    const entry: Sent = { index, value: `v${index}`, offset: -1 }
    sent.push(entry)
    pending.push(
      producer.send({ topic: 't', partition: 0, value: entry.value }).then(
        ({ offset }) => {
          entry.offset = offset
        },
        () => {},
      ),
    )
    if (schedule.gapMs > 0) await cluster.clock.advance(schedule.gapMs)
  }
  await Promise.all(pending)
  await producer.close({ timeoutMs: 0 })
  return sent
}

async function scheduleFaults(cluster: Cluster, schedule: Schedule, options: UniverseOptions): Promise<void> {
  const { powerLosses, noRestarts = false } = options
  let left = powerLosses ?? Number.POSITIVE_INFINITY
  const running = schedule.faults.map(async fault => {
    const { kind } = fault.what
    if (noRestarts && (kind === 'crash' || kind === 'power loss')) return
    if (powerLosses !== undefined && kind === 'crash') return
    await cluster.clock.advance(fault.atMs)
    if (kind === 'power loss' && left-- <= 0) return
    // Two faults may meet on one broker: the second one finds it down already.
    await befall(cluster, fault).catch(error => {
      if (!(error instanceof IllegalStateError)) throw error
    })
  })
  await Promise.all(running)
}

/** The fault comes, lasts, and goes. @throws {IllegalStateError} where another fault came first. */
export async function befall(cluster: Cluster, fault: Fault): Promise<void> {
  const { what, lastsMs } = fault
  switch (what.kind) {
    case 'cut':
    case 'isolate':
    case 'isolate from controller':
    case 'delay': {
      const rule =
        what.kind === 'cut'
          ? cut(what.a, what.b, { oneWay: what.oneWay })
          : what.kind === 'delay'
            ? delay(what.ms, { to: what.broker })
            : what.kind === 'isolate'
              ? isolate(what.broker)
              : isolate(what.broker, { from: [cluster.controller] })
      const installed = cluster.network.rule(rule)
      await cluster.clock.advance(lastsMs)
      installed.dispose()
      return
    }
    case 'pause': {
      const handle = cluster.broker(what.broker)
      if (!handle.isRunning) return
      await handle.pause()
      await cluster.clock.advance(lastsMs)
      if (handle.isPaused) await handle.resume()
      return
    }
    default: {
      const handle = what.kind === 'controller crash' ? cluster.controller : cluster.broker(what.broker)
      if (!handle.isRunning) return
      if (what.kind === 'power loss') await handle.powerOff()
      else await handle.crash()
      await cluster.clock.advance(lastsMs)
      if (!handle.isRunning && !handle.isPaused) await handle.restart({ ready: false })
    }
  }
}

/** Led, all in sync, and every replica as far as its leader, watermark included. */
function isWhole(cluster: Cluster): boolean {
  const view = cluster.partition('t', 0)
  if (view.leader === undefined || view.inSyncReplicas.length < 3 || view.replicaLogs.size < 3) return false
  for (const replica of view.replicaLogs.values()) {
    if (replica.endOffset !== view.endOffset || replica.highWatermark !== view.endOffset) return false
  }
  return true
}

async function outcomeOf(cluster: Cluster, sent: readonly Sent[]): Promise<Outcome> {
  const view = cluster.partition('t', 0)
  const replicas = new Map<number, string[]>()
  for (const [brokerId, replica] of view.replicaLogs) {
    replicas.set(
      brokerId,
      replica.segments.flatMap(segment =>
        segment.batches.map(
          batch =>
            `${batch.baseOffset}-${batch.lastOffset} epoch ${batch.leaderEpoch} producer ${batch.producerId}/${batch.producerEpoch} sequence ${batch.baseSequence}`,
        ),
      ),
    )
  }
  const consumer = cluster.consumer()
  const place = { topic: 't', partition: 0 }
  consumer.assign([place])
  consumer.seek(place, view.startOffset)
  const log = new Map<number, string>()
  while (log.size < view.endOffset - view.startOffset) {
    for (const { offset, value } of await consumer.poll({ timeoutMs: 1000 })) log.set(offset, String(value))
  }
  return {
    sent,
    log,
    replicas,
    highWatermarks: new Map([...view.replicaLogs].map(([id, replica]) => [id, replica.highWatermark])),
    batches: view.replicaLogs.get(view.leader!)!.segments.flatMap(segment => segment.batches),
    trace: cluster.trace.text(),
  }
}
