import type { unregisterBroker } from '../apis/unregister-broker.ts'
import type { RequestOf, ResponseInput } from '../wire/api.ts'
import { KafkaError } from '../wire/errors.ts'
import { type Decision, Draft, type Situation } from './decision.ts'
import { addRecordsOfLeaving } from './leadership.ts'

/**
 * Forgets a broker (KIP-631): it leads nothing and is in sync with nobody any more. A live one is forgotten as well; it
 * serves on without leading anything and its heartbeats are refused, until it is restarted and registers again.
 *
 * @throws {KafkaError} BROKER_ID_NOT_REGISTERED
 */
export function decideRemoval(
  { brokerId }: RequestOf<typeof unregisterBroker>,
  situation: Situation,
): Decision<ResponseInput<typeof unregisterBroker>> {
  const broker = situation.image.broker(brokerId)
  if (broker === undefined) {
    throw new KafkaError('BROKER_ID_NOT_REGISTERED', `Broker ID ${brokerId} is not currently registered`)
  }
  const draft = new Draft()
  addRecordsOfLeaving(brokerId, situation, draft)
  draft.add({ type: 'UnregisterBrokerRecord', brokerId, brokerEpoch: broker.brokerEpoch })
  return { records: draft.records, response: { throttleTimeMs: 0, errorCode: 0, errorMessage: '' } }
}
