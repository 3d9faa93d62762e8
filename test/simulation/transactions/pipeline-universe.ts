import { partitionFor } from '../../../src/coordinators/partition-for.ts'
import { type Cluster, createCluster, hold, isolate, reset } from '../../../src/index.ts'
import { befall } from '../universe.ts'
import type { PipelineSchedule, WorkerFault } from './pipeline-schedule.ts'
import { configs, INTERNAL_PARTITIONS, tolerant, whatIsStuck } from './transaction-universe.ts'
import { GROUP, Worker } from './worker.ts'

export const INPUT = 'in'
export const OUTPUT = 'out'
const PARTITIONS = 2

export interface PipelineOptions {
  readonly version: 1 | 2
  readonly protocol: 'classic' | 'consumer'
  /** A mistake of the application: how far it read is committed by the consumer, before the transaction. */
  readonly commitsOutside?: boolean
  /** Default 5,000 with version 2. With version 1 longer than any fault: nothing comes late, if it is not asked for. */
  readonly requestTimeoutMs?: number
  readonly mutants?: readonly string[]
}

export interface PipelineOutcome {
  /** Acknowledged to whoever wrote the input. */
  readonly acknowledged: readonly string[]
  /** What is committed in the output. */
  readonly delivered: readonly string[]
  /** Undefined: in time everything was delivered, and nothing was open; else what was missing. */
  readonly stuck: string | undefined
}

/** Workers come and go, brokers fail, answers are lost; then all is healed, and every input must have one output. */
export async function runPipeline(schedule: PipelineSchedule, options: PipelineOptions): Promise<PipelineOutcome> {
  const topic = { partitions: PARTITIONS, replicationFactor: 3, configs: { 'min.insync.replicas': 2 } }
  const cluster = await createCluster({
    brokers: 3,
    seed: schedule.seed,
    features: { 'transaction.version': options.version },
    ...(options.mutants === undefined ? {} : { mutants: options.mutants }),
    configs: {
      ...configs,
      'request.timeout.ms': options.version === 2 ? 4_000 : 60_000,
      'group.initial.rebalance.delay.ms': 500,
      'group.consumer.min.session.timeout.ms': 6000,
      'group.consumer.session.timeout.ms': 6000,
      'group.consumer.min.heartbeat.interval.ms': 1000,
      'group.consumer.heartbeat.interval.ms': 1000,
    },
    topics: { [INPUT]: topic, [OUTPUT]: topic },
  })
  try {
    return await new PipelineUniverse(cluster, schedule, options).run()
  } finally {
    await cluster.close()
  }
}

class PipelineUniverse {
  readonly #cluster: Cluster
  readonly #schedule: PipelineSchedule
  readonly #workers: readonly Worker[]
  readonly #acknowledged: string[] = []
  #isStopped = false

  constructor(cluster: Cluster, schedule: PipelineSchedule, options: PipelineOptions) {
    this.#cluster = cluster
    this.#schedule = schedule
    this.#workers = Array.from(
      { length: schedule.workers },
      (_, index) => new Worker(cluster, index, options, () => this.#isStopped),
    )
  }

  async run(): Promise<PipelineOutcome> {
    const cluster = this.#cluster
    const working = Promise.all(this.#workers.map(worker => worker.run()))
    // Told where it is awaited.
    working.catch(() => {})
    await Promise.all([
      this.#produce(),
      ...this.#schedule.faults.map(async fault => {
        await cluster.clock.advance(fault.atMs)
        await tolerant(befall(cluster, fault))
      }),
      ...this.#schedule.workerFaults.map(fault => this.#befall(fault)),
    ])
    await cluster.heal()
    const undelivered = await this.#whatIsUndelivered()
    this.#isStopped = true
    await working
    const stuck = undelivered ?? (await whatIsStuck(cluster, () => true))
    return { acknowledged: this.#acknowledged, delivered: await this.#delivered(), stuck }
  }

  async #produce(): Promise<void> {
    const { clock } = this.#cluster
    const producer = this.#cluster.producer({ 'delivery.timeout.ms': 120_000, 'request.timeout.ms': 5_000 })
    const { records, gapMs } = this.#schedule
    const pending: Promise<void>[] = []
    for (let n = 0; n < records; n++) {
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const value = `${partition}/${n}`
        const sent = producer.send({ topic: INPUT, partition, value })
        pending.push(sent.then(() => void this.#acknowledged.push(value)).catch(() => {}))
      }
      await clock.advance(gapMs)
    }
    await Promise.all(pending)
    await producer.close()
  }

  async #delivered(): Promise<string[]> {
    const records = await this.#cluster.topic(OUTPUT).records({ isolation: 'read_committed' })
    return records.map(({ value }) => value!)
  }

  /** Every input was worked on and its offset is committed; what is missing when that does not come about. */
  async #whatIsUndelivered(): Promise<string | undefined> {
    const cluster = this.#cluster
    const ends = () => cluster.topic(INPUT).partitions.map(({ endOffset }) => endOffset)
    const committed = () =>
      cluster.group(GROUP).exists
        ? ends().map((_, partition) => cluster.group(GROUP).committed(INPUT, partition)?.offset)
        : []
    try {
      await cluster.runUntil(() => ends().every((end, partition) => end === 0 || committed()[partition] === end), {
        timeoutMs: 600_000,
      })
      return undefined
    } catch (error) {
      if (!(error instanceof Error)) throw error
      return `committed are ${committed().join(', ')} of ${ends().join(', ')}: ${error.message}`
    }
  }

  async #befall({ atMs, lastsMs, what }: WorkerFault): Promise<void> {
    const cluster = this.#cluster
    await cluster.clock.advance(atMs)
    if (what.kind === 'lost answer' || what.kind === 'lost request') {
      const { api, times } = what
      const kind = what.kind === 'lost answer' ? 'response' : 'request'
      cluster.network.rule(reset({ api, kind, times }), { optional: true })
      return
    }
    const worker = this.#workers[what.worker]
    if (worker === undefined) return
    switch (what.kind) {
      case 'dies':
      case 'leaves':
        return worker.end(what.kind, lastsMs)
      case 'is busy':
        worker.busyMs = lastsMs
        return
      case 'coordinator crash':
        return this.#crashCoordinator(what.of, worker, lastsMs)
      case 'stop': {
        const stop = cluster.transaction(worker.transactionalId).stop(what.step)
        await cluster.clock.advance(lastsMs / 4)
        if (what.crash && stop.isReached) await this.#crashCoordinator('transactions', worker, lastsMs)
        stop.lift()
        return
      }
      default: {
        const { producer } = worker
        if (producer === undefined) return
        const rules =
          what.kind === 'cut off'
            ? worker.clients.map(client => isolate(client))
            : [hold({ from: producer, api: what.api, times: what.times, kind: 'request' })]
        const installed = rules.map(rule => cluster.network.rule(rule, { optional: true }))
        await cluster.clock.advance(lastsMs)
        for (const rule of installed) rule.dispose()
      }
    }
  }

  async #crashCoordinator(of: 'group' | 'transactions', { transactionalId }: Worker, lastsMs: number): Promise<void> {
    const topic = of === 'group' ? '__consumer_offsets' : '__transaction_state'
    if (!this.#cluster.topicNames.includes(topic)) return
    await tolerant(
      (async () => {
        const partition = partitionFor(of === 'group' ? GROUP : transactionalId, INTERNAL_PARTITIONS)
        const coordinator = this.#cluster.leaderOf(topic, partition)
        await coordinator.crash()
        await this.#cluster.clock.advance(lastsMs)
        if (!coordinator.isRunning) await coordinator.restart({ ready: false })
      })(),
    )
  }
}
