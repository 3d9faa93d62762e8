import { classicGroupChapters } from './chapters/classic-groups.ts'
import { clusterChapters } from './chapters/cluster.ts'
import { configChapters } from './chapters/configs.ts'
import { consumerGroupChapters } from './chapters/consumer-groups.ts'
import { envelopeChapters } from './chapters/envelopes.ts'
import { fetchingChapters } from './chapters/fetching.ts'
import { frameChapters } from './chapters/frames.ts'
import { offsetChapters } from './chapters/group-offsets.ts'
import { logChapters } from './chapters/offsets-of-logs.ts'
import { producingChapters } from './chapters/producing.ts'
import { registrationChapters } from './chapters/registration.ts'
import { replicaChapters } from './chapters/replicas.ts'
import { securityChapters } from './chapters/security.ts'
import { topicChapters } from './chapters/topics.ts'
import { transactionalRecordChapters } from './chapters/transactional-records.ts'
import { transactionChapters } from './chapters/transactions.ts'
import type { Chapter } from './play.ts'

/** The whole play, in its order: the cluster is new when it begins. */
export const chapters: readonly Chapter[] = [
  ...clusterChapters,
  ...topicChapters,
  ...producingChapters,
  ...fetchingChapters,
  ...logChapters,
  ...offsetChapters,
  ...classicGroupChapters,
  ...consumerGroupChapters,
  ...transactionChapters,
  ...transactionalRecordChapters,
  ...configChapters,
  ...replicaChapters,
  ...securityChapters,
  ...registrationChapters,
  ...envelopeChapters,
  ...frameChapters,
]
