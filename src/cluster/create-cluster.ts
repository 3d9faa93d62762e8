import { apis } from '../apis/registry.ts'
import { apisOfRelease, unknownApiVersions } from '../apis/release-apis.ts'
import { TransactionStops } from '../coordinators/transactions/transaction-stops.ts'
import { defaultStores } from '../log/default-stores.ts'
import { LinkNetwork } from '../network/link.ts'
import { Interceptors } from '../node/intercept.ts'
import { RealRuntime } from '../runtime/real.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { VirtualRuntime } from '../runtime/virtual.ts'
import { loadInstalledCodecs } from '../wire/compression.ts'
import { IllegalStateError } from '../wire/errors.ts'
import { drawUuid } from '../wire/uuid.ts'
import { planAdoption } from './adoption.ts'
import { BrokerHandle } from './broker-handle.ts'
import { Cluster } from './cluster.ts'
import { clusterWatches } from './clusters.ts'
import { ControllerHandle } from './controller-handle.ts'
import { type BrokerGateways, insideListener, openGateways } from './gateways.ts'
import { type HeldCluster, readHeldCluster, requireSame } from './held-cluster.ts'
import type { ListenerPlan } from './listening.ts'
import { type ClusterOptions, type ClusterPlan, planCluster } from './options.ts'
import { brokerName, type Plant } from './plant.ts'
import { orderQuotas } from './quota-order.ts'
import { scramRecords } from './sasl-options.ts'
import { topicsLed } from './served.ts'
import { RunCertificates } from './tls-options.ts'

const PORT = 9092

const brokerApis = new Map(apis.filter(api => api.broker !== undefined).map(api => [api.key, api]))
const controllerApis = new Map(apis.filter(api => api.controller !== undefined).map(api => [api.key, api]))

/**
 * Starts a cluster: resolves when every broker takes part and every topic that was asked for has its leaders.
 *
 * @throws {ConfigError} for an option that is misspelt or out of range, with what would be right.
 * @throws {KafkaError} for a topic that cannot be created.
 */
export async function createCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const plan = planCluster(options)
  // Optional packages are real I/O: they are loaded before time starts.
  await loadInstalledCodecs()
  const runtime = makeRuntime(options, plan)
  const stores = options.logs ?? defaultStores.make()
  const beginning = stores.begin?.()
  const foreign = (beginning instanceof Promise ? await beginning : beginning)?.foreignTopics ?? []
  const clientApis = apisOfRelease(brokerApis, plan.release)
  const clusterId = clusterIdOf(runtime)
  const { listeners, sasl } = plan.admission
  const plant: Plant = {
    runtime,
    network: new LinkNetwork(runtime),
    stores,
    interceptors: new Interceptors(),
    clusterId,
    adopted: [],
    configs: plan.configs,
    features: plan.features,
    sasl,
    certificates: new RunCertificates(runtime, clusterId),
    initialRecords: scramRecords(sasl, n => runtime.choose('salt of a user', n)),
    brokerApis: clientApis,
    peerApis: brokerApis,
    unknownApiVersions: unknownApiVersions(clientApis, plan.release),
    controllerApis,
    controllerAddress: { host: 'controller', port: PORT + 1 },
    warn: options.warn ?? (text => console.warn(text)),
    mutants: new Set(options.mutants),
    transactionStops: new TransactionStops(runtime),
  }
  plant.stores.bind?.(runtime, ({ rule, call }) => {
    const { broker, topic, partition } = call.replica
    runtime.trace.add('fault', brokerName(broker), {
      what: `${rule.fault} ${call.operation}`,
      on: `${topic}-${partition}`,
    })
  })
  const ids = plan.brokers.map(({ id }) => id)
  const gateways = listeners && (await gatewaysOf(plant, listeners, ids))
  const controller = new ControllerHandle(plant)
  const brokers = plan.brokers.map(({ id, rack }, index) => {
    const own = gateways?.[index]
    return new BrokerHandle(plant, id, rack, own?.listeners ?? [insideListener(id, PORT, sasl)], own)
  })
  const cluster = new Cluster({ plant, brokers, controller, seed: plan.seed })
  for (const watch of clusterWatches()) watch.created(cluster)
  try {
    const held = await runtime.drive('createCluster()', () => readHeldCluster(stores, runtime))
    if (held === undefined) plant.adopted = planAdoption(foreign, options, plan, n => runtime.choose('topic.id', n))
    else await prepareToContinue(plant, held, options, plan)
    await runtime.drive('createCluster()', async () => {
      controller.start()
      for (const broker of brokers) broker.start()
      await runtime.until(() => brokers.every(broker => broker.isReady)).promise
      const there = held === undefined ? plant.adopted.map(({ name }) => name) : [...held.image.topics.keys()]
      plant.adopted = []
      plant.initialRecords = []
      const given = Object.entries(options.topics ?? {})
      await cluster.createTopics(Object.fromEntries(given.filter(([name]) => !there.includes(name))))
      if (options.quotas !== undefined) await orderQuotas(plant, options.quotas)
      await topicsLed(plant, controller, brokers, there)
    })
  } catch (error) {
    await cluster.close()
    throw error instanceof Error ? error : new IllegalStateError(String(error))
  }
  return cluster
}

/** Whoever cannot have his ports leaves the stores to others. */
async function gatewaysOf(
  plant: Plant,
  listeners: readonly ListenerPlan[],
  ids: readonly number[],
): Promise<BrokerGateways[]> {
  try {
    return await openGateways(plant, listeners, ids)
  } catch (error) {
    await plant.stores.close()
    throw error
  }
}

/** Virtual time goes on where it had come to, unless the options say when it begins. */
async function prepareToContinue(
  plant: Plant,
  held: HeldCluster,
  options: ClusterOptions,
  plan: ClusterPlan,
): Promise<void> {
  requireSame(held, options, plan)
  const { runtime } = plant
  plant.clusterId = held.clusterId
  runtime.random.reseed(`continued at ${held.image.offset}`)
  const behindMs = held.latestTimestamp - runtime.now()
  if (runtime.time === 'real' || options.startTime !== undefined || !(behindMs > 0)) return
  await runtime.drive('createCluster()', () => runtime.sleep(behindMs), { patient: true })
}

function makeRuntime(options: ClusterOptions, plan: ClusterPlan): Runtime {
  const { startTime, outsideMs, patienceMs, hopAlways, warn } = options
  const traceLimit = options.trace?.limit
  if (plan.time === 'real') {
    return new RealRuntime({ seed: plan.seed, ...(traceLimit === undefined ? {} : { traceLimit }) })
  }
  return new VirtualRuntime({
    seed: plan.seed,
    ...(startTime === undefined ? {} : { startTime }),
    ...(outsideMs === undefined ? {} : { outsideMs }),
    ...(patienceMs === undefined ? {} : { patienceMs }),
    ...(hopAlways === undefined ? {} : { hopAlways }),
    ...(traceLimit === undefined ? {} : { traceLimit }),
    ...(warn === undefined ? {} : { warn }),
  })
}

function clusterIdOf(runtime: Runtime): string {
  return drawUuid(n => runtime.choose('cluster.id', n))
}
