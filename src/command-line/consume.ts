import { Consumer } from '../client/clients.ts'
import type { ConsumerOptions } from '../client/configuration.ts'
import type { ConsumerRecord } from '../client/consumer/consumer-record.ts'
import { partitionText } from '../client/topic-partition.ts'
import { WakeupError } from '../wire/errors.ts'
import { unescaped } from './escapes.ts'
import { commonFlags, type Flags, UsageError } from './flags.ts'
import { partitionCount, requirePartition } from './partition-choice.ts'
import { asked, clientConfigsOf, clientFlags } from './reachable.ts'
import { formatParts, formatPrinter, jsonPrinter, type RecordPrinter } from './record-format.ts'
import type { Terminal } from './terminal.ts'

const partNames = Object.entries(formatParts).map(([part, what]) => `${part} ${what}`)

const flags = {
  ...clientFlags,
  'from-beginning': {
    help: 'begin with the first record, not with the next one to come; in a group, where it has committed nothing',
  },
  group: { value: 'ID', help: 'join that group, share the partitions with its members, and commit what was printed' },
  'max-records': { value: 'N', help: 'end after so many' },
  'timeout-ms': { value: 'MS', help: 'end when none came for so long; with --max-records the exit code is then 1' },
  partition: { value: 'N', help: 'only of that partition' },
  offset: { value: 'OFFSET', help: 'with --partition: begin there; beginning, end, or -N, N before the end' },
  format: { value: 'TEXT', help: `${partNames.join(', ')}, \\n, \\t; default '%v\\n'` },
  'key-separator': { value: 'TEXT', help: "print key and value with that between them: the same as '%kTEXT%v\\n'" },
  null: { value: 'TEXT', help: 'what is printed for null; default null' },
  json: { help: 'a line of JSON for each record' },
  'isolation-level': { value: 'LEVEL', help: 'read_uncommitted or read_committed; default read_uncommitted' },
  config: { value: 'key=value', repeats: true, help: "configuration of the consumer, under Kafka's own names" },
  ...commonFlags,
} as const

type Given = Flags<keyof typeof flags>

export const consumeHelp = {
  command: 'mini-kafka consume',
  usage: 'mini-kafka consume --topic NAME [flags]',
  about: ['Prints the records of a topic, of mini-kafka or of a real Kafka, until Ctrl-C (SIGINT, SIGTERM).'],
  flags,
  examples: [
    ['everything that there is, and what comes', 'mini-kafka consume --topic orders --from-beginning'],
    ['with keys', 'mini-kafka consume --topic orders --from-beginning --key-separator :'],
    [
      'the last three records of a partition',
      'mini-kafka consume --topic orders --partition 0 --offset -3 --max-records 3',
    ],
    ['with where they are', "mini-kafka consume --topic orders --format '%t-%p@%o %k: %v\\n'"],
    [
      'as a member of a group, for a script',
      'mini-kafka consume --topic orders --group billing --from-beginning --json --timeout-ms 2000',
    ],
  ],
} as const

/** Prints records. */
export async function consume(terminal: Terminal, given: Given): Promise<number> {
  const topic = given.required('topic', 'orders')
  const printer = printerOf(given)
  const start = startOf(given)
  const partition = given.number('partition', 0)
  const limits = { most: given.number('max-records', 1), timeoutMs: given.number('timeout-ms', 0) }
  const configs = configsOf(given, limits.most)
  const consumer = new Consumer(configs as ConsumerOptions)
  const stopped = AbortSignal.any([terminal.stopped, terminal.output.closed])
  const wake = () => consumer.wakeup()
  try {
    const count = await asked(configs, configs['default.api.timeout.ms'], admin => partitionCount(admin, topic))
    if (partition !== undefined) requirePartition(topic, partition, count)
    if (given.has('group') && partition === undefined) consumer.subscribe([topic])
    else consumer.assign(partitionsOf(topic, partition, count))
    if (start !== undefined && partition !== undefined) await seek(consumer, { topic, partition }, start)
    stopped.addEventListener('abort', wake)
    const printed = await print(terminal, consumer, { ...limits, printer, stopped })
    // Closing would commit too, but would not say that it failed.
    if (given.has('group') && configs['enable.auto.commit'] !== 'false') await consumer.commit()
    if (limits.most === undefined || printed === limits.most || stopped.aborted) return 0
    const came = `${printed} of ${limits.most} records came, and then none for ${limits.timeoutMs} ms`
    terminal.say(`${consumeHelp.command}: ${came}`)
    return 1
  } finally {
    stopped.removeEventListener('abort', wake)
    await consumer.close()
  }
}

interface Printing {
  readonly printer: RecordPrinter
  readonly most: number | undefined
  readonly timeoutMs: number | undefined
  readonly stopped: AbortSignal
}

/** Prints until it is stopped, has printed enough, or nothing comes. Answers how many. */
async function print(terminal: Terminal, consumer: Consumer, options: Printing): Promise<number> {
  const { printer, most = Number.POSITIVE_INFINITY, timeoutMs = Number.POSITIVE_INFINITY, stopped } = options
  let printed = 0
  while (printed < most && !stopped.aborted) {
    const records = await polled(consumer, timeoutMs)
    if (records === undefined || (records.length === 0 && timeoutMs < Number.POSITIVE_INFINITY)) break
    const wanted = records.slice(0, most - printed)
    if (wanted.length < records.length) leave(consumer, records.slice(wanted.length))
    await terminal.output.write(Buffer.concat(wanted.map(printer)))
    printed += wanted.length
  }
  return printed
}

/** Undefined: it was stopped meanwhile. */
async function polled(consumer: Consumer, timeoutMs: number): Promise<ConsumerRecord[] | undefined> {
  try {
    return await consumer.poll({ timeoutMs })
  } catch (error) {
    if (error instanceof WakeupError) return undefined
    throw error
  }
}

/** What was read and is not printed is not committed: the positions go back to the first of each partition. */
function leave(consumer: Consumer, records: readonly ConsumerRecord[]): void {
  const seen = new Set<string>()
  for (const { topic, partition, offset } of records) {
    const name = partitionText({ topic, partition })
    if (!seen.has(name)) consumer.seek({ topic, partition }, offset)
    seen.add(name)
  }
}

function configsOf(given: Given, most: number | undefined): Record<string, string> {
  given.refuseBoth('from-beginning', 'offset')
  const group = given.text('group')
  if (group === '') throw new UsageError('--group takes a name, as in --group billing')
  const isolation = given.choice('isolation-level', ['read_uncommitted', 'read_committed'])
  return {
    'client.id': 'mini-kafka-consume',
    // Nobody is served by more than will be printed.
    ...(most === undefined ? {} : { 'max.poll.records': `${Math.min(most, 500)}` }),
    ...clientConfigsOf(given, 'consumer', 'fetch.min.bytes=1024'),
    ...(group === undefined ? {} : { 'group.id': group }),
    ...(given.has('from-beginning') ? { 'auto.offset.reset': 'earliest' } : {}),
    ...(isolation === undefined ? {} : { 'isolation.level': isolation }),
  }
}

function printerOf(given: Given): RecordPrinter {
  for (const [one, other] of [
    ['json', 'format'],
    ['json', 'key-separator'],
    ['format', 'key-separator'],
  ] as const) {
    given.refuseBoth(one, other)
  }
  if (given.has('json')) return jsonPrinter
  const separator = given.text('key-separator')
  // A percent sign in the separator is one.
  const otherwise = separator === undefined ? '%v\\n' : `%k${separator.replaceAll('%', '%%')}%v\\n`
  return formatPrinter(given.text('format') ?? otherwise, unescaped('null', given.text('null') ?? 'null'))
}

function partitionsOf(topic: string, only: number | undefined, count: number) {
  if (only !== undefined) return [{ topic, partition: only }]
  return Array.from({ length: count }, (_, partition) => ({ topic, partition }))
}

/** Where `--offset` begins: at an offset, or so many records before the end. */
type Start = { readonly at: number } | { readonly beforeEnd: number } | 'beginning'

function startOf(given: Given): Start | undefined {
  const text = given.text('offset')
  if (text === undefined) return undefined
  if (!given.has('partition')) throw new UsageError(`--offset is one of a partition: --partition 0 --offset ${text}`)
  if (text === 'beginning') return 'beginning'
  if (text === 'end') return { beforeEnd: 0 }
  const number = /^-?\d+$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(number)) {
    throw new UsageError(`--offset takes a whole number, beginning or end, not '${text}'`)
  }
  return text.startsWith('-') ? { beforeEnd: -number } : { at: number }
}

async function seek(consumer: Consumer, partition: { topic: string; partition: number }, start: Start): Promise<void> {
  if (start === 'beginning') consumer.seekToBeginning([partition])
  else if ('at' in start) consumer.seek(partition, start.at)
  else {
    const [[, end]] = [...(await consumer.endOffsets([partition]))] as [[unknown, number]]
    const [[, first]] = [...(await consumer.beginningOffsets([partition]))] as [[unknown, number]]
    consumer.seek(partition, Math.max(first, end - start.beforeEnd))
  }
}
