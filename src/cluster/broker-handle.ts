import { Broker, type BrokerDisk } from '../broker/broker.ts'
import type { BrokerListener } from '../broker/reception.ts'
import type { Address } from '../network/channel.ts'
import type { Life } from '../node/life.ts'
import type { BrokerGateways } from './gateways.ts'
import { NodeHandle } from './node-handle.ts'
import { brokerIdOf, brokerName, type Plant } from './plant.ts'
import { refuseWhole } from './refusals.ts'

/** A broker as a test holds it: over a crash and a restart it is the same one, with the same id and address. */
export class BrokerHandle extends NodeHandle {
  readonly rack: string | null
  /** Of its first listener. */
  readonly address: Address
  readonly listeners: readonly BrokerListener[]
  readonly #disk: BrokerDisk = { cleanShutdownEpoch: -1 }
  readonly #gateway: BrokerGateways | undefined
  #broker: Broker | undefined

  /** With gateways it listens on TCP too, at the same addresses. */
  constructor(
    plant: Plant,
    id: number,
    rack: string | null,
    listeners: readonly BrokerListener[],
    gateway?: BrokerGateways,
  ) {
    super(plant, id, brokerName(id))
    this.rack = rack
    this.address = listeners[0]!.address
    this.listeners = listeners
    this.#gateway = gateway
  }

  /** Sockets of other processes that are open at this broker; 0 where it does not listen on TCP. */
  get openSockets(): number {
    return this.#gateway?.size ?? 0
  }

  /** No socket and no port is open any more, after `close`. */
  async socketsClosed(): Promise<void> {
    await this.#gateway?.ended()
  }

  /** The broker of the current life; undefined while there is none. For observation, never for changing it. */
  get broker(): Broker | undefined {
    return this.state === 'running' || this.state === 'paused' ? this.#broker : undefined
  }

  override get isReady(): boolean {
    return this.isRunning && (this.#broker?.isReady ?? false)
  }

  protected override boot(life: Life): void {
    const { plant } = this
    const broker = new Broker({
      id: this.id,
      rack: this.rack,
      life,
      carrier: this.#gateway ?? plant.network,
      stores: plant.stores,
      disk: this.#disk,
      clusterId: plant.clusterId,
      listeners: this.listeners,
      users: plant.sasl,
      refusal: refuseWhole,
      controllerAddress: plant.controllerAddress,
      configs: plant.configs,
      interceptors: plant.interceptors,
      apis: plant.brokerApis,
      peerApis: plant.peerApis,
      unknownApiVersions: plant.unknownApiVersions,
      peerId: brokerIdOf,
      mutants: plant.mutants,
      transactionStops: plant.transactionStops,
    })
    this.#broker = broker
    broker.start()
  }

  protected override leave(): Promise<void> {
    return this.#broker!.shutDown()
  }

  /** The port of the life before, which may be taken by now: then it does not start, and says so. */
  protected override async prepare(): Promise<void> {
    await this.#gateway?.open()
  }

  protected override abandon(): void {
    this.#broker?.abandon()
    this.#gateway?.close()
  }

  override close(): void {
    super.close()
    this.#gateway?.close()
  }

  protected override async wipe(): Promise<void> {
    this.#disk.cleanShutdownEpoch = -1
    await super.wipe()
  }
}
