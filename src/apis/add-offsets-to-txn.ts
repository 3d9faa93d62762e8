import type { Broker } from '../broker/broker.ts'
import { OFFSETS_TOPIC } from '../metadata/topic-names.ts'
import { type Api, defineApi, type RequestContext } from '../wire/api.ts'
import { errorCodes } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { int16, int32, int64, string } from '../wire/schema.ts'
import { demand } from './authorization.ts'
import { fencedBefore } from './fenced-producer.ts'

const request = {
  transactionalId: string,
  producerId: int64,
  producerEpoch: int16,
  groupId: string,
}

const response = {
  throttleTimeMs: int32,
  errorCode: int16,
}

/**
 * Tells a transaction that it will commit offsets of a group: it takes in the group's partition of `__consumer_offsets`
 * (T-16). v2 answers PRODUCER_FENCED. The transaction coordinator; producers of TV2 do not ask.
 */
export const addOffsetsToTxn: Api<typeof request, typeof response> = defineApi({
  key: 25,
  name: 'AddOffsetsToTxn',
  versions: '0-4',
  flexibleFrom: 3,
  request,
  response,
  broker: answer,
})

function answer(
  broker: Broker,
  { transactionalId, producerId, producerEpoch, groupId }: Decoded<typeof request>,
  context: RequestContext,
): Encodable<typeof response> | Promise<Encodable<typeof response>> {
  const failed = (error: unknown) => ({ throttleTimeMs: 0, errorCode: fencedBefore(2, context.version, error).code })
  const done = () => ({ throttleTimeMs: 0, errorCode: errorCodes.NONE })
  try {
    demand(broker, context, 'write', 'transactionalId', transactionalId)
    demand(broker, context, 'read', 'group', groupId)
    const { membership } = broker.transactions.shardOf(transactionalId)
    const partitions = new Map([[OFFSETS_TOPIC, new Set([broker.groups.partitionToBe(groupId)])]])
    const added = membership.add({ transactionalId, producerId, producerEpoch, partitions }, 0)
    return added instanceof Promise ? added.then(done, failed) : done()
  } catch (error) {
    return failed(error)
  }
}
