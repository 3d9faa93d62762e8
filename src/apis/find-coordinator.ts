import type { Broker } from '../broker/broker.ts'
import { type Api, defineApi, type RequestContext } from '../wire/api.ts'
import { errorCodes, KafkaError } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, int8, int16, int32, string } from '../wire/schema.ts'
import { allowsCluster, demand } from './authorization.ts'

const request = {
  key: string.until(3),
  keyType: int8.since(1).default(0),
  coordinatorKeys: array(string).since(4),
}

const response = {
  throttleTimeMs: int32.since(1).ignorable(),
  errorCode: int16.until(3),
  errorMessage: string.nullable().since(1).until(3).ignorable(),
  nodeId: int32.until(3),
  host: string.until(3),
  port: int32.until(3),
  coordinators: array({
    key: string,
    nodeId: int32,
    host: string,
    port: int32,
    errorCode: int16,
    errorMessage: string.nullable().ignorable(),
  }).since(4),
}

/**
 * Who coordinates a group (key type 0) or a transactional id (1): the leader of the partition of `__consumer_offsets` or
 * `__transaction_state` that keeps it (G-1, T-1, M-16). v1 has the key type, v4 takes many keys at once, v6 share groups.
 * A topic that is not there yet is made, and the answer is COORDINATOR_NOT_AVAILABLE meanwhile. Any broker answers.
 */
export const findCoordinator: Api<typeof request, typeof response> = defineApi({
  key: 10,
  name: 'FindCoordinator',
  versions: '0-6',
  flexibleFrom: 3,
  request,
  response,
  broker: answer,
})

/** Kinds of coordinators. */
const GROUP = 0
const TRANSACTION = 1
const SHARE = 2

type Coordinator = NonNullable<Encodable<typeof response>['coordinators']>[number]

function answer(
  broker: Broker,
  { key, keyType, coordinatorKeys }: Decoded<typeof request>,
  context: RequestContext,
): Encodable<typeof response> {
  if (context.version >= 4) {
    const found = coordinatorKeys.map(each => find(broker, keyType, each, context)).map(unexplained)
    // Of a share that it refuses it says no more than the code here.
    return {
      throttleTimeMs: 0,
      coordinators: keyType === SHARE ? found.map(each => ({ ...each, errorMessage: '' })) : found,
    }
  }
  const { key: _, errorMessage, ...found } = find(broker, keyType, key, context)
  // Before v4 success, too, has a message: its name.
  return { throttleTimeMs: 0, ...found, errorMessage: found.errorCode === errorCodes.NONE ? 'NONE' : errorMessage }
}

/** From v4 on Kafka says of who may not look for a coordinator no more than the code. */
function unexplained(found: Coordinator): Coordinator {
  return denials.has(found.errorCode) ? { ...found, errorMessage: '' } : found
}

const denials: ReadonlySet<number> = new Set([
  errorCodes.GROUP_AUTHORIZATION_FAILED,
  errorCodes.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
  errorCodes.CLUSTER_AUTHORIZATION_FAILED,
])

function find(broker: Broker, keyType: number, key: string, context: RequestContext): Coordinator {
  try {
    if (keyType === GROUP) demand(broker, context, 'describe', 'group', key)
    if (keyType === TRANSACTION) demand(broker, context, 'describe', 'transactionalId', key)
    if (keyType === SHARE && !allowsCluster(broker, context, 'clusterAction')) {
      throw new KafkaError('CLUSTER_AUTHORIZATION_FAILED')
    }
    const [endpoint] = broker.endpointsOf([broker.coordination.find(keyType, key)], context.listener)
    if (endpoint === undefined) throw new KafkaError('COORDINATOR_NOT_AVAILABLE')
    const { nodeId, host, port } = endpoint
    return { key, nodeId, host, port, errorCode: errorCodes.NONE, errorMessage: '' }
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    const { code, errorName, message } = error
    // Kafka says why it does not take a request, and says nothing where there is nobody yet.
    const errorMessage = errorName === 'COORDINATOR_NOT_AVAILABLE' ? '' : message
    return { key, nodeId: -1, host: '', port: -1, errorCode: code, errorMessage }
  }
}
