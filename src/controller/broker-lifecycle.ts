import type { brokerHeartbeat } from '../apis/broker-heartbeat.ts'
import type { BrokerImage } from '../metadata/image.ts'
import type { RequestOf, ResponseInput } from '../wire/api.ts'
import { registeredBroker } from './brokers.ts'
import { type Decision, Draft, type Situation } from './decision.ts'
import { addRecordsOfJoining, addRecordsOfLeaving, leadsAnything } from './leadership.ts'

export type BrokerState = 'fenced' | 'unfenced' | 'controlled shutdown' | 'shutdown now'

export interface HeartbeatDecision extends Decision<ResponseInput<typeof brokerHeartbeat>> {
  readonly broker: BrokerImage
  readonly next: BrokerState
}

const FENCE = 1
const UNFENCE = -1
const IN_CONTROLLED_SHUTDOWN = 1

/**
 * A broker says that it lives, how far it has read, and what it wants (KIP-631). Answers whether it is fenced and
 * whether it may end.
 *
 * @throws {KafkaError} STALE_BROKER_EPOCH
 */
export function heartbeat(request: RequestOf<typeof brokerHeartbeat>, situation: Situation): HeartbeatDecision {
  const broker = registeredBroker(request.brokerId, request.brokerEpoch, situation)
  const state = stateOf(broker)
  const next = nextState(request, broker, situation)
  const draft = new Draft()
  if (next !== state) {
    if (next === 'unfenced') addUnfencing(broker, situation, draft)
    else if (next === 'controlled shutdown') addControlledShutdown(broker, situation, draft)
    else if (!broker.fenced) addFencing(broker, situation, draft)
  } else if (next === 'controlled shutdown') {
    // Leaderships may have come back to it in between: a reassignment, an election of the last in-sync replica.
    addRecordsOfLeaving(broker.brokerId, situation, draft)
  }
  return {
    broker,
    next,
    records: draft.records,
    response: {
      throttleTimeMs: 0,
      errorCode: 0,
      isCaughtUp: request.currentMetadataOffset >= broker.registrationOffset,
      isFenced: next === 'fenced' || next === 'shutdown now',
      shouldShutDown: next === 'shutdown now',
    },
  }
}

function stateOf(broker: BrokerImage): BrokerState {
  if (broker.fenced) return 'fenced'
  return broker.inControlledShutdown ? 'controlled shutdown' : 'unfenced'
}

/** the table of BrokerHeartbeatManager. */
function nextState(request: RequestOf<typeof brokerHeartbeat>, broker: BrokerImage, situation: Situation): BrokerState {
  const { wantFence, wantShutDown, currentMetadataOffset } = request
  switch (stateOf(broker)) {
    case 'fenced':
      if (wantShutDown) return 'shutdown now'
      return !wantFence && currentMetadataOffset >= broker.registrationOffset ? 'unfenced' : 'fenced'
    case 'controlled shutdown':
      return mayShutDown(broker, situation) ? 'shutdown now' : 'controlled shutdown'
    default:
      if (wantFence) return wantShutDown ? 'shutdown now' : 'fenced'
      if (!wantShutDown) return 'unfenced'
      return leadsAnything(broker.brokerId, situation.image) ? 'controlled shutdown' : 'shutdown now'
  }
}

/** It leads nothing more, and every active broker has read who leads instead. */
function mayShutDown(broker: BrokerImage, situation: Situation): boolean {
  const { image, contacts } = situation
  if (leadsAnything(broker.brokerId, image)) return false
  const movedBy = contacts.controlledShutdownOffset(broker)
  if (movedBy < 0) return false
  for (const other of image.brokers.values()) {
    if (image.isActive(other.brokerId) && contacts.metadataOffset(other) < movedBy) return false
  }
  return true
}

/** unfenced, and leader of what waited for it. */
function addUnfencing(broker: BrokerImage, situation: Situation, draft: Draft): void {
  const { brokerId, brokerEpoch } = broker
  draft.add({ type: 'BrokerRegistrationChangeRecord', brokerId, brokerEpoch, fenced: UNFENCE })
  addRecordsOfJoining(brokerId, situation, draft)
}

/** leaderships and in-sync sets go elsewhere while the broker still serves. */
function addControlledShutdown(broker: BrokerImage, situation: Situation, draft: Draft): void {
  const { brokerId, brokerEpoch } = broker
  draft.add({
    type: 'BrokerRegistrationChangeRecord',
    brokerId,
    brokerEpoch,
    inControlledShutdown: IN_CONTROLLED_SHUTDOWN,
  })
  addRecordsOfLeaving(brokerId, situation, draft)
}

/** */
function addFencing(broker: BrokerImage, situation: Situation, draft: Draft): void {
  const { brokerId, brokerEpoch } = broker
  addRecordsOfLeaving(brokerId, situation, draft)
  draft.add({ type: 'BrokerRegistrationChangeRecord', brokerId, brokerEpoch, fenced: FENCE })
}

/** its session has ended. */
export function fenceExpired(brokerId: number, situation: Situation): Decision<undefined> {
  const broker = situation.image.broker(brokerId)
  const draft = new Draft()
  if (broker !== undefined && !broker.fenced) addFencing(broker, situation, draft)
  return { records: draft.records, response: undefined }
}
