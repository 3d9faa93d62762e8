/**
 * What a leader checks of one produced batch, and what it makes of it (P-10…P-19; UnifiedLog.analyzeAndValidateRecords,
 * LogValidator). Records are walked over, not decoded: nothing is allocated per record unless one is refused, or the topic
 * has a codec of its own (P-17).
 *
 * Where Kafka fails inside itself and answers UNKNOWN_SERVER_ERROR (P-16: a compressed batch with inner offsets that are
 * not 0, 1, 2…, a codec that does not exist, a body that does not decompress), the answer here is INVALID_RECORD.
 * Timestamps beyond ±2^53 are refused, which Kafka would take.
 */
import { type NewRecord, rebuilt } from '../wire/batch-builder.ts'
import { type CompressionName, compressionIds } from '../wire/compression.ts'
import { KafkaError } from '../wire/errors.ts'
import { RecordCursor, surveyRecords } from '../wire/record.ts'
import { type RecordBatch, type TimestampType, verifyCrc } from '../wire/record-batch.ts'
import { hasPolicy, type LogConfig } from './log-config.ts'
import type { AppendOrigin } from './producer-states.ts'
import { type RecordError, type RefusalDetails, refused } from './refusal.ts'

export interface ValidatedBatch {
  /** The batch as the log keeps it, but for its place. */
  readonly batch: RecordBatch
  /** −1 on CreateTime topics (P-18). */
  readonly logAppendTime: number
}

export interface ValidationOptions {
  /** Topic and partition, e.g. `orders-0`: Kafka names it in its messages. */
  readonly name: string
  readonly config: LogConfig
  readonly origin: AppendOrigin
  /** Milliseconds since the epoch. */
  readonly now: number
}

/**
 * @throws {KafkaError} with `RefusalDetails`: INVALID_RECORD, MESSAGE_TOO_LARGE, CORRUPT_MESSAGE, INVALID_TIMESTAMP,
 * UNSUPPORTED_COMPRESSION_TYPE when the package for a codec is missing
 */
export function validateBatch(batch: RecordBatch, options: ValidationOptions): ValidatedBatch {
  const { config, origin, name } = options
  checkEnvelope(batch, options)
  if (origin === 'client') checkClientBatch(batch)
  const timestampType = config['message.timestamp.type'] as TimestampType
  const cursor = cursorOf(batch)
  const scan = scanQuickly(batch, cursor, timestampType, options) ?? scanRecords(batch, cursor, timestampType, options)
  if (scan.errors !== undefined) throw refusedRecords(scan.errors)
  const logAppendTime = timestampType === 'LogAppendTime' ? options.now : -1
  const maxTimestamp = timestampType === 'LogAppendTime' ? options.now : scan.maxTimestamp
  const codec = targetCodec(batch, config)
  if (codec !== undefined) {
    const recoded = recompressed(batch, codec, config).withTimestamps(timestampType, maxTimestamp)
    checkSize(recoded, config, name)
    return { batch: recoded, logAppendTime }
  }
  if (batch.compression !== 0 && !scan.consecutive) {
    throw refused('INVALID_RECORD', `a compressed batch in ${name} has inner offsets that are not 0, 1, 2…`)
  }
  return { batch: batch.withTimestamps(timestampType, maxTimestamp), logAppendTime }
}

/** P-10, in Kafka's order. */
function checkEnvelope(batch: RecordBatch, { origin, name, config }: ValidationOptions): void {
  if (origin === 'client' && batch.baseOffset !== 0) {
    throw refused('INVALID_RECORD', `the base offset of a batch for ${name} should be 0, not ${batch.baseOffset}`)
  }
  checkSize(batch, config, name)
  if (!verifyCrc(batch))
    throw refused('CORRUPT_MESSAGE', `the CRC of a batch for ${name} does not fit its bytes`, false)
}

function checkSize(batch: RecordBatch, config: LogConfig, name: string): void {
  const limit = config['max.message.bytes']
  if (batch.size > limit) {
    const what = `a batch of ${batch.size} bytes for ${name} is larger than max.message.bytes, ${limit}`
    throw refused('MESSAGE_TOO_LARGE', what, false)
  }
}

/** P-11, P-12. */
function checkClientBatch(batch: RecordBatch): void {
  const range = batch.lastOffsetDelta + 1
  if (range <= 0) throw refused('INVALID_RECORD', `a batch has an impossible last offset delta, ${range - 1}`)
  if (batch.count <= 0) throw refused('INVALID_RECORD', `a batch cannot have ${batch.count} records`)
  if (batch.count !== range) {
    throw refused('INVALID_RECORD', `a batch says it has ${batch.count} records and ${range} offsets`)
  }
  if (batch.isControl) throw refused('INVALID_RECORD', 'clients may not write control records')
  if (batch.hasProducer && batch.baseSequence < 0) {
    throw refused('INVALID_RECORD', `producer ${batch.producerId} sent a batch with sequence ${batch.baseSequence}`)
  }
}

/** Decompressed once; P-16: what cannot be decompressed. */
function cursorOf(batch: RecordBatch): RecordCursor {
  try {
    return new RecordCursor(batch)
  } catch (error) {
    throw asRefusal(error)
  }
}

interface Scan {
  /** −1 at least, as Kafka counts (P-19). */
  readonly maxTimestamp: number
  /** Inner offsets are 0, 1, 2… */
  readonly consecutive: boolean
  readonly errors: readonly TimestampOrRecordError[] | undefined
}

interface TimestampOrRecordError extends RecordError {
  readonly timestamp: boolean
}

/** What `scanRecords` would say of a batch in which nothing is to be refused; undefined: it has to look. */
function scanQuickly(
  batch: RecordBatch,
  { bytes }: RecordCursor,
  timestampType: TimestampType,
  { config, now }: ValidationOptions,
): Scan | undefined {
  const survey = batch.isLogAppendTime ? undefined : surveyRecords(bytes, batch.count)
  if (survey === undefined || (survey.nullKeys && hasPolicy(config, 'compact') && !batch.isControl)) return undefined
  const least = batch.baseTimestamp + survey.leastTimestampDelta
  const largest = batch.baseTimestamp + survey.largestTimestampDelta
  if (!(least >= 0 && Number.isSafeInteger(largest))) return undefined
  if (timestampType === 'CreateTime') {
    const isTooOld = now - least > config['message.timestamp.before.max.ms']
    if (isTooOld || largest - now > config['message.timestamp.after.max.ms']) return undefined
  }
  return { maxTimestamp: largest, consecutive: survey.consecutive, errors: undefined }
}

/** P-13…P-16, record by record: the key first, then the timestamp. Damage is found before either is told (B-6). */
function scanRecords(
  batch: RecordBatch,
  cursor: RecordCursor,
  timestampType: TimestampType,
  options: ValidationOptions,
): Scan {
  const { config, now, name } = options
  const keyRequired = hasPolicy(config, 'compact') && !batch.isControl
  const createTime = timestampType === 'CreateTime'
  const before = config['message.timestamp.before.max.ms']
  const after = config['message.timestamp.after.max.ms']
  let maxTimestamp = -1
  let consecutive = true
  let errors: TimestampOrRecordError[] | undefined
  try {
    while (cursor.next()) {
      // Asked for once: it is a number that V8 has to allocate.
      const { timestamp } = cursor
      let error: TimestampOrRecordError | undefined
      if (keyRequired && cursor.keyLength < 0) {
        error = { batchIndex: cursor.index, message: keyless + name, timestamp: false }
      } else if (createTime && timestamp !== -1) {
        const countable = Number.isSafeInteger(timestamp) || timestamp === Number.POSITIVE_INFINITY
        if (now - timestamp > before || timestamp - now > after || !countable) {
          error = { batchIndex: cursor.index, message: outOfRange(cursor, now, before, after), timestamp: true }
        }
      } else if (batch.isLogAppendTime) {
        error = { batchIndex: cursor.index, message: wrongType(cursor), timestamp: true }
      }
      if (error !== undefined) {
        if (errors === undefined) errors = []
        errors.push(error)
      }
      if (timestamp > maxTimestamp) maxTimestamp = timestamp
      if (cursor.offsetDelta !== cursor.index) consecutive = false
    }
  } catch (error) {
    throw asRefusal(error)
  }
  return { maxTimestamp, consecutive, errors }
}

const keyless = 'Compacted topic cannot accept message without key in topic partition '

function outOfRange(cursor: RecordCursor, now: number, before: number, after: number): string {
  return (
    `Timestamp ${long(cursor.timestamp)} of message with offset ${cursor.offset} is out of range. ` +
    `The timestamp should be within [${bound(now, before, -1n)}, ${bound(now, after, 1n)}]`
  )
}

/** now ± limit as Java's longs count, Long.MAX included. */
function bound(now: number, limit: number, sign: bigint): bigint {
  return BigInt.asIntN(64, BigInt(now) + sign * (Number.isFinite(limit) ? BigInt(limit) : MAX_LONG))
}

const MAX_LONG = 0x7fffffffffffffffn

function long(value: number): string {
  if (Number.isFinite(value)) return String(value)
  return value > 0 ? String(MAX_LONG) : String(-MAX_LONG - 1n)
}

function wrongType(cursor: RecordCursor): string {
  const key = Math.max(0, cursor.keyLength)
  const value = Math.max(0, cursor.valueLength)
  const record = `DefaultRecord(offset=${cursor.offset}, timestamp=${long(cursor.timestamp)}, key=${key} bytes, value=${value} bytes)`
  return `Invalid timestamp type in message ${record}. Producer should not set timestamp type to LogAppendTime.`
}

/** P-15: all of them, the sentence shows three. */
function refusedRecords(errors: readonly TimestampOrRecordError[]): KafkaError {
  const recordErrors = errors.map(({ batchIndex, message }) => ({ batchIndex, message }))
  const details: RefusalDetails = { knowsLogStart: true, recordErrors }
  if (errors.some(error => error.timestamp)) {
    const message = 'One or more records have been rejected due to invalid timestamp'
    return new KafkaError('INVALID_TIMESTAMP', message, details)
  }
  const first = recordErrors
    .slice(0, 3)
    .map(({ batchIndex, message }) => `RecordError(batchIndex=${batchIndex}, message='${message}')`)
  return new KafkaError(
    'INVALID_RECORD',
    `One or more records have been rejected due to ${errors.length} record errors in total, ` +
      `and only showing the first three errors at most: [${first.join(', ')}]`,
    details,
  )
}

/** The codec that the topic wants and the batch has not; undefined when the batch may stay as it is (P-17). */
function targetCodec(batch: RecordBatch, config: LogConfig): CompressionName | undefined {
  const wanted = config['compression.type']
  if (wanted === 'producer' || (batch.isControl && batch.compression === 0)) return undefined
  const codec = wanted === 'uncompressed' ? 'none' : (wanted as CompressionName)
  return compressionIds[codec] === batch.compression ? undefined : codec
}

/** Built again with the topic's codec: here, and only here, records get consecutive offsets (P-16, P-17). */
function recompressed(batch: RecordBatch, codec: CompressionName, config: LogConfig): RecordBatch {
  const cursor = new RecordCursor(batch)
  const records: NewRecord[] = []
  while (cursor.next()) {
    const { key, value, headers, timestamp } = cursor.record()
    records.push({ key, value, headers, timestamp, offset: batch.baseOffset + records.length })
  }
  const level = levelOf(codec, config)
  return rebuilt(batch, records, { compression: codec, ...(level === undefined ? {} : { compressionLevel: level }) })
}

function levelOf(codec: CompressionName, config: LogConfig): number | undefined {
  if (codec === 'gzip') return config['compression.gzip.level']
  if (codec === 'lz4') return config['compression.lz4.level']
  return codec === 'zstd' ? config['compression.zstd.level'] : undefined
}

function asRefusal(error: unknown): unknown {
  if (!(error instanceof KafkaError)) return error
  const code = error.errorName === 'UNKNOWN_SERVER_ERROR' ? 'INVALID_RECORD' : error.errorName
  return refused(code, error.message)
}
