import type { allocateProducerIds } from '../apis/allocate-producer-ids.ts'
import type { RequestOf, ResponseInput } from '../wire/api.ts'
import { registeredBroker } from './brokers.ts'
import type { Decision, Situation } from './decision.ts'

/** Ids in a block (KIP-730). */
export const PRODUCER_ID_BLOCK = 1000

/**
 * I-15: the next block of producer ids, for one broker to give away.
 *
 * @throws {KafkaError} STALE_BROKER_EPOCH
 */
export function decideProducerIds(
  request: RequestOf<typeof allocateProducerIds>,
  situation: Situation,
): Decision<ResponseInput<typeof allocateProducerIds>> {
  const { brokerId, brokerEpoch } = request
  registeredBroker(brokerId, brokerEpoch, situation)
  const producerIdStart = situation.image.nextProducerId
  const nextProducerId = producerIdStart + PRODUCER_ID_BLOCK
  return {
    records: [{ type: 'ProducerIdsRecord', brokerId, brokerEpoch, nextProducerId }],
    response: { throttleTimeMs: 0, errorCode: 0, producerIdStart, producerIdLen: PRODUCER_ID_BLOCK },
  }
}
