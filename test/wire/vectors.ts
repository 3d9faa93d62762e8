import { readFileSync } from 'node:fs'

/** Golden bytes by the classes of Apache Kafka 4.3.1. Numbers that may exceed 2^53 are text. */
export function vectors<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../data/kafka/${name}.json`, import.meta.url), 'utf8')) as T
}

export function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'))
}

export function hexOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString('hex')
}

/** Kafka's numbers as ours; undefined for one that is refused. */
export function numberOf(text: string): number | undefined {
  const exact = BigInt(text)
  if (exact === 2n ** 63n - 1n) return Number.POSITIVE_INFINITY
  if (exact === -(2n ** 63n)) return Number.NEGATIVE_INFINITY
  return Number.isSafeInteger(Number(exact)) ? Number(exact) : undefined
}

export interface BatchVector {
  readonly name: string
  readonly size: number
  readonly baseOffset: string
  readonly lastOffset: string
  readonly batchLength: number
  readonly partitionLeaderEpoch: number
  readonly magic: number
  readonly crc: string
  readonly attributes: number
  readonly compression: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  readonly timestampType: 'CreateTime' | 'LogAppendTime'
  readonly transactional: boolean
  readonly control: boolean
  readonly deleteHorizonMs: string | null
  readonly lastOffsetDelta: number
  readonly baseTimestamp: string
  readonly maxTimestamp: string
  readonly producerId: string
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly lastSequence: number
  readonly count: number
  readonly records: readonly {
    readonly offset: string
    readonly timestamp: string
    readonly sequence: number
    readonly key: string | null
    readonly value: string | null
    readonly headers: readonly (readonly [string, string | null])[]
  }[]
  readonly hex: string
}

export const batchVectors = vectors<{ vectors: BatchVector[] }>('vectors/batches').vectors
