import { ConfigError } from '../../wire/errors.ts'
import type { Cluster } from '../cluster.ts'
import type { Consumption } from '../group-consumption.ts'
import type { GroupHandle } from '../group-handle.ts'
import { refuseUnknown } from '../options.ts'
import type { BytesRecord } from '../topic-handle.ts'
import type { Isolation } from '../visible-records.ts'
import { WaitTimeoutError } from '../wait.ts'
import { counted } from './delivered.ts'
import { isDelivered } from './delivery.ts'
import { comparison } from './delivery-report.ts'
import { checkExpected, type ExpectedRecord, showRecord } from './expected-record.ts'
import { clusterOf, type MatcherContext, type MatcherResult, timeoutOf, within } from './matcher.ts'

export interface ConsumedMatcherOptions {
  /** Default `'read_committed'`. */
  readonly isolation?: Isolation
  /** How long it may take, on the cluster's time. Default 60,000 of virtual and 3,000 of real time. */
  readonly timeoutMs?: number
}

const SHOWN = 3

/**
 * Below the offsets that the group has committed lie exactly these records of the topic: in order for each partition, and
 * no others. Without records: every record that there is. Whether anybody read them, offsets do not say: those that
 * `auto.offset.reset: 'latest'` skipped count too, once something is committed. Waits until it is so. With `.not` and with `[]` it first lets
 * everything settle, then looks once; a group that nobody knows is then an error, for it would agree with any misspelling.
 */
export async function toHaveConsumed(
  this: MatcherContext | void,
  received: unknown,
  group: string,
  topic: string,
  expected?: readonly ExpectedRecord[],
  options: ConsumedMatcherOptions = {},
): Promise<MatcherResult> {
  const cluster = clusterOf(received, 'toHaveConsumed')
  refuseUnknown('option of toHaveConsumed', options, ['isolation', 'timeoutMs'])
  if (typeof topic !== 'string')
    throw new ConfigError("toHaveConsumed takes a group and a topic: ('billing', 'orders')")
  if (expected !== undefined) checkExpected('toHaveConsumed', topic, expected)
  cluster.topic(topic)
  const handle = cluster.group(group)
  const isSo = ({ consumed, unread }: Consumption) =>
    expected === undefined ? unread.length === 0 : isDelivered(expected, consumed)
  const settles = (this?.isNot ?? false) || expected?.length === 0
  const { isolation = 'read_committed' } = options
  const wait = { isolation, ...timeoutOf(cluster, options) }
  const { held, last } = settles
    ? await settled(cluster, handle, topic, wait)
    : await handle.waitForConsumed(topic, isSo, wait)
  const pass = settles ? isSo(last!) : held
  return {
    pass,
    message: () => {
      const whom = `group '${group}'`
      if (pass) return contrary(whom, topic, expected === undefined, last!.consumed)
      const waited = settles ? '' : ` ${within(cluster, options)}`
      const what = wanted(topic, expected)
      const got = last === undefined ? 'nobody can say what it has' : `it has consumed ${last.consumed.length}`
      const head = `expected ${whom} to have consumed ${what}${waited} (${isolation}), ${got}`
      return [head, '', ...differences(cluster, topic, expected, last), handle.describe()].join('\n')
    },
  }
}

/** One look, when everything has settled. */
async function settled(
  cluster: Cluster,
  handle: GroupHandle,
  topic: string,
  options: ConsumedMatcherOptions,
): Promise<{ readonly held: boolean; readonly last: Consumption | undefined }> {
  await cluster.settle()
  // Not there: the handle says so, with the nearest name.
  if (!handle.exists) void handle.coordinator
  const look = await handle.waitForConsumed(topic, () => true, options)
  if (look.held) return look
  throw new WaitTimeoutError(
    `nobody can say what group '${handle.id}' has consumed of '${topic}': ${handle.describe()}`,
  )
}

function wanted(topic: string, expected: readonly ExpectedRecord[] | undefined): string {
  if (expected === undefined) return `every record of '${topic}'`
  if (expected.length === 0) return `no record of '${topic}'`
  return `exactly ${counted(expected.length, 'record')} of '${topic}'`
}

/** What is not as expected, and what lies above the committed offsets. */
function differences(
  cluster: Cluster,
  topic: string,
  expected: readonly ExpectedRecord[] | undefined,
  last: Consumption | undefined,
): string[] {
  if (last === undefined) return []
  const lines = expected === undefined ? [] : comparison(cluster, topic, expected, last.consumed, 'consumed').lines
  if (last.unread.length === 0) return lines
  return [...lines, 'not consumed, at or above the committed offsets:', ...listed(topic, last.unread, SHOWN), '']
}

function contrary(whom: string, topic: string, isAll: boolean, records: readonly BytesRecord[]): string {
  if (records.length === 0) return `expected ${whom} to have consumed something of '${topic}', it has consumed nothing`
  const what = isAll ? `every record of '${topic}'` : 'exactly these records'
  return [`expected ${whom} not to have consumed ${what}:`, ...listed(topic, records, 10)].join('\n')
}

function listed(topic: string, records: readonly BytesRecord[], most: number): string[] {
  const lines = records
    .slice(0, most)
    .map(record => `  ${topic}-${record.partition}  ${showRecord(record, ['offset', 'key', 'value'])}`)
  return records.length > most ? [...lines, `  … and ${records.length - most} more`] : lines
}
