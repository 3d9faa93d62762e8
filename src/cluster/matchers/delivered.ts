import { ConfigError } from '../../wire/errors.ts'
import type { Cluster } from '../cluster.ts'
import { refuseUnknown } from '../options.ts'
import type { BytesRecord } from '../topic-handle.ts'
import type { Isolation } from '../visible-records.ts'
import { isDelivered } from './delivery.ts'
import { report } from './delivery-report.ts'
import { checkExpected, type ExpectedRecord, showRecord } from './expected-record.ts'
import { clusterOf, type MatcherContext, type MatcherResult, timeoutOf, within } from './matcher.ts'

export interface DeliveredOptions {
  /** Default `'read_committed'`. */
  readonly isolation?: Isolation
  /** How long it may take, on the cluster's time. Default 60,000 of virtual and 3,000 of real time. */
  readonly timeoutMs?: number
}

/**
 * A consumer may read exactly these records: in order for each partition, and no others. Waits until it is so. With
 * `.not` and with `[]` it first lets everything settle, then looks once.
 */
export async function toHaveDelivered(
  this: MatcherContext | void,
  received: unknown,
  topic: string,
  expected: readonly ExpectedRecord[],
  options: DeliveredOptions = {},
): Promise<MatcherResult> {
  const cluster = clusterOf(received, 'toHaveDelivered')
  refuseUnknown('option of toHaveDelivered', options, ['isolation', 'timeoutMs'])
  checkExpected('toHaveDelivered', topic, expected)
  const isNot = this?.isNot ?? false
  const { isolation = 'read_committed' } = options
  const { pass, records } = await look(cluster, topic, expected, isNot || expected.length === 0, options)
  return {
    pass,
    message: () => {
      if (pass) return contrary(topic, records)
      const count = expected.length === 0 ? 'no record' : `exactly ${counted(expected.length, 'record')}`
      const waited = expected.length === 0 ? '' : ` ${within(cluster, options)}`
      const head = `expected '${topic}' to have delivered ${count}${waited} (${isolation}), it has ${records.length}`
      return `${head}\n\n${report(cluster, topic, isolation, expected, records)}`
    },
  }
}

async function look(
  cluster: Cluster,
  topic: string,
  expected: readonly ExpectedRecord[],
  settles: boolean,
  options: DeliveredOptions,
): Promise<{ pass: boolean; records: readonly BytesRecord[] }> {
  const { isolation = 'read_committed' } = options
  const filter = { isolation, ...timeoutOf(cluster, options) }
  const handle = cluster.topic(topic)
  if (settles) {
    await cluster.settle()
    const records = await handle.records({ ...filter, as: 'bytes' })
    return { pass: isDelivered(expected, records), records }
  }
  const atLeast = expected.length
  const { held, records } = await handle.waitFor(found => isDelivered(expected, found), { ...filter, atLeast })
  return { pass: held, records }
}

function contrary(topic: string, records: readonly BytesRecord[]): string {
  const lines = records.slice(0, 10).map(record => `  ${topic}-${record.partition}  ${showRecord(record)}`)
  const more = records.length > lines.length ? [`  … and ${records.length - lines.length} more`] : []
  if (records.length === 0) return `expected '${topic}' to have delivered something, it has delivered nothing`
  return [`expected '${topic}' not to have delivered exactly these records:`, ...lines, ...more].join('\n')
}

export function counted(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`
}

export function requireCount(what: string, value: unknown): void {
  if (!Number.isInteger(value) || (value as number) < 0) {
    throw new ConfigError(`${what} must be a whole number from 0 on, not ${value}`)
  }
}
