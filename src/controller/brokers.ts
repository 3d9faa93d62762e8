import type { brokerRegistration } from '../apis/broker-registration.ts'
import type { BrokerImage } from '../metadata/image.ts'
import type { Runtime, Timer } from '../runtime/runtime.ts'
import type { RequestOf, ResponseInput } from '../wire/api.ts'
import { KafkaError } from '../wire/errors.ts'
import { type Decision, Draft, type Situation } from './decision.ts'
import { addRecordsOfShutdown } from './leadership.ts'

interface Contact {
  readonly brokerEpoch: number
  lastContactAt: number
  /** How far it has read the metadata log, by its last heartbeat. */
  metadataOffset: number
  /** The end of the metadata log when its leaderships were moved; −1 while it is not leaving. */
  controlledShutdownOffset: number
  timer: Timer | undefined
}

/**
 * When brokers were last heard of, and how far they had read: all that the controller knows and does not write down
 * (Kafka's BrokerHeartbeatManager). A controller that starts gives every unfenced broker a whole session again.
 */
export class BrokerContacts {
  readonly #runtime: Runtime
  readonly #sessionMs: () => number
  readonly #expired: (brokerId: number) => void
  readonly #contacts = new Map<number, Contact>()

  /** `expired`: a broker's session has ended without a sign of life. */
  constructor(runtime: Runtime, sessionMs: () => number, expired: (brokerId: number) => void) {
    this.#runtime = runtime
    this.#sessionMs = sessionMs
    this.#expired = expired
    runtime.onLeap(ms => {
      for (const contact of this.#contacts.values()) contact.lastContactAt += ms
    })
  }

  /** Has been heard of within the session, and was not fenced since. */
  hasValidSession(broker: BrokerImage): boolean {
    const contact = this.#of(broker)
    return !broker.fenced && this.#runtime.now() - contact.lastContactAt < this.#sessionMs()
  }

  metadataOffset(broker: BrokerImage): number {
    return this.#of(broker).metadataOffset
  }

  controlledShutdownOffset(broker: BrokerImage): number {
    return this.#of(broker).controlledShutdownOffset
  }

  touched(broker: BrokerImage, metadataOffset: number): void {
    const contact = this.#of(broker)
    contact.lastContactAt = this.#runtime.now()
    contact.metadataOffset = metadataOffset
  }

  /** The first call counts: what is moved later is not what this broker waits for. */
  leaves(broker: BrokerImage, metadataOffset: number): void {
    const contact = this.#of(broker)
    if (contact.controlledShutdownOffset < 0) contact.controlledShutdownOffset = metadataOffset
  }

  /** After each change of a registration: an unfenced broker is watched, any other is not. */
  watch(brokerId: number, broker: BrokerImage | undefined): void {
    if (broker === undefined) {
      this.#contacts.get(brokerId)?.timer?.cancel()
      this.#contacts.delete(brokerId)
      return
    }
    const contact = this.#of(broker)
    if (broker.fenced) {
      contact.timer?.cancel()
      contact.timer = undefined
      contact.controlledShutdownOffset = -1
    } else if (contact.timer === undefined) {
      if (contact.lastContactAt === Number.NEGATIVE_INFINITY) contact.lastContactAt = this.#runtime.now()
      this.#arm(brokerId, contact, this.#sessionMs())
    }
  }

  #arm(brokerId: number, contact: Contact, ms: number): void {
    // In a calm world heartbeats come in time, so that this changes nothing.
    contact.timer = this.#runtime.after(ms, () => this.#check(brokerId, contact), { idle: true })
  }

  #check(brokerId: number, contact: Contact): void {
    if (this.#contacts.get(brokerId) !== contact) return
    contact.timer = undefined
    const left = contact.lastContactAt + this.#sessionMs() - this.#runtime.now()
    if (left > 0) this.#arm(brokerId, contact, left)
    else this.#expired(brokerId)
  }

  /** A new registration is a new contact. */
  #of(broker: BrokerImage): Contact {
    let contact = this.#contacts.get(broker.brokerId)
    if (contact === undefined || contact.brokerEpoch !== broker.brokerEpoch) {
      contact?.timer?.cancel()
      contact = {
        brokerEpoch: broker.brokerEpoch,
        lastContactAt: Number.NEGATIVE_INFINITY,
        metadataOffset: -1,
        controlledShutdownOffset: -1,
        timer: undefined,
      }
      this.#contacts.set(broker.brokerId, contact)
    }
    return contact
  }
}

/**
 * a broker that starts is registered, fenced, with the offset of what is written now as its broker epoch.
 * What its life before still held is given up: after a clean shutdown, which it proves by the epoch of that life, it is
 * treated as fenced; otherwise it may have lost what was not flushed, and is neither in sync nor eligible.
 *
 * @throws {KafkaError} INCONSISTENT_CLUSTER_ID, DUPLICATE_BROKER_REGISTRATION; BROKER_ID_NOT_REGISTERED for ZooKeeper's
 */
export function registerBroker(
  request: RequestOf<typeof brokerRegistration>,
  situation: Situation,
): Decision<ResponseInput<typeof brokerRegistration>> {
  const { image, nextOffset } = situation
  const { brokerId, incarnationId } = request
  if (request.clusterId !== situation.clusterId) {
    throw new KafkaError(
      'INCONSISTENT_CLUSTER_ID',
      `Expected cluster ID ${situation.clusterId}, but got cluster ID ${request.clusterId}`,
    )
  }
  if (request.isMigratingZkBroker) {
    throw new KafkaError('BROKER_ID_NOT_REGISTERED', 'Controller does not support registering ZK brokers.')
  }
  const existing = image.broker(brokerId)
  const sameIncarnation = existing?.incarnationId === incarnationId
  if (existing !== undefined && !sameIncarnation && situation.contacts.hasValidSession(existing)) {
    if (!existing.inControlledShutdown) {
      throw new KafkaError(
        'DUPLICATE_BROKER_REGISTRATION',
        `Another broker is registered with that broker id. If the broker was recently restarted this should self-resolve once the session of broker ${brokerId} ends.`,
      )
    }
  }
  const draft = new Draft()
  if (existing !== undefined && !sameIncarnation) {
    const isClean = request.previousBrokerEpoch === existing.brokerEpoch
    addRecordsOfShutdown(brokerId, isClean, situation, draft)
  }
  // The same process that asks again, because an answer was lost, keeps its epoch and its state.
  const brokerEpoch = sameIncarnation ? existing!.brokerEpoch : nextOffset
  draft.add({
    type: 'RegisterBrokerRecord',
    brokerId,
    incarnationId,
    brokerEpoch,
    endPoints: request.listeners,
    features: request.features,
    rack: request.rack,
    fenced: sameIncarnation ? existing!.fenced : true,
    inControlledShutdown: sameIncarnation ? existing!.inControlledShutdown : false,
    logDirs: request.logDirs,
  })
  return { records: draft.records, response: { throttleTimeMs: 0, errorCode: 0, brokerEpoch } }
}

/** @throws {KafkaError} STALE_BROKER_EPOCH unless that life of that broker is registered. */
export function registeredBroker(brokerId: number, brokerEpoch: number, situation: Situation): BrokerImage {
  const broker = situation.image.broker(brokerId)
  if (broker === undefined) {
    throw new KafkaError('STALE_BROKER_EPOCH', `No broker registration found for broker id ${brokerId}`)
  }
  if (broker.brokerEpoch !== brokerEpoch) {
    throw new KafkaError(
      'STALE_BROKER_EPOCH',
      `Expected broker epoch ${broker.brokerEpoch}, but got broker epoch ${brokerEpoch}`,
    )
  }
  return broker
}
