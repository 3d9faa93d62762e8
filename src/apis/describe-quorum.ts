import type { Broker } from '../broker/broker.ts'
import type { Controller } from '../controller/controller.ts'
import type { RequestContext } from '../wire/api.ts'
import { type Api, defineApi } from '../wire/api.ts'
import { errorFields } from '../wire/error-fields.ts'
import type { KafkaError } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, int16, int32, int64, string, uint16, uuid } from '../wire/schema.ts'
import { clusterRefusal } from './authorization.ts'
import { forwarded } from './forwarding.ts'

const request = {
  topics: array({
    topicName: string,
    partitions: array({
      partitionIndex: int32,
    }),
  }),
}

const response = {
  errorCode: int16,
  errorMessage: string.nullable().since(2).ignorable(),
  topics: array({
    topicName: string,
    partitions: array({
      partitionIndex: int32,
      errorCode: int16,
      errorMessage: string.nullable().since(2).ignorable(),
      leaderId: int32,
      leaderEpoch: int32,
      highWatermark: int64,
      currentVoters: array({
        replicaId: int32,
        replicaDirectoryId: uuid.since(2),
        logEndOffset: int64,
        lastFetchTimestamp: int64.since(1).default(-1).ignorable(),
        lastCaughtUpTimestamp: int64.since(1).default(-1).ignorable(),
      }),
      observers: array({
        replicaId: int32,
        replicaDirectoryId: uuid.since(2),
        logEndOffset: int64,
        lastFetchTimestamp: int64.since(1).default(-1).ignorable(),
        lastCaughtUpTimestamp: int64.since(1).default(-1).ignorable(),
      }),
    }),
  }),
  nodes: array({
    nodeId: int32,
    listeners: array({
      name: string,
      host: string,
      port: uint16,
    }),
  }).since(2),
}

/**
 * The quorum of the metadata log: leader, voters, and the brokers that follow, with how far each has come (KIP-595). v1 tells
 * when each was heard of last (KIP-836); v2 has error messages, directory ids and the controllers' addresses (KIP-853). A
 * broker forwards it to the active controller.
 */
export const describeQuorum: Api<typeof request, typeof response> = defineApi({
  key: 55,
  name: 'DescribeQuorum',
  versions: '0-2',
  flexibleFrom: 0,
  request,
  response,
  broker: forward,
  controller: (controller: Controller, request, context) => {
    const error = clusterRefusal(controller, context, 'describe')
    return error === undefined ? controller.describeQuorum(request, context) : { ...errorFields(error), topics: [] }
  },
})

/** First version that tells where the nodes are. */
const NODES_VERSION = 2

type Request = Decoded<typeof request>
type Response = Encodable<typeof response>

async function forward(broker: Broker, request: Request, context: RequestContext): Promise<Response> {
  const refused = (error: KafkaError): Response => ({ ...errorFields(error), topics: [] })
  const answer = await forwarded(broker, describeQuorum, request, context, refused)
  return context.version < NODES_VERSION ? { ...answer, nodes: [] } : answer
}
