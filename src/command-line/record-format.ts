/**
 * How `consume` prints a record: `%t-%p@%o %k: %v\n`, much as kcat writes it, or a line of JSON.
 */
import { isUtf8 } from 'node:buffer'
import type { ConsumerRecord } from '../client/consumer/consumer-record.ts'
import { unescaped } from './escapes.ts'
import { UsageError } from './flags.ts'

/** Makes the bytes of a record, its end of line included. */
export type RecordPrinter = (record: ConsumerRecord) => Buffer

type Part = (record: ConsumerRecord) => Buffer | string

/** How `--format` writes parts of a record, with what `--help` says of them. */
export const formatParts: Readonly<Record<string, string>> = {
  '%t': 'topic',
  '%p': 'partition',
  '%o': 'offset',
  '%k': 'key',
  '%v': 'value',
  '%h': 'headers',
  '%T': 'timestamp in ms',
  '%K': 'bytes of the key',
  '%S': 'bytes of the value',
  '%%': 'a percent sign',
}

/** @throws {UsageError} for a part or an escape that is not known */
export function formatPrinter(format: string, nullText: string): RecordPrinter {
  const known = partsOf(nullText)
  const parts: Part[] = []
  for (const [piece] of format.matchAll(/%.?|[^%]+/gsu)) {
    if (!piece.startsWith('%')) {
      const text = Buffer.from(unescaped('format', piece), 'utf8')
      parts.push(() => text)
      continue
    }
    const part = known[piece]
    if (part === undefined) {
      const all = Object.entries(formatParts).map(([name, what]) => `${name} ${what}`)
      throw new UsageError(`--format has no '${piece}'; there are ${all.join(', ')}`)
    }
    parts.push(part)
  }
  return record => Buffer.concat(parts.map(part => bytesOf(part(record))))
}

function partsOf(nullText: string): Readonly<Record<string, Part>> {
  const value: Part = record => record.value ?? nullText
  return {
    '%t': ({ topic }) => topic,
    '%p': ({ partition }) => `${partition}`,
    '%o': ({ offset }) => `${offset}`,
    '%k': ({ key }) => key ?? nullText,
    '%v': value,
    // As kcat has it.
    '%s': value,
    '%h': ({ headers }) =>
      Buffer.concat(
        headers.flatMap(({ key, value }, index) => [
          Buffer.from(`${index === 0 ? '' : ','}${key}=`),
          bytesOf(value ?? nullText),
        ]),
      ),
    '%T': ({ timestamp }) => `${timestamp}`,
    '%K': ({ serializedKeySize }) => `${serializedKeySize}`,
    '%S': ({ serializedValueSize }) => `${serializedValueSize}`,
    '%%': () => '%',
  }
}

function bytesOf(part: Buffer | string): Buffer {
  return typeof part === 'string' ? Buffer.from(part) : part
}

/** A line of JSON: text where the bytes are UTF-8, else `{ "base64": … }`. */
export const jsonPrinter: RecordPrinter = record => {
  const { topic, partition, offset, timestamp, timestampType, key, value, headers } = record
  const line = {
    topic,
    partition,
    offset,
    timestamp,
    timestampType,
    key: dataOf(key),
    value: dataOf(value),
    headers: headers.map(header => ({ key: header.key, value: dataOf(header.value) })),
  }
  return Buffer.from(`${JSON.stringify(line)}\n`)
}

function dataOf(bytes: Buffer | null): string | { readonly base64: string } | null {
  if (bytes === null) return null
  return isUtf8(bytes) ? bytes.toString('utf8') : { base64: bytes.toString('base64') }
}
