import type { Broker } from '../broker/broker.ts'
import { type Api, defineApi } from '../wire/api.ts'
import { errorCodes, KafkaError } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, int16, int32, int64, string } from '../wire/schema.ts'
import { allows, allowsCluster } from './authorization.ts'

const request = {
  replicaId: int32.since(3).default(-2).ignorable(),
  topics: array({
    topic: string,
    partitions: array({
      partition: int32,
      currentLeaderEpoch: int32.default(-1).ignorable(),
      leaderEpoch: int32,
    }),
  }),
}

const response = {
  throttleTimeMs: int32.ignorable(),
  topics: array({
    topic: string,
    partitions: array({
      errorCode: int16,
      partition: int32,
      leaderEpoch: int32.default(-1).ignorable(),
      endOffset: int64.default(-1),
    }),
  }),
}

/**
 * Where a leader epoch ended in the leader's log: what a follower or consumer compares to find out how far its own log
 * agrees (KIP-101, KIP-320). The leader answers.
 */
export const offsetForLeaderEpoch: Api<typeof request, typeof response> = defineApi({
  key: 23,
  name: 'OffsetForLeaderEpoch',
  versions: '2-4',
  flexibleFrom: 4,
  request,
  response,
  broker: (broker: Broker, request, context) => {
    // For brokers it is made, and whoever may look at a topic may ask too.
    const isPeer = allowsCluster(broker, context, 'clusterAction')
    return {
      throttleTimeMs: 0,
      topics: request.topics.map(({ topic, partitions }) => {
        const mayAsk = isPeer || allows(broker, context, 'describe', 'topic', topic)
        return { topic, partitions: partitions.map(asked => (mayAsk ? answer(broker, topic, asked) : denied(asked))) }
      }),
    }
  },
})

type Asked = Decoded<typeof request>['topics'][number]['partitions'][number]
type Answer = Encodable<typeof response>['topics'][number]['partitions'][number]

function denied({ partition }: Asked): Answer {
  return { errorCode: errorCodes.TOPIC_AUTHORIZATION_FAILED, partition }
}

/** an epoch that the leader does not know yet has no end: −1 and −1, without an error. */
function answer(broker: Broker, topic: string, asked: Asked): Answer {
  const { partition: index, currentLeaderEpoch, leaderEpoch } = asked
  try {
    const partition = broker.requirePartition(topic, index)
    partition.checkLeaderEpoch(currentLeaderEpoch)
    partition.requireLeader()
    return { errorCode: errorCodes.NONE, partition: index, ...partition.log.endOffsetForEpoch(leaderEpoch) }
  } catch (error) {
    if (error instanceof KafkaError) return { errorCode: error.code, partition: index }
    throw error
  }
}
