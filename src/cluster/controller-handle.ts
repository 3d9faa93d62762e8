import { allowsCluster } from '../apis/authorization.ts'
import { Controller } from '../controller/controller.ts'
import { controllerTolls } from '../controller/tolls.ts'
import { METADATA_TOPIC, METADATA_TOPIC_ID } from '../metadata/metadata-batch.ts'
import type { Life } from '../node/life.ts'
import { LifeCarrier } from '../node/life-carrier.ts'
import { Receiver } from '../node/receive.ts'
import { errorCodes } from '../wire/errors.ts'
import { NodeHandle } from './node-handle.ts'
import { brokerIdOf, CONTROLLER_ID, CONTROLLER_NAME, type Plant } from './plant.ts'

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
      store: plant.stores.store({ broker: this.id, topic: METADATA_TOPIC, topicId: METADATA_TOPIC_ID, partition: 0 }),
      clusterId: plant.clusterId,
      address: plant.controllerAddress,
      configs: plant.configs,
      features: plant.features,
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
    if (started instanceof Promise) life.guard(started).then(listen)
    else listen()
  }

  protected override async leave(): Promise<void> {
    await this.#controller?.close()
  }

  protected override abandon(): void {}
}
