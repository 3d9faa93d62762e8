import { fetch } from '../apis/fetch.ts'
import type { ClusterImage } from '../metadata/image.ts'
import { applyBatch, METADATA_TOPIC_ID } from '../metadata/metadata-batch.ts'
import type { Life } from '../node/life.ts'
import type { PeerLink } from '../node/peer-link.ts'
import type { ResponseOf } from '../wire/api.ts'
import { errorCodes } from '../wire/errors.ts'

const MAX_WAIT_MS = 500
const REQUEST_TIMEOUT_MS = 30_000

export interface MetadataFollowerOptions {
  readonly life: Life
  readonly link: PeerLink
  readonly brokerId: number
  readonly image: ClusterImage
  readonly retryMs: number
  /** The image moved: act on its changes. */
  readonly applied: () => void
}

/**
 * Learns what the cluster is by fetching the controller's log, as a follower of it (KIP-500). A broker that cannot reach
 * the controller goes on with what it knows: it may be stale, and it may be a leader that has been replaced.
 */
export class MetadataFollower {
  readonly #options: MetadataFollowerOptions

  constructor(options: MetadataFollowerOptions) {
    this.#options = options
  }

  start(): void {
    this.#fetch()
  }

  #fetch(): void {
    const { link, brokerId, image } = this.#options
    link.send(
      fetch,
      {
        replicaState: { replicaId: brokerId, replicaEpoch: -1 },
        maxWaitMs: MAX_WAIT_MS,
        minBytes: 1,
        sessionId: 0,
        sessionEpoch: -1,
        topics: [
          {
            topicId: METADATA_TOPIC_ID,
            partitions: [
              {
                partition: 0,
                fetchOffset: image.offset + 1,
                lastFetchedEpoch: image.epoch,
                partitionMaxBytes: 0x7fffffff,
              },
            ],
          },
        ],
        forgottenTopicsData: [],
      },
      REQUEST_TIMEOUT_MS,
      {
        onResponse: response => this.#received(response),
        onLost: () => this.#retry(),
      },
    )
  }

  #received(response: ResponseOf<typeof fetch>): void {
    const { image, applied } = this.#options
    const partition = response.responses[0]?.partitions[0]
    if (response.errorCode !== errorCodes.NONE || partition === undefined || partition.errorCode !== errorCodes.NONE) {
      this.#retry()
      return
    }
    const before = image.offset
    for (const batch of partition.records?.batches() ?? []) applyBatch(image, batch)
    if (image.offset > before) applied()
    this.#fetch()
  }

  #retry(): void {
    const { life, retryMs } = this.#options
    life.after(retryMs, () => this.#fetch(), { housekeeping: true })
  }
}
