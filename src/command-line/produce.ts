import { Producer } from '../client/clients.ts'
import type { ProducerOptions } from '../client/configuration.ts'
import type { ProducerRecord } from '../client/producer/producer-record.ts'
import { unescaped } from './escapes.ts'
import { commonFlags, type Flags } from './flags.ts'
import { lineReader } from './line-record.ts'
import { linesOf } from './lines.ts'
import { requirePartition } from './partition-choice.ts'
import { asked, clientConfigsOf, clientFlags } from './reachable.ts'
import { Sending } from './sending.ts'
import type { Terminal } from './terminal.ts'

const flags = {
  ...clientFlags,
  'key-separator': { value: 'TEXT', help: "what stands between key and value, such as ':' or '\\t'; default: no keys" },
  null: { value: 'TEXT', help: 'a key or a value that reads like this is null; default: there is none' },
  header: { value: 'key=value', repeats: true, help: 'a header of every record' },
  partition: { value: 'N', help: "send everything there; default: by the key, as Kafka's clients do" },
  acks: { value: '0|1|all', help: 'default all' },
  compression: { value: 'CODEC', help: 'none, gzip, snappy, lz4 or zstd; default none' },
  config: { value: 'key=value', repeats: true, help: "configuration of the producer, under Kafka's own names" },
  verbose: { help: 'print where each record went, as orders-0@12' },
  ...commonFlags,
} as const

export const produceHelp = {
  command: 'mini-kafka produce',
  usage: 'mini-kafka produce --topic NAME [flags]',
  about: [
    'Sends each line of stdin as a record, to mini-kafka or to a real Kafka. Ctrl-C (SIGINT, SIGTERM) or the end of stdin',
    'ends it, once everything was acknowledged. The exit code is 1 if any record failed.',
  ],
  flags,
  examples: [
    ['one record', 'echo paid | mini-kafka produce --topic orders --bootstrap-server 127.0.0.1:9092'],
    ['with keys', "printf 'ORDER-1:paid\\nORDER-2:packed\\n' | mini-kafka produce --topic orders --key-separator :"],
    [
      'a file, compressed, with a header',
      'mini-kafka produce --topic orders --compression gzip --header source=shop < orders.txt',
    ],
    ['a tombstone', "echo 'ORDER-1:-' | mini-kafka produce --topic orders --key-separator : --null -"],
  ],
} as const

/** How long an interrupted command waits for what is on its way, in milliseconds. */
const INTERRUPTED_MS = 5_000

/** Sends what stdin has. */
export async function produce(terminal: Terminal, given: Flags<keyof typeof flags>): Promise<number> {
  const topic = given.required('topic', 'orders')
  const separator = given.text('key-separator')
  const recordOf = lineReader({
    keySeparator: separator === undefined ? undefined : unescaped('key-separator', separator),
    nullText: given.text('null'),
  })
  const partition = given.number('partition', 0)
  const headers = given.pairs('header', 'source=shop')
  const configs = configsOf(given)
  const producer = new Producer(configs as ProducerOptions)
  const sending = new Sending(terminal, producer, { name: produceHelp.command, verbose: given.has('verbose') })
  try {
    await asked(configs, configs['max.block.ms'], admin => admin.describeCluster())
    if (partition !== undefined) requirePartition(topic, partition, (await producer.partitionsFor(topic)).length)
    let number = 0
    for await (const lines of linesOf(chunksOf(terminal))) {
      for (const line of lines) {
        number++
        const record = recordOf(line)
        if (record === undefined) {
          sending.refuse(`line ${number} has no '${separator}' between key and value, and was not sent`)
        } else {
          const whole: ProducerRecord = { topic, partition, headers, ...record }
          await sending.send(whole)
        }
      }
    }
  } finally {
    await producer.close(terminal.stopped.aborted ? { timeoutMs: INTERRUPTED_MS } : {})
  }
  return sending.conclude()
}

function configsOf(given: Flags<keyof typeof flags>): Record<string, string> {
  const acks = given.choice('acks', ['0', '1', 'all', '-1'])
  const compression = given.choice('compression', ['none', 'gzip', 'snappy', 'lz4', 'zstd'])
  return {
    'client.id': 'mini-kafka-produce',
    ...clientConfigsOf(given, 'producer', 'linger.ms=50'),
    ...(acks === undefined ? {} : { acks }),
    ...(compression === undefined ? {} : { 'compression.type': compression }),
  }
}

/** Chunks of stdin, until it ends or the command is stopped. */
async function* chunksOf({ input, stopped }: Terminal): AsyncGenerator<Buffer | string> {
  const end = () => input.destroy()
  if (stopped.aborted) end()
  stopped.addEventListener('abort', end)
  try {
    yield* input
  } catch (error) {
    if (!stopped.aborted) throw error
  } finally {
    stopped.removeEventListener('abort', end)
  }
}
