import { allowsCluster } from '../apis/authorization.ts'
import { Controller } from '../controller/controller.ts'
import { controllerTolls } from '../controller/tolls.ts'
import type { Life } from '../node/life.ts'
import { LifeCarrier } from '../node/life-carrier.ts'
import { Receiver } from '../node/receive.ts'
import { errorCodes, KafkaError } from '../wire/errors.ts'
import { metadataStore } from './held-cluster.ts'
import { NodeHandle } from './node-handle.ts'
import { brokerIdOf, CONTROLLER_ID, CONTROLLER_NAME, type Plant } from './plant.ts'

/** How long after its log failed the next life of it begins. */
const RESTART_MS = 500

/** The controller as a test holds it. While it is away data flows, and nothing is elected, created or let in. */
export class ControllerHandle extends NodeHandle {
  #controller: Controller | undefined

  constructor(plant: Plant) {
    super(plant, CONTROLLER_ID, CONTROLLER_NAME)
  }

  /** The controller of the current life; undefined while there is none. For observation, never for changing it. */
  get controller(): Controller | undefined {
    return this.state === 'running' || this.state === 'paused' ? this.#controller : undefined
  }

  override get isReady(): boolean {
    return this.isRunning && (this.#controller?.isActive ?? false)
  }

  protected override boot(life: Life): void {
    const { plant, name } = this
    life.trace.add('node', name, { what: 'starts' })
    const controller = new Controller({
      runtime: life,
      store: metadataStore(plant.stores),
      clusterId: plant.clusterId,
      address: plant.controllerAddress,
      configs: plant.configs,
      features: plant.features,
      adopted: plant.adopted,
      topicsChanged: plant.stores.topics && (news => plant.stores.topics?.(news)),
      failed: error => this.#failed(life, error),
      initialRecords: plant.initialRecords,
      mutants: plant.mutants,
      apis: plant.controllerApis,
    })
    this.#controller = controller
    const receiver = new Receiver<Controller>({
      life,
      name,
      nodeId: this.id,
      node: controller,
      side: 'controller',
      apis: plant.controllerApis,
      interceptors: plant.interceptors,
      peerId: brokerIdOf,
      opens: asker => allowsCluster(controller, asker, 'clusterAction'),
      tolls: controllerTolls(life, controller.image, controller.settings),
      unknownApiVersions: {
        errorCode: errorCodes.UNSUPPORTED_VERSION,
        apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 4 }],
      },
    })
    const carrier = new LifeCarrier(life, plant.network, name)
    const listen = () => carrier.listen(name, plant.controllerAddress, channel => receiver.accept(channel))
    const started = controller.start()
    if (started instanceof Promise) life.guard(started).then(listen, error => this.#failed(life, error))
    else listen()
  }

  /**
   * Its log takes nothing any more: Kafka's process ends then. Where the store is a server, which may be back in a moment, the
   * next one starts by itself, as it does with Kafka under a supervisor; it begins with what was stored.
   */
  #failed(life: Life, error: unknown): void {
    if (!(error instanceof KafkaError)) throw error
    life.trace.add('node', this.name, { what: 'its log failed', error: error.message })
    if (this.plant.stores.realIo) life.after(RESTART_MS, () => this.restartAfterDeath(), { housekeeping: true })
  }

  protected override async leave(): Promise<void> {
    await this.#controller?.close()
  }

  protected override abandon(): void {}
}
